/**
 * Orders and splits of a data set, as functions of a seed and a position. Nothing here keeps state:
 * a training run that resumes at step 900 asks for batch 900 and gets the one it would have got.
 *
 * The generator is SplitMix32 (a Weyl sequence through a murmur3-style finaliser); the programs'
 * own random draws come from the language and are unrelated.
 */
import { TenonError } from '../errors.ts';

/** Mixes 32 bits; the constants are the "lowbias32" ones of Chris Wellons' search. */
function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Uniform 32-bit integers. */
function generator(seed: number, stream: number): () => number {
  let state = mix(mix(seed) ^ Math.imul(stream + 1, 0x9e3779b9)) ^ Math.floor(seed / 2 ** 32);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return mix(state);
  };
}

/** Uniform on 0 .. n-1; values that would favour small results are drawn again. */
function below(n: number, next: () => number): number {
  const limit = 2 ** 32 - (2 ** 32 % n);
  for (;;) {
    const x = next();
    if (x < limit) return x % n;
  }
}

/** A permutation of 0 .. n-1 (Fisher and Yates); streams of one seed are independent. */
export function permutation(n: number, seed: number, stream = 0): Int32Array {
  const next = generator(seed, stream);
  const out = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1, next);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

export type Split = { readonly train: Int32Array; readonly heldOut: Int32Array };

/** Disjoint index sets that cover 0 .. n-1, each ascending; at least one on either side. */
export function splitHeldOut(n: number, fraction: number, seed: number): Split {
  const k = Math.round(n * fraction);
  if (!(k >= 1 && k < n)) {
    throw new TenonError('usage', `cannot hold out ${fraction} of ${n} examples`);
  }
  const order = permutation(n, seed);
  return { heldOut: order.slice(0, k).sort(), train: order.slice(k).sort() };
}

/** Two disjoint random halves of the given indices, equal in size; one is left out if odd. */
export function halves(indices: Int32Array, seed: number): readonly [Int32Array, Int32Array] {
  const order = permutation(indices.length, seed, 1).map((i) => indices[i]!);
  const h = order.length >> 1;
  return [order.slice(0, h).sort(), order.slice(h, 2 * h).sort()];
}

/**
 * The `step`-th batch (from 0) of an endless sequence that is one fresh permutation of `indices`
 * after another; a batch may run over the seam of two.
 */
export function batchAt(
  indices: Int32Array,
  batch: number,
  step: number,
  seed: number,
): Int32Array {
  const n = indices.length;
  if (n === 0 || batch < 1)
    throw new TenonError('usage', `no batch of ${batch} from ${n} examples`);
  const out = new Int32Array(batch);
  let order: Int32Array | undefined;
  let epoch = -1;
  for (let i = 0; i < batch; i++) {
    const at = step * batch + i;
    if (order === undefined || Math.floor(at / n) !== epoch) {
      epoch = Math.floor(at / n);
      order = permutation(n, seed, 2 + epoch);
    }
    out[i] = indices[order[at % n]!]!;
  }
  return out;
}
