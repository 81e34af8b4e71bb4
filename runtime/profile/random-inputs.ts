/**
 * Inputs for measurements: every leaf that was not given, filled by a counter-based hash. Matrices are
 * scaled as layers are initialised (a row has length 1), so that networks of any depth stay among
 * ordinary numbers: a softmax of large ones is full of subnormals, which are a hundred times slower.
 * Vectors and scalars lie in [0.1, 0.9], indices in their range.
 */
import type { LeafSpec, ParamSpec } from '../../compiler/elaborate/interface.ts';
import { stackedName } from '../api/leaves.ts';
import { elements } from '../api/tensor.ts';
import type { HostArray } from '../devices/device.ts';
import { Room } from '../io/room.ts';

/** Made when it is written to a device, part by part, so that nothing is on the host as well. */
export type RandomLeaf = {
  readonly shape: readonly number[];
  read(): HostArray;
  part(from: number, to: number): HostArray;
};

/** Stacked name -> values, of the leaves that `given` does not name. */
export function randomInputs(
  params: readonly ParamSpec[],
  given: ReadonlySet<string>,
): Map<string, RandomLeaf> {
  const out = new Map<string, RandomLeaf>();
  const room = new Room();
  for (const p of params) {
    for (const leaf of p.leaves) {
      const name = stackedName(p.name, leaf.path);
      if (!given.has(name)) out.set(name, randomLeaf(leaf, out.size, room));
    }
  }
  return out;
}

function randomLeaf(leaf: LeafSpec, seed: number, room: Room): RandomLeaf {
  const { shape } = leaf;
  const element = elementOf(leaf);
  const start = Math.imul(seed + 1, 0x9e3779b9);
  const Words = words[leaf.scalar];
  const filled = (from: number, to: number, buffer: ArrayBuffer): HostArray => {
    const out = new Words(buffer, 0, to - from);
    for (let i = from; i < to; i++) out[i - from] = element(hash(i ^ start));
    return out;
  };
  return {
    shape,
    read: () => filled(0, elements(shape), new ArrayBuffer(4 * elements(shape))),
    part: (from, to) => filled(from, to, room.take(4 * (to - from))),
  };
}

const words = {
  f32: Float32Array,
  idx: Int32Array,
  i32: Int32Array,
  bool: Int32Array,
  u32: Uint32Array,
  key: Uint32Array,
} as const;

/** What a leaf makes of 32 random bits. */
function elementOf({ scalar, shape, bound = 1 }: LeafSpec): (word: number) => number {
  switch (scalar) {
    case 'f32': {
      const last = shape.length > 1 ? shape.at(-1)! : 0;
      const [lo, hi] = last > 0 ? [-Math.sqrt(3 / last), Math.sqrt(3 / last)] : [0.1, 0.9];
      return (word) => lo + ((hi - lo) * word) / 2 ** 32;
    }
    case 'idx':
      return (word) => word % Math.max(1, bound);
    case 'i32':
    case 'u32':
      return (word) => word % 8;
    case 'bool':
      return (word) => word % 2;
    case 'key':
      return (word) => word;
  }
}

/** The finaliser of MurmurHash3 (Appleby): a bijection of 32-bit words. */
function hash(n: number): number {
  let h = n | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
