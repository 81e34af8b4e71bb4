/**
 * Inputs of a function at its sizes, in two forms: values of the exact interpreter with a direction to
 * differentiate in, and what the library takes.
 *
 * Invariant: every f32 is a whole number of eighths between -4 and 4, every idx[K] lies below K; integers
 * are small, or are those where 32 bits end.
 */
import { type Sizes, sizeAt } from './exact-sizes.ts';
import type { Fn, Scalar, Type } from './tree.ts';
import { bad, real, tensor, type Value, whole } from './value.ts';

/** No value has this type at these sizes: there is no index below 0. */
export class NoValue extends Error {
  override readonly name = 'NoValue';
}
/** More elements than are worth it. */
export class TooMany extends Error {
  override readonly name = 'TooMany';
}

/** Mulberry32. */
export function numbers(seed: number): (below: number) => number {
  let a = seed | 0;
  return (below) => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const integers = [0, 1, 2, -1, 5, -3, 7, 100, 2 ** 31 - 1, -(2 ** 31), 1_000_000_007, -65_537];
const naturals = [0, 1, 2, 3, 7, 4_000_000_000, 2 ** 32 - 1, 2 ** 31, 100];

type Next = (below: number) => number;

function scalar(t: Type, sizes: Sizes, next: Next): Value {
  if (t.k === 'scalar') return number(t.of, next);
  if (t.k !== 'idx') return bad(`an input of type ${t.k}`);
  const n = sizeAt(t.size, sizes, 'a parameter');
  if (n === 0n) throw new NoValue();
  return whole(n > 1n << 31n ? n - 1n - BigInt(next(5)) : BigInt(next(Number(n))));
}

function number(of: Scalar, next: Next): Value {
  switch (of) {
    case 'f32':
      return real((next(65) - 32) / 8, next(4) - 1);
    case 'i32':
      return whole(BigInt(integers[next(integers.length)]!));
    case 'u32': {
      const x = BigInt(naturals[next(naturals.length)]!);
      return { k: 'int', t: 'u32', x, w: x };
    }
    case 'key':
      return { k: 'key', words: [0, next(1000)] };
    case 'bool':
      return { k: 'bool', v: next(2) === 1 };
  }
}

const mostElements = 4000;

function drawn(t: Type, sizes: Sizes, next: Next): Value {
  if (t.k === 'record') {
    const fields = t.fields.map(({ label, type, fixed }) => {
      return [label, { value: drawn(type, sizes, next), fixed }] as const;
    });
    return { k: 'record', fields: new Map(fields) };
  }
  if (t.k !== 'tensor') return scalar(t, sizes, next);
  const dims = t.dims.map((s) => sizeAt(s, sizes, 'a parameter'));
  const count = dims.reduce((a, b) => a * b, 1n);
  if ([count, ...dims].some((n) => n > BigInt(mostElements))) throw new TooMany();
  const build = (k: number): Value =>
    k === dims.length
      ? drawn(t.of, sizes, next)
      : tensor(Array.from({ length: Number(dims[k]) }, () => build(k + 1)));
  return build(0);
}

/**
 * None for a parameter that takes its default, which half of those that have one do.
 * @throws Outside for a parameter whose type is none, NoValue, TooMany.
 */
export function inputsOf(fn: Fn, sizes: Sizes, seed: number): readonly (Value | undefined)[] {
  const next = numbers(seed);
  return fn.params.map((p) => {
    const v = drawn(p.type, sizes, next);
    if (p.init === undefined) return v;
    return next(2) === 0 ? undefined : still(v);
  });
}

/** An f32 that the direction leaves where it is. */
const still = (v: Value): Value => (v.k === 'real' ? real(v.v) : v);

// ---------------------------------------------------------------- leaf by leaf

/** The numbers of a leaf of records, row-major; arrays of records are stacked. */
export type Leaf = {
  readonly path: readonly string[];
  readonly shape: readonly number[];
  readonly of: Type;
  readonly fixed: boolean;
  readonly values: readonly Value[];
};

/** The leaves of a value of this type. */
export function leavesAt(v: Value, t: Type, sizes: Sizes): readonly Leaf[] {
  type Filling = Omit<Leaf, 'values'> & { readonly values: Value[] };
  const out: Filling[] = [];
  const declare = (
    t: Type,
    path: readonly string[],
    shape: readonly number[],
    fixed: boolean,
  ): void => {
    if (t.k === 'record') {
      for (const f of t.fields) declare(f.type, [...path, f.label], shape, fixed || f.fixed);
    } else if (t.k === 'tensor') {
      const dims = t.dims.map((s) => Number(sizeAt(s, sizes, 'a leaf')));
      declare(t.of, path, [...shape, ...dims], fixed);
    } else {
      out.push({ path, shape, of: t, fixed, values: [] });
    }
  };
  declare(t, [], [], false);
  const fill = (v: Value, path: readonly string[]): void => {
    if (v.k === 'tensor') for (const x of v.items) fill(x, path);
    else if (v.k === 'record') {
      for (const [label, f] of v.fields) fill(f.value, [...path, label]);
    } else {
      out.find((l) => l.path.join('.') === path.join('.'))!.values.push(v);
    }
  };
  fill(v, []);
  return out;
}

type HostLeaf = {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint32Array | BigInt64Array;
};
export type HostTree = HostLeaf | { readonly [label: string]: HostTree };

/** As the library takes it. */
export function hostTree(v: Value, t: Type, sizes: Sizes): HostTree {
  const tree: Record<string, HostTree> = {};
  for (const leaf of leavesAt(v, t, sizes)) {
    const made = hostLeaf(leaf);
    if (leaf.path.length === 0) return made;
    let at = tree;
    for (const label of leaf.path.slice(0, -1)) {
      at[label] ??= {};
      at = at[label] as Record<string, HostTree>;
    }
    at[leaf.path.at(-1)!] = made;
  }
  return tree;
}

function hostLeaf({ shape, of, values }: Leaf): HostLeaf {
  if (of.k === 'scalar' && of.of === 'key') {
    const words = values.flatMap((v) => (v.k === 'key' ? v.words : []));
    return { shape: [...shape, 2], data: Uint32Array.from(words) };
  }
  const data = values.map(numberOf);
  if (of.k === 'scalar' && of.of === 'f32') return { shape, data: Float32Array.from(data) };
  if (of.k === 'scalar' && of.of === 'u32') return { shape, data: Uint32Array.from(data) };
  // An index of a range that 32 bits do not count.
  if (data.some((n) => n >= 2 ** 31)) return { shape, data: BigInt64Array.from(data.map(BigInt)) };
  return { shape, data: Int32Array.from(data) };
}

export function numberOf(v: Value): number {
  switch (v.k) {
    case 'real':
      return v.v;
    case 'int':
      return Number(v.w);
    case 'bool':
      return v.v ? 1 : 0;
    case 'key':
    case 'tensor':
    case 'record':
    case 'fn':
      return bad(`${v.k} is no number`);
  }
}
