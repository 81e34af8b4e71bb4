/**
 * Arithmetic on ranges of whole numbers, both ends included (interval analysis: Moore, "Interval
 * Analysis", 1966).
 *
 * Invariant: a result holds every value that the operation takes on values of its arguments. Ends are
 * exact below 2^53; an end that may lie beyond becomes infinite, so nothing is ever claimed from a
 * number that was rounded. `nothing`, the empty range, is that of what is never computed.
 */
import type { Interval } from '../core/ix.ts';
import type { Dtype } from '../core.ts';

export type Range = Interval;

/** Whole numbers are exact below 2^53 in every part of the compiler and in every target. */
export const EXACT = Number.MAX_SAFE_INTEGER;

export const anything: Range = { lo: -Infinity, hi: Infinity };
export const nothing: Range = { lo: Infinity, hi: -Infinity };
export const isNothing = (r: Range): boolean => r.lo > r.hi;

/** A range from ends that may have been rounded, or be NaN. */
export function range(lo: number, hi: number): Range {
  return {
    lo: lo >= -EXACT ? Math.min(lo, EXACT) + 0 : -Infinity,
    hi: hi <= EXACT ? Math.max(hi, -EXACT) + 0 : Infinity,
  };
}

export const only = (v: number): Range => ({ lo: v, hi: v });

export function union(a: Range, b: Range): Range {
  return { lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
}

export function meet(a: Range, b: Range): Range {
  return { lo: Math.max(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
}

export const within = (r: Range, of: Range): boolean => r.lo >= of.lo && r.hi <= of.hi;
export const same = (a: Range, b: Range): boolean => a.lo === b.lo && a.hi === b.hi;

/** What a value of a type can be; floats are not followed. */
export const rangeOfType: Readonly<Record<Dtype, Range>> = {
  i32: { lo: -(2 ** 31), hi: 2 ** 31 - 1 },
  u32: { lo: 0, hi: 2 ** 32 - 1 },
  bool: { lo: 0, hi: 1 },
  int: anything,
  f32: anything,
};

/** The empty range counts: it has no value that does not fit. */
export const fits32 = (r: Range): boolean => within(r, rangeOfType.i32);
/** Whether all values are exact; what is not has to be refused. */
export const isExact = (r: Range): boolean => isNothing(r) || (r.lo >= -EXACT && r.hi <= EXACT);

// ---------------------------------------------------------------- operations

export const add = (a: Range, b: Range): Range => range(a.lo + b.lo, a.hi + b.hi);
export const neg = (a: Range): Range => range(-a.hi, -a.lo);
export const sub = (a: Range, b: Range): Range => add(a, neg(b));

/** m times every value. */
export function scale(a: Range, m: number): Range {
  if (m === 0) return only(0);
  return m > 0 ? range(m * a.lo, m * a.hi) : range(m * a.hi, m * a.lo);
}

/** 0 times infinity is 0: the end stands for large numbers, each of which is finite. */
const times = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : x * y);

/** The range spanned by an operation that is monotone in each argument. */
function corners(a: Range, b: Range, f: (x: number, y: number) => number): Range {
  const all = [f(a.lo, b.lo), f(a.lo, b.hi), f(a.hi, b.lo), f(a.hi, b.hi)];
  return range(Math.min(...all), Math.max(...all));
}

export const mul = (a: Range, b: Range): Range => corners(a, b, times);
export const min = (a: Range, b: Range): Range => ({
  lo: Math.min(a.lo, b.lo),
  hi: Math.min(a.hi, b.hi),
});
export const max = (a: Range, b: Range): Range => ({
  lo: Math.max(a.lo, b.lo),
  hi: Math.max(a.hi, b.hi),
});

export function abs(a: Range): Range {
  const far = Math.max(-a.lo, a.hi);
  return { lo: a.lo > 0 ? a.lo : a.hi < 0 ? -a.hi : 0, hi: far };
}

export const sign = (a: Range): Range => ({ lo: Math.sign(a.lo), hi: Math.sign(a.hi) });

/** The parts of a divisor below, at and above zero, on which division behaves differently. */
function parts(b: Range): { readonly below: Range; readonly zero: boolean; readonly above: Range } {
  return {
    below: meet(b, { lo: -Infinity, hi: -1 }),
    zero: b.lo <= 0 && b.hi >= 0,
    above: meet(b, { lo: 1, hi: Infinity }),
  };
}

/** An infinite divisor stands for large numbers: there the quotient is 0, or -1 where signs differ. */
function floorDiv(x: number, y: number): number {
  if (Number.isFinite(y)) return Math.floor(x / y);
  return x !== 0 && x < 0 !== y < 0 ? -1 : 0;
}

/** floor(a / b); a where b is 0. */
export function idiv(a: Range, b: Range): Range {
  const { below, zero, above } = parts(b);
  let out = zero ? a : nothing;
  for (const part of [below, above])
    if (!isNothing(part)) out = union(out, corners(a, part, floorDiv));
  return out;
}

/** a - b * floor(a / b), with the sign of b; 0 where b is 0. */
export function mod(a: Range, b: Range): Range {
  const { below, zero, above } = parts(b);
  let out = zero ? only(0) : nothing;
  if (!isNothing(above)) out = union(out, modPositive(a, above));
  if (!isNothing(below)) out = union(out, neg(modPositive(neg(a), neg(below))));
  return out;
}

function modPositive(a: Range, b: Range): Range {
  if (a.lo >= 0 && a.hi < b.lo) return a;
  if (b.lo === b.hi) {
    const q = Math.floor(a.lo / b.lo);
    if (Number.isFinite(q) && q === Math.floor(a.hi / b.lo))
      return range(a.lo - q * b.lo, a.hi - q * b.lo);
  }
  return { lo: 0, hi: a.lo >= 0 ? Math.min(a.hi, b.hi - 1) : b.hi - 1 };
}
