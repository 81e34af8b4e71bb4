/** Ancestral and DDIM sampling of dit-ddpm. The eta of a DDIM run is part of its tensor's name. */
import { type FunctionCall, names, scalar, tensor, value, weights } from '../call.ts';
import { dimension, type Sidecar } from '../sidecar.ts';
import { network } from './networks.ts';

export function ddpmSampling(sidecar: Sidecar): FunctionCall[] {
  const run = (steps: 'ddpm' | 'ddim') => ({
    k: 'call' as const,
    program: 'ddpm.tn',
    sizes: {
      ...network(sidecar, 'in.sample_noise'),
      N: dimension(sidecar, `in.steps_${steps}`, 0),
    },
    inputs: {
      p: weights,
      start: tensor('in.sample_noise'),
      y: tensor('in.sample_y'),
      steps: tensor(`in.steps_${steps}`),
      noise: tensor('noise.steps'),
    },
  });
  const ancestral = run('ddpm');
  const implicit = run('ddim');
  const etas = Object.keys(sidecar.tensors).flatMap(
    (name) => /^out\.sample_ddim_eta([\d.]+)$/.exec(name)?.[1] ?? [],
  );
  return [
    {
      ...ancestral,
      fn: 'ancestral',
      expect: names({ 'out.sample_ddpm': 'out.last', 'out.ddpm_first_step': 'out.first' }),
    },
    {
      ...ancestral,
      fn: 'ancestralCfgX',
      inputs: { ...ancestral.inputs, scale: scalar('cfg_scale') },
      expect: names({ 'out.sample_ddpm_cfg_vae': 'out.last' }),
    },
    ...etas.map(
      (eta): FunctionCall => ({
        ...implicit,
        fn: 'implicit',
        inputs: { ...implicit.inputs, eta: value(Number(eta)) },
        expect: names({ [`out.sample_ddim_eta${eta}`]: 'out.last' }),
      }),
    ),
  ];
}
