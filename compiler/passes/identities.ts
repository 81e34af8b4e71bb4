/**
 * Identities of the primitives: a row per primitive, total by type.
 *
 * Invariants: the result has the value of the original for all inputs, f32 up to (a) exact rescaling:
 * constants of a product are multiplied together, division by a power of two becomes a product, small
 * integer powers become products, (b) the sign of the zero that 0 * x and 0 + -0 are; never up to NaN or
 * infinity. So 0 - x is not -x, and x * 0 is 0 only when x is provably finite (bounded functions,
 * indices, constants). AD needs no more: it keeps its structural zeros symbolic (ad/arith.ts), so none
 * of them reaches this table.
 * Constants are not folded into values that f32 cannot hold. Rows only make expressions smaller or
 * more canonical (constants first, indices as index nodes), and never compute a shared node twice.
 */

import { constE, eachVal, readE } from '../core/expr.ts';
import {
  addIx,
  divIx,
  type Extents,
  fitsI32,
  interval,
  isConst,
  ixConst,
  modIx,
  scaleIx,
  subIx,
} from '../core/ix.ts';
import { scalarRule } from '../core/scalar.ts';
import type { Dtype, Expr, Guard, Ix, Prim } from '../core.ts';
import type { Algebra } from './algebra.ts';

export type Args = readonly Expr[];
/** A simpler expression, or undefined when nothing applies. */
type Rule = (a: Args, s: Algebra, t: Dtype) => Expr | undefined;

const isNumber = (e: Expr, v: number) => e.k === 'const' && e.v === v;
const numberOf = (e: Expr) => (e.k === 'const' ? e.v : undefined);
const isTrue = (e: Expr) => e.k === 'const' && e.v !== 0;
const isFalse = (e: Expr) => e.k === 'const' && e.v === 0;
const argsOf = (e: Expr, op: Prim): Args | undefined =>
  e.k === 'prim' && e.op === op ? e.args : undefined;

/** The index form of a whole constant or index node, where it is the value: an i32 may have wrapped. */
export function affine(e: Expr, extents: Extents): Ix | undefined {
  if (e.t !== 'i32' && e.t !== 'int') return undefined;
  if (e.k === 'const') return ixConst(e.v);
  if (e.k !== 'index') return undefined;
  return e.t === 'int' || fitsI32(interval(e.ix, extents)) ? e.ix : undefined;
}

/** The largest f32. */
export const largest = 3.4028234663852886e38;

/** Folds constants, unless an f32 cannot hold the result or it stops being finite. */
export function foldConstant(op: Prim, args: Args, t: Dtype): Expr | undefined {
  const values: number[] = [];
  for (const a of args) {
    if (a.k !== 'const') return undefined;
    values.push(a.v);
  }
  const v = scalarRule[op](values, t, args[0]!.t);
  const fits = t !== 'f32' || Math.abs(v) <= largest || !values.every(Number.isFinite);
  return fits ? constE(t, v) : undefined;
}

/** Whether 1 / v is exact. */
function isPowerOfTwo(v: number): boolean {
  const exponent = Math.round(Math.log2(Math.abs(v)));
  return Math.abs(exponent) < 100 && Math.abs(v) === 2 ** exponent;
}

// ---------------------------------------------------------------- rules shared by rows

/** Constants first. */
const constantFirst =
  (op: Prim): Rule =>
  ([x, y], s) =>
    y!.k === 'const' && x!.k !== 'const' ? s.prim(op, y!, x!) : undefined;

/** For exact operations: op(c, op(d, x)) is op(op(c, d), x). */
const gatherConstants =
  (op: Prim, exact: (t: Dtype) => boolean): Rule =>
  ([x, y], s, t) => {
    if (!exact(t) || x!.k !== 'const') return undefined;
    const [d, rest] = argsOf(y!, op) ?? [];
    if (d?.k !== 'const') return undefined;
    const c = foldConstant(op, [x!, d], t);
    // A tiny factor could underflow where the two steps would not.
    const safe = c?.k === 'const' && (t !== 'f32' || op !== 'mul' || Math.abs(c.v) > 2 ** -100);
    return safe ? s.prim(op, s.share(c), rest!) : undefined;
  };

const isInteger = (t: Dtype) => t === 'i32' || t === 'u32' || t === 'int';

/** The first rule that applies. */
const first =
  (...rules: readonly Rule[]): Rule =>
  (a, s, t) => {
    for (const r of rules) {
      const out = r(a, s, t);
      if (out !== undefined) return out;
    }
    return undefined;
  };

const none: Rule = () => undefined;
const idempotent: Rule = ([x, y], s) => (s.same(x!, y!) ? x : undefined);

/** f(f(x)) is f(x). */
const projection =
  (op: Prim): Rule =>
  ([x]) =>
    argsOf(x!, op) === undefined ? undefined : x;

/** A comparison; `same` is its value for equal integers or truth values. */
const comparison = (f: (lo: number, hi: number) => boolean | undefined, same: boolean): Rule =>
  first(
    ([x, y], s) => s.decide(x!, y!, f),
    ([x, y], s) => (x!.t !== 'f32' && s.same(x!, y!) ? s.const('bool', same ? 1 : 0) : undefined),
  );

/** max or min by intervals, for indices; `pick` says by the sign of x - y which one it is. */
const extremum = (op: 'min' | 'max'): Rule =>
  first(
    constantFirst(op),
    idempotent,
    ([x, y], s) => {
      const below = s.decide(x!, y!, (lo, hi) => (hi <= 0 ? true : lo >= 0 ? false : undefined));
      if (below === undefined) return undefined;
      return isTrue(below) === (op === 'min') ? x : y;
    },
    gatherConstants(op, () => true),
  );

// ---------------------------------------------------------------- the table

export const identities: Readonly<Record<Prim, Rule>> = {
  add: first(
    ([x, y], s) => s.combine(x!, y!, (a, b) => addIx(a, b)),
    constantFirst('add'),
    // The zero that 0 + -0 is has either sign.
    ([x, y]) => (isNumber(x!, 0) ? y : undefined),
    gatherConstants('add', isInteger),
    // x + x = 2 * x, where the constant may meet others
    ([x, y], s, t) => (s.same(x!, y!) ? s.prim('mul', s.const(t, 2), x!) : undefined),
    // x + -y = x - y; c - x stays a difference of a constant
    ([x, y], s) => {
      const n = argsOf(y!, 'neg');
      return n === undefined ? undefined : s.prim('sub', x!, n[0]!);
    },
    ([x, y], s) => {
      const n = argsOf(x!, 'neg');
      return n === undefined ? undefined : s.prim('sub', y!, n[0]!);
    },
  ),
  sub: first(
    ([x, y], s) => s.combine(x!, y!, subIx),
    // x - -0 is x + 0.
    ([x, y], _, t) =>
      isNumber(y!, 0) && (t !== 'f32' || Object.is(numberOf(y!), 0)) ? x : undefined,
    // 0 - 0 is 0, and -0 is not.
    ([x, y], s, t) => (isNumber(x!, 0) && t !== 'f32' ? s.prim('neg', y!) : undefined),
    ([x, y], s, t) =>
      s.same(x!, y!) && (isInteger(t) || s.finite(x!)) ? s.const(t, 0) : undefined,
    ([x, y], s) => {
      const n = argsOf(y!, 'neg');
      return n === undefined ? undefined : s.prim('add', x!, n[0]!);
    },
    // Subtracting a constant is adding its negative: one form for both.
    ([x, y], s, t) =>
      y!.k === 'const' && t !== 'u32' && Number.isFinite(y!.v)
        ? s.prim('add', s.prim('neg', y!), x!)
        : undefined,
  ),
  mul: first(
    ([x, y], s) =>
      s.combine(x!, y!, (a, b) =>
        isConst(a) ? scaleIx(b, a.c) : isConst(b) ? scaleIx(a, b.c) : undefined,
      ),
    constantFirst('mul'),
    ([x, y]) => (isNumber(x!, 1) ? y : undefined),
    ([x, y], s, t) =>
      isNumber(x!, 0) && (isInteger(t) || s.finite(y!)) ? s.const(t, 0) : undefined,
    ([x, y], s, t) => (t === 'f32' && isNumber(x!, -1) ? s.prim('neg', y!) : undefined),
    gatherConstants('mul', () => true),
    // Signs cancel, and go into constants. (Moving one out of a product could compute it twice.)
    ([x, y], s) => {
      const [m, n] = [argsOf(x!, 'neg'), argsOf(y!, 'neg')];
      if (n !== undefined && x!.k === 'const') return s.prim('mul', s.prim('neg', x!), n[0]!);
      return m === undefined || n === undefined ? undefined : s.prim('mul', m[0]!, n[0]!);
    },
  ),
  div: first(
    ([x, y]) => (isNumber(y!, 1) ? x : undefined),
    ([x, y], s) =>
      y!.k === 'const' && isPowerOfTwo(y!.v)
        ? s.prim('mul', s.const('f32', 1 / y!.v), x!)
        : undefined,
    ([x, y], s) => {
      const [m, n] = [argsOf(x!, 'neg'), argsOf(y!, 'neg')];
      return m === undefined || n === undefined ? undefined : s.prim('div', m[0]!, n[0]!);
    },
  ),
  idiv: first(
    ([x, y], s) =>
      s.combine(x!, y!, (a, b) => (isConst(b) && b.c > 0 ? divIx(a, b.c, s.extents) : undefined)),
    ([x, y]) => (isNumber(y!, 1) ? x : undefined),
  ),
  mod: first(
    ([x, y], s) =>
      s.combine(x!, y!, (a, b) => (isConst(b) && b.c > 0 ? modIx(a, b.c, s.extents) : undefined)),
    ([, y], s, t) => (isNumber(y!, 1) ? s.const(t, 0) : undefined),
    // mod(mod(x, n), n)
    ([x, y], s) => {
      const inner = argsOf(x!, 'mod');
      return inner !== undefined && y!.k === 'const' && s.same(inner[1]!, y!) ? x : undefined;
    },
  ),
  pow: ([x, y], s) => {
    if (y!.k !== 'const') return undefined;
    switch (y!.v) {
      case 0:
        return s.const('f32', 1);
      case 1:
        return x;
      case 2:
        return s.prim('mul', x!, x!);
      case 3:
        return s.prim('mul', x!, s.prim('mul', x!, x!));
      case 4: {
        const q = s.prim('mul', x!, x!);
        return s.prim('mul', q, q);
      }
      case -1:
        return s.prim('div', s.const('f32', 1), x!);
      case -2: {
        // Not 1 / x^2: the square may leave the range.
        const q = s.prim('div', s.const('f32', 1), x!);
        return s.prim('mul', q, q);
      }
      default:
        return undefined;
    }
  },
  neg: first(
    ([x], s) => s.combine(x!, x!, (a) => scaleIx(a, -1)),
    ([x]) => argsOf(x!, 'neg')?.[0],
    ([x], s) => {
      const [c, y] = argsOf(x!, 'mul') ?? [];
      return c?.k === 'const' ? s.prim('mul', s.prim('neg', c), y!) : undefined;
    },
  ),
  eq: comparison(
    (lo, hi) => (lo === 0 && hi === 0 ? true : lo > 0 || hi < 0 ? false : undefined),
    true,
  ),
  ne: comparison(
    (lo, hi) => (lo === 0 && hi === 0 ? false : lo > 0 || hi < 0 ? true : undefined),
    false,
  ),
  lt: comparison((lo, hi) => (hi < 0 ? true : lo >= 0 ? false : undefined), false),
  le: comparison((lo, hi) => (hi <= 0 ? true : lo > 0 ? false : undefined), true),
  gt: comparison((lo, hi) => (lo > 0 ? true : hi <= 0 ? false : undefined), false),
  ge: comparison((lo, hi) => (lo >= 0 ? true : hi < 0 ? false : undefined), true),
  and: first(
    constantFirst('and'),
    ([x, y]) => (isTrue(x!) ? y : isFalse(x!) ? x : undefined),
    idempotent,
  ),
  or: first(
    constantFirst('or'),
    ([x, y]) => (isTrue(x!) ? x : isFalse(x!) ? y : undefined),
    idempotent,
  ),
  not: ([x], s) => {
    if (x!.k !== 'prim') return undefined;
    const opposite = opposites[x!.op];
    if (x!.op === 'not') return x!.args[0];
    // With NaN only == and != are opposites.
    const exact = x!.op === 'eq' || x!.op === 'ne' || x!.args[0]!.t !== 'f32';
    return opposite !== undefined && exact ? s.prim(opposite, ...x!.args) : undefined;
  },
  min: extremum('min'),
  max: extremum('max'),
  abs: first(projection('abs'), ([x], s) => {
    const n = argsOf(x!, 'neg');
    return n === undefined ? undefined : s.prim('abs', n[0]!);
  }),
  sign: projection('sign'),
  floor: first(projection('floor'), integral),
  ceil: first(projection('ceil'), integral),
  round: first(projection('round'), integral),
  exp: none,
  log: none,
  sqrt: none,
  sin: none,
  cos: ([x], s) => {
    const n = argsOf(x!, 'neg');
    return n === undefined ? undefined : s.prim('cos', n[0]!);
  },
  tanh: none,
  erf: none,
  isfinite: ([x], s) => (s.finite(x!) ? s.const('bool', 1) : undefined),
  select: first(
    ([c, x, y]) => (c!.k === 'const' ? (c!.v !== 0 ? x : y) : undefined),
    ([, x, y], s) => (s.same(x!, y!) ? x : undefined),
    ([c, x, y], s) => {
      const n = argsOf(c!, 'not');
      return n === undefined ? undefined : s.prim('select', n[0]!, y!, x!);
    },
    // A condition that was decided outside is known inside.
    ([c, x, y], s) => {
      const [i, j] = [argsOf(x!, 'select'), argsOf(y!, 'select')];
      const a = i !== undefined && s.same(i[0]!, c!) ? i[1]! : x!;
      const b = j !== undefined && s.same(j[0]!, c!) ? j[2]! : y!;
      return a === x && b === y ? undefined : s.prim('select', c!, a, b);
    },
    ([c, x, y], s, t) => {
      if (t !== 'bool' || x!.k !== 'const' || y!.k !== 'const') return undefined;
      return isTrue(x!) ? c : s.prim('not', c!);
    },
    // A condition on indices around a read is a guard of the read.
    ([c, x, y], s) => {
      if (x!.k !== 'read' || !Object.is(numberOf(y!), 0)) return undefined;
      const guards = guardsOf(c!, s.extents);
      return guards === undefined
        ? undefined
        : s.node(readE(x!.x, x!.ix, [...x!.guard, ...guards]));
    },
  ),
  cast: ([x], _s, t) => (x!.t === t ? x : undefined),
  f16: projection('f16'),
  bf16: projection('bf16'),
  stop: projection('stop'),
  bits0: none,
  bits1: none,
};

const opposites: Partial<Record<Prim, Prim>> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'ge',
  ge: 'lt',
  gt: 'le',
  le: 'gt',
};

/** Rounding what is whole already. */
function integral([x]: Args): Expr | undefined {
  if (x!.k !== 'prim') return undefined;
  const whole = x!.op === 'floor' || x!.op === 'ceil' || x!.op === 'round';
  return whole || (x!.op === 'cast' && x!.args[0]!.t !== 'f32') ? x : undefined;
}

/** A conjunction of comparisons of indices as guards, if the condition is one. */
function guardsOf(c: Expr, extents: Extents): readonly Guard[] | undefined {
  const both = argsOf(c, 'and');
  if (both !== undefined) {
    const [a, b] = [guardsOf(both[0]!, extents), guardsOf(both[1]!, extents)];
    return a === undefined || b === undefined ? undefined : [...a, ...b];
  }
  if (c.k !== 'prim' || c.args.length !== 2) return undefined;
  const [x, y] = [affine(c.args[0]!, extents), affine(c.args[1]!, extents)];
  if (x === undefined || y === undefined) return undefined;
  const e = subIx(x, y);
  const holds = ranges[c.op];
  let dynamic = false;
  eachVal(e, () => {
    dynamic = true;
  });
  const all = interval(e, extents);
  if (holds === undefined || dynamic || !isExact(all.lo) || !isExact(all.hi)) return undefined;
  return [{ e, ...holds({ lo: all.lo, hi: all.hi + 1 }) }];
}

const isExact = (v: number): boolean => Math.abs(v) < 2 ** 53;

type Ends = { readonly lo: number; readonly hi: number };

/** Of the numbers that x - y may be, half open, those for which a comparison holds. */
const ranges: Partial<Record<Prim, (all: Ends) => Ends>> = {
  eq: () => ({ lo: 0, hi: 1 }),
  lt: ({ lo }) => ({ lo, hi: 0 }),
  le: ({ lo }) => ({ lo, hi: 1 }),
  gt: ({ hi }) => ({ lo: 1, hi }),
  ge: ({ hi }) => ({ lo: 0, hi }),
};
