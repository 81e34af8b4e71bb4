/**
 * Inputs for measurements: every leaf that was not given, filled by a counter-based hash. Matrices are
 * scaled as layers are initialised (a row has length 1), so that networks of any depth stay among
 * ordinary numbers: a softmax of large ones is full of subnormals, which are a hundred times slower.
 * Vectors and scalars lie in [0.1, 0.9], indices in their range.
 */
import type { LeafSpec, ParamSpec } from '../../compiler/elaborate/interface.ts';
import { stackedName } from '../api/leaves.ts';
import type { HostArray } from '../devices/device.ts';

/** Stacked name -> values, of the leaves that `given` does not name. */
export function randomInputs(
  params: readonly ParamSpec[],
  given: ReadonlySet<string>,
): Map<string, HostArray> {
  const out = new Map<string, HostArray>();
  for (const p of params) {
    for (const leaf of p.leaves) {
      const name = stackedName(p.name, leaf.path);
      if (!given.has(name)) out.set(name, randomLeaf(leaf, out.size));
    }
  }
  return out;
}

function randomLeaf(leaf: LeafSpec, seed: number): HostArray {
  const length = leaf.shape.reduce((n, d) => n * d, 1);
  const word = (i: number): number => hash(i ^ Math.imul(seed + 1, 0x9e3779b9));
  switch (leaf.scalar) {
    case 'f32': {
      const last = leaf.shape.length > 1 ? leaf.shape.at(-1)! : 0;
      const [lo, hi] = last > 0 ? [-Math.sqrt(3 / last), Math.sqrt(3 / last)] : [0.1, 0.9];
      return Float32Array.from({ length }, (_, i) => lo + ((hi - lo) * word(i)) / 2 ** 32);
    }
    case 'idx':
      return Int32Array.from({ length }, (_, i) => word(i) % Math.max(1, leaf.bound ?? 1));
    case 'i32':
      return Int32Array.from({ length }, (_, i) => word(i) % 8);
    case 'bool':
      return Int32Array.from({ length }, (_, i) => word(i) % 2);
    case 'u32':
      return Uint32Array.from({ length }, (_, i) => word(i) % 8);
    case 'key':
      return Uint32Array.from({ length }, (_, i) => word(i));
  }
}

/** The finaliser of MurmurHash3 (Appleby): a bijection of 32-bit words. */
function hash(n: number): number {
  let h = n | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
