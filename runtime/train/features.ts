/**
 * From patch features to z, as ReDi prepares its representations (Kouzelis et al. 2025): standardise,
 * project on the first principal components, resize to the pixels' grid. The arithmetic is the
 * program's; the eigenvectors come from metrics/eigen.ts.
 *
 * Invariant: over the pictures that it was made from, z has unit root mean square; one scale serves
 * all channels, so that their proportions stay those of the components.
 */
import type { Tensor } from '../api/tensor.ts';
import { TenonError } from '../errors.ts';
import { SafetensorsFile } from '../io/safetensors-file.ts';
import { symmetricEigen } from '../metrics/eigen.ts';
import { type FeatureRange, featureRange } from '../plot/feature-colours.ts';
import type { Config } from './config.ts';
import type { Context } from './context.ts';
import { netSizes } from './shape.ts';
import { readState, type StateDict, save } from './state.ts';

/** The leaves of a `Pca` of models/pca.tn. */
export type Projection = StateDict;

const tensor = (shape: readonly number[], data: Float32Array): Tensor => ({
  dtype: 'f32',
  shape,
  data,
});

/** Fits the projection to the patch features of the training pictures. */
export async function fitProjection(context: Context, patches: Float32Array): Promise<Projection> {
  const { config, programs, device } = context;
  const { width, rank } = config.encoder;
  const tokens = (config.data.size / config.encoder.patch) ** 2;
  await using statistics = programs.encoder.function('featureStatistics', { device });
  const x = { shape: [patches.length / (tokens * width), tokens, width], data: patches };
  const { tensors } = await statistics.call({ x });
  const leaf = (name: string): Float32Array => Float32Array.from(tensors.get(name)!.data);
  const { vectors } = symmetricEigen(tensors.get('out.covariance')!.data, width);
  const unscaled = new Map([
    ['mean', tensor([width], leaf('out.moments.mean'))],
    ['deviation', tensor([width], leaf('out.moments.deviation'))],
    ['components', tensor([rank, width], Float32Array.from(vectors.subarray(0, rank * width)))],
    ['scale', tensor([], Float32Array.of(1))],
  ]);
  const z = await project(context, unscaled, patches);
  await using unit = programs.encoder.function('unitScale', { device });
  const { out } = await unit.call({ z: { shape: zShape(context, z), data: z } });
  return new Map([...unscaled, ['scale', tensor([], Float32Array.of(out as number))]]);
}

/** z of every picture, [count, rank, size, size]. */
export async function project(
  context: Context,
  projection: Projection,
  patches: Float32Array,
): Promise<Float32Array> {
  const { config, programs, device, classes } = context;
  const { H, W, P } = netSizes(config.encoder, config.data.size, classes);
  const { width } = config.encoder;
  const shape = [patches.length / (H * W * width), H * W, width];
  await using f = programs.encoder.function('featureMaps', { device, sizes: { H, W, P } });
  const { out } = await f.call({ p: projection, x: { shape, data: patches } });
  return Float32Array.from((out as Tensor).data);
}

function zShape({ config }: Context, z: Float32Array): number[] {
  const { size } = config.data;
  const { rank } = config.encoder;
  return [z.length / (rank * size * size), rank, size, size];
}

/** What is kept beside the projection for those who only look at a run. */
export type Shown = { readonly range: FeatureRange; readonly classes: readonly string[] };

/** Keeps the projection, the range of z by which features are shown as colours, the categories. */
export function keepProjection(
  file: string,
  { config }: Context,
  projection: Projection,
  z: Float32Array,
  classes: readonly string[],
): Shown {
  const { rank: channels } = config.encoder;
  const { size } = config.data;
  const range = featureRange(z, { count: z.length / (channels * size * size), channels, size });
  save(file, projection, { range: JSON.stringify(range), classes: JSON.stringify(classes) });
  return { range, classes };
}

/** @throws TenonError (`io`, `format`). */
export function readProjection(file: string, { encoder }: Config): Projection {
  const { width, rank } = encoder;
  const zeros = (...shape: number[]): Tensor =>
    tensor(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
  return readState(
    file,
    new Map([
      ['mean', zeros(width)],
      ['deviation', zeros(width)],
      ['components', zeros(rank, width)],
      ['scale', zeros()],
    ]),
  );
}

/** @throws TenonError (`io`, `format`). */
export function readShown(file: string): Shown {
  using source = SafetensorsFile.open(file);
  const part = (name: string): unknown => {
    try {
      return JSON.parse(source.metadata[name] ?? 'null');
    } catch {
      return null;
    }
  };
  const [range, classes] = [part('range'), part('classes')];
  const pair = (r: unknown): boolean =>
    Array.isArray(r) && r.length === 2 && r.every(Number.isFinite);
  const whole =
    Array.isArray(range) &&
    range.every(pair) &&
    Array.isArray(classes) &&
    classes.every((c) => typeof c === 'string');
  if (!whole) {
    throw new TenonError('format', `${file} does not say its categories and colours`, {
      place: { file },
    });
  }
  return { range: range as FeatureRange, classes: classes as string[] };
}
