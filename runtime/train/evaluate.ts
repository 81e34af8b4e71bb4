/**
 * How good samples are, as a Frechet distance in the pooled features of the run's own encoder:
 * against all real pictures, beside two yardsticks measured the same way, the samples of the
 * untrained model and one half of the real pictures against the other.
 */
import { halves } from '../data/shuffle.ts';
import { fitGaussian, frechetDistance } from '../metrics/frechet.ts';
import type { Context, Pictures } from './context.ts';
import { encode } from './encoder.ts';
import { drawSamples, realisticLabels, type Samples } from './sampling.ts';
import type { StateDict } from './state.ts';

export type Distances = {
  readonly samples: number;
  readonly trained: number;
  readonly untrained: number;
  /** One random half of the real pictures against the other. */
  readonly realHalves: number;
  /** trained / untrained */
  readonly ratio: number;
};

export type Models = {
  readonly encoder: StateDict;
  readonly trained: StateDict;
  readonly untrained: StateDict;
};

export async function measureDistances(
  context: Context,
  pictures: Pictures,
  models: Models,
): Promise<Distances> {
  const { config, onProgress } = context;
  const { samples } = config.evaluate;
  const width = config.encoder.width;
  const labels = realisticLabels(pictures.all, samples, config.seed);
  const total = 2 * samples;
  onProgress?.({ k: 'stage', stage: 'evaluate', from: 0, total });
  const pooled = async (images: Float32Array, of: Int32Array): Promise<Float32Array> =>
    (await encode(context, models.encoder, { images, labels: of })).pooled;
  const drawn = (params: StateDict, before: number): Promise<Samples> =>
    drawSamples(context, {
      params,
      labels,
      stream: 'sample',
      onChunk: (n) => onProgress?.({ k: 'step', stage: 'evaluate', done: before + n, total }),
    });
  const real = await pooled(pictures.all.images, pictures.all.labels);
  const whole = fitGaussian(real, width);
  const distance = async (s: Samples): Promise<number> =>
    frechetDistance(fitGaussian(await pooled(s.x, s.labels), width), whole);
  const trained = await distance(await drawn(models.trained, 0));
  const untrained = await distance(await drawn(models.untrained, samples));
  const everything = Int32Array.from(pictures.all.labels, (_, i) => i);
  const [a, b] = halves(everything, config.seed).map((part) =>
    fitGaussian(rows(real, part, width), width),
  );
  return {
    samples,
    trained,
    untrained,
    realHalves: frechetDistance(a!, b!),
    ratio: trained / untrained,
  };
}

function rows(values: Float32Array, indices: Int32Array, width: number): Float32Array {
  const out = new Float32Array(indices.length * width);
  indices.forEach((from, to) => {
    out.set(values.subarray(from * width, (from + 1) * width), to * width);
  });
  return out;
}
