/**
 * Moving out of a fold what is the same at every step, so that neither a step nor its derivative
 * computes, saves or accumulates it again.
 *
 * Invariant: what remains in the body depends on a carry or on the step.
 */

import { defsOf, freeAxesOfStmt, usesOf } from '../core/build.ts';
import type { Fold, Stmt, Var } from '../core.ts';

export function hoistInvariant(f: Fold): { readonly before: readonly Stmt[]; readonly fold: Fold } {
  const varying = new Set<Var>(f.carry.map((c) => c.in));
  const before: Stmt[] = [];
  const body: Stmt[] = [];
  for (const s of f.body) {
    const inner = s.k === 'fold' ? hoistInvariant(s) : { before: [], fold: s };
    for (const t of [...inner.before, inner.fold]) {
      const varies = freeAxesOfStmt(t).has(f.l.id) || [...usesOf(t)].some((x) => varying.has(x));
      if (varies) for (const d of defsOf(t)) varying.add(d);
      (varies ? body : before).push(t);
    }
  }
  return before.length === 0 && body.length === f.body.length
    ? { before, fold: f }
    : { before, fold: { ...f, body } };
}
