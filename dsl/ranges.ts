/**
 * Proofs of index expressions: an integer form in range for all values of its indices.
 *
 * An integer expression is a polynomial over sizes and index values (variables whose names begin with
 * `#`). Two ways lead to a proof. Replacing every index value by the end of its range that the sign of
 * its coefficient asks for gives a polynomial over sizes only (`extreme`), which must be non-negative by
 * the function's facts; it also says in a message how far an index may go. Where that is too coarse,
 * because index values depend on each other (`i - i // 2`), what is known of each one is a polynomial
 * that is not negative, and prove.ts combines them. The bodies of binders run only when their ranges
 * are not empty, so enclosing ranges count as >= 1 (`positive`).
 *
 * Invariant: `extreme` returns a bound that no value of the form exceeds, or nothing at all. A
 * coefficient's sign is one that it has for all values of the other index values, which may be negative.
 */
import type { Facts } from './facts.ts';
import { provesNonNegative } from './prove.ts';
import * as S from './size.ts';
import type { Monomial, Size } from './typed.ts';

/** Where an index value comes from; its sizes may still be unknown when it is made. */
export type IndexValue =
  /** 0 <= v < size */
  | { readonly k: 'range'; readonly size: Size }
  /** floor(of / by) */
  | { readonly k: 'div'; readonly of: Size; readonly by: Size }
  /** of - by * floor(of / by) */
  | { readonly k: 'mod'; readonly of: Size; readonly by: Size }
  /** Any whole number: what data says. */
  | { readonly k: 'any' }
  /** One of two: what a condition chooses, the lesser or the greater one. */
  | { readonly k: 'either'; readonly of: readonly [Size, Size]; readonly op: 'if' | 'min' | 'max' };

export type RangeContext = {
  readonly facts: Facts;
  readonly positive: readonly Size[];
  readonly value: (name: string) => IndexValue | undefined;
  readonly resolve: (s: Size) => Size;
};

const DEEPEST = 8;

export function isIndexName(v: string): boolean {
  return v.startsWith('#');
}

const indexNames = (p: Size): string[] => S.variables(p).filter(isIndexName);

/** Of sizes: what is known of an index value, which may be negative, is no matter of facts. */
function proves(c: RangeContext, p: Size): boolean {
  return indexNames(p).length === 0 && provesNonNegative(c.facts, p, c.positive);
}

/** Whether a divisor is at least 1, whatever it is made of. */
function isDivisor(c: RangeContext, by: Size, depth: number): boolean {
  const least = extreme(c, by, 'min', depth + 1);
  return least !== undefined && proves(c, S.sub(least, S.ONE));
}

const negated = (p: Size): Size => S.sub(S.ZERO, p);

// ---------------------------------------------------------------- extremes

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

const termsOf = (p: Size, sign: 1 | -1): Size =>
  p.flatMap((m): Monomial[] => (m.c * sign > 0 ? [m] : []));

/** floor(p / k), k >= 1, is at most p where p is not negative, and below it when k is at least 2. */
function noMoreThan(c: RangeContext, p: Size, by: Size): Size {
  const less = S.sub(p, S.ONE);
  if ((S.constant(by) ?? 0) >= 2 && proves(c, less)) return less;
  return proves(c, p) ? p : termsOf(p, 1);
}

/** Both ends of an index value; `loose` when one of them may never be reached. */
type Bounds = { readonly lo: Size; readonly hi: Size; readonly loose?: boolean };

function bounds(c: RangeContext, name: string, depth: number): Bounds | undefined {
  const v = c.value(name);
  if (v === undefined || depth > DEEPEST) return undefined;
  switch (v.k) {
    case 'range':
      return { lo: S.ZERO, hi: S.sub(c.resolve(v.size), S.ONE) };
    case 'mod': {
      const by = c.resolve(v.by);
      return isDivisor(c, by, depth) ? { lo: S.ZERO, hi: S.sub(by, S.ONE) } : undefined;
    }
    case 'div': {
      const by = c.resolve(v.by);
      if (!isDivisor(c, by, depth)) return undefined;
      const least = extreme(c, v.of, 'min', depth + 1);
      const most = extreme(c, v.of, 'max', depth + 1);
      if (least === undefined || most === undefined) return undefined;
      // floor(p / k) >= p where p is negative, and a part of p that is not positive is below p.
      const down = floorBy(least, by);
      const lo = proves(c, least) ? S.ZERO : (down ?? termsOf(least, -1));
      // floor(m / k) = (m + 1) / k - 1 when k divides m + 1
      const above = S.divide(S.add(most, S.ONE), by);
      const exact = above === undefined ? floorBy(most, by) : S.sub(above, S.ONE);
      const loose = exact === undefined || down === undefined;
      return { lo, hi: exact ?? noMoreThan(c, most, by), loose };
    }
    case 'any':
      return undefined;
    case 'either': {
      const ends = v.of.map((p) => ({
        lo: extreme(c, p, 'min', depth + 1),
        hi: extreme(c, p, 'max', depth + 1),
      }));
      const [a, b] = ends as [(typeof ends)[0], (typeof ends)[0]];
      if (!a.lo || !a.hi || !b.lo || !b.hi) return undefined;
      const pick = (x: Size, y: Size, least: boolean): Size | undefined => {
        const [up, down] = [proves(c, S.sub(x, y)), proves(c, S.sub(y, x))];
        if (least ? up : down) return y;
        return (least ? down : up) ? x : undefined;
      };
      const lo = pick(a.lo, b.lo, v.op !== 'max');
      const hi = pick(a.hi, b.hi, v.op === 'min');
      return lo && hi && { lo, hi, loose: true };
    }
  }
}

/** The coefficients of the powers of `name` from 0 on. */
function powersOf(p: Size, name: string): Size[] {
  const out: Monomial[][] = [];
  for (const m of p) {
    const v = m.v.filter((x) => x !== name);
    const power = m.v.length - v.length;
    while (out.length <= power) out.push([]);
    out[power]!.push({ c: m.c, v });
  }
  // Without one variable the monomials are in another order.
  return out.map((terms) => terms.reduce<Size>((s, m) => S.add(s, [m]), S.ZERO));
}

/** The sign that a polynomial has for all values of its index values. */
function signOf(c: RangeContext, p: Size, depth: number): 1 | -1 | undefined {
  const least = extreme(c, p, 'min', depth + 1);
  if (least !== undefined && proves(c, least)) return 1;
  const most = extreme(c, p, 'max', depth + 1);
  return most !== undefined && proves(c, negated(most)) ? -1 : undefined;
}

/** Whether p grows or falls with an index value, whatever the others are. */
function directionOf(
  c: RangeContext,
  p: Size,
  name: string,
  b: Bounds,
  depth: number,
): 1 | -1 | undefined {
  const [, ...powers] = powersOf(p, name);
  const signs = powers.map((k) => (k.length === 0 ? 0 : signOf(c, k, depth)));
  // Of a value that may be negative only the first power is monotonic.
  if (powers.length > 1 && !proves(c, b.lo)) return undefined;
  if (signs.every((s) => s !== undefined && s >= 0)) return 1;
  return signs.every((s) => s !== undefined && s <= 0) ? -1 : undefined;
}

/** The least or greatest value of a polynomial over index values, as a size. */
export function extreme(
  c: RangeContext,
  p: Size,
  which: 'min' | 'max',
  depth = 0,
): Size | undefined {
  if (depth > DEEPEST) return undefined;
  let now = c.resolve(p);
  for (;;) {
    const names = indexNames(now);
    if (names.length === 0) return S.isTooLarge(now) ? undefined : now;
    let moved = false;
    for (const name of names) {
      const b = bounds(c, name, depth);
      if (b === undefined) return undefined;
      const direction = directionOf(c, now, name, b, depth);
      if (direction === undefined) continue;
      const value = (which === 'max') === direction > 0 ? b.hi : b.lo;
      now = S.substitute(now, (v) => (v === name ? value : undefined));
      moved = true;
      break;
    }
    if (!moved) return undefined;
  }
}

// ---------------------------------------------------------------- all values

/** So few points that all of them can be looked at. */
const FEW = 4096;

/**
 * The values of p from the least to the greatest, where its index values run over few numbers and no
 * size is open: exactly, however they depend on each other.
 */
function enumerated(c: RangeContext, p: Size): { lo: number; hi: number } | undefined {
  const ranges = new Map<string, number>();
  const enter = (s: Size, depth: number): boolean =>
    depth <= DEEPEST &&
    S.variables(c.resolve(s)).every((name) => {
      const v = c.value(name);
      if (v === undefined) return false;
      if (v.k === 'div' || v.k === 'mod') return enter(v.of, depth + 1) && enter(v.by, depth + 1);
      if (v.k !== 'range') return false;
      const n = S.constant(c.resolve(v.size));
      if (n === undefined) return false;
      ranges.set(name, n);
      return true;
    });
  if (!enter(p, 0)) return undefined;
  const axes = [...ranges];
  const points = axes.reduce((n, [, size]) => n * size, 1);
  if (axes.length === 0 || points === 0 || points > FEW) return undefined;
  const at = new Map<string, number>();
  const sizeAt = (s: Size): number =>
    S.evaluate(c.resolve(s), (name) => {
      const v = c.value(name)!;
      if (v.k !== 'div' && v.k !== 'mod') return at.get(name);
      const [of, by] = [sizeAt(v.of), sizeAt(v.by)];
      if (!(by >= 1)) return undefined;
      const q = Math.floor(of / by);
      return v.k === 'div' ? q : of - q * by;
    }) ?? Number.NaN;
  let [lo, hi] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let n = 0; n < points; n++) {
    let rest = n;
    for (const [name, size] of axes) {
      at.set(name, rest % size);
      rest = Math.floor(rest / size);
    }
    const v = sizeAt(p);
    if (Number.isNaN(v)) return undefined;
    lo = Math.min(lo, v);
    hi = Math.max(hi, v);
  }
  return { lo, hi };
}

// ---------------------------------------------------------------- what is known together

type Quotient = { readonly of: Size; readonly by: Size; readonly rest: Size };
type System = {
  readonly known: Size[];
  readonly names: Map<string, Size>;
  /** Remainders: as the rest of a quotient, and as values of their own. */
  readonly rests: Quotient[];
};

/**
 * What holds of the index values of p: each as a size that is not negative (its excess over a lower
 * bound), and polynomials that are not negative. Undefined where one has no lower bound.
 */
function systemOf(c: RangeContext, p: Size): System | undefined {
  const out: System = { known: [], names: new Map(), rests: [] };
  const plain = (s: Size): Size => S.substitute(c.resolve(s), (v) => out.names.get(v));
  // of - by * (of // by) is of % by.
  const isRest = (q: Quotient): void => {
    for (const o of out.rests) {
      if (!S.equal(o.of, q.of) || !S.equal(o.by, q.by)) continue;
      const d = S.sub(o.rest, q.rest);
      out.known.push(d, negated(d));
    }
    out.rests.push(q);
  };
  const enter = (name: string): boolean => {
    if (out.names.has(name)) return true;
    const v = c.value(name);
    if (v === undefined || v.k === 'either' || v.k === 'any' || out.names.size > 12) return false;
    if (v.k === 'range') {
      out.names.set(name, S.variable(name));
      out.known.push(S.sub(S.sub(c.resolve(v.size), S.ONE), S.variable(name)));
      return true;
    }
    const of = c.resolve(v.of);
    const divisor = c.resolve(v.by);
    if (!isDivisor(c, divisor, 0) || ![of, divisor].flatMap(indexNames).every(enter)) return false;
    const by = plain(divisor);
    const rest = S.sub(by, S.ONE);
    if (v.k === 'mod') {
      out.names.set(name, S.variable(name));
      out.known.push(S.sub(rest, S.variable(name)));
      const least = extreme(c, of, 'min');
      if (least !== undefined && proves(c, least)) {
        out.known.push(S.sub(plain(of), S.variable(name)));
      }
      isRest({ of, by, rest: S.variable(name) });
      return true;
    }
    const lo = bounds(c, name, 0)?.lo;
    if (lo === undefined) return false;
    out.names.set(name, S.add(lo, S.variable(name)));
    // by*q <= of <= by*q + by - 1
    const low = S.sub(plain(of), S.mul(by, S.add(lo, S.variable(name))));
    out.known.push(low, S.sub(rest, low));
    isRest({ of, by, rest: low });
    return true;
  };
  return indexNames(c.resolve(p)).every(enter) ? out : undefined;
}

/** p with each choice made in turn: what holds of all of them holds of p. */
function choicesOf(c: RangeContext, p: Size): readonly Size[] | undefined {
  let all: readonly Size[] = [c.resolve(p)];
  for (let n = 0; n < 4; n++) {
    const name = all.flatMap(indexNames).find((v) => c.value(v)?.k === 'either');
    if (name === undefined) return all;
    const v = c.value(name);
    if (v?.k !== 'either') return undefined;
    all = all.flatMap((q) =>
      v.of.map((by) => c.resolve(S.substitute(q, (x) => (x === name ? by : undefined)))),
    );
  }
  return undefined;
}

/** A goal and what may be assumed with it: of `min(a, b)` that it is at most both. */
function provesTogether(c: RangeContext, p: Size): boolean {
  const system = systemOf(c, p);
  if (system === undefined) return false;
  const goal = S.substitute(c.resolve(p), (v) => system.names.get(v));
  return provesNonNegative(c.facts, goal, c.positive, system.known);
}

/** Whether p is never negative: of `min(a, b)` with a positive sign both must do, else one of them. */
function neverNegative(c: RangeContext, p: Size): boolean {
  const whole = c.resolve(p);
  const name = indexNames(whole).find((v) => c.value(v)?.k === 'either');
  if (name === undefined) return provesTogether(c, whole);
  const v = c.value(name);
  const parts = S.linearIn(whole, name);
  const put = (by: Size) => S.substitute(whole, (x) => (x === name ? by : undefined));
  if (v?.k !== 'either') return false;
  const [a, b] = v.of;
  const sign = parts === undefined ? undefined : signOf(c, parts.coefficient, 0);
  // The greater one with a positive sign, or the lesser with a negative, is as good as the better one.
  const better = (v.op === 'max' && sign === 1) || (v.op === 'min' && sign === -1);
  if (better && (neverNegative(c, put(a)) || neverNegative(c, put(b)))) return true;
  return (choicesOf(c, whole)?.length ?? 99) <= 16 && [a, b].every((x) => neverNegative(c, put(x)));
}

// ---------------------------------------------------------------- proofs

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
  const names = indexNames(c.resolve(p));
  if (names.every((v) => c.value(v)?.k === 'range')) return true;
  return names.length === 1 && bounds(c, names[0]!, 0)?.loose !== true;
}

/** Whether 0 <= p < extent for all index values. */
export function proveInRange(c: RangeContext, p: Size, extent: Size): RangeProof {
  const last = S.sub(c.resolve(extent), S.ONE);
  const least = extreme(c, p, 'min');
  const most = extreme(c, p, 'max');
  const low = (least === undefined || !proves(c, least)) && !neverNegative(c, p);
  const high =
    (most === undefined || !proves(c, S.sub(last, most))) && !neverNegative(c, S.sub(last, p));
  if (!low && !high) return { k: 'proved' };
  const all = enumerated(c, p);
  if (all !== undefined) {
    const [down, up] = [S.num(all.lo), S.num(all.hi)];
    if (!proves(c, down)) return { k: 'low', least: down };
    return proves(c, S.sub(last, up)) ? { k: 'proved' } : { k: 'high', most: up };
  }
  if (least === undefined || most === undefined || !reached(c, p)) return { k: 'unknown' };
  return low ? { k: 'low', least } : { k: 'high', most };
}
