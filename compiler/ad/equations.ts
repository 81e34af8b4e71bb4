/**
 * Linear equations over bounded integer unknowns, with constants that are indices: the arithmetic
 * below solve.ts.
 *
 * Invariant: an equation holds no zero coefficient, and all coefficients are integers.
 */
import { addIx, type Extents, floorMod, interval, scaleIx } from '../core/ix.ts';
import type { Ix } from '../core.ts';

/** An unknown integer in [0, extent). `bounded` says whether a solution has to be checked for that. */
export type Unknown = { readonly extent: number; readonly name: string; readonly bounded: boolean };

/** known + sum of coef * unknown = 0 */
export type Equation = { readonly known: Ix; readonly coef: ReadonlyMap<Unknown, number> };

/** a*s + b*t, without zero coefficients. */
export function combine(a: Equation, s: number, b?: Equation, t = 0): Equation {
  const coef = new Map<Unknown, number>();
  for (const [u, m] of a.coef) coef.set(u, m * s);
  let known = scaleIx(a.known, s);
  if (b !== undefined) {
    for (const [u, m] of b.coef) {
      const sum = (coef.get(u) ?? 0) + m * t;
      if (sum === 0) coef.delete(u);
      else coef.set(u, sum);
    }
    known = addIx(known, scaleIx(b.known, t));
  }
  return { known, coef };
}

export type Radix = { readonly sign: 1 | -1; readonly terms: readonly { u: Unknown; m: number }[] };

/**
 * The unknowns by falling multiplier when each multiplier exceeds everything the later ones can add
 * up to: then the digits of a number are unique. The sign makes the leading multiplier positive.
 */
export function superincreasing(eq: Equation): Radix | undefined {
  const terms = [...eq.coef].map(([u, m]) => ({ u, m }));
  terms.sort((a, b) => Math.abs(b.m) - Math.abs(a.m));
  const sign = terms[0]!.m > 0 ? 1 : -1;
  const signed = terms.map(({ u, m }) => ({ u, m: m * sign }));
  let reach = 0;
  for (const { u, m } of [...signed].reverse()) {
    if (!Number.isFinite(u.extent) || reach >= Math.abs(m)) return undefined;
    if (reach > Number.MAX_SAFE_INTEGER) return undefined;
    reach += Math.abs(m) * (u.extent - 1);
  }
  return { sign, terms: signed };
}

/** The representative modulo m of least absolute value; of m/2 and -m/2 the positive one. */
export function nearZero(x: number, m: number): number {
  const r = floorMod(x, m);
  return 2 * r > m ? r - m : r;
}

/** x with a*x = 1 modulo m, in [1, m), by Euclid's algorithm on whole numbers of any size. */
export function inverse(a: number, m: number): number | undefined {
  let [r, next] = [BigInt(m), BigInt(floorMod(a, m))];
  let [x, nextX] = [0n, 1n];
  while (next !== 0n) {
    const q = r / next;
    [r, next] = [next, r - q * next];
    [x, nextX] = [nextX, x - q * nextX];
  }
  return r === 1n && m > 1 ? floorMod(Number(x), m) : undefined;
}

/** Whether every part of an index is a whole number that is exact: none is beyond 2^53. */
export function isExact(ix: Ix, extents: Extents): boolean {
  const near = (n: number): boolean => !Number.isFinite(n) || Number.isSafeInteger(n);
  const parts: Ix[] = [ix, ...ix.terms.map((t) => ({ c: 0, terms: [t] }))];
  return (
    Number.isSafeInteger(ix.c) &&
    ix.terms.every((t) => Number.isSafeInteger(t.m)) &&
    parts.map((p) => interval(p, extents)).every(({ lo, hi }) => near(lo) && near(hi)) &&
    ix.terms.every(({ a }) => a.k === 'axis' || a.k === 'val' || isExact(a.e, extents))
  );
}

/** Whether an equation is exact as it is written; the values of its indices are those of the program. */
export function isExactEquation({ known, coef }: Equation): boolean {
  const numbers = [known.c, ...known.terms.map((t) => t.m), ...coef.values()];
  return numbers.every(Number.isSafeInteger);
}
