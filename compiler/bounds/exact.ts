/**
 * Indices whose quotients and remainders machines of 32 bits compute exactly. A sum or a product may
 * wrap at 32 bits, since what is added to it afterwards wraps back; what is divided may not.
 *
 * Where the dividend of floor(e / by) may leave 32 bits, multiples of the divisor leave the quotient:
 * with m = q*by + r and a = by*(a div by) + (a mod by),
 *
 *   floor((m*a + rest) / by) = q*a + r*(a div by) + floor((r*(a mod by) + rest) / by)
 *
 * and a remainder is what the quotient leaves, e - by * floor(e / by).
 *
 * Invariant: the result has the same value everywhere; every dividend in it and every divisor fits 32
 * bits, and no part of it exceeds 2^53. The forms are such that core/ix.ts leaves them as they are.
 */
import { addIx, ixConst, ixZero, scaleIx, shiftIx } from '../core/ix.ts';
import type { Atom, Ix, IxTerm } from '../core.ts';
import { type Box, rangeOfAtom, rangeOfIx } from './form.ts';
import * as R from './range.ts';

type Quotient = Extract<Atom, { k: 'div' | 'mod' }>;

const isQuotient = (a: Atom): a is Quotient => a.k === 'div' || a.k === 'mod';

/** Whether every dividend and divisor of an index fits 32 bits. */
export function isExact(ix: Ix, box: Box): boolean {
  return ix.terms.every(
    ({ a }) =>
      !isQuotient(a) || (a.by < 2 ** 31 && isExact(a.e, box) && R.fits32(rangeOfIx(a.e, box))),
  );
}

/** The index in such a form: itself where it is; undefined where none was found. */
export function exactIx(ix: Ix, box: Box): Ix | undefined {
  if (isExact(ix, box)) return ix;
  let out: Ix | undefined = ixConst(ix.c);
  for (const t of ix.terms) {
    const part: Ix | undefined = isQuotient(t.a) ? exactAtom(t.a, box) : asIx(t.a);
    out = part && addIx(out, scaleIx(part, t.m));
    if (out === undefined) return undefined;
  }
  return isExact(out, box) && R.isExact(coarsely(out, box)) ? out : undefined;
}

const asIx = (a: Atom, m = 1): Ix => ({ c: 0, terms: [{ m, a }] });

function exactAtom(a: Quotient, box: Box): Ix | undefined {
  const e = exactIx(a.e, box);
  if (e === undefined || a.by >= 2 ** 31) return undefined;
  if (R.fits32(rangeOfIx(e, box))) return asIx({ ...a, e });
  const q = quotient(e, a.by, box);
  return a.k === 'div' || q === undefined ? q : addIx(e, scaleIx(q, -a.by));
}

/** floor(e / by) with less under the division. */
function quotient(e: Ix, by: number, box: Box): Ix | undefined {
  const k = Math.floor(e.c / by);
  let outside: Ix = ixConst(k);
  let inside: Ix = ixConst(e.c - k * by);
  const left: IxTerm[] = [];
  for (const t of e.terms) {
    // The remainder nearest to zero keeps the dividend smallest.
    const q = Math.round(t.m / by);
    const r = t.m - q * by;
    outside = addIx(outside, q === 0 ? ixZero : asIx(t.a, q));
    if (r === 0) continue;
    inside = addIx(inside, asIx(t.a, r));
    left.push({ m: r, a: t.a });
  }
  const size = (t: IxTerm): number => {
    const { lo, hi } = R.scale(rangeOfAtom(t.a, box), t.m);
    return hi - lo;
  };
  left.sort((s, t) => size(t) - size(s));
  for (const t of [undefined, ...left]) {
    if (t !== undefined) {
      const own = rangeOfAtom(t.a, box);
      if (!R.fits32(own) || (own.lo >= 0 && own.hi < by)) continue;
      outside = addIx(outside, asIx({ k: 'div', e: asIx(t.a), by }, t.m));
      inside = addIx(inside, asIx(t.a, -t.m), asIx({ k: 'mod', e: asIx(t.a), by }, t.m));
    }
    const r = rangeOfIx(inside, box);
    if (!R.fits32(r)) continue;
    const [from, to] = [Math.floor(r.lo / by), Math.floor(r.hi / by)];
    return from === to ? shiftIx(outside, from) : addIx(outside, asIx({ k: 'div', e: inside, by }));
  }
  return undefined;
}

/** What the terms of an index may add up to, whichever of them are added first. */
export function coarsely(ix: Ix, box: Box): R.Range {
  const open = R.union(R.only(0), R.only(ix.c));
  return ix.terms.reduce((out, { m, a }) => {
    const own = isQuotient(a) && !R.isExact(coarsely(a.e, box)) ? R.anything : rangeOfAtom(a, box);
    return R.add(out, R.union(R.only(0), R.scale(own, m)));
  }, open);
}
