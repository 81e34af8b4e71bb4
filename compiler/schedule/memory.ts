/**
 * Memory plan: an offset in one arena for every temporary, by liveness, best fit.
 *
 * A temporary lives from its first to its last access in program order. Inside a loop it is local to
 * one iteration only if the iteration writes it before reading it and no address depends on the
 * loop's axis (otherwise slices of other iterations are in it); else it lives through the whole loop.
 *
 * Invariant: two temporaries that are live at the same kernel share no word.
 */
import type { AxisId } from '../core.ts';
import type { BufId, Kernel, KNest, Plan, Step } from '../plan.ts';
import { axesOf, eachKExpr } from './flat.ts';
import type { Unplaced } from './schedule.ts';

/** Buffers start at multiples of this many words (256 bytes: WebGPU's binding alignment). */
export const ALIGN = 64;

type Scope = { readonly axis: AxisId; readonly first: number; last: number };
type Touch = {
  readonly at: number;
  readonly write: boolean;
  readonly scopes: readonly Scope[];
  readonly axes: ReadonlySet<AxisId>;
};
export type Live = { readonly buf: BufId; readonly first: number; readonly last: number };

/** Live range of every temp, in kernel positions of the flattened program (both ends included). */
export function liveness(plan: Unplaced): Live[] {
  const touches = new Map<BufId, Touch[]>();
  let at = 0;
  const scopes: Scope[] = [];
  const touch = (buf: BufId, write: boolean, axes: ReadonlySet<AxisId>): void => {
    const list = touches.get(buf) ?? [];
    list.push({ at, write, scopes: [...scopes], axes });
    touches.set(buf, list);
  };
  const visitExpr = (n: KNest): void => {
    const seen = new Set<KNest['body']>();
    const load = (e: KNest['body']): void => {
      if (e.k === 'load') touch(e.buf, false, axesOf(e.at.ix));
    };
    eachKExpr(n.body, load, seen);
    for (const d of n.store.at.dyn) eachKExpr(d.e, load, seen);
  };
  const kernel = (k: Kernel): void => {
    for (const n of k.nests) {
      visitExpr(n);
      if (n.store.mode === 'add') touch(n.store.buf, false, axesOf(n.store.at.ix));
      touch(n.store.buf, true, axesOf(n.store.at.ix));
    }
    at++;
  };
  const walk = (steps: readonly Step[]): void => {
    for (const s of steps) {
      if (s.k === 'kernel') kernel(s);
      else {
        const scope: Scope = { axis: s.axis.id, first: at, last: at };
        scopes.push(scope);
        walk(s.steps);
        scopes.pop();
        scope.last = Math.max(at - 1, scope.first);
      }
    }
  };
  walk(plan.steps);

  const out: Live[] = [];
  for (const b of plan.bufs) {
    if (b.kind !== 'temp' || b.words === 0) continue;
    const list = touches.get(b.id) ?? [];
    const home = homeScope(list);
    let first = Number.POSITIVE_INFINITY;
    let last = -1;
    for (const t of list) {
      const span = t.scopes[home] ?? { first: t.at, last: t.at };
      first = Math.min(first, span.first);
      last = Math.max(last, span.last);
    }
    if (last >= 0) out.push({ buf: b.id, first, last });
  }
  return out;
}

/** Depth of the innermost loop nest to one iteration of which all of these accesses are local. */
function homeScope(list: readonly Touch[]): number {
  const head = list[0];
  if (!head?.write) return 0;
  let depth = 0;
  while (depth < head.scopes.length) {
    const scope = head.scopes[depth]!;
    if (!list.every((t) => t.scopes[depth] === scope && !t.axes.has(scope.axis))) break;
    depth++;
  }
  return depth;
}

export function layout(plan: Unplaced): Plan {
  const live = liveness(plan);
  const words = (b: BufId): number => Math.ceil(plan.bufs[b]!.words / ALIGN) * ALIGN;
  // Large buffers first, then by time: the usual order for offset assignment without relocation.
  const order = [...live].sort((a, b) => words(b.buf) - words(a.buf) || a.first - b.first);
  const offsets = new Map<BufId, number>();
  const placed: (Live & { readonly from: number; readonly to: number })[] = [];
  let arenaWords = 0;
  for (const l of order) {
    const need = words(l.buf);
    const busy = placed
      .filter((p) => p.first <= l.last && l.first <= p.last)
      .sort((a, b) => a.from - b.from);
    let best = -1;
    let bestGap = Number.POSITIVE_INFINITY;
    let end = 0;
    for (const p of busy) {
      const gap = p.from - end;
      if (gap >= need && gap < bestGap) {
        best = end;
        bestGap = gap;
      }
      end = Math.max(end, p.to);
    }
    const from = best >= 0 ? best : end;
    offsets.set(l.buf, from);
    placed.push({ ...l, from, to: from + need });
    arenaWords = Math.max(arenaWords, from + need);
  }
  return { ...plan, offsets, arenaWords };
}

/** The least any placement needs: the largest sum of live words over all kernels. */
export function peakWords(plan: Unplaced): number {
  const live = liveness(plan);
  const change = new Map<number, number>();
  for (const l of live) {
    const w = plan.bufs[l.buf]!.words;
    change.set(l.first, (change.get(l.first) ?? 0) + w);
    change.set(l.last + 1, (change.get(l.last + 1) ?? 0) - w);
  }
  let now = 0;
  let peak = 0;
  for (const at of [...change.keys()].sort((a, b) => a - b)) {
    now += change.get(at)!;
    peak = Math.max(peak, now);
  }
  return peak;
}
