/** What ReDi's inputs come from: pca, dino, vae. */
import type { Tensor } from '../../api/tensor.ts';
import { openDevice } from '../../devices/registry.ts';
import { symmetricEigen } from '../../metrics/eigen.ts';
import { type Call, type Case, type Host, names, same, tensor, weights } from '../call.ts';
import { configCount, configCounts, dimension, type Sidecar } from '../sidecar.ts';
import { vaeProgram, vaeShape } from '../vae-program.ts';

// ---------------------------------------------------------------- pca

const pca: Case = (sidecar): Call[] => {
  const picture = Object.keys(sidecar.tensors).find((n) => n.startsWith('out.raw_image_'));
  return [
    {
      k: 'host',
      program: 'pca.tn',
      inputs: { x: tensor('in.X') },
      run: (host) => fitAndProject(host, sidecar),
      expect: same([
        'mean',
        'std',
        'pca_mean',
        'components',
        'components_sign_sklearn12',
        'explained_variance',
        'explained_variance_ratio',
        'z',
        'grid',
        'resized',
      ]),
      // It is 0 but for rounding.
      allow: (name) => (name === 'out.pca_mean' ? 1e-6 : undefined),
    },
    ...(picture === undefined
      ? []
      : [
          {
            k: 'call' as const,
            program: 'pca.tn',
            fn: 'prepared',
            sizes: { U: dimension(sidecar, picture, 2), V: dimension(sidecar, picture, 3) },
            inputs: { image: tensor('in.raw_image') },
            expect: names({ [picture]: 'out' }),
          },
        ]),
    {
      k: 'call',
      program: 'pca.tn',
      fn: 'latent',
      sizes: {},
      inputs: { moments: tensor('in.moments'), noise: tensor('noise.posterior') },
      expect: names({ 'out.latent': 'out' }),
    },
  ];
};

/**
 * Sums over the samples are the device's and exact; what follows of them has no samples any more and
 * is in f64, as the eigen-solve is: two eigenvalues may be so close that float32 turns their
 * eigenvectors by more than a float32 projection is off.
 */
async function fitAndProject(
  { program, device, inputs, signal }: Host,
  sidecar: Sidecar,
): Promise<ReadonlyMap<string, Tensor>> {
  const options = signal === undefined ? {} : { signal };
  const exact = device.name === 'reference' ? device : await openDevice('reference');
  try {
    await using sums = program.function('sums', { device });
    const s = (await sums.call(inputs, options)).tensors;
    await using statistics = program.function('statistics', { device: exact });
    const count = (inputs['x'] as Tensor).shape[0]!;
    const given = new Map([...s].map(([name, t]) => [name.slice('out.'.length), t]));
    const found = (await statistics.call({ s: given, count }, options)).tensors;
    const [D] = found.get('out.mean')!.shape as [number];
    const { values, vectors } = symmetricEigen(found.get('out.covariance')!.data, D);
    const components: Tensor = { dtype: 'f32', shape: [D, D], data: vectors };
    const sizes = {
      R: dimension(sidecar, 'out.z', 1),
      M: dimension(sidecar, 'out.grid', 0),
      H: dimension(sidecar, 'out.grid', 2),
      W: dimension(sidecar, 'out.grid', 3),
      U: dimension(sidecar, 'out.resized', 2),
      V: dimension(sidecar, 'out.resized', 3),
    };
    await using projected = program.function('projected', { device, sizes });
    const withStatistics = {
      ...inputs,
      mean: found.get('out.mean')!,
      std: found.get('out.std')!,
      pca_mean: found.get('out.pca_mean')!,
      components,
      values,
    };
    const { tensors } = await projected.call(withStatistics, options);
    return new Map([...found, ...tensors, ['out.components', components]]);
  } finally {
    if (exact !== device) exact.dispose();
  }
}

// ---------------------------------------------------------------- dino and vae

const dino: Case = (sidecar): Call[] => {
  const sizes = { A: configCount(sidecar, 'heads') };
  const inputs = { p: weights, image: tensor('in.image') };
  const features: Call = {
    k: 'call',
    program: 'dino.tn',
    fn: 'features',
    sizes,
    inputs,
    expect: same(['x_norm_clstoken', 'x_norm_patchtokens']),
  };
  if (sidecar.tensors['in.pos_embed_large'] === undefined) return [features];
  const native = Math.sqrt(dimension(sidecar, 'in.pos_embed_large', 1) - 1);
  return [
    features,
    {
      k: 'call',
      program: 'dino.tn',
      fn: 'resized',
      sizes: { ...sizes, M: native },
      inputs: { ...inputs, pos: tensor('in.pos_embed_large') },
      expect: names({ 'out.large.*': 'out.*' }),
    },
  ];
};

const vae: Case = (sidecar): Call[] => {
  const channels = configCounts(sidecar, 'chans');
  const shape = vaeShape(channels, configCount(sidecar, 'layers'));
  const program = { text: vaeProgram(shape, '../') };
  const G = configCount(sidecar, 'groups');
  const sizes: Record<string, number> = { G };
  for (const [level, w] of shape.widths.entries()) sizes[`N${w}`] = channels[level]! / G;
  const part = { k: 'call' as const, program, sizes };
  return [
    {
      ...part,
      fn: 'posteriors',
      inputs: { p: weights, image: tensor('in.image') },
      expect: same(['mean', 'logvar', 'std']),
    },
    {
      ...part,
      fn: 'pictures',
      inputs: { p: weights, latent: tensor('in.latent') },
      expect: names({ 'out.decoded': 'out' }),
    },
  ];
};

export const encoderCases: Readonly<Record<string, Case>> = { pca, dino, vae };
