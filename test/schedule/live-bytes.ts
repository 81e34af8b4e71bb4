/**
 * Bytes of temporaries that are live, counted from an unrolled run: every kernel of every loop step in
 * turn, as the plan's text says it and with nothing taken from the memory planner. A value begins
 * where kernels write its buffer for the first time, or anew (all of it, in one kernel or in parts,
 * nothing being read before), and ends at the last kernel that reads it.
 */
import type { BufId, Kernel, Plan, Step } from '../../compiler/plan.ts';
import { loadsOf } from '../../compiler/schedule/schedule.ts';

type Access = { readonly reads: ReadonlySet<BufId>; readonly writes: ReadonlyMap<BufId, number> };

export function maxLiveBytes(plan: Plan): number {
  const access = new Map<Kernel, Access>();
  const trace: Access[] = [];
  const walk = (steps: readonly Step[]): void => {
    for (const s of steps) {
      if (s.k === 'loop') for (let i = 0; i < s.axis.extent; i++) walk(s.steps);
      else {
        const a = access.get(s) ?? accessOf(plan, s);
        access.set(s, a);
        trace.push(a);
      }
    }
  };
  walk(plan.steps);

  const firstAt = new Map<BufId, number>();
  for (const [i, a] of trace.entries())
    for (const b of a.writes.keys()) firstAt.set(b, firstAt.get(b) ?? i);

  // Backwards: a buffer is live before a kernel that reads it, and dead before one that begins it.
  const live = new Set<BufId>();
  /** Cells that the kernels after this one write before any is read. */
  const ahead = new Map<BufId, number>();
  let most = 0;
  for (const [i, a] of [...trace.entries()].reverse()) {
    for (const b of a.writes.keys()) live.add(b);
    for (const b of a.reads) live.add(b);
    most = Math.max(
      most,
      [...live].reduce((n, b) => n + 4 * plan.bufs[b]!.words, 0),
    );
    for (const [b, cells] of a.writes) {
      const later = a.reads.has(b) ? 0 : (ahead.get(b) ?? 0) + cells;
      const begins = later >= plan.bufs[b]!.words;
      ahead.set(b, begins ? 0 : later);
      if (begins || firstAt.get(b) === i) live.delete(b);
    }
    for (const b of a.reads) ahead.set(b, 0);
  }
  return most;
}

function accessOf(plan: Plan, k: Kernel): Access {
  const isTemp = (b: BufId): boolean => plan.bufs[b]!.kind === 'temp';
  const reads = new Set<BufId>();
  const written = new Map<BufId, number>();
  for (const n of k.nests) {
    for (const l of loadsOf(n)) if (isTemp(l.buf) && !written.has(l.buf)) reads.add(l.buf);
    const { buf, mode, guard } = n.store;
    if (!isTemp(buf)) continue;
    if (mode === 'add') reads.add(buf);
    const cells = [...k.grid, ...n.axes].reduce((p, a) => p * a.extent, 1);
    written.set(buf, (written.get(buf) ?? 0) + (guard.length > 0 ? 0 : cells));
  }
  return { reads, writes: written };
}
