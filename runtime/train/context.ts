/** What every stage of an experiment needs, and the pictures it works on. */

import { type Batch, count, type LabelledImages, takeRows } from '../data/dataset.ts';
import { permutation, splitHeldOut } from '../data/shuffle.ts';
import type { Device } from '../devices/device.ts';
import type { Config } from './config.ts';
import type { Programs } from './programs.ts';
import type { Watch } from './progress.ts';

export type Context = Watch & {
  readonly config: Config;
  readonly programs: Programs;
  readonly device: Device;
  readonly classes: number;
};

export type Pictures = {
  readonly size: number;
  readonly classes: readonly string[];
  readonly all: Batch;
  readonly train: Batch;
  readonly heldOut: Batch;
};

/** The pictures of a run and their split, both functions of the config and nothing else. */
export function choosePictures(set: LabelledImages, { data, seed }: Config): Pictures {
  const n = data.limit === 0 ? count(set) : Math.min(data.limit, count(set));
  const kept = n === count(set) ? undefined : permutation(count(set), seed, 1).slice(0, n).sort();
  const used: LabelledImages = kept === undefined ? set : { ...set, ...takeRows(set, kept) };
  const split = splitHeldOut(n, data.heldOut, seed);
  return {
    size: set.size,
    classes: set.classes,
    all: { images: used.images, labels: used.labels },
    train: takeRows(used, split.train),
    heldOut: takeRows(used, split.heldOut),
  };
}

/** An array of pictures with its shape, as a program takes it. */
export const stacked = (data: Float32Array, channels: number, size: number) => ({
  shape: [data.length / (channels * size * size), channels, size, size],
  data,
});
