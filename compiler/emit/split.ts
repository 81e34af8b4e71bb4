/**
 * Kernels of several nests as kernels of one: the form for targets whose threads share nothing.
 *
 * A cell of a grid runs its nests in order over its own scratch; since cells are independent, each
 * nest may as well run for all cells before the next one starts, with the scratch of all cells side
 * by side in a temporary.
 *
 * Invariant: the result has no scratch and no kernel of more than one nest, except those that `keep`
 * names, which are left as they are. A nest may bind an axis that its grid binds too (it then means
 * its own); as both are needed for the place of the scratch, the nest's is renamed.
 */
import { addIx, ixAxis, mapIx, noExtents, scaleIx } from '../core/ix.ts';
import type { Axis, AxisId, Ix } from '../core.ts';
import type { Buf, BufId, KExpr, Kernel, KIx, KNest, Plan, Step } from '../plan.ts';
import { mapGuards, mapKExpr, mapKIx } from '../schedule/flat.ts';
import { layout } from '../schedule/memory.ts';

export function splitKernels(plan: Plan, keep: (k: Kernel) => boolean = () => false): Plan {
  const bufs: Buf[] = [...plan.bufs];
  let changed = false;
  let [nextKernel, nextAxis] = [0, 0];
  const count = (s: Step): void => {
    const axes =
      s.k === 'loop' ? [s.axis] : [...s.grid, ...s.nests.flatMap((n) => [...n.axes, ...n.red])];
    for (const a of axes) nextAxis = Math.max(nextAxis, a.id + 1);
    if (s.k === 'loop') s.steps.forEach(count);
    else nextKernel = Math.max(nextKernel, s.id + 1);
  };
  plan.steps.forEach(count);
  const fresh = (a: Axis): Axis => ({ ...a, id: nextAxis++ });

  const split = (k: Kernel): Step[] => {
    const own = ownScratch(plan, k);
    if (k.nests.length === 1 && own.length === 0) return [k];
    if (keep(k)) {
      const nests = k.nests.map((n) => apart(n, k.grid, fresh));
      if (nests.every((n, i) => n === k.nests[i])) return [k];
      changed = true;
      return [{ ...k, nests }];
    }
    changed = true;
    const cells = k.grid.reduce((n, a) => n * a.extent, 1);
    const cell = k.grid.reduce<Ix>((at, a) => addIx(scaleIx(at, a.extent), ixAxis(a)), {
      c: 0,
      terms: [],
    });
    const base = new Map<BufId, Ix>();
    for (const b of own) {
      const one = plan.bufs[b]!;
      base.set(b, scaleIx(cell, one.words));
      bufs[b] = { ...one, kind: 'temp', words: one.words * cells };
    }
    return k.nests.map((n) => {
      const own = rebase(apart(n, k.grid, fresh), base);
      // Cells that add may meet inside one grid cell: their axes stay serial.
      const sets = n.store.mode === 'set';
      return {
        k: 'kernel',
        id: nextKernel++,
        name: k.name,
        grid: sets ? [] : k.grid,
        nests: [sets ? { ...own, axes: [...k.grid, ...own.axes] } : own],
        loops: k.loops,
      };
    });
  };
  const walk = (steps: readonly Step[]): Step[] =>
    steps.flatMap((s): Step[] => (s.k === 'loop' ? [{ ...s, steps: walk(s.steps) }] : split(s)));
  const steps = walk(plan.steps);
  return changed ? layout({ ...plan, bufs, steps }) : plan;
}

/** Scratch buffers that a kernel uses. */
function ownScratch(plan: Plan, k: Kernel): BufId[] {
  const stored = k.nests.map((n) => n.store.buf);
  return [...new Set(stored)].filter((b) => plan.bufs[b]!.kind === 'scratch');
}

/** The nest with axes that its grid does not bind. */
function apart(n: KNest, grid: readonly Axis[], fresh: (a: Axis) => Axis): KNest {
  const taken = new Set(grid.map((a) => a.id));
  const [axes, red] = [new Map<AxisId, Axis>(), new Map<AxisId, Axis>()];
  for (const a of n.axes) if (taken.has(a.id)) axes.set(a.id, fresh(a));
  for (const a of n.red) if (taken.has(a.id)) red.set(a.id, fresh(a));
  if (axes.size + red.size === 0) return n;
  const renaming = (...maps: ReadonlyMap<AxisId, Axis>[]) => {
    const axis = (id: AxisId): Ix | undefined => {
      const to = maps.map((m) => m.get(id)).find((a) => a);
      return to && ixAxis(to);
    };
    return (e: Ix): Ix => mapIx(e, axis, (x) => x, noExtents);
  };
  // What is stored stands outside of the reduction.
  const [inside, outside] = [renaming(red, axes), renaming(axes)];
  const memo = new Map<KExpr, KExpr>();
  return {
    ...n,
    axes: n.axes.map((a) => axes.get(a.id) ?? a),
    red: n.red.map((a) => red.get(a.id) ?? a),
    body: mapKExpr(n.body, inside),
    store: {
      ...n.store,
      at: mapKIx(n.store.at, outside, (e) => mapKExpr(e, outside, (x) => x, memo)),
      guard: mapGuards(n.store.guard, outside),
    },
  };
}

/** Moves the accesses of the given buffers to their cell's part. */
function rebase(n: KNest, base: ReadonlyMap<BufId, Ix>): KNest {
  const at = (buf: BufId, a: KIx): KIx => {
    const from = base.get(buf);
    return from ? { ...a, ix: addIx(a.ix, from) } : a;
  };
  const memo = new Map<KExpr, KExpr>();
  const expr = (e: KExpr): KExpr =>
    mapKExpr(
      e,
      (ix) => ix,
      (x) => (x.k === 'load' ? { ...x, at: at(x.buf, x.at) } : x),
      memo,
    );
  const to = at(n.store.buf, n.store.at);
  return {
    ...n,
    body: expr(n.body),
    store: { ...n.store, at: { ...to, dyn: to.dyn.map((d) => ({ ...d, e: expr(d.e) })) } },
  };
}
