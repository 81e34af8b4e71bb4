/**
 * Long reductions into few cells: a workgroup per cell, whose lanes each reduce every 256th element;
 * the partial results are combined as a tree in workgroup memory.
 *
 * The order of a sum is fixed by the shape alone, so results repeat bit by bit; they differ from the
 * plain kernel's by rounding only.
 */
import { extentsOf } from '../../core/ix.ts';
import type { Axis, Dtype, ReduceOp } from '../../core.ts';
import type { KExpr, Kernel } from '../../plan.ts';
import { axisName, NestText } from '../nest-text.ts';
import { axesOfKernel, cellsOf, storeLine } from './kernel.ts';
import { type Printer, type Shader, splitNumber } from './lang.ts';

const LANES = 256;
/** Fewer cells than this leave a GPU idle; shorter reductions are not worth a workgroup. */
const least = { cells: 4096, red: 512 };

/** Reductions whose partial results combine by themselves. */
const combines: ReadonlySet<ReduceOp> = new Set<ReduceOp>([
  'sum',
  'prod',
  'max',
  'min',
  'all',
  'any',
]);

export function isLongReduction(k: Kernel): boolean {
  const n = k.nests[0]!;
  const { parallel, serial } = axesOfKernel(k);
  return (
    n.op !== null &&
    combines.has(n.op) &&
    serial.length === 0 &&
    cellsOf(parallel) < least.cells &&
    cellsOf(n.red) >= least.red
  );
}

export function longReduction(p: Printer, k: Kernel, loops: readonly Axis[]): Shader {
  const n = k.nests[0]!;
  const t: Dtype = n.body.t;
  const acc = p.reduce[n.op!];
  const { parallel } = axesOfKernel(k);
  const roots: KExpr[] = [n.body];
  const extents = extentsOf(loops, k.grid, n.axes, n.red);
  const inLoop = new NestText(p.lang, [], extents, roots);
  const value = inLoop.expr(n.body, 0);
  const atEnd = new NestText(
    p.lang,
    [],
    extents,
    n.store.at.dyn.map((d) => d.e),
  );
  const store = storeLine(p, n, atEnd, 0, 'part[0]');
  const count = cellsOf(n.red);
  const body = [
    ...splitNumber(parallel, 'group', true),
    ...acc.start(t),
    `for (var r = i32(lane); r < ${count}i; r += ${LANES}i) {`,
    ...splitNumber(n.red, 'r'),
    ...inLoop.at[0]!,
    ...acc.step(value, axisName(n.red[0]!.id), t),
    '}',
    'part[lane] = acc;',
    `for (var half = ${LANES / 2}u; half > 0u; half = half / 2u) {`,
    'workgroupBarrier();',
    'if (lane < half) {',
    ...acc.step('part[lane + half]', '0i', t),
    'part[lane] = acc;',
    '}',
    '}',
    'if (lane == 0u) {',
    ...atEnd.at[0]!,
    store,
    '}',
  ];
  return p.shader({
    lanes: LANES,
    count: cellsOf(parallel),
    shared: [`var<workgroup> part: array<${t}, ${LANES}>;`],
    body,
  });
}
