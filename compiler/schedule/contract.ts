/**
 * Contractions, recognised by form: a sum of a product in which each of two operands has a parallel
 * axis of its own. Whatever the orientation, the number of axes or the expressions around the reads;
 * no name is looked at.
 *
 * Roles of the axes: `batch` stands in both operands (or in neither), `rows` only in the left one,
 * `cols` only in the right one, `red` is summed. The operands are chosen so that the innermost of
 * `cols` is contiguous in the result where one is.
 */
import type { Axis, AxisId } from '../core.ts';
import type { KExpr, Kernel, KNest } from '../plan.ts';
import { axesOf, eachKExpr } from './flat.ts';

export type Contraction = {
  readonly nest: KNest;
  readonly left: KExpr;
  readonly right: KExpr;
  readonly batch: readonly Axis[];
  /** The last is the one that is tiled. */
  readonly rows: readonly Axis[];
  readonly cols: readonly Axis[];
  readonly red: readonly Axis[];
};

/** Below these, packing costs more than it saves; a cell of a group is one of many. */
const least = { rows: 4, cols: 4, red: 4, work: 8192, cell: 512 };

const extent = (l: readonly Axis[]): number => l.reduce((n, a) => n * a.extent, 1);

export function axesOfExpr(root: KExpr): Set<AxisId> {
  const out = new Set<AxisId>();
  eachKExpr(root, (e) => {
    if (e.k === 'index') axesOf(e.ix, out);
    if (e.k !== 'load') return;
    axesOf(e.at.ix, out);
    for (const g of e.guard) axesOf(g.e, out);
  });
  return out;
}

/** The factors of a product, through nested multiplications. */
function factors(e: KExpr): KExpr[] {
  return e.k === 'prim' && e.op === 'mul' ? e.args.flatMap(factors) : [e];
}

const product = (l: readonly KExpr[]): KExpr =>
  l.length === 0
    ? { k: 'const', t: 'f32', v: 1 }
    : l.reduce((a, b) => ({ k: 'prim', t: 'f32', op: 'mul', args: [a, b] }));

export function asContraction(k: Kernel, leastWork = least.work): Contraction | undefined {
  const nest = k.nests[0]!;
  if (k.nests.length !== 1 || nest.op !== 'sum' || nest.body.t !== 'f32') return undefined;
  if (nest.store.guard.length > 0 || nest.store.at.dyn.length > 0) return undefined;
  if (nest.store.mode === 'add' && nest.axes.length > 0) return undefined;
  const parallel = [...k.grid, ...nest.axes];
  const parts = factors(nest.body).map((e) => ({ e, axes: axesOfExpr(e) }));
  if (parts.length < 2 || parts.length > 6) return undefined;

  let best: { rows: Axis[]; cols: Axis[]; left: KExpr[]; right: KExpr[] } | undefined;
  let bestWork = 0;
  for (let i = 0; i < parts.length; i++) {
    for (let j = i + 1; j < parts.length; j++) {
      const only = (x: number, y: number): Axis[] =>
        parallel.filter((a) => parts[x]!.axes.has(a.id) && !parts[y]!.axes.has(a.id));
      const rows = only(i, j);
      const cols = only(j, i);
      const left: KExpr[] = [];
      const right: KExpr[] = [];
      let mixed = false;
      for (const p of parts) {
        const r = rows.some((a) => p.axes.has(a.id));
        const c = cols.some((a) => p.axes.has(a.id));
        if (r && c) mixed = true;
        else (r ? left : right).push(p.e);
      }
      const work = extent(rows) * extent(cols);
      if (mixed || rows.length === 0 || cols.length === 0 || work <= bestWork) continue;
      bestWork = work;
      best = { rows, cols, left, right };
    }
  }
  if (!best) return undefined;
  const { rows, cols } = best;
  const batch = parallel.filter((a) => !rows.includes(a) && !cols.includes(a));
  const stride = (a: Axis): number =>
    nest.store.at.ix.terms.find((t) => t.a.k === 'axis' && t.a.id === a.id)?.m ?? 0;
  const plain = [...rows, ...cols].every((a) => stride(a) > 0);
  if (!plain) return undefined;
  // The tiled column axis: contiguous in the result, else the longest; swap when only a row has it.
  const pick = (l: readonly Axis[]): Axis =>
    l.find((a) => stride(a) === 1 && a.extent >= 4) ??
    l.reduce((a, b) => (b.extent > a.extent ? b : a));
  const last = (l: readonly Axis[], a: Axis): Axis[] => [...l.filter((x) => x !== a), a];
  const longest = (l: readonly Axis[]): Axis => l.reduce((a, b) => (b.extent > a.extent ? b : a));
  const swap = stride(pick(cols)) !== 1 && stride(pick(rows)) === 1;
  const [r, c, left, right] = swap
    ? [cols, rows, best.right, best.left]
    : [rows, cols, best.left, best.right];
  const col = pick(c);
  const row = longest(r);
  const red = nest.red.filter((a) => a.extent > 1 || nest.red.length === 1);
  const work = extent(r) * extent(c) * extent(red);
  if (row.extent < least.rows || col.extent < least.cols || extent(red) < least.red)
    return undefined;
  if (work < leastWork) return undefined;
  return {
    nest,
    left: product(left),
    right: product(right),
    batch,
    rows: last(r, row),
    cols: last(c, col),
    red,
  };
}

/** The contractions among the nests of a group, whose grid stands outside them. */
export function contractionIn(k: Kernel, n: KNest): Contraction | undefined {
  return asContraction({ ...k, grid: [], nests: [n] }, least.cell);
}
