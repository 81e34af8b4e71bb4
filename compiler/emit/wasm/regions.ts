/**
 * Interior and border: loops are cut where guards change, so that most cells are computed without
 * asking. The adjoint of a concatenation becomes one loop for each part, a padded read a large
 * interior and thin borders (after Halide's loop partitioning).
 *
 * Invariant: the boxes partition the iteration space of the parallel axes, and a cell is the same
 * expression in whichever box it lies, with its guards decided or still asked.
 */
import {
  decideGuard,
  type Extents,
  interval,
  ixAxis,
  mapIx,
  shiftIx,
  tidyIx,
} from '../../core/ix.ts';
import type { Axis, Guard, Ix } from '../../core.ts';
import type { KExpr, KNest } from '../../plan.ts';
import { eachKExpr, mapGuards, mapKExpr, mapKIx } from '../../schedule/flat.ts';

export type Region = {
  readonly nests: readonly KNest[];
  /** The parallel axes; those that were cut count from the beginning of their box. */
  readonly own: readonly Axis[];
  readonly extents: Extents;
};

/** Each box is code of its own: no more than this many. */
const MOST = 12;
/** A cut must decide its guards for at least this part of the cells. */
const WORTH = 0.5;

/** The boxes of nests that share the parallel axes `own`. */
export function regions(nests: readonly KNest[], own: readonly Axis[], extents: Extents): Region[] {
  const done: Region[] = [];
  const open: Region[] = [{ nests, own, extents }];
  while (open.length > 0) {
    const r = open.pop()!;
    const cut = bestCut(r, MOST - done.length - open.length);
    if (cut) open.push(...apply(r, cut).reverse());
    else done.push(r);
  }
  return done;
}

type Cut = { readonly axis: Axis; readonly at: readonly number[] };

/** The cut that decides the largest part of the cells; none when no cut is worth its code. */
function bestCut(r: Region, most: number): Cut | undefined {
  const guards = openGuards(r);
  let best: Cut | undefined;
  let most1 = 0;
  for (const axis of guards.length === 0 ? [] : r.own) {
    const { at, decided } = borders(guards, axis, r.extents);
    if (at.length === 0 || at.length + 1 > most) continue;
    if (decided >= WORTH && decided > most1) [best, most1] = [{ axis, at }, decided];
  }
  return best;
}

function openGuards(r: Region): readonly Guard[] {
  const out = new Set<Guard>();
  const seen = new Set<KExpr>();
  const add = (guards: readonly Guard[]): void => {
    for (const g of guards) if (decideGuard(g, r.extents) === 'depends') out.add(g);
  };
  const load = (e: KExpr): void => {
    if (e.k === 'load') add(e.guard);
  };
  for (const n of r.nests) {
    eachKExpr(n.body, load, seen);
    for (const d of n.store.at.dyn) eachKExpr(d.e, load, seen);
    add(n.store.guard);
  }
  return [...out];
}

/** Where on an axis the guards begin or cease to hold, and the part of it where each is decided. */
function borders(
  guards: readonly Guard[],
  axis: Axis,
  extents: Extents,
): { readonly at: readonly number[]; readonly decided: number } {
  const cuts = new Set<number>();
  const unsure: (readonly [lo: number, hi: number])[] = [];
  for (const g of guards) {
    const own = g.e.terms.find((t) => t.a.k === 'axis' && t.a.id === axis.id);
    if (!own) continue;
    const rest = interval({ c: g.e.c, terms: g.e.terms.filter((t) => t !== own) }, extents);
    // With m*x in place of x, and mirrored when m is negative, e < b ends somewhere from p to q.
    for (const b of [g.lo, g.hi]) {
      const ends = [b - rest.hi, b - rest.lo].map((v) =>
        own.m > 0 ? Math.ceil(v / own.m) : Math.floor(v / own.m) + 1,
      );
      const [p, q] = ends.map((v) => Math.min(Math.max(v, 0), axis.extent)).sort((x, y) => x - y);
      for (const x of [p!, q!]) if (x > 0 && x < axis.extent) cuts.add(x);
      if (p! < q!) unsure.push([p!, q!]);
    }
  }
  const at = [...cuts].sort((a, b) => a - b);
  let decided = 0;
  [0, ...at].forEach((lo, i) => {
    const hi = at[i] ?? axis.extent;
    if (!unsure.some(([p, q]) => lo < q && p < hi)) decided += hi - lo;
  });
  return { at, decided: decided / axis.extent };
}

/** The region in boxes along one axis, with what is decided in each of them decided. */
function apply(r: Region, cut: Cut): Region[] {
  const { axis, at } = cut;
  return [0, ...at].flatMap((lo, i) => {
    const part = { ...axis, extent: (at[i] ?? axis.extent) - lo };
    const extents: Extents = (id) => (id === axis.id ? part.extent : r.extents(id));
    const move = (e: Ix): Ix =>
      tidyIx(
        mapIx(
          e,
          (id) => (id === axis.id ? shiftIx(ixAxis(id), lo) : undefined),
          (x) => x,
          extents,
        ),
        extents,
      );
    const memo = new Map<KExpr, KExpr>();
    const expr = (e: KExpr): KExpr => mapKExpr(e, move, (x) => decide(x, extents), memo);
    const nests = r.nests.flatMap((n) => {
      const guard = mapGuards(n.store.guard, move);
      if (guard.some((g) => decideGuard(g, extents) === 'never')) return [];
      const axes = n.axes.map((a) => (a.id === axis.id ? part : a));
      const store = { ...n.store, at: mapKIx(n.store.at, move, expr), guard };
      return [{ ...n, axes, body: expr(n.body), store }];
    });
    const own = r.own.map((a) => (a.id === axis.id ? part : a));
    return nests.length === 0 ? [] : [{ nests, own, extents }];
  });
}

function decide(e: KExpr, extents: Extents): KExpr {
  if (e.k !== 'load' || e.guard.length === 0) return e;
  const guard = e.guard.filter((g) => decideGuard(g, extents) !== 'always');
  if (guard.some((g) => decideGuard(g, extents) === 'never')) return { k: 'const', t: e.t, v: 0 };
  return { ...e, guard };
}
