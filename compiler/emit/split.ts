/**
 * Kernels of several nests as kernels of one: the form for targets whose threads share nothing.
 *
 * A cell of a grid runs its nests in order over its own scratch; since cells are independent, each
 * nest may as well run for all cells before the next one starts, with the scratch of all cells side
 * by side in a temporary.
 *
 * Invariant: the result has no scratch and no kernel of more than one nest, except those that `keep`
 * names, which are left as they are.
 */
import { addIx, ixAxis, scaleIx } from '../core/ix.ts';
import type { Ix } from '../core.ts';
import type { Buf, BufId, KExpr, Kernel, KIx, KNest, Plan, Step } from '../plan.ts';
import { mapKExpr } from '../schedule/flat.ts';
import { layout } from '../schedule/memory.ts';

export function splitKernels(plan: Plan, keep: (k: Kernel) => boolean = () => false): Plan {
  const bufs: Buf[] = [...plan.bufs];
  let nextKernel = 0;
  let changed = false;
  const count = (s: Step): void => {
    if (s.k === 'loop') s.steps.forEach(count);
    else nextKernel = Math.max(nextKernel, s.id + 1);
  };
  plan.steps.forEach(count);

  const split = (k: Kernel): Step[] => {
    const own = ownScratch(plan, k);
    if ((k.nests.length === 1 && own.length === 0) || keep(k)) return [k];
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
    return k.nests.map((n) => ({
      k: 'kernel',
      id: nextKernel++,
      name: k.name,
      // Cells that add may meet inside one grid cell: their axes stay serial.
      grid: n.store.mode === 'set' ? [] : k.grid,
      nests: [rebase(n.store.mode === 'set' ? { ...n, axes: [...k.grid, ...n.axes] } : n, base)],
      loops: k.loops,
    }));
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
