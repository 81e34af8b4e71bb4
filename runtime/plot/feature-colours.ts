/**
 * Features as colour: the first three principal components become red, green and blue. The range
 * is taken per channel from a reference set (percentiles, so that an outlier does not flatten the
 * rest) and then used for every set that is to be compared with it.
 */
import { TenonError } from '../errors.ts';

/** [lo, hi] of each of the channels shown. */
export type FeatureRange = readonly (readonly [number, number])[];

/** How a flat array of features is laid out: [count, channels, size, size]. */
export type FeatureLayout = {
  readonly count: number;
  readonly channels: number;
  readonly size: number;
};

function checkLayout(z: Float32Array, { count, channels, size }: FeatureLayout): void {
  if (channels < 1 || z.length !== count * channels * size * size) {
    const shape = `[${count}, ${channels}, ${size}, ${size}]`;
    throw new TenonError('usage', `${z.length} feature values are not ${shape}`);
  }
}

/** 1st and 99th percentile of each of the first three channels over the whole set. */
export function featureRange(z: Float32Array, layout: FeatureLayout): FeatureRange {
  checkLayout(z, layout);
  const { count, channels, size } = layout;
  const area = size * size;
  return Array.from({ length: Math.min(3, channels) }, (_, c) => {
    const values = new Float32Array(count * area);
    for (let n = 0; n < count; n++) {
      const from = (n * channels + c) * area;
      values.set(z.subarray(from, from + area), n * area);
    }
    const sorted = values.filter(Number.isFinite).sort();
    const at = (q: number) => sorted[Math.round(q * (sorted.length - 1))] ?? 0;
    return [at(0.01), at(0.99)];
  });
}

/** [count, 3, size, size] in [-1, 1] for sample-grid; one channel is grey, two leave blue out. */
export function featureColours(
  z: Float32Array,
  layout: FeatureLayout,
  range: FeatureRange = featureRange(z, layout),
): Float32Array {
  checkLayout(z, layout);
  const { count, channels, size } = layout;
  const area = size * size;
  const out = new Float32Array(count * 3 * area);
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < 3; c++) {
      const source = channels === 1 ? 0 : c;
      const [lo, hi] = range[source] ?? [0, 0];
      for (let i = 0; i < area; i++) {
        const v = source < channels ? z[(n * channels + source) * area + i]! : Number.NaN;
        const unit = hi > lo ? (2 * (v - lo)) / (hi - lo) - 1 : 0;
        const shown = source < channels ? unit : 0;
        out[(n * 3 + c) * area + i] = Math.max(-1, Math.min(1, shown));
      }
    }
  }
  return out;
}
