/**
 * Data entering a program: every leaf is brought to the array a device takes, and everything that
 * the checker had to assume about data is verified here: shape, dtype, index ranges.
 *
 * Invariant: what `ingest` gives fits its leaf exactly; an error names the leaf, the element and
 * the value. Float32Array (and the other device types) pass through without a copy.
 */
import type { LeafSpec } from '../../compiler/elaborate/interface.ts';
import type { HostArray } from '../devices/device.ts';
import { TenonError } from '../errors.ts';
import type { Given } from './gather.ts';
import { shapeOf } from './infer.ts';
import { itemName, overExtents, positions, stackedName } from './leaves.ts';
import {
  type AnyArray,
  elements,
  isLazy,
  isShaped,
  isTypedArray,
  type LeafInput,
  type Nested,
  showShape,
} from './tensor.ts';

export type IngestOptions = {
  /** Refuse NaN and infinities in f32 leaves. */
  readonly finite?: boolean;
};

type Kind = 'float' | 'signed' | 'unsigned' | 'boolean';

/** How each scalar type arrives: which arrays and numbers fit, and as what the device gets it. */
const scalars: Record<
  LeafSpec['scalar'],
  {
    make(n: number): HostArray;
    native(a: AnyArray): boolean;
    kinds: readonly Kind[];
    lo: number;
    hi: number;
  }
> = {
  f32: {
    make: (n) => new Float32Array(n),
    native: (a) => a instanceof Float32Array || a instanceof Float64Array,
    kinds: ['float'],
    lo: -Infinity,
    hi: Infinity,
  },
  i32: {
    make: (n) => new Int32Array(n),
    native: (a) => a instanceof Int32Array,
    kinds: ['signed', 'unsigned'],
    lo: -(2 ** 31),
    hi: 2 ** 31 - 1,
  },
  idx: {
    make: (n) => new Int32Array(n),
    native: (a) => a instanceof Int32Array,
    kinds: ['signed', 'unsigned'],
    lo: 0,
    hi: 2 ** 31 - 1,
  },
  u32: {
    make: (n) => new Uint32Array(n),
    native: (a) => a instanceof Uint32Array,
    kinds: ['signed', 'unsigned'],
    lo: 0,
    hi: 2 ** 32 - 1,
  },
  key: {
    make: (n) => new Uint32Array(n),
    native: (a) => a instanceof Uint32Array,
    kinds: ['signed', 'unsigned'],
    lo: 0,
    hi: 2 ** 32 - 1,
  },
  bool: {
    make: (n) => new Int32Array(n),
    native: (a) => a instanceof Int32Array,
    kinds: ['signed', 'unsigned', 'boolean'],
    lo: 0,
    hi: 1,
  },
};

/** A whole leaf, or part of it from element `at` on. */
export type Piece = { readonly at?: number; readonly data: HostArray };

/** Elements that a leaf with parts is asked for at a time: 1 MiB of f32. */
const partLength = 2 ** 18;

/**
 * The pieces of a leaf, in order: one, or one for every item and every part of it, so that a stack
 * of layers is never whole on the host. The data of a piece are good until the next one.
 * @throws TenonError (`input`) naming the leaf.
 */
export function* ingest(
  param: string,
  leaf: LeafSpec,
  given: Given,
  options: IngestOptions = {},
): Generator<Piece> {
  if (given.k === 'whole') {
    const name = stackedName(param, leaf.path);
    yield* piecesOf({ name, leaf, shape: leaf.shape }, given.value, options);
    return;
  }
  const extents = overExtents(leaf.path);
  const shape = leaf.shape.slice(extents.length);
  const size = elements(shape);
  const byPosition = new Map(given.items.map((i) => [i.at.join('.'), i.value]));
  let k = 0;
  for (const at of positions(extents)) {
    const name = itemName(param, leaf.path, at);
    const value = byPosition.get(at.join('.'));
    if (value === undefined) {
      throw new TenonError('input', `${name} is missing`, { place: { leaf: name } });
    }
    yield* piecesOf({ name, leaf, shape }, value, options, k++ * size);
  }
}

/** A leaf, or one item of it. */
type Target = {
  readonly name: string;
  readonly leaf: LeafSpec;
  readonly shape: readonly number[];
};

function* piecesOf(
  target: Target,
  value: LeafInput,
  options: IngestOptions,
  at?: number,
): Generator<Piece> {
  if (!isLazy(value) || value.part === undefined) {
    yield { at, data: one(target, value, options) };
    return;
  }
  const { name, shape } = target;
  if (showShape(value.shape) !== showShape(shape)) throw wrongShape(name, value.shape, shape);
  const size = elements(shape);
  // An empty leaf has one part as well: it counts as written then.
  for (let from = 0; from === 0 || from < size; from += partLength) {
    const to = Math.min(size, from + partLength);
    const flat = value.part(from, to);
    if (flat.length !== to - from) {
      throw new TenonError(
        'input',
        `${name} gave ${flat.length} elements when asked for those from ${from} to ${to}`,
        { place: { leaf: name } },
      );
    }
    yield { at: (at ?? 0) + from, data: convert(target, flat, options, from) };
  }
}

function one(target: Target, value: LeafInput, options: IngestOptions): HostArray {
  const { name, leaf, shape } = target;
  if (leaf.scalar === 'key' && shape.length === 1 && isInteger(value)) return keyOf(name, value);
  const has = shapeOf(value);
  if (has !== undefined && showShape(has) !== showShape(shape)) throw wrongShape(name, has, shape);
  const flat = flatOf(name, value);
  if (flat.length !== elements(shape)) {
    throw has !== undefined
      ? wrongShape(name, has, shape)
      : new TenonError(
          'input',
          `${name} has ${flat.length} elements, expected ${elements(shape)} of shape ${showShape(shape)}`,
          { place: { leaf: name } },
        );
  }
  return convert(target, flat, options);
}

const isInteger = (v: LeafInput): v is number | bigint =>
  typeof v === 'bigint' || typeof v === 'number';

/** A seed as the two words of a key, high word first. */
function keyOf(name: string, seed: number | bigint): Uint32Array {
  const n = typeof seed === 'number' && Number.isSafeInteger(seed) ? BigInt(seed) : seed;
  if (typeof n !== 'bigint' || n < 0n || n >= 1n << 64n) {
    throw new TenonError(
      'input',
      `${name} is a key; its seed must be a whole number from 0, not ${seed}`,
      {
        place: { leaf: name },
      },
    );
  }
  return Uint32Array.of(Number(n >> 32n), Number(n & 0xffffffffn));
}

function wrongShape(name: string, has: readonly number[], expected: readonly number[]): TenonError {
  return new TenonError(
    'input',
    `${name} has shape ${showShape(has)}, expected ${showShape(expected)}`,
    { place: { leaf: name } },
  );
}

type Flat = AnyArray | readonly (number | boolean | bigint)[];

function flatOf(name: string, value: LeafInput): Flat {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    return [value];
  }
  if (isTypedArray(value)) return value;
  if (isShaped(value)) return value.data;
  if (isLazy(value)) return value.read();
  const out: (number | boolean | bigint)[] = [];
  const walk = (v: Nested, depth: number, shape: readonly number[]): void => {
    if (v.length !== shape[depth]) {
      throw new TenonError('input', `${name} is not rectangular: its rows differ in length`, {
        place: { leaf: name },
      });
    }
    for (const x of v) {
      if (typeof x === 'object') walk(x, depth + 1, shape);
      else out.push(x);
    }
  };
  walk(value, 0, shapeOf(value)!);
  return out;
}

function kindOf(a: AnyArray): Kind {
  if (a instanceof Float32Array || a instanceof Float64Array) return 'float';
  if (
    a instanceof Uint8Array ||
    a instanceof Uint16Array ||
    a instanceof Uint32Array ||
    a instanceof Uint8ClampedArray ||
    a instanceof BigUint64Array
  ) {
    return 'unsigned';
  }
  return a.constructor.name === 'Float16Array' ? 'float' : 'signed';
}

/** `first`: which element of the target the first of `flat` is. */
function convert(
  { name, leaf, shape }: Target,
  flat: Flat,
  options: IngestOptions,
  first = 0,
): HostArray {
  const rule = scalars[leaf.scalar];
  const typed = isTypedArray(flat);
  if (typed && !rule.kinds.includes(kindOf(flat))) {
    throw new TenonError(
      'input',
      `${name} is a ${flat.constructor.name}, expected ${leaf.scalar === 'idx' ? `idx[${leaf.bound}]` : leaf.scalar} ${showShape(shape)}`,
      {
        hint:
          rule.kinds[0] === 'float'
            ? 'Convert it to a Float32Array.'
            : 'Convert it to an Int32Array.',
        place: { leaf: name },
      },
    );
  }
  const fail = (i: number, why: string): TenonError => {
    const place = shape.length === 0 ? name : `${name}${showShape(unravel(first + i, shape))}`;
    return new TenonError('input', `${place} is ${String(flat[i])}, ${why}`, {
      place: { leaf: name },
    });
  };
  const native = typed && rule.native(flat) ? (flat as HostArray) : undefined;
  if (leaf.scalar === 'f32') {
    const out = native ?? rule.make(flat.length);
    for (let i = 0; native === undefined && i < flat.length; i++) {
      const v = flat[i]!;
      if (typeof v === 'boolean') throw fail(i, 'expected a number');
      out[i] = Number(v);
    }
    if (options.finite) {
      const bad = (out as Float32Array).findIndex((v) => !Number.isFinite(v));
      if (bad >= 0) throw fail(bad, 'and every value must be finite here');
    }
    return out;
  }
  const hi = leaf.bound === undefined ? rule.hi : leaf.bound - 1;
  const allowed =
    leaf.scalar === 'idx'
      ? `outside idx[${leaf.bound}]`
      : `not ${leaf.scalar === 'bool' ? 'a boolean (0 or 1)' : `a value of ${leaf.scalar}`}`;
  const out = native ?? rule.make(flat.length);
  for (let i = 0; i < flat.length; i++) {
    const v = flat[i]!;
    if (typeof v === 'boolean' && leaf.scalar !== 'bool') throw fail(i, `expected ${leaf.scalar}`);
    const n = Number(v);
    if (!Number.isInteger(n) || n < rule.lo || n > hi) throw fail(i, allowed);
    if (native === undefined) out[i] = n;
  }
  return out;
}

/** The index of flat element i. */
function unravel(i: number, shape: readonly number[]): number[] {
  const at: number[] = [];
  let rest = i;
  for (let d = shape.length - 1; d >= 0; d--) {
    at.unshift(rest % shape[d]!);
    rest = Math.floor(rest / shape[d]!);
  }
  return at;
}
