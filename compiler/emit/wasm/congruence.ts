/**
 * What is known of a whole number modulo another: v = r + m * k for some k (Granger, "Static analysis
 * of arithmetical congruences", 1989). With m = 0 it is r itself, with m = 1 nothing is known.
 *
 * Invariant: 0 <= r < m, or m = 0. A congruence holds of every value that the number takes; where a
 * modulus could no longer be exact nothing is known.
 */
import { floorMod, gcd } from '../../core/ix.ts';

export type Congruence = { readonly m: number; readonly r: number };

export const unknown: Congruence = { m: 1, r: 0 };
export const exactly = (v: number): Congruence => ({ m: 0, r: v });

/** r + m * k, for r of any size. */
export function congruence(m: number, r: number): Congruence {
  if (!Number.isSafeInteger(m) || !Number.isSafeInteger(r)) return unknown;
  return { m, r: m === 0 ? r : floorMod(r, m) };
}

export const plus = (a: Congruence, b: Congruence): Congruence =>
  congruence(gcd(a.m, b.m), a.r + b.r);

export const times = (a: Congruence, by: number): Congruence =>
  congruence(Math.abs(a.m * by), a.r * by);

/** The same number of a coarser modulus: what is left of it when multiples of `m` do not count. */
export const modulo = (a: Congruence, m: number): Congruence => congruence(gcd(a.m, m), a.r);
