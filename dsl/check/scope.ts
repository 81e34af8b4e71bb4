/**
 * Types and sizes written inside bodies, and expressions in brackets that turn out to be sizes.
 *
 * The grammar cannot tell `attention[H*E](..)` from `x[i]`; `sizeExprOf` reads an expression as a
 * size once the checker knows that it is one.
 */
import type { Expr, SizeExpr } from '../ast.ts';
import type { Env } from './context.ts';
import { expandAlias } from './declare.ts';
import type { TypeScope } from './resolve.ts';

export function typeScope(env: Env): TypeScope {
  const { fn } = env;
  return {
    file: fn.file,
    facts: fn.facts,
    sizes: fn.sizes,
    types: fn.types,
    report: fn.report,
    used: fn.usedSizes,
    expandAlias: (a) => expandAlias(a, fn.report),
  };
}

export function sizeExprOf(e: Expr): SizeExpr | undefined {
  switch (e.k) {
    case 'num':
      return e.isInt ? { k: 'nat', value: e.value, span: e.span } : undefined;
    case 'size':
      return { k: 'var', name: e.name, span: e.span };
    case 'binary': {
      const { op } = e;
      if (op !== '+' && op !== '-' && op !== '*' && op !== '/' && op !== '^') return undefined;
      const left = sizeExprOf(e.left);
      const right = sizeExprOf(e.right);
      if (left === undefined || right === undefined) return undefined;
      return { k: 'op', op, left, right, span: e.span };
    }
    default:
      return undefined;
  }
}
