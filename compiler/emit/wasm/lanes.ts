/**
 * Indices over the lanes of a vector: one axis advances from lane to lane, from a multiple of four.
 *
 * Invariant: a stride holds for all four lanes, or there is none.
 */
import { normalIx } from '../../core/ix.ts';
import type { AxisId, Ix, IxTerm } from '../../core.ts';
import { axesOf } from '../../schedule/flat.ts';

/** How far an index moves from one lane to the next, when lanes advance `vec` from a multiple of 4. */
export function laneStride(e: Ix, vec: AxisId): number | undefined {
  let s = 0;
  for (const t of e.terms) {
    const one = atomStride(t, vec);
    if (one === undefined) return undefined;
    s += t.m * one;
  }
  return s;
}

function atomStride(t: IxTerm, vec: AxisId): number | undefined {
  const a = t.a;
  if (a.k === 'axis') return a.id === vec ? 1 : 0;
  if (a.k === 'val') return undefined;
  if (!axesOf(a.e).has(vec)) return 0;
  const inner = laneStride(a.e, vec);
  if (inner === undefined) return undefined;
  if (inner === 0 && !axesOf(a.e).has(vec)) return 0;
  if (inner % a.by === 0) return a.k === 'div' ? inner / a.by : 0;
  // Four lanes from a multiple of four stay within one block of `by`.
  const aligned =
    inner === 1 &&
    a.by % 4 === 0 &&
    a.e.c % 4 === 0 &&
    a.e.terms.every((u) => (u.a.k === 'axis' && u.a.id === vec ? u.m === 1 : u.m % 4 === 0));
  if (!aligned) return undefined;
  return a.k === 'div' ? 0 : 1;
}

/** The index with `vec` advanced by k. */
export function advance(e: Ix, vec: AxisId, k: number): Ix {
  if (k === 0 || !axesOf(e).has(vec)) return e;
  let c = e.c;
  const terms: IxTerm[] = [];
  for (const t of e.terms) {
    if (t.a.k === 'axis') {
      if (t.a.id === vec) c += t.m * k;
      terms.push(t);
    } else if (t.a.k === 'val') terms.push(t);
    else terms.push({ m: t.m, a: { ...t.a, e: advance(t.a.e, vec, k) } });
  }
  return normalIx(c, terms);
}
