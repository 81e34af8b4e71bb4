/**
 * Interval proofs of index expressions: an affine form in range for all values of its indices.
 *
 * An integer expression is a polynomial over sizes and index values (variables whose names begin
 * with `#`), each index value with a least and a greatest value. Replacing every index by the
 * extreme that its coefficient's sign asks for gives a polynomial over sizes only, which must be
 * non-negative by the function's facts. The bodies of binders run only when their ranges are not
 * empty, so enclosing ranges count as >= 1 (`positive`). Invariant: `extreme` returns a bound that
 * is really reached or exceeded by none, or nothing at all.
 */
import { type Facts, provesNonNegative } from './facts.ts';
import * as S from './size.ts';
import type { Size } from './typed.ts';

/** Where an index value comes from; its sizes may still be unknown when it is made. */
export type IndexValue =
  /** 0 <= v < size */
  | { readonly k: 'range'; readonly size: Size }
  /** floor(of / by) */
  | { readonly k: 'div'; readonly of: Size; readonly by: Size }
  /** of - by * floor(of / by), in 0 <= v < by */
  | { readonly k: 'mod'; readonly by: Size };

export type RangeContext = {
  readonly facts: Facts;
  readonly positive: readonly Size[];
  readonly value: (name: string) => IndexValue | undefined;
  readonly resolve: (s: Size) => Size;
};

export function isIndexName(v: string): boolean {
  return v.startsWith('#');
}

function proves(c: RangeContext, p: Size): boolean {
  return provesNonNegative(c.facts, p, c.positive);
}

/** floor(p / k) when everything but the constant term is divisible. */
function floorBy(p: Size, by: Size): Size | undefined {
  const exact = S.divide(p, by);
  if (exact !== undefined) return exact;
  const k = S.constant(by);
  if (k === undefined || k < 1) return undefined;
  const constantTerm = p.find((m) => m.v.length === 0)?.c ?? 0;
  const rest = S.sub(p, S.num(constantTerm));
  const quotient = S.divide(rest, by);
  return quotient === undefined ? undefined : S.add(quotient, S.num(Math.floor(constantTerm / k)));
}

/** floor(p / k) is at most p, and below it when k is at least 2, where p is at least 0 and 1. */
function noMoreThan(c: RangeContext, p: Size, by: Size): Size | undefined {
  const less = S.sub(p, S.ONE);
  if ((S.constant(by) ?? 0) >= 2 && proves(c, less)) return less;
  return proves(c, p) ? p : undefined;
}

/** Both ends of an index value; `loose` when the upper one may never be reached. */
type Bounds = { readonly lo: Size; readonly hi: Size; readonly loose?: boolean };

function bounds(c: RangeContext, name: string, depth: number): Bounds | undefined {
  const v = c.value(name);
  if (v === undefined || depth > 8) return undefined;
  switch (v.k) {
    case 'range':
      return { lo: S.ZERO, hi: S.sub(c.resolve(v.size), S.ONE) };
    case 'mod': {
      const by = c.resolve(v.by);
      return proves(c, S.sub(by, S.ONE)) ? { lo: S.ZERO, hi: S.sub(by, S.ONE) } : undefined;
    }
    case 'div': {
      const by = c.resolve(v.by);
      if (!proves(c, S.sub(by, S.ONE))) return undefined;
      const least = extreme(c, v.of, 'min', depth + 1);
      const most = extreme(c, v.of, 'max', depth + 1);
      if (least === undefined || most === undefined) return undefined;
      const lo = proves(c, least) ? S.ZERO : floorBy(least, by);
      // floor(m / k) = (m + 1) / k - 1 when k divides m + 1
      const above = S.divide(S.add(most, S.ONE), by);
      const exact = above === undefined ? floorBy(most, by) : S.sub(above, S.ONE);
      const hi = exact ?? noMoreThan(c, most, by);
      if (lo === undefined || hi === undefined) return undefined;
      return { lo, hi, loose: exact === undefined };
    }
  }
}

/** The sign of the coefficient of an index value; other index values are non-negative. */
function signOf(c: RangeContext, p: Size, name: string, depth: number): 1 | -1 | undefined {
  const terms = p.filter((m) => m.v.includes(name));
  if (terms.every((m) => m.c > 0)) return 1;
  if (terms.every((m) => m.c < 0)) return -1;
  const parts = S.linearIn(p, name);
  if (parts === undefined) return undefined;
  const least = extreme(c, parts.coefficient, 'min', depth + 1);
  if (least !== undefined && proves(c, least)) return 1;
  const most = extreme(c, parts.coefficient, 'max', depth + 1);
  return most !== undefined && proves(c, S.sub(S.ZERO, most)) ? -1 : undefined;
}

/** The least or greatest value of a polynomial over index values, as a size. */
export function extreme(
  c: RangeContext,
  p: Size,
  which: 'min' | 'max',
  depth = 0,
): Size | undefined {
  if (depth > 8) return undefined;
  let now = c.resolve(p);
  for (;;) {
    const names = S.variables(now).filter(isIndexName);
    if (names.length === 0) return now;
    let moved = false;
    for (const name of names) {
      const sign = signOf(c, now, name, depth);
      if (sign === undefined) continue;
      const b = bounds(c, name, depth);
      if (b === undefined) return undefined;
      // A negative least value would make products of index values change sign.
      if (now.some((m) => m.v.length > 1 && m.v.includes(name)) && !proves(c, b.lo))
        return undefined;
      const value = (which === 'max') === sign > 0 ? b.hi : b.lo;
      now = S.substitute(now, (v) => (v === name ? value : undefined));
      moved = true;
      break;
    }
    if (!moved) return undefined;
  }
}

export type RangeProof =
  | { readonly k: 'proved' }
  | { readonly k: 'low'; readonly least: Size }
  | { readonly k: 'high'; readonly most: Size }
  | { readonly k: 'unknown' };

/**
 * Whether the extremes of p are values of p, so that a message may name them: not when a bound is
 * loose, nor when a quotient or remainder moves with another index.
 */
function reached(c: RangeContext, p: Size): boolean {
  const names = S.variables(c.resolve(p)).filter(isIndexName);
  if (names.every((v) => c.value(v)?.k === 'range')) return true;
  return names.length === 1 && bounds(c, names[0]!, 0)?.loose !== true;
}

/** Whether 0 <= p < extent for all index values. */
export function proveInRange(c: RangeContext, p: Size, extent: Size): RangeProof {
  const least = extreme(c, p, 'min');
  const most = extreme(c, p, 'max');
  if (least === undefined || most === undefined) return { k: 'unknown' };
  const gap = S.sub(S.sub(c.resolve(extent), S.ONE), most);
  const [low, high] = [!proves(c, least), !proves(c, gap)];
  if (!low && !high) return { k: 'proved' };
  if (!reached(c, p)) return { k: 'unknown' };
  return low ? { k: 'low', least } : { k: 'high', most };
}
