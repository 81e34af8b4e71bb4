/**
 * Indices over the four lanes of a vector, in which one axis advances from lane to lane. Where it starts
 * is told by the loop that counts it: quotients and remainders of it move as one only from some starts.
 *
 * Invariant: a stride holds for all four lanes, at every start there may be, or there is none.
 */
import { normalIx } from '../../core/ix.ts';
import type { Atom, AxisId, Ix, IxTerm } from '../../core.ts';
import { axesOf } from '../../schedule/flat.ts';
import { type Congruence, exactly, modulo, plus, times, unknown } from './congruence.ts';

/** The axis that advances by one from lane to lane, and what is known of its value in the first one. */
export type Vector = { readonly axis: AxisId; readonly start: Congruence };

/** How far an index moves from one lane to the next; undefined when it is not the same for all. */
export function laneStride(e: Ix, vec: Vector): number | undefined {
  let s = 0;
  for (const t of e.terms) {
    const one = atomStride(t.a, vec);
    if (one === undefined) return undefined;
    s += t.m * one;
  }
  return s;
}

function atomStride(a: Atom, vec: Vector): number | undefined {
  if (a.k === 'axis') return a.id === vec.axis ? 1 : 0;
  if (a.k === 'val') return undefined;
  if (!axesOf(a.e).has(vec.axis)) return 0;
  const inner = laneStride(a.e, vec);
  if (inner === undefined) return undefined;
  if (inner % a.by === 0) return a.k === 'div' ? inner / a.by : 0;
  // Modulo `by` the first lane is one of r, r + m, ... by - m + r: where the last of four stays within
  // the block of `by` whichever it is, all of them do.
  const { m, r } = modulo(congruenceOf(a.e, vec), a.by);
  const last = r + 3 * inner;
  if (last < 0 || last >= m) return undefined;
  return a.k === 'div' ? 0 : inner;
}

/** What is known of an index in the first lane. */
function congruenceOf(e: Ix, vec: Vector): Congruence {
  return e.terms.reduce((c, t) => plus(c, times(atomCongruence(t.a, vec), t.m)), exactly(e.c));
}

function atomCongruence(a: Atom, vec: Vector): Congruence {
  switch (a.k) {
    case 'axis':
      return a.id === vec.axis ? vec.start : unknown;
    case 'mod':
      return modulo(congruenceOf(a.e, vec), a.by);
    case 'div':
    case 'val':
      return unknown;
  }
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
