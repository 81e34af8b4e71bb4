/**
 * The derivatives of the scalar primitives: one row per primitive, one cell per argument.
 *
 * A cell says what becomes of a tangent or cotangent `g`: a multiple of it, or g itself under a
 * condition. The same table serves forward mode (g = tangent of the argument, summed over arguments)
 * and reverse mode (g = cotangent of the node, passed to each argument). Invariants: a cell is linear
 * in g; `null` means the derivative is zero everywhere it exists; cells reuse the node itself (exp,
 * tanh, div, sqrt, pow) so that nothing transcendental is computed twice.
 *
 * Conventions where a derivative does not exist: abs is 0 at 0; of equal arguments of min and max each
 * takes half, so that what is smooth although it is written with them has its derivative there, in
 * either order (max(x, 0) + log(1 + exp(-abs(x))) at 0: 1/2); pow is 0 in both arguments at 0^0, and 0
 * in the exponent at base 0. f16 and bf16 pass tangents straight through.
 */

import { f32, prim } from '../core/expr.ts';
import type { Expr, Prim } from '../core.ts';
import { and, div, mul, neg, not, one, select, zero } from './arith.ts';

export type PrimNode = Extract<Expr, { k: 'prim' }>;
type Times = (n: PrimNode, g: Expr) => Expr;
export type Partial =
  /** g times the partial derivative */
  | Times
  /**
   * g where the condition holds, which is where this argument counts, and 0 elsewhere; half of it
   * where it counts as much as another one
   */
  | { readonly when: (n: PrimNode) => Expr; readonly tied?: (n: PrimNode) => Expr };
/** One per argument. A missing cell is read as null: an argument that is never f32. */
export type Rule = readonly (Partial | null)[];

const arg = (n: PrimNode, i: number): Expr => n.args[i]!;
const is = (op: Prim, a: Expr, b: Expr): Expr => prim(op, a, b);
const identity: Times = (_, g) => g;
const none: Rule = [null, null, null, null];

const tied = (n: PrimNode): Expr => is('eq', arg(n, 0), arg(n, 1));

/** What an argument passes of g where it counts: half where it is tied. */
export const share = (p: Exclude<Partial, Times>, n: PrimNode, g: Expr): Expr =>
  p.tied === undefined ? g : select(p.tied(n), mul(f32(0.5), g), g);

const twoOverSqrtPi = f32(2 / Math.sqrt(Math.PI));

/** d(x^y)/dx = y x^(y-1); 0 at x = y = 0, where the product would be 0 * inf. */
const powBase: Times = (n, g) => {
  const [x, y] = [arg(n, 0), arg(n, 1)];
  if (y.k === 'const') {
    if (y.v === 0) return zero;
    if (y.v === 1) return g;
    if (y.v === 2) return mul(g, mul(f32(2), x));
    return mul(g, mul(y, prim('pow', x, f32(y.v - 1))));
  }
  const both = and(is('eq', x, zero), is('eq', y, zero));
  return select(both, zero, mul(g, mul(y, prim('pow', x, prim('sub', y, one)))));
};

/** d(x^y)/dy = x^y log x; 0 at x = 0, where the product would be 0 * -inf. */
const powExponent: Times = (n, g) => {
  const x = arg(n, 0);
  if (x.k === 'const') return x.v === 0 ? zero : mul(g, mul(n, f32(Math.log(x.v))));
  return select(is('eq', x, zero), zero, mul(g, mul(n, prim('log', x))));
};

export const partials: Readonly<Record<Prim, Rule>> = {
  add: [identity, identity],
  sub: [identity, (_, g) => neg(g)],
  mul: [(n, g) => mul(g, arg(n, 1)), (n, g) => mul(g, arg(n, 0))],
  div: [(n, g) => div(g, arg(n, 1)), (n, g) => neg(div(mul(g, n), arg(n, 1)))],
  idiv: none,
  mod: none,
  pow: [powBase, powExponent],
  neg: [(_, g) => neg(g)],
  eq: none,
  ne: none,
  lt: none,
  le: none,
  gt: none,
  ge: none,
  and: none,
  or: none,
  not: none,
  min: [
    { when: (n) => is('le', arg(n, 0), arg(n, 1)), tied },
    { when: (n) => not(is('lt', arg(n, 0), arg(n, 1))), tied },
  ],
  max: [
    { when: (n) => is('ge', arg(n, 0), arg(n, 1)), tied },
    { when: (n) => not(is('gt', arg(n, 0), arg(n, 1))), tied },
  ],
  abs: [(n, g) => mul(g, prim('sign', arg(n, 0)))],
  sign: none,
  floor: none,
  ceil: none,
  round: none,
  exp: [(n, g) => mul(g, n)],
  log: [(n, g) => div(g, arg(n, 0))],
  sqrt: [(n, g) => div(mul(g, f32(0.5)), n)],
  sin: [(n, g) => mul(g, prim('cos', arg(n, 0)))],
  cos: [(n, g) => neg(mul(g, prim('sin', arg(n, 0))))],
  tanh: [(n, g) => mul(g, prim('sub', one, prim('mul', n, n)))],
  erf: [
    (n, g) => {
      const x = arg(n, 0);
      return mul(g, mul(twoOverSqrtPi, prim('exp', prim('neg', prim('mul', x, x)))));
    },
  ],
  isfinite: none,
  select: [null, { when: (n) => arg(n, 0) }, { when: (n) => not(arg(n, 0)) }],
  // Only f32 -> f32 carries a tangent; integer arguments never have one.
  cast: [identity],
  f16: [identity],
  bf16: [identity],
  stop: none,
  bits0: none,
  bits1: none,
};

/** The partial of argument i, or null where no tangent passes. */
export function partialOf(n: PrimNode, i: number): Partial | null {
  return n.t === 'f32' && n.args[i]!.t === 'f32' ? (partials[n.op][i] ?? null) : null;
}
