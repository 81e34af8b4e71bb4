/**
 * Index forms whose arithmetic is the point: coefficients that 32 bits do not hold, quotients of what
 * may be negative, products of quotients, and any expression over ranges that are numbers, whose ends
 * are found by trying them all. Rows as form.ts says.
 */
import { boundsOf, coefficient, large, type Ranges, randomInt } from './arith.ts';
import { binder, type Draft } from './draft.ts';
import { drawName, drawSize } from './draw-size.ts';
import { type Form, formed, index, placed } from './form.ts';
import { add, bindLet, cast, div, mod, mul, op, real, sub, v } from './make.ts';
import { asExpr, int, nat, times } from './sizes.ts';
import type { Expr, OneBinder, Size } from './tree.ts';

const big = (d: Draft): number => d.p.one(large);

/** `C*i // C` is i. */
const overflow: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const c = big(d);
  const same = div(mul(int(c), e), int(c));
  return d.p.one([
    () => placed(d, same, i.size, binders),
    () => placed(d, sub(sub(asExpr(i.size), int(1)), same), i.size, binders),
    () => placed(d, mod(div(add(mul(int(c), e), int(c - 1)), int(c)), int(5)), nat(5), binders),
    () => formed(div(mul(mul(int(c), int(c)), e), mul(int(c), int(c))), i.size, binders),
  ])();
};

/** From one rate to another: `147*i // 160`. */
const resampled: Form = (d) => {
  const [from, to] = d.p.one([
    [3, 2],
    [160, 147],
    [5, 7],
    [2 ** 15, 2 ** 14 + 1],
  ] as const);
  // So many samples are tried by the lane only where they are few.
  const n: Size = from > 1000 ? nat(1) : drawName(d);
  const i = from > 1000 ? binder(d, nat(7)) : binder(d, times(nat(from), n));
  const dim = from > 1000 ? nat(4) : times(nat(to), n);
  return placed(d, div(mul(int(to), v(i.name)), int(from)), dim, [i]);
};

/** An expression with its least and greatest value, brought into so small a range that it can be read. */
function small(d: Draft, e: Expr, ranges: Ranges): { e: Expr; lo: bigint; hi: bigint } {
  const ends = boundsOf(e, ranges);
  const width = ends.hi - ends.lo;
  if (width <= 40n) return { e, ...ends };
  const by = d.p.chance(50) ? int(width / 5n + 1n) : undefined;
  const less = by === undefined ? mod(e, int(2 + d.p.below(7))) : div(e, by);
  return { e: less, ...boundsOf(less, ranges) };
}

function literal(d: Draft, base: OneBinder | undefined): readonly OneBinder[] | undefined {
  if (base !== undefined && base.size.k !== 'nat') return undefined;
  const fresh = Array.from({ length: 1 + d.p.below(2) }, () => binder(d, nat(2 + d.p.below(6))));
  return base === undefined ? fresh : [base, ...fresh];
}

/** Over literal ranges, moved to begin at 0. */
function literalForm(make: (d: Draft, over: readonly OneBinder[]) => Expr): Form {
  return (d, base) => {
    const over = literal(d, base);
    if (over === undefined) return undefined;
    const sizes = over.map((b) => [b.name, b.size.k === 'nat' ? b.size.value : 1] as const);
    const { e, lo, hi } = small(d, make(d, over), new Map(sizes));
    const place = lo === 0n ? e : lo > 0n ? sub(e, int(lo)) : add(e, int(-lo));
    const dim = nat(Number(hi - lo) + 1 + (d.p.chance(25) ? d.p.below(3) : 0));
    const own = over.filter((b) => b !== base);
    // Off by one, or as if nothing were ever negative.
    if (lo < 0n && (d.p.chance(8) || d.deviates()))
      return formed(e, nat(Number(hi - lo) + 50), own);
    return placed(d, place, dim, own);
  };
}

const names = (over: readonly OneBinder[]): Expr[] => over.map((b) => v(b.name));

const arithmetic = literalForm((d, over) => randomInt(d.p, names(over), 1 + d.p.below(3)));

const negativeQuotient = literalForm((d, over) => {
  const [i, j = i] = names(over) as [Expr, Expr?];
  const inner = sub(j!, int(1 + d.p.below(6)));
  const by = int(2 + d.p.below(3));
  const part = d.p.one([
    div(inner, by),
    mod(inner, by),
    div(mul(int(coefficient(d.p)), inner), by),
  ]);
  return d.p.one([mul(i, part), part, sub(mul(i, part), j!), mul(part, part)]);
});

const ofNegative = literalForm((d, over) => {
  const [i, j] = names(over) as [Expr, Expr?];
  const other = j ?? int(2);
  const x = d.p.one([sub(i, other), sub(int(2), i), mul(i, sub(other, int(3)))]);
  return op(d.p.one(['%', '//']), x, int(d.p.one([2, 3, 5, 7])));
});

/** A product of an index and a quotient over any range, shifted by what it can be at least. */
const symbolicProduct: Form = (d) => {
  const i = binder(d, drawName(d));
  const j = binder(d, nat(2 + d.p.below(5)));
  const c = 1 + d.p.below(4);
  const by = 2 + d.p.below(2);
  const q = div(sub(v(j.name), int(c)), int(by));
  const ends = boundsOf(q, new Map([[j.name, j.size.k === 'nat' ? j.size.value : 1]]));
  const [lo, hi] = [Number(ends.lo), Math.max(0, Number(ends.hi))];
  const shift = mul(int(-lo), asExpr(i.size));
  const place = add(mul(v(i.name), q), shift);
  return placed(d, place, times(nat(hi - lo + 1), i.size), [i, j]);
};

// ---------------------------------------------------------------- integers on their way

/** `let k = ...` before the read, and no cast that would make it another number. */
const integerLet: Form = (d, base) => {
  const inner = d.p.one([overflow, arithmetic, symbolicProduct])(d, base);
  if (inner === undefined || inner.ix.k !== 'at') return undefined;
  const k = d.fresh('k');
  const value = inner.ix.e;
  // `1*` makes an i32 of what may be an index.
  const sum = value.k === 'op' ? value : mul(int(1), value);
  const typed = d.p.chance(25) ? ({ k: 'scalar', of: 'i32' } as const) : undefined;
  return { ...formed(v(k), inner.dim, inner.binders), wrap: (e) => bindLet(k, sum, e, typed) };
};

/** A function of integers that a `let` names. */
const integerLambda: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const [g, j] = [d.fresh('step'), d.fresh('j')];
  const c = d.p.one([2, 3, 2 ** 27, 2 ** 31 - 1]);
  const made = d.p.one([
    { body: div(v(j), int(c)), arg: mul(int(c), e), dim: i.size },
    { body: add(mul(int(2), v(j)), int(1)), arg: e, dim: times(nat(2), i.size) },
    { body: sub(sub(asExpr(i.size), int(1)), v(j)), arg: e, dim: i.size },
  ]);
  const f: Expr = { k: 'lambda', params: [j], body: made.body };
  const call: Expr = { k: 'apply', fn: g, args: [made.arg] };
  return { ...placed(d, call, made.dim, binders), wrap: (x) => bindLet(g, f, x) };
};

/** Integers of an `if`. */
const integerIf: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const byData = d.p.chance(60);
  const other = d.p.one([
    sub(sub(asExpr(i.size), int(1)), e),
    div(e, int(2)),
    sub(asExpr(i.size), int(1)),
  ]);
  const cond: Expr = byData
    ? { k: 'compare', op: d.p.one(['<', '==']), left: e, right: int(1 + d.p.below(3)) }
    : { k: 'compare', op: '>=', left: asExpr(i.size), right: int(1 + d.p.below(4)) };
  const choice: Expr = { k: 'if', cond, yes: mul(int(1), e), no: mul(int(1), other) };
  return placed(d, choice, i.size, binders);
};

/** `i32(i)` is as good as i. */
const castIndex: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  return placed(d, sub(asExpr(i.size), add(cast('i32', e), int(1))), i.size, binders);
};

/** Padded: any integer is good. */
const padded: Form = (d, base) => {
  const { e, binders } = index(d, base);
  const leaves = [e, e, asExpr(drawName(d))];
  const place = add(randomInt(d.p, leaves, 1 + d.p.below(2)), int(d.p.below(3)));
  return { ...formed(place, drawSize(d), binders), orElse: real(d.p.one([0, 0.5, 1])) };
};

export const arithForms: Readonly<Record<string, Form>> = {
  'C*i // C': overflow,
  '147*i // 160': resampled,
  'any arithmetic': arithmetic,
  'negative quotient': negativeQuotient,
  'quotient of a difference': ofNegative,
  'index times quotient': symbolicProduct,
  'integer let': integerLet,
  'integer function': integerLambda,
  'integer if': integerIf,
  'i32(index)': castIndex,
  'padded read': padded,
};
