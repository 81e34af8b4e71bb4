/**
 * Elaboration-time values: what a typed expression denotes once sizes are numbers. Tensors are
 * functions from indices to elements (pull arrays, as in Dex and in Svensson's Obsidian), records and
 * functions exist only here and never reach a kernel.
 *
 * Invariant: `at` is pure: it emits no statement. What an element expression mentions beyond its
 * indices are axes of the enclosing `for`s, so substituting those axes gives the value elsewhere.
 */
import type { LocalId, TExpr, TFn, Type } from '../../dsl/typed.ts';
import { castE, constE, indexE, substAxes } from '../core/expr.ts';
import type { Extents } from '../core/ix.ts';
import type { AxisId, Expr, Ix } from '../core.ts';
import type { SizeEnv } from './sizes.ts';

/**
 * A scalar. `int` is there where a whole number may have wrapped at 32 bits: the same number, exactly,
 * which is what an index is made of (ints.ts).
 */
export type Num = { readonly k: 'scalar'; readonly e: Expr; readonly int?: Expr };

export type Value =
  | Num
  | { readonly k: 'key'; readonly hi: Expr; readonly lo: Expr }
  | Tensor
  | RecordValue
  | FnValue;

export type Tensor = {
  readonly k: 'tensor';
  readonly dims: readonly number[];
  /** How each dim was written as a product, outermost first: nests over it need no div or mod. */
  readonly radices: readonly (readonly number[])[];
  /** One index per dim. */
  readonly at: (ix: readonly Ix[]) => Value;
};

export type RecordValue = {
  readonly k: 'record';
  readonly fields: ReadonlyMap<string, { readonly value: Value; readonly fixed: boolean }>;
};

export type FnValue = {
  readonly k: 'fn';
  readonly f:
    | { readonly k: 'lambda'; readonly expr: TExpr & { readonly k: 'lambda' }; readonly env: Env }
    | {
        readonly k: 'named';
        readonly fn: TFn;
        readonly sizes: SizeEnv;
        readonly types: TypeEnv;
      }
    /** Of an array without elements: nobody calls it. */
    | { readonly k: 'none' }
    /** What an `if` on data gives: each call calls both and combines the results. */
    | {
        readonly k: 'either';
        readonly a: FnValue;
        readonly b: FnValue;
        readonly combine: (a: Expr, b: Expr) => Expr;
      };
};

/** Locals are numbered uniquely within a function, so a frame is a chain of bindings. */
export type Env = { readonly sizes: SizeEnv; readonly types: TypeEnv; readonly locals: Locals };
/** What the type parameters of a function stand for, in the terms of its caller. */
export type TypeEnv = ReadonlyMap<string, { readonly t: Type; readonly in: Names }>;
/** What a type mentions. */
export type Names = { readonly sizes: SizeEnv; readonly types: TypeEnv };
export const noTypes: TypeEnv = new Map();
export type Locals = { readonly id: LocalId; readonly value: Value; readonly up: Locals } | null;

export function lookup(locals: Locals, id: LocalId): Value | undefined {
  for (let l = locals; l !== null; l = l.up) if (l.id === id) return l.value;
  return undefined;
}

export function bind(env: Env, id: LocalId, value: Value): Env {
  return { ...env, locals: { id, value, up: env.locals } };
}

export const scalar = (e: Expr): Num => ({ k: 'scalar', e });

/** A number as it is stored or handed on as a value: whole numbers have wrapped. */
export function asStored(v: Value): Value {
  return v.k === 'scalar' && v.int !== undefined ? scalar(v.e) : v;
}

export type AxisMap = ReadonlyMap<AxisId, Ix>;

/** The value with axes replaced by indices; functions hold no axis of an element. */
export function substValue(v: Value, map: AxisMap, extents: Extents): Value {
  return map.size === 0 ? v : mapScalars(v, substAxes(map, extents).expr);
}

export function mapFields(
  r: RecordValue,
  f: (v: Value, label: string) => Value,
): RecordValue['fields'] {
  return new Map(
    [...r.fields].map(([label, x]) => [label, { value: f(x.value, label), fixed: x.fixed }]),
  );
}

/** Rewrites every scalar expression of a value, keeping its structure. */
export function mapScalars(v: Value, f: (e: Expr) => Expr): Value {
  switch (v.k) {
    case 'scalar':
      return v.int === undefined ? scalar(f(v.e)) : { k: 'scalar', e: f(v.e), int: f(v.int) };
    case 'key':
      return { k: 'key', hi: f(v.hi), lo: f(v.lo) };
    case 'tensor':
      return { ...v, at: (ix) => mapScalars(v.at(ix), f) };
    case 'record':
      return {
        k: 'record',
        fields: mapFields(v, (x) => mapScalars(x, f)),
      };
    case 'fn':
      return v;
  }
}

/**
 * As `mapScalars`, and whatever functions captured as well. A frame that several functions share is
 * mapped once.
 */
export function mapCaptured(v: Value, f: (e: Expr) => Expr): Value {
  const frames = new Map<Locals, Locals>([[null, null]]);
  const frame = (l: Locals): Locals => {
    const todo: NonNullable<Locals>[] = [];
    let at = l;
    for (; at !== null && !frames.has(at); at = at.up) todo.push(at);
    for (const here of todo.reverse()) {
      const up = frames.get(here.up)!;
      frames.set(here, { id: here.id, value: value(here.value), up });
    }
    return frames.get(l)!;
  };
  const value = (x: Value): Value => {
    switch (x.k) {
      case 'scalar':
      case 'key':
        return mapScalars(x, f);
      case 'tensor':
        return { ...x, at: (ix) => value(x.at(ix)) };
      case 'record':
        return { k: 'record', fields: mapFields(x, value) };
      case 'fn':
        return { k: 'fn', f: inFunction(x.f) };
    }
  };
  const inFunction = (x: FnValue['f']): FnValue['f'] => {
    switch (x.k) {
      case 'lambda':
        return { ...x, env: { ...x.env, locals: frame(x.env.locals) } };
      case 'either':
        return { ...x, a: { k: 'fn', f: inFunction(x.a.f) }, b: { k: 'fn', f: inFunction(x.b.f) } };
      case 'named':
      case 'none':
        return x;
    }
  };
  return value(v);
}

/** Combines two values of one structure scalar by scalar. */
export function zipScalars(a: Value, b: Value, f: (a: Expr, b: Expr) => Expr): Value {
  if (a.k === 'scalar' && b.k === 'scalar') {
    if (a.int === undefined && b.int === undefined) return scalar(f(a.e, b.e));
    return { k: 'scalar', e: f(a.e, b.e), int: f(exactly(a), exactly(b)) };
  }
  if (a.k === 'key' && b.k === 'key') return { k: 'key', hi: f(a.hi, b.hi), lo: f(a.lo, b.lo) };
  if (a.k === 'tensor' && b.k === 'tensor') {
    return { ...finer(a, b), at: (ix) => zipScalars(a.at(ix), b.at(ix), f) };
  }
  if (a.k === 'record' && b.k === 'record') {
    return {
      k: 'record',
      fields: mapFields(a, (x, label) => zipScalars(x, b.fields.get(label)!.value, f)),
    };
  }
  if (a.k === 'fn' && b.k === 'fn') return { k: 'fn', f: { k: 'either', a, b, combine: f } };
  throw new Error(`values of different structure: ${a.k} and ${b.k}`);
}

/** A whole number as one without a size. */
export function exactly(n: Num): Expr {
  if (n.int !== undefined) return n.int;
  if (n.e.k === 'const') return constE('int', n.e.v);
  return n.e.k === 'index' ? indexE(n.e.ix, 'int') : castE('int', n.e);
}

/** The tensor whose dims are split further. */
export function finer(a: Tensor, b: Tensor): Tensor {
  const parts = (t: Tensor) => t.radices.reduce((n, r) => n + r.length, 0);
  return parts(b) > parts(a) ? b : a;
}

export const plain = (dims: readonly number[]): readonly (readonly number[])[] =>
  dims.map((d) => [d]);
