/**
 * Restricting an expression to where guards hold.
 *
 * Invariant: nothing is read out of range where the guards do not hold, and a cotangent is exactly 0
 * there, whatever its coefficients would be.
 */

import {
  freeAxes,
  freeAxesIx,
  guardE,
  type Rewriter,
  readIn,
  rewriter,
  walkExpr,
} from '../core/expr.ts';
import type { Extents } from '../core/ix.ts';
import { sameGuard } from '../core/key.ts';
import type { AxisId, Expr, Guard, Prim, Var } from '../core.ts';

/**
 * Puts the guards on every read that shares an axis with them, inside data-dependent indices as
 * well (and on all reads of `always`): where they hold nothing changes, elsewhere these reads are 0.
 */
export function guarding(guard: readonly Guard[], extents: Extents, always?: Var): Rewriter {
  const axes = new Set<AxisId>();
  for (const g of guard) for (const id of freeAxesIx(g.e)) axes.add(id);
  return rewriter({
    node: (r) => {
      if (r.k !== 'read' || (r.x !== always && freeAxes(r).isDisjointFrom(axes))) return r;
      const more = guard.filter((g) => !r.guard.some((h) => sameGuard(g, h)));
      return more.length === 0 ? r : readIn(extents, r.x, r.ix, [...r.guard, ...more]);
    },
  });
}

/** An expression linear in reads of `of`, where the guards hold; exactly 0 elsewhere. */
export function linearWhere(e: Expr, of: Var, guard: readonly Guard[], extents: Extents): Expr {
  if (guard.length === 0) return e;
  const safe = guarding(guard, extents, of).expr(e);
  return stays0(e, safe) ? safe : guardE(guard, safe, extents);
}

/** Operations that may be infinite or NaN where all reads below them are 0. */
const partial: ReadonlySet<Prim> = new Set(['div', 'log', 'sqrt', 'pow', 'exp']);

/** Whether 0 times the coefficients is 0: no partial operation of what the guards turn to 0. */
function stays0(before: Expr, after: Expr): boolean {
  const kept = new Set<Expr>();
  walkExpr((e) => kept.add(e), before);
  let ok = true;
  walkExpr((e) => {
    if (e.k !== 'prim' || !partial.has(e.op) || kept.has(e)) return;
    const risky = e.op === 'div' ? e.args[1]! : e;
    if (risky.k !== 'const' && !kept.has(risky)) ok = false;
  }, after);
  return ok;
}
