/**
 * Guards in normal form: no constant, first coefficient positive, no common divisor, no lone div,
 * bounds within the interval of the form, one guard per form, in order; guards that always hold, or
 * follow from the guards on their parts, are gone.
 */

import { atomInterval, type Extents, interval, tidyIx } from '../core/ix.ts';
import { compareIx, sameAtom, sameGuard, sameIx } from '../core/key.ts';
import type { Guard, IxTerm } from '../core.ts';

/** The same condition; 'never' when it cannot hold. Gives the same array when nothing changes. */
export function normalGuards(
  guard: readonly Guard[],
  extents: Extents,
): readonly Guard[] | 'never' {
  if (guard.length === 0) return guard;
  const merged: Guard[] = [];
  for (const g of guard) {
    const n = normal({ ...g, e: tidyIx(g.e, extents) });
    const at = merged.findIndex((h) => sameIx(h.e, n.e));
    const before = merged[at] ?? n;
    const both = { e: n.e, lo: Math.max(n.lo, before.lo), hi: Math.min(n.hi, before.hi) };
    if (at < 0) merged.push(both);
    else merged[at] = both;
  }
  const bounded: Guard[] = [];
  for (const g of merged) {
    const r = interval(g.e, extents);
    const lo = Math.max(g.lo, r.lo);
    const hi = Math.min(g.hi, r.hi + 1);
    if (lo >= hi) return 'never';
    if (lo > r.lo || hi <= r.hi) bounded.push({ e: g.e, lo, hi });
  }
  const kept = withoutImplied(bounded, extents);
  kept.sort((a, b) => compareIx(a.e, b.e));
  const same = kept.length === guard.length && kept.every((g, i) => sameGuard(g, guard[i]!));
  return same ? guard : kept;
}

/** Drops guards on sums that the guards on single atoms imply. */
function withoutImplied(guard: readonly Guard[], extents: Extents): Guard[] {
  const single = guard.filter((g) => g.e.terms.length === 1);
  return guard.filter((g) => {
    if (g.e.terms.length < 2) return true;
    let [lo, hi] = [0, 0];
    for (const t of g.e.terms) {
      // The terms of normal guards on one atom have coefficient 1.
      const known = single.find((h) => sameAtom(h.e.terms[0]!.a, t.a));
      const r =
        known === undefined ? atomInterval(t.a, extents) : { lo: known.lo, hi: known.hi - 1 };
      lo += t.m > 0 ? t.m * r.lo : t.m * r.hi;
      hi += t.m > 0 ? t.m * r.hi : t.m * r.lo;
    }
    return !(lo >= g.lo && hi < g.hi);
  });
}

function normal(g: Guard): Guard {
  const { c, terms } = g.e;
  if (terms.length === 0) return g;
  const divisor = terms.reduce((d, t) => gcd(d, Math.abs(t.m)), 0);
  const sign = terms[0]!.m < 0 ? -1 : 1;
  const scaled: IxTerm[] = terms.map((t) => ({ m: (sign * t.m) / divisor, a: t.a }));
  const [low, high] = sign > 0 ? [g.lo - c, g.hi - c] : [c - g.hi + 1, c - g.lo + 1];
  const lo = Math.ceil(low / divisor) + 0;
  const hi = Math.ceil(high / divisor) + 0;
  const only = scaled.length === 1 ? scaled[0]!.a : undefined;
  // lo <= floor(e / b) < hi is lo * b <= e < hi * b
  if (only?.k === 'div') return normal({ e: only.e, lo: lo * only.by, hi: hi * only.by });
  return { e: { c: 0, terms: scaled }, lo, hi };
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
