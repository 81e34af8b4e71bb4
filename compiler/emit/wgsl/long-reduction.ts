/**
 * Long reductions into few cells: a workgroup per cell, whose lanes each reduce every n-th element;
 * the partial results are combined as a tree in workgroup memory.
 *
 * A lane counts to below 2^31; where the reduction is longer than that, its outer axes are loops around.
 *
 * The order of a sum is fixed by the shape alone, so results repeat bit by bit; they differ from the
 * plain kernel's by rounding only.
 */
import { type Extents, extentsOf } from '../../core/ix.ts';
import type { Axis, Dtype, ReduceOp } from '../../core.ts';
import type { Kernel, KNest } from '../../plan.ts';
import { cascade } from '../cascade.ts';
import { axisName, NestText } from '../nest-text.ts';
import { axesOfKernel, cellsOf, storeLine } from './kernel.ts';
import { loopOpen, type Printer, type Shader, splitNumber } from './lang.ts';
import { declares } from './reduce.ts';

const LANES = 256;
/** Fewer cells than this leave a GPU idle; shorter reductions are not worth a workgroup. */
const least = { cells: 4096, red: 512 };
/** A counter of i32 may go one step of all lanes beyond. */
export const MOST_STEPS = 2 ** 31 - 1024;

/** Reductions whose partial results combine by themselves. */
const combines: ReadonlySet<ReduceOp> = new Set<ReduceOp>([
  'sum',
  'prod',
  'max',
  'min',
  'all',
  'any',
]);
export const canCombine = (n: KNest): boolean => n.op !== null && combines.has(n.op);

export function isLongReduction(k: Kernel): boolean {
  const n = k.nests[0]!;
  const { parallel, serial } = axesOfKernel(k);
  return (
    canCombine(n) &&
    serial.length === 0 &&
    cellsOf(parallel) < least.cells &&
    cellsOf(n.red) >= least.red
  );
}

export function longReduction(p: Printer, k: Kernel, loops: readonly Axis[]): Shader {
  const n = k.nests[0]!;
  const { parallel } = axesOfKernel(k);
  const extents = extentsOf(loops, k.grid, n.axes, n.red);
  return p.shader({
    lanes: LANES,
    count: cellsOf(parallel),
    shared: [partials(n.body.t, LANES)],
    body: [...splitNumber(parallel, 'group', true), ...reduceTogether(p, n, LANES, extents)],
  });
}

/** The last axes, as many of them as a counter of 31 bits can number. */
function countable(red: readonly Axis[]): readonly Axis[] {
  let from = red.length - 1;
  while (from > 0 && cellsOf(red.slice(from - 1)) < 2 ** 31) from--;
  return red.slice(from);
}

/** Declares the memory that `reduceTogether` needs for a dtype. */
export const partials = (t: Dtype, lanes: number): string =>
  `var<workgroup> part_${t}: array<${t}, ${lanes}>;`;

/** All lanes of a workgroup reduce one cell, whose axes are bound; lane 0 stores it. */
export function reduceTogether(p: Printer, n: KNest, lanes: number, extents: Extents): string[] {
  const t = n.body.t;
  const part = `part_${t}`;
  const acc = p.reduce[n.op!];
  const long = cascade(n.op!, t, Math.ceil(cellsOf(n.red) / lanes), declares);
  const text = new NestText(p.lang, [], extents, [n.body]);
  const value = text.expr(n.body, 0);
  const atEnd = new NestText(
    p.lang,
    [],
    extents,
    n.store.at.dyn.map((d) => d.e),
  );
  const store = storeLine(p, n, atEnd, 0, `${part}[0]`);
  const isLong = cellsOf(n.red) > MOST_STEPS;
  const flat = isLong ? countable(n.red) : n.red;
  const around = n.red.slice(0, n.red.length - flat.length);
  const steps = cellsOf(flat);
  // As u32, so that the last step of a lane does not pass 2^31.
  const count = isLong
    ? `for (var r = lane; r < ${steps}u; r += ${lanes}u) {`
    : `for (var r = i32(lane); r < ${steps}i; r += ${lanes}i) {`;
  return [
    ...acc.start(t),
    ...long.start,
    ...around.map(loopOpen),
    count,
    ...splitNumber(flat, 'r', isLong),
    ...text.at[0]!,
    ...acc.step(value, axisName(n.red[0]!.id), t),
    ...long.step,
    '}',
    ...around.map(() => '}'),
    ...long.end,
    `${part}[lane] = acc;`,
    `for (var half = ${lanes / 2}u; half > 0u; half = half / 2u) {`,
    'workgroupBarrier();',
    'if (lane < half) {',
    ...acc.step(`${part}[lane + half]`, '0i', t),
    `${part}[lane] = acc;`,
    '}',
    '}',
    'if (lane == 0u) {',
    ...atEnd.at[0]!,
    store,
    '}',
  ];
}
