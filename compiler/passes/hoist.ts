/**
 * Moving out of folds what depends on neither a carry nor the step, innermost folds first.
 *
 * Invariant: the order of what moves is kept, and what stays in a body depends on a carry or the
 * step. A fold of no steps keeps its body: moving it would make work where there was none.
 */

import { defsOf, freeAxesOfStmt, usesOf } from '../core/build.ts';
import type { Core, Fold, Stmt, Var } from '../core.ts';

export function hoist(core: Core): Core {
  const body = hoistBlock(core.body);
  return body === core.body ? core : { ...core, body };
}

export function hoistBlock(body: readonly Stmt[]): readonly Stmt[] {
  const out: Stmt[] = [];
  for (const s of body) {
    if (s.k === 'fold') {
      const { before, fold } = hoistFold(s);
      out.push(...before, fold);
    } else out.push(s);
  }
  return sameList(body, out) ? body : out;
}

export function hoistFold(f: Fold): { readonly before: readonly Stmt[]; readonly fold: Fold } {
  const varying = new Set<Var>(f.carry.map((c) => c.in));
  const before: Stmt[] = [];
  const body: Stmt[] = [];
  for (const s of hoistBlock(f.body)) {
    const varies =
      f.trip === 0 || freeAxesOfStmt(s).has(f.l.id) || !usesOf(s).isDisjointFrom(varying);
    if (varies) for (const d of defsOf(s)) varying.add(d);
    (varies ? body : before).push(s);
  }
  return sameList(f.body, body) ? { before, fold: f } : { before, fold: { ...f, body } };
}

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}
