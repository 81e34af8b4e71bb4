/**
 * The sum of the absolute values of the terms of a tangent program: what its rounding errors are
 * relative to. Where terms cancel, the result is small but its error is not.
 */
import { spreadLinear } from '../ad/unzip.ts';
import { foldExpr, prim } from '../core/expr.ts';
import type { Core, Expr, Stmt, Var } from '../core.ts';

/** `core` with every tangent replaced by the sum of |terms|; give it |dx| for the linear inputs. */
export function magnitude(core: Core, linearInputs: readonly Var[]): Core {
  const linear = new Set(linearInputs);
  spreadLinear(core.body, linear);
  return { ...core, body: core.body.map((s) => absStmt(s, linear)) };
}

function absStmt(s: Stmt, linear: ReadonlySet<Var>): Stmt {
  switch (s.k) {
    case 'nest':
    case 'segsum':
      return linear.has(s.v) ? { ...s, body: absTerms(s.body, linear) } : s;
    case 'fold':
      return { ...s, body: s.body.map((b) => absStmt(b, linear)) };
    case 'custom':
      return s;
  }
}

function absTerms(root: Expr, linear: ReadonlySet<Var>): Expr {
  const isLinear = foldExpr<boolean>((e, go) =>
    e.k === 'read' ? linear.has(e.x) : e.k === 'prim' && e.args.some(go),
  );
  const go: (e: Expr) => Expr = foldExpr((e) => {
    if (e.t !== 'f32' || (e.k === 'read' && linear.has(e.x))) return e;
    if (!isLinear(e) || e.k !== 'prim') return prim('abs', e);
    const args = e.args.map(go);
    switch (e.op) {
      case 'add':
      case 'sub':
        return prim('add', args[0]!, args[1]!);
      case 'neg':
        return args[0]!;
      default:
        return prim(e.op, ...args);
    }
  });
  return go(root);
}
