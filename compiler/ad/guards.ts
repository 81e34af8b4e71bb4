/**
 * Restricting an expression to where guards hold.
 *
 * Invariant: nothing is read out of range where the guards do not hold, and a cotangent is exactly 0
 * there.
 */
import { freeAxes, freeAxesIx, type Read, readIn, rewriter, walkExpr } from '../core/expr.ts';
import type { Extents } from '../core/ix.ts';
import { sameGuard } from '../core/key.ts';
import type { AxisId, Expr, Guard, Ix, Prim, Var } from '../core.ts';

export type Guarding = {
  /** The guards on reads of one variable. */
  readonly of: (e: Expr) => Expr;
  /**
   * The guards on every read that shares an axis with them, inside data-dependent indices as well,
   * and on reads of the variable: so nothing is read out of range.
   */
  readonly touching: (e: Expr) => Expr;
  readonly ix: (ix: Ix) => Ix;
};

/** Reads with more guards: where these hold nothing changes, elsewhere the reads are 0. */
export function guarding(guard: readonly Guard[], extents: Extents, variable?: Var): Guarding {
  if (guard.length === 0) return { of: (e) => e, touching: (e) => e, ix: (ix) => ix };
  const axes = new Set<AxisId>();
  for (const g of guard) for (const id of freeAxesIx(g.e)) axes.add(id);
  const put = (applies: (r: Read) => boolean) =>
    rewriter({
      node: (r) => {
        if (r.k !== 'read' || !applies(r)) return r;
        const more = guard.filter((g) => !r.guard.some((h) => sameGuard(g, h)));
        return more.length === 0 ? r : readIn(extents, r.x, r.ix, [...r.guard, ...more]);
      },
    });
  const touching = put((r) => r.x === variable || !freeAxes(r).isDisjointFrom(axes));
  return { of: put((r) => r.x === variable).expr, touching: touching.expr, ix: touching.ix };
}

/** Operations that may be infinite or NaN where all reads below them are 0. */
const partial: ReadonlySet<Prim> = new Set(['div', 'log', 'sqrt', 'pow', 'exp']);

/** Whether 0 times the coefficients is 0: no partial operation of what the guards turned to 0. */
export function stays0(before: Expr, after: Expr): boolean {
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
