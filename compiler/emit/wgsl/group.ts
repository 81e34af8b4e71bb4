/**
 * Kernels of several nests over a grid, kept whole in two forms. Little work per cell (an optimiser's
 * update): a thread per cell, scratch in registers. Rows (softmax, layernorm): a workgroup per cell,
 * whose lanes share each nest's axes and reductions, scratch in workgroup memory, a barrier between
 * nests. What fits neither is split into kernels of one nest (emit/split.ts).
 *
 * Invariant: barriers stand in uniform control flow: a workgroup has one cell, and every lane passes
 * every nest.
 */
import { extentsOf } from '../../core/ix.ts';
import type { Axis, Dtype } from '../../core.ts';
import type { BufId, Kernel, KNest, Plan } from '../../plan.ts';
import { cellsOf, nestLines } from './kernel.ts';
import { type Printer, type Shader, splitNumber, type Word } from './lang.ts';
import { canCombine, partials, reduceTogether } from './long-reduction.ts';

/** A thread's share: iterations and words of scratch. */
const thread = { work: 64, words: 32 };
/** Words of scratch in a workgroup; with the partial results this fits in 16 KiB. */
const GROUP_WORDS = 3072;
/** Fewer rows than this do not fill a GPU: separate kernels have more threads. */
const fewestRows = 16;
/** A cell is reduced by all lanes together when lanes would idle otherwise. */
const together = 32;

export type GroupForm = 'thread' | 'workgroup';

export function groupForm(plan: Plan, k: Kernel): GroupForm | undefined {
  if (k.nests.some((n) => n.store.mode !== 'set')) return undefined;
  const words = scratchOf(plan, k).reduce((n, b) => n + plan.bufs[b]!.words, 0);
  const work = k.nests.reduce((n, x) => n + cellsOf(x.axes) * cellsOf(x.red), 0);
  if (work <= thread.work && words <= thread.words) return 'thread';
  return words <= GROUP_WORDS && cellsOf(k.grid) >= fewestRows ? 'workgroup' : undefined;
}

function scratchOf(plan: Plan, k: Kernel): BufId[] {
  const stored = new Set(k.nests.map((n) => n.store.buf));
  return [...stored].filter((b) => plan.bufs[b]!.kind === 'scratch' && plan.bufs[b]!.words > 0);
}

/** How a printer finds the scratch of a kernel. */
export function scratchFinder(plan: Plan, k: Kernel): (b: BufId) => Word | undefined {
  const own = new Set(scratchOf(plan, k));
  return (b) => (own.has(b) ? (at) => `c${b}[${at}]` : undefined);
}

const declare = (plan: Plan, k: Kernel, space: string): string[] =>
  scratchOf(plan, k).map((b) => `var${space} c${b}: array<u32, ${plan.bufs[b]!.words}>;`);

const LANES = 64;

export function threadKernel(p: Printer, k: Kernel, loops: readonly Axis[]): Shader {
  const cells = cellsOf(k.grid);
  const body = [
    `let thread = group * ${LANES}u + lane;`,
    `if (thread >= ${cells}u) { return; }`,
    ...splitNumber(k.grid, 'thread', true),
    ...declare(p.plan, k, ''),
    ...k.nests.flatMap((n) => ['{', ...nestLines(p, k, n, n.axes, loops), '}']),
  ];
  return p.shader({ lanes: LANES, count: Math.ceil(cells / LANES), body });
}

export function workgroupKernel(p: Printer, k: Kernel, loops: readonly Axis[]): Shader {
  const widest = Math.max(...k.nests.map((n) => Math.max(cellsOf(n.axes), cellsOf(n.red))));
  const lanes = widest >= 512 ? 256 : widest >= 128 ? 128 : 64;
  const reduced = new Set<Dtype>();
  const nests = k.nests.map((n) => {
    if (!sharesReduction(n, lanes)) return spread(p, k, n, loops, lanes);
    reduced.add(n.body.t);
    const extents = extentsOf(loops, k.grid, n.axes, n.red);
    return ['{', ...splitNumber(n.axes, '0i'), ...reduceTogether(p, n, lanes, extents), '}'];
  });
  const between = ['workgroupBarrier();', 'storageBarrier();'];
  const body = [
    ...splitNumber(k.grid, 'group', true),
    ...nests.flatMap((lines, i) => (i === 0 ? lines : [...between, ...lines])),
  ];
  const shared = [
    ...declare(p.plan, k, '<workgroup>'),
    ...[...reduced].map((t) => partials(t, lanes)),
  ];
  return p.shader({ lanes, count: cellsOf(k.grid), shared, body });
}

const sharesReduction = (n: KNest, lanes: number): boolean =>
  canCombine(n) && cellsOf(n.axes) === 1 && cellsOf(n.red) >= Math.min(together, lanes);

/** The cells of a nest, every n-th for a lane. */
function spread(p: Printer, k: Kernel, n: KNest, loops: readonly Axis[], lanes: number): string[] {
  // A number of no cells has no axes to be split into: the remainder by 0 is an error of the shader.
  if (cellsOf(n.axes) === 0) return [];
  return [
    `for (var e = i32(lane); e < ${cellsOf(n.axes)}i; e += ${lanes}i) {`,
    ...splitNumber(n.axes, 'e'),
    ...nestLines(p, k, n, [], loops),
    '}',
  ];
}
