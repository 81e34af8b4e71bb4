/**
 * Linear equations over bounded integer unknowns, with constants that are indices: the arithmetic
 * below solve.ts.
 *
 * Invariant: an equation holds no zero coefficient, and all coefficients are integers.
 */
import { addIx, floorMod, scaleIx } from '../core/ix.ts';
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
    reach += Math.abs(m) * (u.extent - 1);
  }
  return { sign, terms: signed };
}

/** The representative modulo m of least absolute value; of m/2 and -m/2 the positive one. */
export function nearZero(x: number, m: number): number {
  const r = floorMod(x, m);
  return 2 * r > m ? r - m : r;
}

/** x with a*x = 1 modulo m, in [1, m). */
export function inverse(a: number, m: number): number | undefined {
  const r = floorMod(a, m);
  for (let x = 1; x < m; x++) if ((r * x) % m === 1) return x;
  return undefined;
}
