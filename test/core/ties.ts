/**
 * How much work a gradient may be, next to that of its function: five times, and seven where max or min of two
 * numbers occur. Each of those asks in its derivative whether they are equal and passes half then, which is
 * more than it is itself.
 */
import { walkExpr } from '../../compiler/core/expr.ts';
import type { Core, Stmt } from '../../compiler/core.ts';

function ties(s: Stmt): boolean {
  if (s.k === 'fold' || s.k === 'custom') return s.body.some(ties);
  let found = false;
  walkExpr((e) => {
    found ||= e.k === 'prim' && (e.op === 'max' || e.op === 'min') && e.t === 'f32';
  }, s.body);
  return found;
}

export const mostWork = (core: Core): number => (core.body.some(ties) ? 7 : 5);
