/**
 * Joining kernels that are not neighbours: the later one may move up, or the earlier one down, over
 * kernels that touch nothing of what it touches.
 *
 * Invariant: every pair of kernels that touch a common cell, one of them writing, keeps its order. A
 * whole and its parts (views.ts) have cells in common, and so may parts that two kernels joined (the
 * first value of a carry and the next one); the parts of one joining are free of each other.
 */
import type { BufId, Kernel, KNest, Step } from '../plan.ts';
import { eachAccess } from './flat.ts';
import type { Parts } from './views.ts';

export type Use = { readonly reads: ReadonlySet<BufId>; readonly writes: ReadonlySet<BufId> };

/** What has cells in common with a buffer is touched with it. */
export function useOf(steps: readonly Step[], parts: Parts): Use {
  const reads = new Set<BufId>();
  const writes = new Set<BufId>();
  const touch = (buf: BufId, into: Set<BufId>): void => {
    into.add(buf);
    const own = parts.get(buf);
    for (const [part, { whole, joiner }] of parts) {
      if (whole === buf || (whole === own?.whole && joiner !== own.joiner)) into.add(part);
    }
  };
  const nest = (n: KNest): void => {
    touch(n.store.buf, writes);
    if (n.store.mode === 'add') touch(n.store.buf, reads);
    eachAccess(n, (buf, _at, stored) => {
      if (!stored) touch(buf, reads);
    });
  };
  const walk = (s: Step): void => {
    if (s.k === 'loop') s.steps.forEach(walk);
    else s.nests.forEach(nest);
  };
  steps.forEach(walk);
  return { reads, writes };
}

export const conflict = (a: Use, b: Use): boolean =>
  !a.writes.isDisjointFrom(b.writes) ||
  !a.writes.isDisjointFrom(b.reads) ||
  !a.reads.isDisjointFrom(b.writes);

export const related = (a: Use, b: Use): boolean =>
  !a.writes.isDisjointFrom(b.reads) || !a.reads.isDisjointFrom(b.reads);

/** Whether `b` reads the whole of which `a` writes a part: the other parts are written elsewhere. */
export const partRead = (a: Kernel, b: Use, parts: Parts): boolean =>
  a.nests.some((n) => parts.has(n.store.buf) && b.reads.has(n.store.buf));

/** How far a kernel may move. */
const reach = 64;

/**
 * Merges kernels of a list pairwise, in order, wherever `merge` says what both become.
 */
export function mergeKernels(
  steps: readonly Step[],
  merge: (a: Kernel, b: Kernel, uses: readonly [Use, Use]) => Kernel | undefined,
  parts: Parts,
): Step[] {
  const out: Step[] = [];
  const uses: Use[] = [];
  const add = (step: Step): void => {
    const use = useOf([step], parts);
    // Whether something between conflicts with the new one, so that only the old one can move.
    let blocked = false;
    for (let i = out.length - 1; step.k === 'kernel' && i >= 0 && i >= out.length - reach; i--) {
      const into = out[i]!;
      const free = !blocked || uses.slice(i + 1).every((u) => !conflict(u, uses[i]!));
      const merged = free && into.k === 'kernel' ? merge(into, step, [uses[i]!, use]) : undefined;
      if (merged && !blocked) {
        out[i] = merged;
        uses[i] = useOf([merged], parts);
        return;
      }
      if (merged) {
        out.splice(i, 1);
        uses.splice(i, 1);
        out.push(merged);
        uses.push(useOf([merged], parts));
        return;
      }
      if (conflict(uses[i]!, use)) blocked = true;
    }
    out.push(step);
    uses.push(use);
  };
  steps.forEach(add);
  return out;
}
