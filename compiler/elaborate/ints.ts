/**
 * Integers during elaboration. What an index is made of is computed exactly, whatever its intermediate
 * values are; as a value, an i32 or u32 wraps at 32 bits after each operation. A number that may have
 * wrapped carries its exact twin (`int` of a scalar); affine forms of axes stay affine, so that an
 * index computed through lets and functions still reads like one.
 *
 * Invariant: an i32 value that is affine in axes and fits 32 bits is an `index` node or a constant, never
 * a prim; a scalar without a twin is its own exact value.
 */
import type { Span } from '../../dsl/source.ts';
import type { ScalarOp } from '../../dsl/typed.ts';
import { castE, constE, indexE, prim, selectE, walkExpr } from '../core/expr.ts';
import {
  addIx,
  divIx,
  type Extents,
  fitsI32,
  type Interval,
  interval,
  isConst,
  ixConst,
  ixVal,
  modIx,
  scaleIx,
  subIx,
} from '../core/ix.ts';
import { power as realPower, scalarRule, wrap } from '../core/scalar.ts';
import type { Dtype, Expr, Ix, Prim } from '../core.ts';
import { CompileError } from './errors.ts';
import { exactly, type Num, scalar } from './value.ts';

/** The affine form of a whole number, where it has one. */
export function affine(n: Num): Ix | undefined {
  return formOf(n.int ?? n.e);
}

function formOf(e: Expr): Ix | undefined {
  if (e.t !== 'i32' && e.t !== 'int') return undefined;
  if (e.k === 'const') return ixConst(e.v);
  return e.k === 'index' ? e.ix : undefined;
}

export function intOf(ix: Ix): Expr {
  return isConst(ix) ? constE('i32', ix.c) : indexE(ix);
}

/** A form as a value: one that may leave 32 bits wraps, and has a twin that does not. */
export function numOf(ix: Ix, extents: Extents): Num {
  if (fitsI32(interval(ix, extents))) return scalar(intOf(ix));
  const int: Expr = isConst(ix) ? constE('int', ix.c) : indexE(ix, 'int');
  return {
    k: 'scalar',
    e: isConst(ix) ? constE('i32', wrap('i32', ix.c)) : castE('i32', int),
    int,
  };
}

/** As an index; a computed integer is promised to lie in [0, extent). */
export function toIx(n: Num, extent: number, extents: Extents, span: Span): Ix {
  const own = affine(n) ?? ixVal(n.int ?? whole(n.e), extent);
  requireExact(own, extents, span);
  return own;
}

/** An i32, or a u32 as the number that it is. */
function whole(e: Expr): Expr {
  return castE(e.t === 'u32' ? 'int' : 'i32', e);
}

type IntRule = (a: Ix, b: Ix, extents: Extents) => Ix | undefined;

const intRules: Partial<Record<ScalarOp, IntRule>> = {
  add: (a, b) => addIx(a, b),
  sub: (a, b) => subIx(a, b),
  mul: (a, b) => (isConst(b) ? scaleIx(a, b.c) : isConst(a) ? scaleIx(b, a.c) : undefined),
  neg: (a) => scaleIx(a, -1),
  idiv: (a, b, x) => (isConst(b) && b.c > 0 ? divIx(a, b.c, x) : undefined),
  mod: (a, b, x) => (isConst(b) && b.c > 0 ? modIx(a, b.c, x) : undefined),
};

/** Operations that give the exact number of exact numbers. */
const exactOps: Partial<Record<ScalarOp, Prim>> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  neg: 'neg',
  idiv: 'idiv',
  mod: 'mod',
  min: 'min',
  max: 'max',
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

/** Applies a scalar operation of the language to scalars. */
export function applyOp(op: ScalarOp, args: readonly Num[], t: Dtype, extents: Extents): Num {
  const [a] = args;
  if (op === 'i32' && a?.e.t === 'i32') return a;
  const value = applied(
    op,
    args.map((n) => n.e),
    t,
    extents,
  );
  const exact = exactOps[op];
  if (t !== 'i32' || exact === undefined || args.some((n) => n.e.t !== 'i32')) return scalar(value);
  const forms = args.map(affine);
  const [x, y] = forms;
  if (forms.every((f) => f !== undefined)) {
    const ix = intRules[op]?.(x!, y ?? x!, extents);
    // What wrapped before is no longer the number that the form says.
    if (ix !== undefined) {
      const n = numOf(ix, extents);
      return args.some((a) => a.int !== undefined) || n.int !== undefined
        ? { k: 'scalar', e: value, int: exactly(n) }
        : n;
    }
  }
  const twins = args.map(exactly);
  const int = twins.every((e) => e.k === 'const')
    ? fold(exact, 'int', twins)
    : prim(exact, ...twins);
  const kept = args.every((n) => n.int === undefined) && fitsI32(rangeOf(int, extents));
  return kept ? scalar(value) : { k: 'scalar', e: value, int };
}

/** The operation on values: integers wrap. */
function applied(op: ScalarOp, args: readonly Expr[], t: Dtype, extents: Extents): Expr {
  const [a, b] = args;
  if (op === 'pow') return power(a!, b!);
  if (isFolded(op) && areConst(args)) return fold(op, t, args);
  if (a !== undefined && b !== undefined) {
    const x = formOf(a);
    const y = formOf(b);
    if (x !== undefined && y !== undefined) {
      const d = interval(subIx(x, y), extents);
      const known = compares[op]?.(d.lo, d.hi);
      if (known !== undefined) return constE('bool', known ? 1 : 0);
    }
  }
  if (op === 'bool') return a!.t === 'bool' ? a! : prim('ne', a!, constE(a!.t, 0));
  if (op === 'f32' || op === 'i32' || op === 'u32') return castTo(op, a!);
  return prim(op, ...args);
}

/** Small whole exponents are products: exact, and their derivative needs no logarithm. */
function power(a: Expr, b: Expr): Expr {
  if (a.k === 'const' && b.k === 'const' && a.t === 'f32')
    return constE('f32', realPower(a.v, b.v));
  // Integers wrap at every product, however many there are.
  const whole = a.t === 'f32' ? 8 : Number.POSITIVE_INFINITY;
  if (b.k === 'const' && Number.isInteger(b.v) && Math.abs(b.v) <= whole) {
    const n = Math.abs(b.v);
    if (n === 0) return constE(a.t, 1);
    if (b.v > 0) return product(a, n);
    // Not 1 / x^n: the power may leave the range where its inverse does not.
    if (a.t === 'f32') return product(prim('div', constE('f32', 1), a), n);
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

// ---------------------------------------------------------------- how large

const most = 2 ** 53;
const everything: Interval = { lo: -Infinity, hi: Infinity };
const word: Interval = { lo: -(2 ** 31), hi: 2 ** 31 - 1 };
const ranges = new WeakMap<Expr, Interval>();

function corners(a: Interval, b: Interval, f: (x: number, y: number) => number): Interval {
  const all = [f(a.lo, b.lo), f(a.lo, b.hi), f(a.hi, b.lo), f(a.hi, b.hi)];
  if (all.some(Number.isNaN)) return everything;
  return { lo: Math.min(...all), hi: Math.max(...all) };
}

/** Bounds of a whole number; of data nothing is known but its type, and where it is an index its size. */
export function rangeOf(e: Expr, extents: Extents): Interval {
  const known = ranges.get(e);
  if (known !== undefined) return known;
  const out = newRange(e, extents);
  ranges.set(e, out);
  return out;
}

function newRange(e: Expr, extents: Extents): Interval {
  if (e.k === 'const') return { lo: e.v, hi: e.v };
  if (e.k === 'read' && e.x.bound !== undefined) return { lo: 0, hi: Math.max(e.x.bound - 1, 0) };
  if (e.t === 'u32') return { lo: 0, hi: 2 ** 32 - 1 };
  const own = e.k === 'index' ? interval(e.ix, extents) : computed(e, extents);
  // A value wraps, unless no result of it can.
  return e.t === 'int' || fitsI32(own) ? own : word;
}

function computed(e: Expr, extents: Extents): Interval {
  if (e.k !== 'prim') return everything;
  const [a = everything, b = everything, c = everything] = e.args.map((x) => rangeOf(x, extents));
  switch (e.op) {
    case 'cast':
      return a;
    case 'neg':
      return { lo: -a.hi, hi: -a.lo };
    case 'add':
      return { lo: a.lo + b.lo, hi: a.hi + b.hi };
    case 'sub':
      return { lo: a.lo - b.hi, hi: a.hi - b.lo };
    case 'mul':
      return corners(a, b, (x, y) => x * y);
    case 'min':
      return { lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
    case 'max':
      return { lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
    case 'idiv':
      return b.lo > 0 ? corners(a, b, (x, y) => Math.floor(x / y)) : widest(a);
    case 'mod':
      return b.lo > 0 ? { lo: 0, hi: b.hi - 1 } : widest(b);
    case 'select':
      return { lo: Math.min(b.lo, c.lo), hi: Math.max(b.hi, c.hi) };
    default:
      return everything;
  }
}

/** A quotient is no larger than what is divided, and a remainder than the divisor, of either sign. */
function widest({ lo, hi }: Interval): Interval {
  const size = Math.max(Math.abs(lo), Math.abs(hi));
  return { lo: -size, hi: size };
}

function requireBelow({ lo, hi }: Interval, span: Span): void {
  const far = Math.max(-lo, hi);
  if (far <= most) return;
  throw new CompileError(
    'E0802',
    `An index here takes values up to ${far}, beyond the 2^53 that is computed exactly.`,
    span,
  );
}

/** Refuses an index some part of which is beyond what is computed exactly. */
export function requireExact(ix: Ix, extents: Extents, span: Span): void {
  for (const t of ix.terms) {
    requireBelow(interval({ c: 0, terms: [t] }, extents), span);
    if (t.a.k === 'div' || t.a.k === 'mod') requireExact(t.a.e, extents, span);
    else if (t.a.k === 'val') requireExactly(t.a.e, extents, span);
  }
  requireBelow(interval(ix, extents), span);
}

/** As `requireExact`, of a computed number. */
export function requireExactly(root: Expr, extents: Extents, span: Span): void {
  walkExpr((e) => {
    if (e.t !== 'int') return;
    requireBelow(rangeOf(e, extents), span);
    if (e.k === 'index') requireExact(e.ix, extents, span);
  }, root);
}
