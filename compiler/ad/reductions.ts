/**
 * Forward derivatives of reductions: one row per reduction operator, total by type.
 *
 * max and min pass the tangent of the first of equals: its position is a nest of its own (integers,
 * without derivative) and the tangent is a masked sum, so the adjoint gathers and the second
 * derivative needs nothing new. A product is taken apart into halves, log2(n) pointwise levels of
 * x[i] * x[i + h]: linear work, exact at zeros, and right at every order because each level is an
 * ordinary product. (An exclusive prefix and suffix product costs the same and is sequential.)
 */

import { mapNest, readAt, reduceNest, type Supply } from '../core/build.ts';
import { indexE, insideE, prim, readE, selectE, substAxes } from '../core/expr.ts';
import {
  addIx,
  divIx,
  type Extents,
  extentsOf,
  flatIx,
  ixAxis,
  ixConst,
  modIx,
  shiftIx,
} from '../core/ix.ts';
import type { Axis, Expr, Guard, Ix, Nest, ReduceOp, Stmt } from '../core.ts';
import { one } from './arith.ts';
import { guarding } from './guards.ts';

/** How the tangent of `v = op(red) body` comes from the tangent of the body. */
export type ReductionRule =
  /** The same reduction of the body's tangent. */
  | { readonly k: 'linear' }
  /** Statements to put first, and the condition under which an iteration counts. */
  | {
      readonly k: 'selected';
      readonly by: (
        s: Nest,
        supply: Supply,
      ) => { readonly first: readonly Stmt[]; readonly when: Expr };
    }
  /** The same value by statements that have a derivative. */
  | { readonly k: 'rewritten'; readonly as: (s: Nest, supply: Supply) => readonly Stmt[] }
  /** No derivative. */
  | { readonly k: 'constant' };

export const reductions: Readonly<Record<ReduceOp, ReductionRule>> = {
  sum: { k: 'linear' },
  max: { k: 'selected', by: (s, supply) => position(s, 'argmax', supply) },
  min: { k: 'selected', by: (s, supply) => position(s, 'argmin', supply) },
  prod: { k: 'rewritten', as: productTree },
  argmax: { k: 'constant' },
  argmin: { k: 'constant' },
  all: { k: 'constant' },
  any: { k: 'constant' },
};

/** Where the extremum is first reached, row-major over the reduction axes. */
function position(s: Nest, op: 'argmax' | 'argmin', supply: Supply) {
  const at = supply.var(`${s.v.name}_at`, 'i32', s.v.shape);
  const here = flatIx(
    s.red.map((a) => ixAxis(a)),
    s.red.map((a) => a.extent),
  );
  const when = prim('eq', readAt(at, s.axes), indexE(here));
  if (s.red.length === 1) {
    return { first: [reduceNest(at, s.axes, op, s.red, s.body, s.spans)], when };
  }
  // One axis over all positions, split again by its digits.
  const extent = s.red.reduce((n, a) => n * a.extent, 1);
  const flat = supply.axis(extent, s.red.map((a) => a.name).join(''));
  const extents = extentsOf(s.axes, [flat]);
  const digits = new Map<number, Ix>();
  let below = 1;
  for (const a of [...s.red].reverse()) {
    digits.set(a.id, modIx(divIx(ixAxis(flat), below, extents), a.extent, extents));
    below *= a.extent;
  }
  const body = substAxes(digits, extents).expr(s.body);
  return { first: [reduceNest(at, s.axes, op, [flat], body, s.spans)], when };
}

/** prod over the last reduction axis by halving it, then over the others. */
function productTree(s: Nest, supply: Supply): readonly Stmt[] {
  const red = s.red[s.red.length - 1];
  if (red === undefined) return [mapNest(s.v, s.axes, s.body, s.spans)];
  if (s.red.some((a) => a.extent === 0)) return [mapNest(s.v, s.axes, one, s.spans)];
  const outer = [...s.axes, ...s.red.slice(0, -1)];
  const out: Stmt[] = [];
  // Factor i of the current level: at first the body itself, then a stored half.
  let factor = (i: Ix, n: Axis): Expr =>
    substAxes(new Map([[red.id, i]]), extentsOf(outer, [n])).expr(s.body);
  for (let n = red.extent; ; ) {
    const h = Math.ceil(n / 2);
    const last = h === 1;
    const axis = supply.axis(h, red.name);
    const extents = extentsOf(outer, [axis]);
    const i = last ? ixConst(0) : ixAxis(axis);
    const upper = { e: shiftIx(i, h), lo: 0, hi: n };
    const right = n === 1 ? one : upperHalf(factor(addIx(i, ixConst(h)), axis), upper, extents);
    const left = factor(i, axis);
    const body = right === one ? left : prim('mul', left, right);
    if (last) return [...out, ...productTree({ ...s, red: s.red.slice(0, -1), body }, supply)];
    const axes = [...outer, axis];
    const v = supply.var(
      `${s.v.name}_half`,
      'f32',
      axes.map((a) => a.extent),
    );
    out.push(mapNest(v, axes, body, s.spans));
    factor = (j) => readE(v, [...outer.map((a) => ixAxis(a)), j]);
    n = h;
  }
}

/** A factor where there is one, else 1; its reads stay in range. */
function upperHalf(e: Expr, g: Guard, extents: Extents): Expr {
  const inside = insideE([g], extents);
  if (inside.k === 'const') return inside.v !== 0 ? e : one;
  return selectE(inside, guarding([g], extents).expr(e), one);
}
