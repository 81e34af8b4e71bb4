/**
 * Independent kernels in one: reductions (the bias, the shift and the scale gradients of one layer),
 * and whatever is too small for a kernel of its own. A gathered kernel has no grid and several nests
 * that may run in any order, or side by side (XLA's horizontal fusion).
 *
 * Invariant: no nest of a gathered kernel touches what another one writes.
 */
import type { BufId, Kernel, Step } from '../plan.ts';
import { asContraction } from './contract.ts';
import { eachAccess } from './flat.ts';
import { conflict, mergeKernels, type Use } from './order.ts';
import type { Parts } from './views.ts';

const most = { nests: 8, buffers: 24 };
/** A kernel with fewer points costs more to start than to run. */
const small = 65_536;

export function gatherKernels(steps: readonly Step[], parts: Parts): Step[] {
  const inner = steps.map(
    (s): Step => (s.k === 'loop' ? { ...s, steps: gatherKernels(s.steps, parts) } : s),
  );
  return mergeKernels(inner, gather, parts);
}

function gather(a: Kernel, b: Kernel, [u, v]: readonly [Use, Use]): Kernel | undefined {
  if (conflict(u, v) || !alone(a) || !alone(b)) return undefined;
  if (a.nests.length + b.nests.length > most.nests) return undefined;
  const tiny = points(a) <= small && points(b) <= small;
  if (!tiny && !(reduces(a) && reduces(b))) return undefined;
  if (a.loops.map((l) => l.id).join() !== b.loops.map((l) => l.id).join()) return undefined;
  const nests = [...a.nests, ...b.nests];
  const buffers = new Set<BufId>();
  for (const n of nests) eachAccess(n, (buf) => buffers.add(buf));
  return buffers.size <= most.buffers ? { ...a, nests, gathered: true } : undefined;
}

/** Nests that a gathered kernel may hold: no groups, no contractions, no sums at computed places. */
const alone = (k: Kernel): boolean =>
  k.grid.length === 0 &&
  k.nests.every((n) => n.store.mode === 'set' && n.store.at.dyn.length === 0) &&
  (k.gathered ?? (k.nests.length === 1 && asContraction(k) === undefined));

const reduces = (k: Kernel): boolean => k.nests.every((n) => n.op !== null);

const points = (k: Kernel): number =>
  k.nests.reduce((n, x) => n + [...x.axes, ...x.red].reduce((p, a) => p * a.extent, 1), 0);
