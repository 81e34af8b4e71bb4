/**
 * Differentiation of one scalar body: forward over its DAG, and the reverse sweep of a linear one.
 *
 * Note [Dead branches]. select(c, a, b) passes no cotangent to the dead branch, but a partial inside
 * it may be NaN or infinite, and 0 * NaN is NaN. So the sweep keeps beside each cotangent the
 * condition under which the node is live (the disjunction over its uses), and what passes through a
 * node that is not always live is select(live, g * partial, 0): exactly 0 where the branch is dead,
 * in time linear in the DAG however the selects nest.
 */

import { bool, foldExpr, prim, type Read, walkExpr } from '../core/expr.ts';
import type { Expr, Prim } from '../core.ts';
import { add, and, isZero, or, select, sum, zero } from './arith.ts';
import { type PrimNode, partialOf } from './partials.ts';

/** The tangent of an expression, given those of its reads (`zero` where there is none). */
export function tangentOf(ofRead: (r: Read) => Expr): (e: Expr) => Expr {
  return foldExpr((e, go) => {
    switch (e.k) {
      case 'const':
      case 'index':
        return zero;
      case 'read':
        return ofRead(e);
      case 'prim':
        return sum(
          e.args.map((a, i) => {
            const p = partialOf(e, i);
            if (p === null) return zero;
            const da = go(a);
            return isZero(da) ? zero : p(e, da);
          }),
        );
    }
  });
}

/** Whether tangents pass from any read that `active` holds of to the expression. */
export function isActive(active: (r: Read) => boolean): (e: Expr) => boolean {
  return foldExpr((e, go) => {
    switch (e.k) {
      case 'const':
      case 'index':
        return false;
      case 'read':
        return active(e);
      case 'prim':
        return e.args.some((a, i) => partialOf(e, i) !== null && go(a));
    }
  });
}

export type Swept = { readonly read: Read; readonly ct: Expr };

type Adjoint = { readonly g: Expr; readonly live: Expr };
const always = bool(true);
/** Primitives that pass a cotangent 0 as 0, whatever their arguments. */
const keepsZero: ReadonlySet<Prim> = new Set(['add', 'sub', 'neg', 'f16', 'bf16', 'cast']);

/** The cotangents of the active reads of a body whose own cotangent is `g`. */
export function sweep(body: Expr, active: (r: Read) => boolean, g: Expr): readonly Swept[] {
  const reaches = isActive(active);
  if (!reaches(body)) return [];
  const order: Expr[] = [];
  walkExpr((e) => {
    if (reaches(e)) order.push(e);
  }, body);
  const adjoint = new Map<Expr, Adjoint>([[body, { g, live: always }]]);
  const give = (e: Expr, x: Adjoint) => {
    const old = adjoint.get(e);
    adjoint.set(e, old === undefined ? x : { g: add(old.g, x.g), live: or(old.live, x.live) });
  };
  const out: Swept[] = [];
  // Children come first in `order`, so all uses of a node are seen before it.
  for (const e of order.reverse()) {
    const a = adjoint.get(e);
    if (a === undefined || isZero(a.g)) continue;
    if (e.k === 'read') out.push({ read: e, ct: a.g });
    else if (e.k === 'prim') pass(e, a, reaches, give);
  }
  return out;
}

function pass(
  n: PrimNode,
  a: Adjoint,
  reaches: (e: Expr) => boolean,
  give: (e: Expr, x: Adjoint) => void,
): void {
  n.args.forEach((x, i) => {
    const p = partialOf(n, i);
    if (p === null || !reaches(x)) return;
    if (n.op === 'select') {
      const c = n.args[0]!;
      give(x, { g: p(n, a.g), live: and(a.live, i === 1 ? c : prim('not', c)) });
      return;
    }
    const g = p(n, a.g);
    give(x, { g: keepsZero.has(n.op) ? g : select(a.live, g, zero), live: a.live });
  });
}
