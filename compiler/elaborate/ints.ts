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
  floorMod,
  interval,
  isConst,
  ixConst,
  ixVal,
  modIx,
  scaleIx,
  subIx,
} from '../core/ix.ts';
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
const folds: Partial<Record<Prim, (...v: number[]) => number>> = {
  add: (a, b) => a! + b!,
  sub: (a, b) => a! - b!,
  mul: (a, b) => a! * b!,
  div: (a, b) => a! / b!,
  neg: (a) => -a!,
  min: (a, b) => Math.min(a!, b!),
  max: (a, b) => Math.max(a!, b!),
  sqrt: (a) => Math.sqrt(a!),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a! < b!),
  le: (a, b) => Number(a! <= b!),
  gt: (a, b) => Number(a! > b!),
  ge: (a, b) => Number(a! >= b!),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
  not: (a) => Number(a === 0),
  idiv: (a, b) => (b === 0 ? 0 : Math.floor(a! / b!)),
  mod: (a, b) => (b === 0 ? 0 : floorMod(a!, b!)),
};

function wrap(t: Dtype, v: number): number {
  if (t === 'i32') return v | 0;
  return t === 'u32' ? v >>> 0 : v;
}

/** Applies a scalar operation of the language to scalar expressions. */
export function applyOp(op: ScalarOp, args: readonly Expr[], t: Dtype, extents: Extents): Expr {
  const [a, b] = args;
  if (a !== undefined && b !== undefined) {
    const x = affine(a);
    const y = affine(b);
    if (x !== undefined && y !== undefined) {
      const ix = intRules[op]?.(x, y, extents);
      if (ix !== undefined) return intOf(ix);
      const d = interval(subIx(x, y), extents);
      const known = compares[op]?.(d.lo, d.hi);
      if (known !== undefined) return constE('bool', known ? 1 : 0);
    }
  }
  if (op === 'neg' && a !== undefined) {
    const x = affine(a);
    if (x !== undefined) return intOf(scaleIx(x, -1));
  }
  if (op === 'pow') return power(a!, b!);
  if (op === 'bool') return a!.t === 'bool' ? a! : prim('ne', a!, constE(a!.t, 0));
  if (op === 'f32' || op === 'i32' || op === 'u32') return castTo(op, a!);
  const fold = folds[op];
  if (fold !== undefined && args.every((e) => e.k === 'const')) {
    return constE(t, wrap(t, fold(...args.map((e) => (e.k === 'const' ? e.v : 0)))));
  }
  return prim(op, ...args);
}

/** Small whole exponents are products: exact, and their derivative needs no logarithm. */
function power(a: Expr, b: Expr): Expr {
  if (a.k === 'const' && b.k === 'const') return constE(a.t, wrap(a.t, a.v ** b.v));
  const whole = a.t === 'f32' ? 8 : 64;
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
  const square = prim('mul', half, half);
  return n % 2 === 0 ? square : prim('mul', square, a);
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
