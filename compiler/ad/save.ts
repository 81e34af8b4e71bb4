/**
 * What a fold saves for its derivative and what the derivative computes again: a minimum cut.
 *
 * Each value of the body either is on the side of the first fold only, or is at hand for the second
 * one: saved, at a price per byte, or computed again from values that are at hand, at a price per
 * operation (Chen et al. 2016 ask the question; the cut is that of the PyTorch min-cut partitioner,
 * He & Yu 2022, with prices for recomputation). Reductions are never computed again: a contraction
 * costs more than it saves, and statistics are small. With `save: 'carries'` only carries are saved.
 *
 * Invariant: everything needed can be had from the saved values and from outside the fold.
 */
import { defsOf, sizeOf, usesOf } from '../core/build.ts';
import { walkExpr } from '../core/expr.ts';
import type { Fold, Nest, Prim, Stmt, Var } from '../core.ts';
import { minimumCut, type Network } from './cut.ts';

export type Saves = { readonly save: ReadonlySet<Var>; readonly recompute: readonly Stmt[] };

/** Per cell: one load is 1. A saved value is written and read, and takes memory between. */
const savePrice = 3;
const primPrice = (op: Prim): number => {
  switch (op) {
    case 'exp':
    case 'log':
    case 'sin':
    case 'cos':
    case 'tanh':
    case 'erf':
    case 'pow':
      return 1.5;
    // Twenty rounds of Threefry.
    case 'bits0':
    case 'bits1':
      return 10;
    default:
      return 0.15;
  }
};

/**
 * `needed` are the variables that the second fold uses; those from outside are at hand, and so are
 * the carries that are `known`.
 */
export function planSaves(f: Fold, needed: ReadonlySet<Var>, known: ReadonlyMap<Var, Var>): Saves {
  const by = new Map<Var, Stmt>();
  for (const s of f.body) for (const d of defsOf(s)) by.set(d, s);
  const carried = new Set(f.carry.map((c) => c.in).filter((x) => !known.has(x)));
  const inside = (x: Var) => by.has(x) || carried.has(x);
  const wanted = [...needed].filter(inside);
  if (wanted.length === 0) return { save: new Set(), recompute: [] };
  const save = f.save === 'carries' ? carried : cheapest(f, by, carried, wanted);

  // From the saved values on, everything needed that is not saved.
  const used = new Set<Var>();
  const again = new Set<Stmt>();
  const demand = (x: Var): void => {
    if (!inside(x) || used.has(x)) return;
    used.add(x);
    const s = by.get(x);
    if (save.has(x) || s === undefined) return;
    again.add(s);
    for (const y of usesOf(s)) demand(y);
  };
  for (const x of wanted) demand(x);
  return {
    save: new Set([...save].filter((x) => used.has(x))),
    recompute: f.body.filter((s) => again.has(s)),
  };
}

function cheapest(
  f: Fold,
  by: ReadonlyMap<Var, Stmt>,
  carried: ReadonlySet<Var>,
  wanted: readonly Var[],
): ReadonlySet<Var> {
  const stacked = new Set(f.ys.map((y) => y.elem));
  // Each variable is two nodes: computed (or given), and at hand.
  const vars = [...carried, ...by.keys()];
  const [source, sink] = [0, 1];
  const at = new Map(vars.map((x, i) => [x, 2 + 2 * i]));
  const network: Network = { nodes: 2 + 2 * vars.length, edges: [] };
  const edge = (from: number, to: number, capacity: number) => {
    network.edges.push({ from, to, capacity });
  };
  for (const x of vars) {
    const n = at.get(x)!;
    const s = by.get(x);
    edge(source, n, s === undefined ? Infinity : recomputePrice(s));
    edge(n, n + 1, stacked.has(x) ? 0 : savePrice * sizeOf(x.shape));
    if (s === undefined) continue;
    for (const y of usesOf(s)) {
      const m = at.get(y);
      if (m !== undefined) edge(m + 1, n, Infinity);
    }
  }
  for (const x of wanted) edge(at.get(x)! + 1, sink, Infinity);
  const before = minimumCut(network, source, sink);
  return new Set(vars.filter((x) => before[at.get(x)!]! && !before[at.get(x)! + 1]!));
}

function recomputePrice(s: Stmt): number {
  if (!isPointwise(s)) return Infinity;
  let perCell = 0;
  walkExpr((e) => {
    if (e.k === 'prim') perCell += primPrice(e.op);
  }, s.body);
  return perCell * sizeOf(s.v.shape);
}

function isPointwise(s: Stmt): s is Nest {
  return s.k === 'nest' && s.op === null;
}
