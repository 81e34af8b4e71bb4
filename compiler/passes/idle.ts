/**
 * Reductions over axes that their body does not mention: a sum is a product with the count, a
 * product a power, the others are their body.
 *
 * Invariant: an empty axis stays, since a reduction over nothing is not its body.
 */
import { sizeOf } from '../core/build.ts';
import { freeAxes, i32 } from '../core/expr.ts';
import type { Expr, Nest } from '../core.ts';
import type { Algebra } from './algebra.ts';

/** The nest with a new body, without reduction axes that do nothing. */
export function withoutIdleAxes(s: Nest, body: Expr, algebra: Algebra): Nest {
  if (s.op === null) return body === s.body ? s : { ...s, body };
  const used = freeAxes(body);
  if (s.op === 'argmax' || s.op === 'argmin') {
    // The first of equals; an arg reduction has exactly one axis, and not an empty one.
    const same = s.red.every((a) => a.extent === 1 || !used.has(a.id));
    if (same) return { ...s, op: null, red: [], body: i32(0) };
    return body === s.body ? s : { ...s, body };
  }
  const idle = s.red.filter((a) => a.extent > 0 && (a.extent === 1 || !used.has(a.id)));
  if (idle.length === 0) return body === s.body ? s : { ...s, body };
  const red = s.red.filter((a) => !idle.includes(a));
  const times = sizeOf(idle.map((a) => a.extent));
  const again = repeated(s.op, body, times, algebra);
  return { ...s, red, op: red.length === 0 ? null : s.op, body: again };
}

/** The reduction of `times` equal values. */
function repeated(op: NonNullable<Nest['op']>, e: Expr, times: number, s: Algebra): Expr {
  if (times === 1) return e;
  switch (op) {
    case 'sum':
      return s.prim('mul', s.const(e.t, times), e);
    case 'prod': {
      // By squares.
      const half = repeated(op, e, Math.floor(times / 2), s);
      const even = s.prim('mul', half, half);
      return times % 2 === 0 ? even : s.prim('mul', e, even);
    }
    default:
      return e;
  }
}
