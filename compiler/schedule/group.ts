/**
 * Kernels of several nests: neighbours that walk the same outer axes become one kernel whose grid is
 * those axes, so that what one writes the next reads while it is hot, or from scratch that never
 * leaves the cell (Halide's compute_at). A softmax or layernorm row is one such kernel, forward and
 * backward; so is an optimiser's update of a parameter with its moments and its average.
 *
 * Invariant: within a kernel no cell of the grid touches what another one writes.
 */

import { type Extents, extentsOf, ixAxis, mapIx } from '../core/ix.ts';
import type { Axis, AxisId, Ix } from '../core.ts';
import type { Buf, BufId, KExpr, Kernel, KIx, KNest, Step } from '../plan.ts';
import { asContraction } from './contract.ts';
import { atomKey, axesOf, eachAccess, eachKExpr, mapGuards, mapKExpr, mapKIx } from './flat.ts';
import { mergeKernels, partRead, related } from './order.ts';
import type { Unplaced } from './schedule.ts';
import type { Parts } from './views.ts';

const most = { nests: 8, buffers: 12, nodes: 160 };
/** A grid needs this many cells to be worth its loops (and a GPU's threads). */
const fewestCells = 32;

export function groupRows(steps: readonly Step[], fresh: () => AxisId, parts: Parts): Step[] {
  const inner = steps.map(
    (s): Step => (s.k === 'loop' ? { ...s, steps: groupRows(s.steps, fresh, parts) } : s),
  );
  return mergeKernels(
    inner,
    (a, b, [u, v]) =>
      groupable(b) && related(u, v) && !partRead(a, v, parts) ? join(a, b, fresh) : undefined,
    parts,
  );
}

// ---------------------------------------------------------------- joining

function groupable(k: Kernel): boolean {
  const n = k.nests[0]!;
  return (
    k.nests.length === 1 &&
    k.grid.length === 0 &&
    n.axes.length > 0 &&
    n.store.mode === 'set' &&
    n.store.guard.length === 0 &&
    n.store.at.dyn.length === 0 &&
    asContraction(k) === undefined
  );
}

/** The kernel that does both, or undefined; `a` may be a group already. */
function join(a: Kernel, b: Kernel, fresh: () => AxisId): Kernel | undefined {
  if (a.nests.length >= most.nests) return undefined;
  if (a.nests.length === 1 && !groupable(a)) return undefined;
  const own = a.nests.length === 1 ? a.nests[0]!.axes : a.grid;
  const theirs = b.nests[0]!.axes;
  let common = 0;
  while (
    common < Math.min(own.length, theirs.length) &&
    own[common]!.extent === theirs[common]!.extent
  )
    common++;
  for (let n = common; n > 0; n--) {
    const grid = own.slice(0, n);
    const back = a.nests.length === 1 ? [] : own.slice(n);
    const nests = [
      ...a.nests.map((x) => ({
        ...x,
        axes: a.nests.length === 1 ? x.axes.slice(n) : [...back, ...x.axes],
      })),
      renamed(b.nests[0]!, theirs.slice(0, n), grid, idsOf(a), fresh),
    ];
    if (worth(grid, nests, a, b)) return { ...a, name: a.name, grid, nests };
  }
  return undefined;
}

/**
 * The nest with its outer axes named as the grid's. An inner axis that has a name of the group (one
 * id may be bound by many nests) gets a fresh one, or the grid would capture it.
 */
export function renamed(
  n: KNest,
  from: readonly Axis[],
  to: readonly Axis[],
  taken: ReadonlySet<AxisId>,
  fresh: () => AxisId,
): KNest {
  const map = new Map<AxisId, Ix>(from.map((a, i) => [a.id, ixAxis(to[i]!)]));
  const own = (a: Axis): Axis => {
    if (!taken.has(a.id)) return a;
    const other = { ...a, id: fresh() };
    map.set(a.id, ixAxis(other));
    return other;
  };
  const axes = n.axes.filter((a) => !map.has(a.id)).map(own);
  const red = n.red.map(own);
  const fix = (e: Ix): Ix =>
    mapIx(
      e,
      (id) => map.get(id),
      (v) => v,
      () => undefined,
    );
  const memo = new Map<KExpr, KExpr>();
  const go = (e: KExpr): KExpr => mapKExpr(e, fix, (x) => x, memo);
  return {
    ...n,
    axes,
    red,
    body: go(n.body),
    store: { ...n.store, at: mapKIx(n.store.at, fix, go), guard: mapGuards(n.store.guard, fix) },
  };
}

export const idsOf = (k: Kernel): Set<AxisId> =>
  new Set([...k.grid, ...k.nests.flatMap((n) => [...n.axes, ...n.red])].map((a) => a.id));

function worth(grid: readonly Axis[], nests: readonly KNest[], a: Kernel, b: Kernel): boolean {
  const pointwise = nests.every((n) => n.axes.length === 0 && n.red.length === 0);
  const cells = grid.reduce((p, x) => p * x.extent, 1);
  if (!pointwise && (cells < fewestCells || !nests.every((n) => vectorises(n)))) return false;
  // Cells of one nest each by a long inner loop; a mixture of scalars alone is not a row.
  if (!pointwise && nests.every((n) => inner(n) < 8)) return false;
  if (pointwise && guardsOwn(nests)) return false;
  const buffers = new Set<BufId>();
  let nodes = 0;
  for (const n of nests) {
    eachAccess(n, (buf) => buffers.add(buf));
    eachKExpr(n.body, (e) => {
      if (e.k === 'prim') nodes++;
    });
  }
  if (buffers.size > most.buffers || nodes > most.nodes) return false;
  const loops = a.loops.map((l) => l.id).join() === b.loops.map((l) => l.id).join();
  return loops && cellLocal(grid, nests, pointwise) !== undefined;
}

/**
 * Whether a nest reads under a guard what the group writes. Pointwise nests hand values on without
 * storing them, and outside its guard a read is 0.
 */
function guardsOwn(nests: readonly KNest[]): boolean {
  const written = new Set(nests.map((n) => n.store.buf));
  let found = false;
  for (const n of nests)
    eachKExpr(n.body, (e) => {
      if (e.k === 'load' && e.guard.length > 0 && written.has(e.buf)) found = true;
    });
  return found;
}

const inner = (n: KNest): number => [...n.axes, ...n.red].reduce((p, x) => p * x.extent, 1);

/** Whether what is left of a nest inside a cell has an axis along which its accesses are contiguous. */
function vectorises(n: KNest): boolean {
  const left = [...n.axes, ...n.red];
  if (left.length === 0) return true;
  if (n.op === 'argmax' || n.op === 'argmin') return false;
  return left.some((x) => {
    if (x.extent < 8) return false;
    let ok = true;
    eachAccess(n, (_buf, at, stored) => {
      if (stored && n.red.includes(x)) return;
      const t = at.ix.terms.find((u) => u.a.k === 'axis' && u.a.id === x.id);
      const hidden = at.ix.terms.some((u) => u.a.k !== 'axis' && axesOf(one(u)).has(x.id));
      if ((t && t.m !== 1) || (at.dyn.length > 0 && !t) || hidden) ok = false;
    });
    return ok;
  });
}

const one = (t: Ix['terms'][number]): Ix => ({ c: 0, terms: [t] });

/** Of each buffer that the group writes and shares: the words of a cell, from where. */
type Cells = Map<BufId, { readonly low: number; readonly words: number }>;

/**
 * Checks that every buffer which one nest writes and another touches is addressed by the grid in the
 * same way everywhere, each cell having words of its own; undefined when not.
 */
export function cellLocal(
  grid: readonly Axis[],
  nests: readonly KNest[],
  pointwise: boolean,
): Cells | undefined {
  const extents = extentsOf(grid, ...nests.map((n) => [...n.axes, ...n.red]));
  const touched = new Map<BufId, { at: KIx; nest: number; stored: boolean; axes: Set<AxisId> }[]>();
  nests.forEach((n, nest) => {
    const axes = new Set([...n.axes, ...n.red].map((x) => x.id));
    eachAccess(n, (buf, at, stored) => {
      const list = touched.get(buf) ?? [];
      list.push({ at, nest, stored, axes });
      touched.set(buf, list);
    });
  });
  const out: Cells = new Map();
  for (const [buf, list] of touched) {
    if (!list.some((x) => x.stored)) continue;
    const alone = list.every((x) => x.nest === list[0]!.nest);
    const shape = cellShape(grid, list, extents);
    if (shape) out.set(buf, shape);
    if (alone) continue;
    if (!shape || (pointwise && shape.words !== 1)) return undefined;
  }
  return out;
}

function cellShape(
  grid: readonly Axis[],
  list: readonly { readonly at: KIx; readonly axes: ReadonlySet<AxisId> }[],
  extents: Extents,
): { low: number; words: number } | undefined {
  const ids = new Set(grid.map((g) => g.id));
  let coefs: number[] | undefined;
  let rest: string | undefined;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { at, axes } of list) {
    if (at.dyn.length > 0) return undefined;
    const m = grid.map((g) => at.ix.terms.find((t) => t.a.k === 'axis' && t.a.id === g.id)?.m ?? 0);
    let lo = at.ix.c;
    let hi = at.ix.c;
    const others: string[] = [];
    for (const t of at.ix.terms) {
      if (t.a.k === 'axis' && ids.has(t.a.id)) continue;
      if (t.a.k === 'axis' && axes.has(t.a.id)) {
        const far = t.m * Math.max(0, (extents(t.a.id) ?? 1) - 1);
        lo += Math.min(0, far);
        hi += Math.max(0, far);
        continue;
      }
      const inside = axesOf(one(t));
      if ([...inside].some((id) => ids.has(id) || axes.has(id))) return undefined;
      others.push(`${t.m}${atomKey(t.a)}`);
    }
    low = Math.min(low, lo);
    high = Math.max(high, hi);
    if (coefs?.some((c, i) => c !== m[i])) return undefined;
    if (rest !== undefined && rest !== others.join()) return undefined;
    coefs = m;
    rest = others.join();
  }
  if (!coefs) return undefined;
  // Mixed radix: each step of an axis passes over all cells of the smaller ones.
  let span = high - low + 1;
  const order = grid
    .map((g, i) => ({ extent: g.extent, m: coefs[i]! }))
    .filter((g) => g.extent > 1)
    .sort((x, y) => x.m - y.m);
  for (const g of order) {
    if (g.m < span) return undefined;
    span = g.m * g.extent;
  }
  return { low, words: high - low + 1 };
}

// ---------------------------------------------------------------- scratch

/** Temporaries that live and die in one kernel of several nests become scratch of its cells. */
export function toScratch(plan: Unplaced): Unplaced {
  const homes = new Map<BufId, Set<Kernel>>();
  const visit = (s: Step): void => {
    if (s.k === 'loop') {
      s.steps.forEach(visit);
      return;
    }
    for (const n of s.nests)
      eachAccess(n, (buf) => {
        const set = homes.get(buf) ?? new Set<Kernel>();
        set.add(s);
        homes.set(buf, set);
      });
  };
  plan.steps.forEach(visit);
  const bufs: Buf[] = [...plan.bufs];
  const step = (s: Step): Step => {
    if (s.k === 'loop') return { ...s, steps: s.steps.map(step) };
    if (s.nests.length === 1 || s.gathered) return s;
    const pointwise = s.nests.every((n) => n.axes.length === 0 && n.red.length === 0);
    const cells = cellLocal(s.grid, s.nests, pointwise);
    if (!cells) return s;
    const local = new Map<BufId, number>();
    for (const [buf, { low, words }] of cells) {
      const first = s.nests.findIndex((n) => touches(n, buf));
      if (bufs[buf]!.kind !== 'temp' || homes.get(buf)!.size > 1) continue;
      // Written before it is read, in every cell.
      if (s.nests[first]!.store.buf !== buf || reads(s.nests[first]!, buf)) continue;
      local.set(buf, low);
      bufs[buf] = { ...bufs[buf]!, kind: 'scratch', words };
    }
    return local.size > 0 ? { ...s, nests: s.nests.map((n) => rebased(n, local)) } : s;
  };
  return { ...plan, steps: plan.steps.map(step), bufs };
}

const touches = (n: KNest, buf: BufId): boolean => n.store.buf === buf || reads(n, buf);
function reads(n: KNest, buf: BufId): boolean {
  let found = false;
  eachAccess(n, (b, _at, stored) => {
    if (b === buf && !stored) found = true;
  });
  return found;
}

/** Addresses within the cell: the nest's own axes only. */
function rebased(n: KNest, local: ReadonlyMap<BufId, number>): KNest {
  const own = new Set([...n.axes, ...n.red].map((a) => a.id));
  const cell = (buf: BufId, at: KIx): KIx => ({
    ix: {
      c: at.ix.c - local.get(buf)!,
      terms: at.ix.terms.filter((t) => t.a.k === 'axis' && own.has(t.a.id)),
    },
    dyn: [],
  });
  const body = mapKExpr(
    n.body,
    (e) => e,
    (e) => (e.k === 'load' && local.has(e.buf) ? { ...e, at: cell(e.buf, e.at) } : e),
  );
  const { store } = n;
  if (!local.has(store.buf)) return { ...n, body };
  return { ...n, body, store: { ...store, at: cell(store.buf, store.at) } };
}
