/**
 * A labelled set of pictures in memory: f32 in [-1, 1], channels first, as the models take them.
 * Loaders (emoji.ts) produce it; training and evaluation take rows of it.
 */
import { TenonError } from '../errors.ts';

export type LabelledImages = {
  /** [N, 3, size, size], row-major; -1 is black, 1 is white. */
  readonly images: Float32Array;
  /** [N], each in 0 .. classes.length-1. */
  readonly labels: Int32Array;
  readonly size: number;
  readonly classes: readonly string[];
};

export type Batch = { readonly images: Float32Array; readonly labels: Int32Array };

export const count = (set: LabelledImages): number => set.labels.length;

/** The examples at `indices`, in that order, as new arrays. */
export function takeRows(set: LabelledImages, indices: Int32Array): Batch {
  const row = 3 * set.size * set.size;
  const images = new Float32Array(indices.length * row);
  const labels = new Int32Array(indices.length);
  indices.forEach((from, to) => {
    if (!(from >= 0 && from < count(set))) {
      throw new TenonError('usage', `example ${from} of ${count(set)} does not exist`);
    }
    images.set(set.images.subarray(from * row, (from + 1) * row), to * row);
    labels[to] = set.labels[from]!;
  });
  return { images, labels };
}
