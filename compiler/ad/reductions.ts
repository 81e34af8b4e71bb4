/**
 * Forward derivatives of reductions: one row per reduction operator, total by type.
 *
 * max and min pass the tangent of the first of equals: its position is a nest of its own (integers,
 * without derivative) and the tangent is a masked sum, so the adjoint gathers and the second
 * derivative needs nothing new. A product is taken apart into pairs, log2(n) levels of products over
 * two, and over two the derivative is the other factor: linear work, exact at zeros, and right at
 * every order because each level is an ordinary product again. (Exclusive prefix and suffix products
 * cost the same and are sequential.)
 */
import { mapNest, readAt, reduceNest, type Supply } from '../core/build.ts';
import { indexE, prim, readE, substAxes } from '../core/expr.ts';
import {
  addIx,
  divIx,
  extentsOf,
  flatIx,
  ixAxis,
  ixConst,
  modIx,
  scaleIx,
  shiftIx,
} from '../core/ix.ts';
import type { Axis, Expr, Ix, Nest, ReduceOp, Stmt, Var } from '../core.ts';
import { one } from './arith.ts';

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
  /** Over a pair: the body's tangent times the body at the other one. Else in pairs. */
  | { readonly k: 'product' }
  /** No derivative. */
  | { readonly k: 'constant' };

export const reductions: Readonly<Record<ReduceOp, ReductionRule>> = {
  sum: { k: 'linear' },
  max: { k: 'selected', by: (s, supply) => position(s, 'argmax', supply) },
  min: { k: 'selected', by: (s, supply) => position(s, 'argmin', supply) },
  prod: { k: 'product' },
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

/** The body at the other of the two iterations. */
export function otherOfPair(s: Nest): Expr {
  const [r] = s.red;
  const other = shiftIx(scaleIx(ixAxis(r!), -1), 1);
  return substAxes(new Map([[r!.id, other]]), extentsOf(s.axes, s.red)).expr(s.body);
}

export function isPair(s: Nest): boolean {
  return s.red.length === 1 && s.red[0]!.extent === 2;
}

/**
 * The product as products over pairs. An axis of extent n = 2h (+ 1) becomes h products of x[i] and
 * x[i + h], again and again; what is left over at an odd level is multiplied in at the end.
 */
export function productInPairs(s: Nest, supply: Supply): readonly Nest[] {
  const red = s.red[s.red.length - 1];
  if (red === undefined) return [mapNest(s.v, s.axes, s.body, s.spans)];
  if (s.red.some((a) => a.extent === 0)) return [mapNest(s.v, s.axes, one, s.spans)];
  const outer = [...s.axes, ...s.red.slice(0, -1)];
  const out: Nest[] = [];
  const define = (axes: readonly Axis[]) =>
    supply.var(
      s.v.name,
      'f32',
      axes.map((a) => a.extent),
    );
  const stored = (v: Var) => (i: Ix) => readE(v, [...outer.map((a) => ixAxis(a)), i]);

  // Every factor is used twice, once in the value and once in the derivative of the other one.
  let factor = (i: Ix): Expr =>
    substAxes(new Map([[red.id, i]]), extentsOf(outer, level)).expr(s.body);
  let level: readonly Axis[] = [];
  if (s.body.k === 'prim' && red.extent > 1) {
    const v = define([...outer, red]);
    out.push(mapNest(v, [...outer, red], s.body, s.spans));
    factor = stored(v);
  }
  const left: Expr[] = [];
  let n = red.extent;
  while (n > 1) {
    const h = Math.floor(n / 2);
    if (n % 2 === 1) left.push(factor(ixConst(n - 1)));
    const axis = supply.axis(h, red.name);
    const pair = supply.axis(2, `${red.name}2`);
    level = [axis, pair];
    const v = define([...outer, axis]);
    const body = factor(addIx(ixAxis(axis), scaleIx(ixAxis(pair), h)));
    out.push(reduceNest(v, [...outer, axis], 'prod', [pair], body, s.spans));
    factor = stored(v);
    n = h;
  }
  const body = left.reduceRight((p, x) => prim('mul', p, x), factor(ixConst(0)));
  return [...out, ...productInPairs({ ...s, red: s.red.slice(0, -1), body }, supply)];
}
