/**
 * A kernel of one nest as a WGSL compute shader, the plain way that is right for every such kernel:
 * one thread per cell of its output, the reduction as serial loops. A nest that adds has one thread
 * per cell of the grid, since its axes may meet in one cell.
 */
import { extentsOf } from '../../core/ix.ts';
import type { Axis } from '../../core.ts';
import type { KExpr, Kernel, KNest } from '../../plan.ts';
import { cascade } from '../cascade.ts';
import { axisName, NestText } from '../nest-text.ts';
import { fromWord, loopOpen, type Printer, type Shader, splitNumber, toWord } from './lang.ts';
import { declares } from './reduce.ts';

const LANES = 64;

/** The axes whose cells are independent, and those to be run in order. */
export function axesOfKernel(k: Kernel): { parallel: readonly Axis[]; serial: readonly Axis[] } {
  const n = k.nests[0]!;
  return n.store.mode === 'set'
    ? { parallel: [...k.grid, ...n.axes], serial: [] }
    : { parallel: k.grid, serial: n.axes };
}

export const cellsOf = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * a.extent, 1);

export function plainKernel(p: Printer, k: Kernel, loops: readonly Axis[]): Shader {
  const { parallel, serial } = axesOfKernel(k);
  const cells = cellsOf(parallel);
  const body = [
    `let thread = group * ${LANES}u + lane;`,
    `if (thread >= ${cells}u) { return; }`,
    ...splitNumber(parallel, 'thread', true),
    ...nestLines(p, k, k.nests[0]!, serial, loops),
  ];
  return p.shader({ lanes: LANES, count: Math.ceil(cells / LANES), body });
}

/** The nest for bound parallel axes; `serial` are run as loops here. */
export function nestLines(
  p: Printer,
  k: Kernel,
  n: KNest,
  serial: readonly Axis[],
  loops: readonly Axis[],
): string[] {
  if (serial.some((a) => a.extent === 0)) return [];
  const roots: KExpr[] = [n.body, ...n.store.at.dyn.map((d) => d.e)];
  const extents = extentsOf(loops, k.grid, n.axes, n.red);
  const text = new NestText(p.lang, [...serial, ...n.red], extents, roots);
  const outer = serial.length;
  const inner: string[] = [];
  let result = 'acc';
  if (n.op === null) result = text.expr(n.body, outer);
  else {
    const acc = p.reduce[n.op];
    const long = cascade(n.op, n.body.t, cellsOf(n.red), declares);
    inner.push(...acc.start(n.body.t), ...long.start);
    // An empty reduction must not compute what stands inside or before its loops.
    if (n.red.every((a) => a.extent > 0)) {
      const value = text.expr(n.body, outer + n.red.length);
      n.red.forEach((a, i) => {
        inner.push(loopOpen(a), ...text.at[outer + i + 1]!);
      });
      const step = acc.step(value, axisName(n.red[0]!.id), n.body.t);
      inner.push(...step, ...long.step, ...n.red.map(() => '}'), ...long.end);
    }
  }
  inner.push(storeLine(p, n, text, outer, result));
  const lines: string[] = [...text.at[0]!];
  serial.forEach((a, i) => {
    lines.push(loopOpen(a), ...text.at[i + 1]!);
  });
  return [...lines, ...inner, ...serial.map(() => '}')];
}

/** Puts a value where the nest stores it, or adds it there. */
export function storeLine(
  p: Printer,
  n: KNest,
  text: NestText,
  depth: number,
  value: string,
): string {
  const { t } = p.plan.bufs[n.store.buf]!;
  const at = text.kix(n.store.at, depth);
  const holds = text.holds(n.store.at, depth);
  const cell = p.find(n.store.buf)(holds ? 'place' : at);
  const sum = n.store.mode === 'add' ? `${fromWord(t, cell)} + ${value}` : value;
  const set = `${cell} = ${toWord(t, sum)};`;
  const store = holds ? `{ let place = ${at}; if (${holds}) { ${set} } }` : set;
  if (n.store.guard.length === 0) return store;
  return `if (${text.guards(n.store.guard, depth)}) { ${store} }`;
}
