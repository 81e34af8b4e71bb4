/**
 * The work of a program: primitives, reduction iterations and cells written, as the bounds of the
 * passes count it ("work does not grow", "reverse mode costs at most 5 x").
 *
 * A shared node counts once per iteration; nothing is assumed about hoisting or fusion, so the count
 * is a property of the program and not of a target.
 */
import type { Core, Expr, Prim, Stmt, Var } from '../core.ts';
import { rootsOf, sizeOf } from './build.ts';
import { walkExpr } from './expr.ts';

/** Free of cost: names for a value. */
const free: ReadonlySet<Prim> = new Set(['stop']);

export function work(core: Core): number {
  return workOf(core.body);
}

export function workOf(body: readonly Stmt[]): number {
  return body.reduce((n, s) => n + workOfStmt(s), 0);
}

export function workOfStmt(s: Stmt): number {
  switch (s.k) {
    case 'nest': {
      const cells = sizeOf(s.v.shape);
      const points = cells * sizeOf(s.red.map((a) => a.extent));
      return points * primsOf(s.body) + (s.op === null ? 0 : points) + cells;
    }
    case 'segsum': {
      const points = sizeOf(s.axes.map((a) => a.extent));
      return points * (primsOf(...rootsOf(s)) + 1) + sizeOf(s.v.shape);
    }
    case 'fold': {
      // Carries and accumulators start as copies; a step adds to cells and writes them.
      const cells = (xs: readonly Var[]) => xs.reduce((n, x) => n + sizeOf(x.shape), 0);
      const starts = cells([...s.carry.map((c) => c.out), ...s.acc.map((a) => a.v)]);
      const ys = cells(s.ys.map((y) => y.elem));
      const adds = 2 * cells(s.acc.map((a) => a.add));
      return starts + s.trip * (workOf(s.body) + ys + adds);
    }
    case 'custom':
      return workOf(s.body);
  }
}

/** Primitive nodes of a DAG. */
export function primsOf(...roots: readonly Expr[]): number {
  let n = 0;
  walkExpr(
    (e) => {
      if (e.k === 'prim' && !free.has(e.op)) n++;
    },
    ...roots,
  );
  return n;
}
