/**
 * Rewriting the uses inside statements, at any depth: reads to other expressions, and variables
 * named by a fold (init, next, elem, add) or a custom block to other variables.
 *
 * Invariant: definitions stay; a statement without a change is returned as the same object.
 */

import { mapSame, type Read, type Rewriter, rewriter } from '../core/expr.ts';
import type { Expr, Fold, Stmt, Var } from '../core.ts';

export type Uses = {
  /** What a read becomes; its own indices are rewritten already. */
  readonly read: (r: Read) => Expr | undefined;
  /** What a variable that a fold names becomes. */
  readonly name: (x: Var) => Var;
};

export function rewriteUses(body: readonly Stmt[], uses: Uses): readonly Stmt[] {
  const rw = rewriter({ node: (e) => (e.k === 'read' ? (uses.read(e) ?? e) : e) });
  return mapSame(body, (s) => rewriteStmt(s, rw, uses.name));
}

function rewriteStmt(s: Stmt, rw: Rewriter, name: (x: Var) => Var): Stmt {
  switch (s.k) {
    case 'nest': {
      const body = rw.expr(s.body);
      return body === s.body ? s : { ...s, body };
    }
    case 'segsum': {
      const [at, guard, body] = [mapSame(s.at, rw.ix), mapSame(s.guard, rw.guard), rw.expr(s.body)];
      return at === s.at && guard === s.guard && body === s.body ? s : { ...s, at, guard, body };
    }
    case 'fold':
      return rewriteFold(s, rw, name);
    case 'custom': {
      const ins = mapSame(s.ins, name);
      const body = mapSame(s.body, (b) => rewriteStmt(b, rw, name));
      const inner = mapSame(s.jvp.body, (b) => rewriteStmt(b, rw, name));
      const douts = mapSame(s.jvp.douts, name);
      const same =
        ins === s.ins && body === s.body && inner === s.jvp.body && douts === s.jvp.douts;
      return same ? s : { ...s, ins, body, jvp: { ...s.jvp, body: inner, douts } };
    }
  }
}

function rewriteFold(s: Fold, rw: Rewriter, name: (x: Var) => Var): Fold {
  const carry = mapSame(s.carry, (c) => {
    const [init, next] = [name(c.init), name(c.next)];
    return init === c.init && next === c.next ? c : { ...c, init, next };
  });
  const ys = mapSame(s.ys, (y) => {
    const elem = name(y.elem);
    return elem === y.elem ? y : { ...y, elem };
  });
  const acc = mapSame(s.acc, (a) => {
    const [init, plus, at] = [name(a.init), name(a.add), a.at === null ? null : rw.ix(a.at)];
    return init === a.init && plus === a.add && at === a.at ? a : { ...a, init, add: plus, at };
  });
  const body = mapSame(s.body, (b) => rewriteStmt(b, rw, name));
  const same = carry === s.carry && ys === s.ys && acc === s.acc && body === s.body;
  return same ? s : { ...s, carry, ys, acc, body };
}

/** The variables that statements name other than by reading them, at any depth. */
export function namedVars(body: readonly Stmt[]): ReadonlySet<Var> {
  const out = new Set<Var>();
  const go = (s: Stmt): void => {
    if (s.k === 'fold') {
      for (const c of s.carry) out.add(c.init).add(c.next);
      for (const y of s.ys) out.add(y.elem);
      for (const a of s.acc) out.add(a.init).add(a.add);
      s.body.forEach(go);
    } else if (s.k === 'custom') {
      for (const x of [...s.ins, ...s.outs, ...s.jvp.douts]) out.add(x);
      [...s.body, ...s.jvp.body].forEach(go);
    }
  };
  body.forEach(go);
  return out;
}
