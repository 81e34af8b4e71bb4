/**
 * Values of the definitional interpreter: numbers (dual ones under a derivative), keys, nested arrays, records, functions; and what
 * their structure alone decides.
 *
 * Invariant: a tensor of n dims is n levels of arrays, whatever its elements are.
 */
import type { Size, Type } from '../../dsl/typed.ts';
import { type Num, primal } from './dual.ts';

export type Key = { readonly k: 'key'; readonly words: readonly [number, number] };
export type Fields = ReadonlyMap<string, { readonly value: Value; readonly fixed: boolean }>;
export type Value =
  | Num
  | Key
  | readonly Value[]
  | { readonly k: 'record'; readonly fields: Fields }
  | { readonly k: 'fn'; readonly call: (args: readonly (Value | undefined)[]) => Value };

export type Sizes = ReadonlyMap<string, number>;

export const isTensor = (v: Value): v is readonly Value[] => Array.isArray(v);

export const isNum = (v: Value): v is Num =>
  typeof v === 'number' || (!isTensor(v) && v.k === 'dual');

export function num(v: Value): Num {
  if (!isNum(v)) throw new Error('a number was expected');
  return v;
}

/** Where it has no derivative: an index, a condition, a count. */
export const number = (v: Value): number => primal(num(v));

export function fields(v: Value): Fields {
  if (typeof v === 'object' && 'k' in v && v.k === 'record') return v.fields;
  throw new Error('a record was expected');
}

export function sizeOf(size: Size, sizes: Sizes): number {
  return size.reduce((n, m) => n + m.v.reduce((p, name) => p * of(sizes, name), m.c), 0);
}

function of(sizes: Sizes, name: string): number {
  const n = sizes.get(name);
  if (n === undefined) throw new Error(`the size ${name} has no number`);
  return n;
}

/** Trees of one structure, leaf by leaf; what is fixed is the first one's. */
export function zipTrees(trees: readonly Value[], f: (leaves: readonly Value[]) => Value): Value {
  const first = trees[0]!;
  if (isTensor(first)) {
    return first.map((_, i) =>
      zipTrees(
        trees.map((t) => (t as readonly Value[])[i]!),
        f,
      ),
    );
  }
  if (typeof first === 'object' && first.k === 'record') {
    const out = [...first.fields].map(([label, field]) => {
      const below = trees.map((t) => fields(t).get(label)!.value);
      return [label, field.fixed ? field : { ...field, value: zipTrees(below, f) }] as const;
    });
    return { k: 'record', fields: new Map(out) };
  }
  return f(trees);
}

/** A tree with other numbers; `fixed` gives those of fixed leaves. */
export function mapNumbers(v: Value, f: (x: Num) => Num, fixed: (x: Num) => Num = f): Value {
  if (isNum(v)) return f(v);
  if (isTensor(v)) return v.map((x) => mapNumbers(x, f, fixed));
  if (v.k !== 'record') return v;
  const out = [...v.fields].map(([label, field]) => {
    const value = mapNumbers(field.value, field.fixed ? fixed : f, fixed);
    return [label, { ...field, value }] as const;
  });
  return { k: 'record', fields: new Map(out) };
}

/** All of them, in order. */
export function numbersOf(v: Value): Num[] {
  const out: Num[] = [];
  mapNumbers(v, (x) => {
    out.push(x);
    return x;
  });
  return out;
}

/** Element by element over tensors of one shape and scalars. */
export function lift(args: readonly Value[], f: (elements: readonly Value[]) => Value): Value {
  const shape = args.find(isTensor);
  if (shape === undefined) return f(args);
  return shape.map((_, i) =>
    lift(
      args.map((a) => (isTensor(a) ? a[i]! : a)),
      f,
    ),
  );
}

/** A value of a type from its leaves: the next number of leaf k at each of its elements. */
export function build(t: Type, sizes: Sizes, next: (leaf: number, t: Type) => Num): Value {
  const walk = (u: Type, from: number): Value => {
    switch (u.k) {
      case 'scalar':
        if (u.s !== 'key') break;
        return { k: 'key', words: [primal(next(from, u)), primal(next(from, u))] };
      case 'idx':
        break;
      case 'tensor': {
        const dims = u.dims.map((d) => sizeOf(d.size, sizes));
        return tabulate(dims, () => walk(u.elem, from));
      }
      case 'record': {
        let at = from;
        const out = u.fields.map((f) => {
          const value = walk(f.type, at);
          at += countLeaves(f.type);
          return [f.label, { value, fixed: f.fixed }] as const;
        });
        return { k: 'record', fields: new Map(out) };
      }
      case 'fn':
      case 'var':
        throw new Error('no data');
    }
    return next(from, u);
  };
  return walk(t, 0);
}

export function countLeaves(t: Type): number {
  if (t.k === 'tensor') return countLeaves(t.elem);
  return t.k === 'record' ? t.fields.reduce((n, f) => n + countLeaves(f.type), 0) : 1;
}

/** The numbers of each leaf, an array of records field by field. */
export function leavesOf(t: Type, v: Value, of: (x: Num) => number): number[][] {
  const out: number[][] = Array.from({ length: countLeaves(t) }, () => []);
  const walk = (u: Type, x: Value, from: number, depth: number): void => {
    if (u.k === 'tensor' && depth > 0) {
      for (const y of x as readonly Value[]) walk(u, y, from, depth - 1);
    } else if (u.k === 'tensor') walk(u.elem, x, from, dimsOf(u.elem));
    else if (u.k === 'record') {
      let at = from;
      for (const f of u.fields) {
        walk(f.type, fields(x).get(f.label)!.value, at, dimsOf(f.type));
        at += countLeaves(f.type);
      }
    } else if (typeof x === 'object' && 'k' in x && x.k === 'key') out[from]!.push(...x.words);
    else out[from]!.push(of(num(x)));
  };
  walk(t, v, 0, dimsOf(t));
  return out;
}

const dimsOf = (t: Type): number => (t.k === 'tensor' ? t.dims.length : 0);

export function tabulate(dims: readonly number[], f: (ix: readonly number[]) => Value): Value {
  const go = (ix: readonly number[]): Value =>
    ix.length === dims.length
      ? f(ix)
      : Array.from({ length: dims[ix.length]! }, (_, i) => go([...ix, i]));
  return go([]);
}
