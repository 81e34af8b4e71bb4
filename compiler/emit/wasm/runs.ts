/**
 * Runs of pointwise nests: neighbours in a kernel that walk the same axes become one loop, in which
 * what one stores is handed on to the next as a value and what both compute is computed once (loop
 * fusion after the kernels have been chosen; XLA calls its result a multi-output fusion).
 *
 * Invariant: every cell gets the value it got before. A nest joins a run only if it touches what the
 * run writes at the cell of its own iteration, and writes nothing that the run reads elsewhere.
 */
import { ixAxis, mapIx, noExtents } from '../../core/ix.ts';
import type { Axis, AxisId } from '../../core.ts';
import type { BufId, KExpr, KNest } from '../../plan.ts';
import { eachAccess, eachKExpr, kixKey, mapKExpr, mapKIx } from '../../schedule/flat.ts';

export type Run = { readonly nests: readonly KNest[]; readonly axes: readonly Axis[] };

/** Operations in one loop, beyond which values leave the registers. */
const LONGEST = 48;

/** The nests in order, those that can share a loop together; `isScratch` tells what a cell forgets. */
export function runsOf(nests: readonly KNest[], isScratch: (b: BufId) => boolean): Run[] {
  const runs: { nests: KNest[]; axes: readonly Axis[] }[] = [];
  for (const n of nests) {
    const last = runs.at(-1);
    const joined = last && join(last, n);
    if (last && joined) last.nests.push(joined);
    else runs.push({ nests: [n], axes: n.axes });
  }
  const out = runs.map((r) => {
    if (r.nests.length === 1) return r;
    const others = runs.filter((x) => x !== r).flatMap((x) => x.nests);
    const readElsewhere = new Set(others.flatMap(loadedBy));
    const isLocal = (b: BufId): boolean => isScratch(b) && !readElsewhere.has(b);
    return { ...r, nests: forward(r.nests, isLocal) };
  });
  return out.filter((r) => r.nests.length > 0);
}

const isPointwise = (n: KNest): boolean =>
  n.op === null &&
  n.store.mode === 'set' &&
  n.store.guard.length === 0 &&
  n.store.at.dyn.length === 0;

/** The nest over the axes of the run, if it can share its loop. */
function join(run: Run, n: KNest): KNest | undefined {
  if (!isPointwise(n) || !run.nests.every(isPointwise)) return undefined;
  if (n.axes.length !== run.axes.length || n.axes.length === 0) return undefined;
  if (n.axes.some((a, i) => a.extent !== run.axes[i]!.extent)) return undefined;
  const moved = renamed(n, run.axes);
  const cells = new Map(run.nests.map((x) => [x.store.buf, kixKey(x.store.at)]));
  if (cells.has(moved.store.buf)) return undefined;
  const cell = kixKey(moved.store.at);
  let ok = operations([...run.nests, moved]) <= LONGEST && readsOnly(moved, cells);
  for (const x of run.nests) {
    eachAccess(x, (buf, at, stored) => {
      if (!stored && buf === moved.store.buf && kixKey(at) !== cell) ok = false;
    });
  }
  return ok ? moved : undefined;
}

function renamed(n: KNest, axes: readonly Axis[]): KNest {
  const to = new Map<AxisId, Axis>(n.axes.map((a, i) => [a.id, axes[i]!]));
  const fix = (e: Parameters<typeof mapIx>[0]) =>
    mapIx(
      e,
      (id) => (to.has(id) ? ixAxis(to.get(id)!) : undefined),
      (v) => v,
      noExtents,
    );
  const memo = new Map<KExpr, KExpr>();
  const go = (e: KExpr): KExpr => mapKExpr(e, fix, (x) => x, memo);
  return { ...n, axes, body: go(n.body), store: { ...n.store, at: mapKIx(n.store.at, fix, go) } };
}

function operations(nests: readonly KNest[]): number {
  let n = 0;
  for (const x of nests)
    eachKExpr(x.body, (e) => {
      if (e.k === 'prim') n++;
    });
  return n;
}

function loadedBy(n: KNest): BufId[] {
  const out: BufId[] = [];
  eachAccess(n, (buf, _at, stored) => {
    if (!stored) out.push(buf);
  });
  return out;
}

/**
 * Whether nests without axes of their own can hand on what they store: what one of them reads of another
 * is the very cell that was stored, under no guard.
 */
export function handOn(nests: readonly KNest[]): boolean {
  const cells = new Map(nests.map((n) => [n.store.buf, kixKey(n.store.at)]));
  return nests.every((n) => {
    const sameCell = cells.get(n.store.buf) === kixKey(n.store.at);
    return isPointwise(n) && sameCell && readsOnly(n, cells);
  });
}

/** Whether what a nest reads of these buffers is their one cell, under no guard. */
function readsOnly(n: KNest, cells: ReadonlyMap<BufId, string>): boolean {
  let ok = true;
  eachKExpr(n.body, (e) => {
    if (e.k !== 'load' || !cells.has(e.buf)) return;
    if (e.guard.length > 0 || cells.get(e.buf) !== kixKey(e.at)) ok = false;
  });
  return ok;
}

/**
 * What a nest has stored is handed on as a value to those after it, which read it at the same cell.
 * What `isLocal` says nothing else reads is not stored at all.
 */
export function forward(nests: readonly KNest[], isLocal: (b: BufId) => boolean): KNest[] {
  const stored = new Map<BufId, KExpr>();
  const memo = new Map<KExpr, KExpr>();
  const go = (e: KExpr): KExpr => {
    const known = memo.get(e);
    if (known) return known;
    let out = e;
    if (e.k === 'load') {
      const dyn = e.at.dyn.map((d) => ({ ...d, e: go(d.e) }));
      out = stored.get(e.buf) ?? (dyn.length > 0 ? { ...e, at: { ...e.at, dyn } } : e);
    } else if (e.k === 'prim') out = { ...e, args: e.args.map(go) };
    else if (e.k === 'checked') out = { ...e, e: go(e.e) };
    memo.set(e, out);
    return out;
  };
  const out = nests.map((n) => {
    const body = go(n.body);
    stored.set(n.store.buf, body);
    memo.clear();
    return { ...n, body };
  });
  return out.filter((n) => !isLocal(n.store.buf));
}
