/**
 * Integer expressions during elaboration: affine index forms stay affine, so that an index computed
 * through lets and functions still reads like one; everything else is an ordinary scalar expression.
 *
 * Invariant: an i32 value that is affine in axes is an `index` node or a constant, never a prim.
 */
import type { ScalarOp } from '../../dsl/typed.ts';
import { castE, constE, indexE, prim, selectE } from '../core/expr.ts';
import {
  addIx,
  divIx,
  type Extents,
  type Interval,
  interval,
  isConst,
  ixConst,
  ixVal,
  modIx,
  scaleIx,
  subIx,
} from '../core/ix.ts';
import { scalarRule, wrap } from '../core/scalar.ts';
import type { Dtype, Expr, Ix, Prim } from '../core.ts';

/** The affine form of an i32 expression, where it has one. */
export function affine(e: Expr): Ix | undefined {
  if (e.t !== 'i32') return undefined;
  if (e.k === 'const') return ixConst(e.v);
  return e.k === 'index' ? e.ix : undefined;
}

export function intOf(ix: Ix): Expr {
  return isConst(ix) ? constE('i32', ix.c) : indexE(ix);
}

/** As an index; a computed integer is promised to lie in [0, extent). */
export function toIx(e: Expr, extent: number): Ix {
  const a = affine(e);
  return a ?? ixVal(castE('i32', e), extent);
}

type IntRule = (a: Ix, b: Ix, extents: Extents) => Ix | undefined;

const intRules: Partial<Record<ScalarOp, IntRule>> = {
  add: (a, b) => addIx(a, b),
  sub: (a, b) => subIx(a, b),
  mul: (a, b) => (isConst(b) ? scaleIx(a, b.c) : isConst(a) ? scaleIx(b, a.c) : undefined),
  idiv: (a, b, x) => (isConst(b) && b.c > 0 ? divIx(a, b.c, x) : undefined),
  mod: (a, b, x) => (isConst(b) && b.c > 0 ? modIx(a, b.c, x) : undefined),
};

const compares: Partial<Record<ScalarOp, (lo: number, hi: number) => boolean | undefined>> = {
  lt: (lo, hi) => (hi < 0 ? true : lo >= 0 ? false : undefined),
  le: (lo, hi) => (hi <= 0 ? true : lo > 0 ? false : undefined),
  gt: (lo, hi) => (lo > 0 ? true : hi <= 0 ? false : undefined),
  ge: (lo, hi) => (lo >= 0 ? true : hi < 0 ? false : undefined),
  eq: (lo, hi) => (lo === 0 && hi === 0 ? true : lo > 0 || hi < 0 ? false : undefined),
  ne: (lo, hi) => (lo === 0 && hi === 0 ? false : lo > 0 || hi < 0 ? true : undefined),
};

/** Constants fold so that conditions on sizes disappear; the rest is left to simplification. */
const folded: ReadonlySet<string> = new Set<Prim>([
  ...(['add', 'sub', 'mul', 'div', 'idiv', 'mod', 'neg', 'min', 'max', 'sqrt'] as const),
  ...(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'and', 'or', 'not'] as const),
]);

function isFolded(op: ScalarOp): op is ScalarOp & Prim {
  return folded.has(op);
}

type Const = Extract<Expr, { k: 'const' }>;

function areConst(args: readonly Expr[]): args is readonly Const[] {
  return args.every((e) => e.k === 'const');
}

function fold(op: Prim, t: Dtype, args: readonly Const[]): Expr {
  const values = args.map((e) => e.v);
  return constE(t, scalarRule[op](values, t, args[0]!.t));
}

/** Beyond it a sum or product wraps round, and no affine form says so. */
function isI32({ lo, hi }: Interval): boolean {
  return lo >= -(2 ** 31) && hi < 2 ** 31;
}

/** Applies a scalar operation of the language to scalar expressions. */
export function applyOp(op: ScalarOp, args: readonly Expr[], t: Dtype, extents: Extents): Expr {
  const [a, b] = args;
  if (op === 'pow') return power(a!, b!);
  if (isFolded(op) && areConst(args)) return fold(op, t, args);
  if (a !== undefined && b !== undefined) {
    const x = affine(a);
    const y = affine(b);
    if (x !== undefined && y !== undefined) {
      const ix = intRules[op]?.(x, y, extents);
      if (ix !== undefined && isI32(interval(ix, extents))) return intOf(ix);
      const d = interval(subIx(x, y), extents);
      const known = compares[op]?.(d.lo, d.hi);
      if (known !== undefined) return constE('bool', known ? 1 : 0);
    }
  }
  if (op === 'neg' && a !== undefined) {
    const x = affine(a);
    if (x !== undefined) return intOf(scaleIx(x, -1));
  }
  if (op === 'bool') return a!.t === 'bool' ? a! : prim('ne', a!, constE(a!.t, 0));
  if (op === 'f32' || op === 'i32' || op === 'u32') return castTo(op, a!);
  return prim(op, ...args);
}

/** Small whole exponents are products: exact, and their derivative needs no logarithm. */
function power(a: Expr, b: Expr): Expr {
  if (a.k === 'const' && b.k === 'const' && a.t === 'f32') return constE('f32', a.v ** b.v);
  // Of a constant the product is one, however many factors it has.
  const whole = a.t === 'f32' ? 8 : a.k === 'const' ? Number.POSITIVE_INFINITY : 64;
  if (b.k === 'const' && Number.isInteger(b.v) && Math.abs(b.v) <= whole) {
    const n = Math.abs(b.v);
    if (n === 0) return constE(a.t, 1);
    const p = product(a, n);
    if (b.v > 0) return p;
    if (a.t === 'f32') return prim('div', constE('f32', 1), p);
  }
  const real = prim('pow', castTo('f32', a), castTo('f32', b));
  return a.t === 'f32' ? real : castTo(a.t === 'u32' ? 'u32' : 'i32', prim('round', real));
}

function product(a: Expr, n: number): Expr {
  if (n === 1) return a;
  const half = product(a, Math.floor(n / 2));
  const square = times(half, half);
  return n % 2 === 0 ? square : times(square, a);
}

function times(a: Expr, b: Expr): Expr {
  const args = [a, b];
  return a.t !== 'f32' && areConst(args) ? fold('mul', a.t, args) : prim('mul', a, b);
}

function castTo(t: 'f32' | 'i32' | 'u32', e: Expr): Expr {
  if (e.t === t) return e;
  if (e.k === 'const') {
    if (t === 'f32') return constE('f32', e.v);
    if (e.t !== 'f32') return constE(t, wrap(t, e.v));
  }
  if (e.t === 'bool') return selectE(e, constE(t, 1), constE(t, 0));
  return castE(t, e);
}
