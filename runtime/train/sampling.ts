/**
 * Drawing pictures with their features from a trained model: the sampler, its guidance and its
 * noise are the program's `sample`; here are only labels and chunks.
 */
import type { Tensor } from '../api/tensor.ts';
import type { Batch } from '../data/dataset.ts';
import { permutation } from '../data/shuffle.ts';
import type { Context } from './context.ts';
import { heed } from './descend.ts';
import { jointSizes } from './joint.ts';
import { keyOf, type Stream } from './keys.ts';
import type { StateDict } from './state.ts';

export type Samples = {
  /** [count, 3, size, size] */
  readonly x: Float32Array;
  /** [count, rank, size, size] */
  readonly z: Float32Array;
  readonly labels: Int32Array;
};

export type Draw = {
  readonly params: StateDict;
  readonly labels: Int32Array;
  readonly stream: Stream;
  readonly onChunk?: (done: number) => void;
};

/** One picture for each label. The same seed, labels and chunk size give the same pictures. */
export async function drawSamples(
  context: Context,
  { params, labels, stream, onChunk }: Draw,
): Promise<Samples> {
  const { config, programs, device, signal } = context;
  const { sample, data, encoder, seed } = config;
  const count = labels.length;
  const chunk = Math.min(sample.chunk, count);
  const area = data.size ** 2;
  const x = new Float32Array(count * 3 * area);
  const z = new Float32Array(count * encoder.rank * area);
  const sizes = { ...jointSizes(context), M: chunk, S: sample.steps };
  await using f = programs.joint.function('sample', { device, sizes });
  const run = await f.prepare({
    inputs: { p: params, w: sample.cfg, r: sample.repGuidance },
  });
  for (let at = 0; at < count; at += chunk) {
    await heed(signal);
    const n = Math.min(chunk, count - at);
    // The last chunk may be filled up; what it draws too much is dropped.
    const part = new Int32Array(chunk).fill(labels[at]!);
    part.set(labels.subarray(at, at + n));
    run.write({ labels: part, k: keyOf(seed, stream, at / chunk) });
    await run.run();
    const out = (await run.read('out')) as Record<'x' | 'z', Tensor>;
    x.set(out.x.data.subarray(0, n * 3 * area), at * 3 * area);
    z.set(out.z.data.subarray(0, n * encoder.rank * area), at * encoder.rank * area);
    onChunk?.(at + n);
  }
  return { x, z, labels };
}

/** Labels in the proportions of the real pictures: those of random ones of them, as often as needed. */
export function realisticLabels(real: Batch, count: number, seed: number): Int32Array {
  const n = real.labels.length;
  const orders = Array.from({ length: Math.ceil(count / n) }, (_, i) =>
    permutation(n, seed, 7 + i),
  );
  return Int32Array.from({ length: count }, (_, i) => {
    return real.labels[orders[Math.floor(i / n)]![i % n]!]!;
  });
}

/** `each` labels of every category, in order. */
export const everyCategory = (classes: number, each: number): Int32Array =>
  Int32Array.from({ length: classes * each }, (_, i) => Math.floor(i / each));
