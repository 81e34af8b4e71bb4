/**
 * Affine index algebra: integer forms c + sum m * atom over axes, floor-div and mod of such forms,
 * and data-dependent values.
 *
 * Invariant: every Ix built here is in normal form (terms sorted, merged, none zero, and
 * b * div(e, b) + mod(e, b) recombined to e), so structural equality decides equality of the plain
 * affine part. div and mod are simplified with the extents of the axes: `div(c*x + y, c)` is x and
 * `mod` is y for 0 <= y < c, which makes a split of a merged axis (and the reverse) disappear.
 */
import type { Atom, AxisId, Expr, Guard, Ix, IxTerm } from '../core.ts';
import { compareAtoms, sameAtom, sameIx } from './key.ts';

/** Extent of an axis in scope; undefined where it is not known (its values are then unbounded). */
export type Extents = (id: AxisId) => number | undefined;
export const noExtents: Extents = () => undefined;

export function extentsOf(
  ...lists: readonly (readonly { readonly id: AxisId; readonly extent: number }[])[]
): Extents {
  const m = new Map<AxisId, number>();
  for (const list of lists) for (const a of list) m.set(a.id, a.extent);
  return (id) => m.get(id);
}

// ---------------------------------------------------------------- constructors

export const ixZero: Ix = { c: 0, terms: [] };

export function ixConst(c: number): Ix {
  return c === 0 ? ixZero : { c, terms: [] };
}

export function ixAxis(a: { readonly id: AxisId } | AxisId): Ix {
  return { c: 0, terms: [{ m: 1, a: { k: 'axis', id: typeof a === 'number' ? a : a.id } }] };
}

/**
 * A data-dependent index: the value of a whole number, promised to lie in [0, extent). The value
 * of an index expression is that index again, of a constant that constant.
 */
export function ixVal(e: Expr, extent: number, extents?: Extents): Ix {
  if (e.k === 'const') return ixConst(e.v);
  // The value of an i32 is that of the form only where it does not wrap.
  const exact = e.t === 'int' || extents === undefined;
  if (e.k === 'index' && (exact || fitsI32(interval(e.ix, extents)))) return e.ix;
  return ixAtom({ k: 'val', e, extent });
}

function ixAtom(a: Atom, m = 1): Ix {
  return { c: 0, terms: [{ m, a }] };
}

export function isConst(ix: Ix): boolean {
  return ix.terms.length === 0;
}

/** The axis when the index is exactly one axis, else undefined. */
export function asAxis(ix: Ix): AxisId | undefined {
  const t = ix.terms[0];
  return ix.c === 0 && ix.terms.length === 1 && t!.m === 1 && t!.a.k === 'axis'
    ? t!.a.id
    : undefined;
}

export function addIx(...parts: readonly Ix[]): Ix {
  if (parts.length === 1) return parts[0]!;
  if (parts.length === 2) {
    if (parts[0]!.terms.length === 0) return shiftIx(parts[1]!, parts[0]!.c);
    if (parts[1]!.terms.length === 0) return shiftIx(parts[0]!, parts[1]!.c);
  }
  let c = 0;
  const terms: IxTerm[] = [];
  for (const p of parts) {
    c += p.c;
    terms.push(...p.terms);
  }
  return normalIx(c, terms);
}

export function shiftIx(ix: Ix, c: number): Ix {
  return c === 0 ? ix : { c: ix.c + c, terms: ix.terms };
}

export function scaleIx(ix: Ix, m: number): Ix {
  if (m === 1) return ix;
  if (m === 0) return ixZero;
  return { c: ix.c * m + 0, terms: ix.terms.map((t) => ({ m: t.m * m, a: t.a })) };
}

export function subIx(a: Ix, b: Ix): Ix {
  return addIx(a, scaleIx(b, -1));
}

/** Row-major offset of a multi-index: ((i0 * e1 + i1) * e2 + i2) ... */
export function flatIx(ixs: readonly Ix[], extents: readonly number[]): Ix {
  let out = ixZero;
  ixs.forEach((ix, i) => {
    out = addIx(scaleIx(out, extents[i]!), ix);
  });
  return out;
}

/** Normal form of any sum of terms. */
export function normalIx(c: number, terms: readonly IxTerm[]): Ix {
  if (terms.length === 0) return ixConst(c);
  const sorted = [...terms].sort((s, t) => compareAtoms(s.a, t.a));
  const out: IxTerm[] = [];
  for (const t of sorted) {
    const at = out.length - 1;
    const last = out[at];
    if (last !== undefined && sameAtom(last.a, t.a)) out[at] = { m: last.m + t.m, a: last.a };
    else out.push(t);
  }
  const kept = out.filter((t) => t.m !== 0);
  return recombine(c, kept);
}

/** b * div(e, b) + mod(e, b) is e. */
function recombine(c: number, terms: readonly IxTerm[]): Ix {
  for (const t of terms) {
    if (t.a.k !== 'mod') continue;
    const { e, by } = t.a;
    const partner = terms.find(
      (s) => s.a.k === 'div' && s.a.by === by && s.m === t.m * by && sameIx(s.a.e, e),
    );
    if (partner === undefined) continue;
    const rest = terms.filter((s) => s !== t && s !== partner);
    return addIx({ c, terms: rest }, scaleIx(e, t.m));
  }
  return { c: c + 0, terms };
}

// ---------------------------------------------------------------- intervals

/** Inclusive bounds; may be infinite. Axes of extent 0 count as [0, 0]: nothing runs there. */
export type Interval = { readonly lo: number; readonly hi: number };

export function atomInterval(a: Atom, extents: Extents): Interval {
  switch (a.k) {
    case 'axis': {
      const n = extents(a.id);
      return n === undefined ? { lo: -Infinity, hi: Infinity } : { lo: 0, hi: Math.max(0, n - 1) };
    }
    case 'div': {
      const { lo, hi } = interval(a.e, extents);
      return { lo: Math.floor(lo / a.by), hi: Math.floor(hi / a.by) };
    }
    case 'mod': {
      const { lo, hi } = interval(a.e, extents);
      const q = Math.floor(lo / a.by);
      if (q === Math.floor(hi / a.by) && Number.isFinite(q)) {
        return { lo: lo - q * a.by, hi: hi - q * a.by };
      }
      return { lo: 0, hi: a.by - 1 };
    }
    case 'val':
      return { lo: 0, hi: Math.max(0, a.extent - 1) };
  }
}

export function interval(ix: Ix, extents: Extents): Interval {
  let lo = ix.c;
  let hi = ix.c;
  for (const t of ix.terms) {
    const r = atomInterval(t.a, extents);
    lo += t.m > 0 ? t.m * r.lo : t.m * r.hi;
    hi += t.m > 0 ? t.m * r.hi : t.m * r.lo;
  }
  return { lo, hi };
}

/** Whether all values are those of a 32-bit number. */
export function fitsI32({ lo, hi }: Interval): boolean {
  return lo >= -(2 ** 31) && hi < 2 ** 31;
}

/** Whether lo <= ix < hi holds always, never, or it depends. */
export function decideGuard(g: Guard, extents: Extents): 'always' | 'never' | 'depends' {
  const r = interval(g.e, extents);
  if (r.lo >= g.lo && r.hi < g.hi) return 'always';
  if (r.hi < g.lo || r.lo >= g.hi) return 'never';
  return 'depends';
}

// ---------------------------------------------------------------- div and mod

export function gcd(a: number, b: number): number {
  let x = Math.abs(a);
  let y = Math.abs(b);
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

export function floorMod(a: number, b: number): number {
  return a - b * Math.floor(a / b);
}

/** e = by * q + r, where r keeps what `by` does not divide and a constant in [0, by). */
function splitMultiples(e: Ix, by: number): { q: Ix; r: Ix } {
  const q: IxTerm[] = [];
  const r: IxTerm[] = [];
  for (const t of e.terms) {
    if (t.m % by === 0) q.push({ m: t.m / by, a: t.a });
    else r.push(t);
  }
  const k = Math.floor(e.c / by);
  // A subset of sorted terms is sorted, but scaling may have made a div/mod pair.
  return { q: normalIx(k, q), r: { c: e.c - k * by, terms: r } };
}

/**
 * r = g * a + s with 0 <= s < g, for the largest proper divisor g of `by` that works: then
 * div(r, by) = div(a, by/g) and mod(r, by) = g * mod(a, by/g) + s.
 */
function peel(r: Ix, by: number, extents: Extents): { g: number; a: Ix; s: Ix } | undefined {
  const tried = new Set<number>();
  const candidates = r.terms.map((t) => gcd(t.m, by)).sort((x, y) => y - x);
  for (const g of candidates) {
    if (g === 1 || g === by || tried.has(g)) continue;
    tried.add(g);
    const { q, r: s } = splitMultiples(r, g);
    const range = interval(s, extents);
    if (range.lo >= 0 && range.hi < g) return { g, a: q, s };
  }
  return undefined;
}

export function divIx(e: Ix, by: number, extents: Extents): Ix {
  if (by === 1) return e;
  if (e.terms.length === 0) return ixConst(Math.floor(e.c / by));
  const { q, r } = splitMultiples(e, by);
  return addIx(q, divRest(r, by, extents));
}

function divRest(r: Ix, by: number, extents: Extents): Ix {
  const { lo, hi } = interval(r, extents);
  const k = Math.floor(lo / by);
  if (Number.isFinite(k) && k === Math.floor(hi / by)) return ixConst(k);
  const p = peel(r, by, extents);
  if (p !== undefined) return divIx(p.a, by / p.g, extents);
  const only = r.terms.length === 1 && r.terms[0]!.m === 1 ? r.terms[0]!.a : undefined;
  if (only?.k === 'div') {
    // floor((floor(e / a) + c) / b) = floor((e + c*a) / (a*b))
    return divIx(shiftIx(only.e, r.c * only.by), only.by * by, extents);
  }
  if (only?.k === 'mod' && r.c === 0 && only.by % by === 0) {
    // floor(mod(e, a) / b) = mod(floor(e / b), a / b)
    return modIx(divIx(only.e, by, extents), only.by / by, extents);
  }
  return ixAtom({ k: 'div', e: r, by });
}

export function modIx(e: Ix, by: number, extents: Extents): Ix {
  if (by === 1) return ixZero;
  if (e.terms.length === 0) return ixConst(floorMod(e.c, by));
  const { r } = splitMultiples(e, by);
  return modRest(r, by, extents);
}

function modRest(r: Ix, by: number, extents: Extents): Ix {
  const { lo, hi } = interval(r, extents);
  const k = Math.floor(lo / by);
  if (Number.isFinite(k) && k === Math.floor(hi / by)) return shiftIx(r, -k * by);
  const p = peel(r, by, extents);
  if (p !== undefined) return addIx(scaleIx(modIx(p.a, by / p.g, extents), p.g), p.s);
  const plain = withoutMods(r, by);
  if (plain !== undefined) return modIx(plain, by, extents);
  return ixAtom({ k: 'mod', e: r, by });
}

/** Modulo `by`, m * mod(f, a) is m * f when by divides m * a; large multipliers reduce. */
function withoutMods(r: Ix, by: number): Ix | undefined {
  let changed = false;
  let c = r.c;
  const terms: IxTerm[] = [];
  for (const t of r.terms) {
    if (t.a.k === 'mod' && (t.m * t.a.by) % by === 0) {
      changed = true;
      c += t.m * t.a.e.c;
      for (const s of t.a.e.terms) terms.push({ m: s.m * t.m, a: s.a });
    } else if (Math.abs(t.m) >= by) {
      changed = true;
      terms.push({ m: t.m % by, a: t.a });
    } else terms.push(t);
  }
  return changed ? normalIx(c, terms) : undefined;
}

// ---------------------------------------------------------------- substitution

/**
 * Rebuilds an index with every axis replaced (through div, mod and val atoms), simplifying with the
 * extents of the axes that stand in the result. `val` rewrites the expressions of val atoms.
 */
export function mapIx(
  ix: Ix,
  axis: (id: AxisId) => Ix | undefined,
  val: (e: Expr) => Expr,
  extents: Extents,
): Ix {
  let changed = false;
  const parts: Ix[] = [];
  for (const t of ix.terms) {
    const p = mapAtom(t.a, axis, val, extents);
    if (p === undefined) parts.push({ c: 0, terms: [t] });
    else {
      changed = true;
      parts.push(scaleIx(p, t.m));
    }
  }
  return changed ? addIx(ixConst(ix.c), ...parts) : ix;
}

function mapAtom(
  a: Atom,
  axis: (id: AxisId) => Ix | undefined,
  val: (e: Expr) => Expr,
  extents: Extents,
): Ix | undefined {
  switch (a.k) {
    case 'axis':
      return axis(a.id);
    case 'div': {
      const e = mapIx(a.e, axis, val, extents);
      return e === a.e ? undefined : divIx(e, a.by, extents);
    }
    case 'mod': {
      const e = mapIx(a.e, axis, val, extents);
      return e === a.e ? undefined : modIx(e, a.by, extents);
    }
    case 'val': {
      const e = val(a.e);
      return e === a.e ? undefined : ixVal(e, a.extent, extents);
    }
  }
}

/** Simplifies div and mod atoms again, for extents that have become known or smaller. */
export function tidyIx(ix: Ix, extents: Extents): Ix {
  if (ix.terms.every((t) => t.a.k === 'axis' || t.a.k === 'val')) return ix;
  const parts = ix.terms.map((t): Ix => {
    if (t.a.k === 'div') return scaleIx(divIx(tidyIx(t.a.e, extents), t.a.by, extents), t.m);
    if (t.a.k === 'mod') return scaleIx(modIx(tidyIx(t.a.e, extents), t.a.by, extents), t.m);
    return { c: 0, terms: [t] };
  });
  const out = addIx(ixConst(ix.c), ...parts);
  return sameIx(out, ix) ? ix : out;
}

/** Visits the atoms of an index and of the indices inside its div and mod atoms. */
export function eachAtom(ix: Ix, f: (a: Atom) => void): void {
  for (const t of ix.terms) {
    f(t.a);
    if (t.a.k === 'div' || t.a.k === 'mod') eachAtom(t.a.e, f);
  }
}

/** Value of an index at given axis values; `val` evaluates data-dependent atoms. */
export function evalIx(
  ix: Ix,
  axis: (id: AxisId) => number,
  val: (e: Expr) => number = () => Number.NaN,
): number {
  let s = ix.c;
  for (const t of ix.terms) s += t.m * evalAtom(t.a, axis, val);
  return s;
}

function evalAtom(a: Atom, axis: (id: AxisId) => number, val: (e: Expr) => number): number {
  switch (a.k) {
    case 'axis':
      return axis(a.id);
    case 'div':
      return Math.floor(evalIx(a.e, axis, val) / a.by);
    case 'mod':
      return floorMod(evalIx(a.e, axis, val), a.by);
    case 'val':
      return val(a.e);
  }
}
