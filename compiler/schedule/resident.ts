/**
 * Resident groups: a contraction and the kernels around it that work row by row become one kernel
 * over blocks of rows, so that what one writes the next finds in the cache or in scratch. A bias and
 * an activation after a matrix product, layer normalisation before or after one, and attention
 * (scores, softmax, weighted sum) are such chains; none is looked for by name (after Halide's
 * compute_at and the fused blocks of FlashAttention).
 *
 * Two steps: kernels are joined cell by cell, as in group.ts, over the rows of the contraction (its
 * batch axes and those of its left operand); then the last axis of this grid is cut into blocks, and
 * a block's rows become an axis of every nest, which makes the contraction one again.
 *
 * Invariant: as in group.ts, no cell of the grid touches what another one writes.
 */
import { addIx, ixAxis, mapIx, scaleIx } from '../core/ix.ts';
import type { Axis, AxisId, Ix } from '../core.ts';
import type { BufId, KExpr, Kernel, KIx, KNest, Step } from '../plan.ts';
import { asContraction, axesOfExpr, contractionIn } from './contract.ts';
import { eachAccess, eachKExpr, mapGuards, mapKExpr, mapKIx } from './flat.ts';
import { cellLocal, idsOf, renamed } from './group.ts';
import { mergeKernels, partRead, related } from './order.ts';
import type { Parts } from './views.ts';

const most = { nests: 14, buffers: 24 };
/** Rows of a block, and the words of scratch that should stay in the first two levels of cache. */
const rows = { least: 8, most: 64, words: 393_216, narrowWords: 65_536 };

/** Points of a kernel that a single thread may as well do. */
const short = 65_536;
const points = (k: Kernel): number =>
  k.nests.reduce((n, x) => n + size(k.grid) * size(x.axes) * size(x.red), 0);

export function residentGroups(steps: readonly Step[], fresh: () => AxisId, parts: Parts): Step[] {
  const inner = steps.map(
    (s): Step => (s.k === 'loop' ? { ...s, steps: residentGroups(s.steps, fresh, parts) } : s),
  );
  const once = (list: readonly Step[]): Step[] =>
    mergeKernels(
      list,
      (a, b, [u, v]) => (related(u, v) && !partRead(a, v, parts) ? join(a, b, fresh) : undefined),
      parts,
    );
  // Again: what came before the contraction of a group could not join it the first time.
  const joined = once(once(inner));
  return joined.map((s) => (s.k === 'kernel' ? blocked(s, fresh) : s));
}

// ---------------------------------------------------------------- joining

/** A kernel as rows: the axes that may be grid, and its nests without them. */
type Rows = {
  readonly grid: readonly Axis[];
  readonly nests: readonly KNest[];
  readonly heavy: boolean;
};

function rowsOf(k: Kernel): Rows | undefined {
  if (k.gathered || !k.nests.every(plain)) return undefined;
  if (k.nests.length > 1) {
    const heavy = k.nests.some((n) => isContraction(k, n));
    return k.grid.length > 0 ? { grid: k.grid, nests: k.nests, heavy } : undefined;
  }
  if (k.grid.length > 0) return undefined;
  const n = k.nests[0]!;
  const c = asContraction(k);
  if (!c) return { grid: n.axes, nests: k.nests, heavy: false };
  return { grid: [...c.batch, ...c.rows], nests: k.nests, heavy: true };
}

const plain = (n: KNest): boolean =>
  n.store.mode === 'set' && n.store.guard.length === 0 && n.store.at.dyn.length === 0;

/** In a group whose grid is still single rows, a contraction has columns and a sum only. */
function isContraction(k: Kernel, n: KNest): boolean {
  return (
    asContraction({ ...k, grid: [], nests: [{ ...n, axes: [...k.grid, ...n.axes] }] }) !== undefined
  );
}

/** The kernel that does both over the rows of `a`; one of them must hold a contraction. */
function join(a: Kernel, b: Kernel, fresh: () => AxisId): Kernel | undefined {
  const first = rowsOf(a);
  const second = rowsOf(b);
  if (!first || !second || !(first.heavy || second.heavy)) return undefined;
  if (first.nests.length + second.nests.length > most.nests) return undefined;
  if (a.loops.map((l) => l.id).join() !== b.loops.map((l) => l.id).join()) return undefined;
  // A lone map has no rows of its own: those of the contraction that follows decide.
  if (!first.heavy && a.nests.length === 1) return undefined;
  const { grid } = first;
  // A few rows are one block on one thread: nothing long may join them.
  if (size(grid) < rows.least && points(b) > short) return undefined;
  // A contraction with more batch axes than the grid would pack its operands for every block.
  if (b.nests.length === 1 && second.heavy && second.grid.length !== grid.length) return undefined;
  const map = match(a, grid, b, second.grid);
  if (!map) return undefined;
  const inGrid = new Set(grid.map((g) => g.id));
  const own = first.nests.map((n) => ({ ...n, axes: n.axes.filter((x) => !inGrid.has(x.id)) }));
  const from = grid.map((g) => map.get(g)!);
  const rest = b.nests.length > 1 ? b.grid.filter((x) => !from.includes(x)) : [];
  const theirs = b.nests.map((n) =>
    renamed({ ...n, axes: [...rest, ...n.axes] }, from, grid, idsOf(a), fresh),
  );
  const nests = [...own, ...theirs];
  const merged: Kernel = { ...a, grid, nests };
  return worth(merged) && cellLocal(grid, nests, false) ? merged : undefined;
}

/** Which axes of `b` the rows of `a` are, told by the addresses of what both touch. */
function match(
  a: Kernel,
  grid: readonly Axis[],
  b: Kernel,
  candidates: readonly Axis[],
): Map<Axis, Axis> | undefined {
  const stores = new Map<BufId, KIx>();
  const loads = new Map<BufId, KIx>();
  for (const n of a.nests)
    eachAccess(n, (buf, at, stored) => {
      const list = stored ? stores : loads;
      if (!list.has(buf)) list.set(buf, at);
    });
  const map = new Map<Axis, Axis>();
  let ok = true;
  const pair = (mine: KIx, other: KIx): void => {
    for (const g of grid) {
      const m = coef(mine.ix, g.id);
      if (m === 0) continue;
      const found = candidates.filter((x) => x.extent === g.extent && coef(other.ix, x.id) === m);
      const known = map.get(g);
      if (known) {
        if (!found.includes(known)) ok = false;
      } else if (found.length === 1) map.set(g, found[0]!);
    }
  };
  for (const n of b.nests)
    eachAccess(n, (buf, at, stored) => {
      const mine = stored ? undefined : stores.get(buf);
      if (mine) pair(mine, at);
    });
  // A map that takes nothing from the other may still read what it reads, and compute some of what it
  // computes.
  const isMap = b.nests.length === 1 && b.nests[0]!.op === null;
  if (!ok || (map.size === 0 && !isMap)) return undefined;
  // What is only read by both may tell the axes that the written ones do not mention.
  for (const n of b.nests)
    eachAccess(n, (buf, at, stored) => {
      const mine = stored ? undefined : loads.get(buf);
      if (mine && map.size < grid.length) pair(mine, at);
    });
  const distinct = new Set(map.values()).size === map.size;
  return distinct && map.size === grid.length ? map : undefined;
}

const coef = (e: Ix, id: AxisId): number =>
  e.terms.find((t) => t.a.k === 'axis' && t.a.id === id)?.m ?? 0;

function worth(k: Kernel): boolean {
  const buffers = new Set<BufId>();
  for (const n of k.nests) eachAccess(n, (buf) => buffers.add(buf));
  return buffers.size <= most.buffers && shared(k) <= 1 && blockOf(k) !== undefined;
}

/** Contractions whose right operand is the same for every cell of the grid. */
function shared(k: Kernel): number {
  const written = new Set(k.nests.map((n) => n.store.buf));
  return k.nests.filter((n) => {
    const c = asContraction({ ...k, grid: [], nests: [{ ...n, axes: [...k.grid, ...n.axes] }] });
    if (!c || c.batch.length > 0) return false;
    let own = false;
    eachKExpr(c.right, (e) => {
      if (e.k === 'load' && written.has(e.buf)) own = true;
    });
    const axes = axesOfExpr(c.right);
    return !own && !k.grid.some((g) => axes.has(g.id));
  }).length;
}

// ---------------------------------------------------------------- blocks

const size = (l: readonly Axis[]): number => l.reduce((p, a) => p * a.extent, 1);

/** How many rows make a block; undefined when the rows do not divide well. */
function blockOf(k: Kernel): number | undefined {
  const last = k.grid.at(-1);
  if (!last) return undefined;
  // What nests hand to each other has to stay in the cache; what is only written passes through.
  const read = new Set<BufId>();
  for (const n of k.nests)
    eachAccess(n, (buf, _at, stored) => {
      if (!stored) read.add(buf);
    });
  const handed = k.nests.filter((n) => read.has(n.store.buf));
  const words = handed.reduce((n, x) => n + size(x.axes), 0);
  const wide = shared(k) > 0;
  const cells = size(k.grid);
  const good: number[] = [];
  // A few rows in all are one block: there is no more to share out.
  if (cells < rows.least) return last.extent >= 4 ? last.extent : undefined;
  for (let d = rows.least; d <= Math.min(rows.most, last.extent); d++) {
    if (last.extent % d !== 0 || (d < 13 && d % 6 > 0 && d % 6 < 4 && d !== 8)) continue;
    if (cells / d < 8 && d > rows.least && good.length > 0) continue;
    if (d * words > (wide ? rows.words : rows.narrowWords) && good.length > 0) continue;
    good.push(d);
  }
  return good.at(-1);
}

function blocked(k: Kernel, fresh: () => AxisId): Kernel {
  if (k.nests.length === 1 || !k.nests.some((n) => isContraction(k, n))) return k;
  const height = blockOf(k);
  const last = k.grid.at(-1)!;
  if (height === undefined) return k;
  const outer: Axis = { id: fresh(), extent: last.extent / height, name: `${last.name}1` };
  const inner: Axis = { id: fresh(), extent: height, name: `${last.name}0` };
  const to = addIx(scaleIx(ixAxis(outer), height), ixAxis(inner));
  const known = (id: AxisId): number | undefined =>
    id === outer.id ? outer.extent : id === inner.id ? inner.extent : undefined;
  const fix = (e: Ix): Ix =>
    mapIx(
      e,
      (id) => (id === last.id ? to : undefined),
      (v) => v,
      known,
    );
  const nests = k.nests.map((n): KNest => {
    const memo = new Map<KExpr, KExpr>();
    const go = (e: KExpr): KExpr => mapKExpr(e, fix, (x) => x, memo);
    return {
      ...n,
      axes: [inner, ...n.axes],
      body: go(n.body),
      store: { ...n.store, at: mapKIx(n.store.at, fix, go), guard: mapGuards(n.store.guard, fix) },
    };
  });
  return { ...k, grid: [...k.grid.slice(0, -1), outer], nests };
}

/** Whether a kernel is a group with a contraction in it. */
export const hasContraction = (k: Kernel): boolean =>
  !k.gathered && k.nests.length > 1 && k.nests.some((n) => contractionIn(k, n) !== undefined);
