/**
 * Type rules of the scalar primitives: one row per primitive, total by type.
 *
 * Invariant: a prim node's dtype is what its rule gives for its argument dtypes; `cast` is the only
 * primitive whose result the caller chooses. Meaning of the corners, the same on every target:
 * i32 and u32 wrap at 32 bits, int is exact; idiv and mod floor, with x idiv 0 = x and x mod 0 = 0 (as in WGSL, so a
 * dead branch never traps); f32 -> integer casts truncate and saturate, NaN gives 0; round is half
 * to even; min, max and the reductions of the same name propagate NaN.
 */
import type { Dtype, Prim } from '../core.ts';

/** Result dtype, or undefined where the primitive does not take these arguments. */
type Rule = (args: readonly Dtype[]) => Dtype | undefined;

const isInteger = (t: Dtype | undefined) => t === 'i32' || t === 'u32' || t === 'int';
const isNumeric = (t: Dtype | undefined) => t === 'f32' || isInteger(t);

const same =
  (n: number, ok: (t: Dtype | undefined) => boolean, result?: Dtype): Rule =>
  (a) =>
    a.length === n && ok(a[0]) && a.every((t) => t === a[0]) ? (result ?? a[0]) : undefined;
const only = (n: number, t: Dtype, result: Dtype = t): Rule => same(n, (s) => s === t, result);
const numeric2 = same(2, isNumeric);
const compare = same(2, isNumeric, 'bool');
const equality = same(2, () => true, 'bool');
const float1 = only(1, 'f32');

export const primType: Readonly<Record<Prim, Rule>> = {
  add: numeric2,
  sub: numeric2,
  mul: numeric2,
  div: only(2, 'f32'),
  idiv: same(2, isInteger),
  mod: same(2, isInteger),
  pow: only(2, 'f32'),
  neg: same(1, isNumeric),
  eq: equality,
  ne: equality,
  lt: compare,
  le: compare,
  gt: compare,
  ge: compare,
  and: only(2, 'bool'),
  or: only(2, 'bool'),
  not: only(1, 'bool'),
  min: numeric2,
  max: numeric2,
  abs: same(1, isNumeric),
  sign: same(1, isNumeric),
  floor: float1,
  ceil: float1,
  round: float1,
  exp: float1,
  log: float1,
  sqrt: float1,
  sin: float1,
  cos: float1,
  tanh: float1,
  erf: float1,
  isfinite: only(1, 'f32', 'bool'),
  select: (a) => (a.length === 3 && a[0] === 'bool' && a[1] === a[2] ? a[1] : undefined),
  // The node says which dtype; see `castE`.
  cast: () => undefined,
  f16: float1,
  bf16: float1,
  stop: (a) => (a.length === 1 ? a[0] : undefined),
  bits0: only(4, 'u32'),
  bits1: only(4, 'u32'),
};
