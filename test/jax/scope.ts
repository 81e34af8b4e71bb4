/** What rows draw from: live tensors, sizes, names that nothing else has; and short forms for loops. */
import type { Picks } from '../proof/picks.ts';
import {
  above,
  add,
  type Binder,
  below,
  type Cond,
  type Dim,
  div,
  type Expr,
  type Int,
  index,
  int,
  lit,
  loop,
  map,
  mul,
  type Place,
  sub,
} from './tree.ts';

export type Tensor = { readonly name: string; readonly dims: readonly Dim[] };

export type Scope = {
  readonly tensors: readonly Tensor[];
  /** Vectors of i32. */
  readonly whole: readonly Tensor[];
  /** A, B and C. */
  readonly sizes: readonly [Dim, Dim, Dim];
  readonly fresh: (stem: string) => string;
  /** Whether a rule stands in the program: the other side unrolls its loops then. */
  readonly ruled: { yes: boolean };
};

/** A new binding, of i32 where `whole` says so. */
export type Drawn = { readonly value: Expr | Whole; readonly dims: readonly Dim[] };
export type Whole = {
  readonly k: 'whole table';
  readonly over: Binder;
  readonly body: Int;
};
export type Row = (p: Picks, s: Scope) => Drawn | undefined;

export const binder = (s: Scope, dim: Dim, stem = 'i'): Binder => ({ name: s.fresh(stem), dim });

export const ofRank = (s: Scope, rank: number): readonly Tensor[] =>
  s.tensors.filter((t) => t.dims.length === rank);

export function vector(p: Picks, s: Scope): readonly [Tensor, Dim] {
  const a = p.one(ofRank(s, 1));
  return [a, a.dims[0]!];
}

/** Of the same dim, perhaps the same one. */
export const alike = (p: Picks, s: Scope, d: Dim): Tensor =>
  p.one(ofRank(s, 1).filter((t) => t.dims[0]!.text === d.text));

/** Two matrices that can be multiplied: w and m at least. */
export function factors(p: Picks, s: Scope): readonly [Tensor, Tensor] {
  const partners = (a: Tensor) => ofRank(s, 2).filter((b) => b.dims[0]!.text === a.dims[1]!.text);
  const a = p.one(ofRank(s, 2).filter((t) => partners(t).length > 0));
  return [a, p.one(partners(a))];
}

/** `for i: D. body(i)` of a vector. */
export function overVector(s: Scope, d: Dim, body: (i: string) => Expr): Expr {
  const b = binder(s, d);
  return loop([b], body(b.name));
}

export function reduced(
  s: Scope,
  op: 'sum' | 'prod' | 'max' | 'min' | 'mean',
  d: Dim,
  body: (k: string) => Expr,
): Expr {
  const b = binder(s, d, 'k');
  return { k: 'reduce', op, over: [b], body: body(b.name) };
}

export const last = (d: Dim, i: string): Place => ({
  ...{ k: 'at', e: int('-', int('-', { k: 'size', dim: d }, 1), index(i)) },
});

/** A smooth map of a number that keeps it near one, and whose slope is seldom 0. */
export function bounded(p: Picks, x: Expr): Expr {
  return p.one([
    () => map('sin', x),
    () => map('tanh', x),
    () => sub(map('cos', mul(lit(0.7), x)), lit(0.2)),
    () => map('log', add({ k: 'power', x, n: 2 }, lit(1))),
    () => div(x, add(lit(1), { k: 'power', x, n: 2 })),
    () => map('exp', map('neg', { k: 'power', x, n: 2 })),
    () => sub(map('sqrt', add(lit(1.3), { k: 'power', x, n: 2 })), lit(0.9)),
    () => map('erf', mul(lit(0.6), x)),
    () => mul(lit(0.8), x),
  ])();
}

/** Two numbers as one. */
export function mixed(p: Picks, x: Expr, y: Expr): Expr {
  return p.one([
    () => map('sin', mul(x, y)),
    () => add(mul(lit(0.6), x), map('tanh', y)),
    () => mul(x, map('cos', y)),
    () => div(x, add(lit(1.2), { k: 'power', x: y, n: 2 })),
    () => sub(mul(lit(0.5), x), mul(map('erf', y), lit(0.7))),
    () => map('log', add(lit(1.5), mul(map('sin', x), map('cos', y)))),
    () =>
      ({ k: 'pick', op: 'max', a: map('sin', x), b: sub(mul(lit(0.4), y), lit(0.0917)) }) as const,
  ])();
}

/** Decided away from any number of three decimals. */
export const condition = (p: Picks, x: Expr): Cond =>
  p.one([() => above(x, 0.13715), () => below(x, 0.31735), () => above(x, -0.41715)])();
