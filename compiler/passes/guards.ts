/**
 * Guards in normal form: no constant, first coefficient positive, no common divisor, bounds within
 * the interval of the form, one guard per form, in order; guards that always hold are gone.
 */

import { type Extents, interval, tidyIx } from '../core/ix.ts';
import { compareIx, sameGuard, sameIx } from '../core/key.ts';
import type { Guard, IxTerm } from '../core.ts';

/** The same condition; 'never' when it cannot hold. Gives the same array when nothing changes. */
export function normalGuards(
  guard: readonly Guard[],
  extents: Extents,
): readonly Guard[] | 'never' {
  if (guard.length === 0) return guard;
  const out: Guard[] = [];
  for (const g of guard) {
    const n = normal(g);
    const e = tidyIx(n.e, extents);
    const at = out.findIndex((h) => sameIx(h.e, e));
    const before = out[at] ?? n;
    const merged = { e, lo: Math.max(n.lo, before.lo), hi: Math.min(n.hi, before.hi) };
    if (at < 0) out.push(merged);
    else out[at] = merged;
  }
  const kept: Guard[] = [];
  for (const g of out) {
    const r = interval(g.e, extents);
    const lo = Math.max(g.lo, r.lo);
    const hi = Math.min(g.hi, r.hi + 1);
    if (lo >= hi) return 'never';
    if (lo > r.lo || hi <= r.hi) kept.push({ e: g.e, lo, hi });
  }
  kept.sort((a, b) => compareIx(a.e, b.e));
  const same = kept.length === guard.length && kept.every((g, i) => sameGuard(g, guard[i]!));
  return same ? guard : kept;
}

function normal(g: Guard): Guard {
  const { c, terms } = g.e;
  if (terms.length === 0) return g;
  const divisor = terms.reduce((d, t) => gcd(d, Math.abs(t.m)), 0);
  const sign = terms[0]!.m < 0 ? -1 : 1;
  const scaled: IxTerm[] = terms.map((t) => ({ m: (sign * t.m) / divisor, a: t.a }));
  const [lo, hi] = sign > 0 ? [g.lo - c, g.hi - c] : [c - g.hi + 1, c - g.lo + 1];
  return {
    e: { c: 0, terms: scaled },
    lo: Math.ceil(lo / divisor) + 0,
    hi: Math.ceil(hi / divisor) + 0,
  };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
