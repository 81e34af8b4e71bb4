/**
 * `grad`, `valueGrad`, `vjp` and `jvp`: the function is elaborated into a block of its own over
 * fresh variables for its argument, the block is differentiated (compiler/ad), and the result is
 * spliced back, so derivatives nest to any order.
 *
 * Invariant: under enclosing `for`s the argument is stored once per iteration the result depends
 * on; the result of iteration n depends on argument n only, so the gradient of the sum over
 * iterations is the gradient of each (the trick that makes a batching transform unnecessary).
 */
import type { Span } from '../../dsl/source.ts';
import { jvp, vjp } from '../ad/index.ts';
import { constE } from '../core/expr.ts';
import type { Axis, Stmt, Var } from '../core.ts';
import { callValue } from './call.ts';
import { type Leaf, leavesOf, type Skeleton, skeletonOf, treeOf, wholeDims } from './leaves.ts';
import {
  type Cx,
  emitNest,
  freshAxis,
  inBlock,
  outerAxesOf,
  push,
  readLeaf,
  storeLeaf,
  unionAxes,
} from './scope.ts';
import type { Value } from './value.ts';

/** f at variables that stand for x, in a block of its own. */
type Primal = {
  readonly outer: readonly Axis[];
  readonly xLeaves: readonly Leaf[];
  readonly xs: readonly Var[];
  readonly yLeaves: readonly Leaf[];
  readonly ys: readonly Var[];
  readonly ySkeleton: Skeleton;
  readonly stmts: Stmt[];
};

/** `more` are leaves that the derivative will combine with: their axes count as well. */
function primalBlock(cx: Cx, f: Value, x: Value, more: readonly Leaf[], span: Span): Primal {
  const xLeaves = leavesOf(x);
  const shape = wholeDims(skeletonOf(x));
  let outer = unionAxes(outerAxesOf(cx, xLeaves), outerAxesOf(cx, more));
  for (;;) {
    const stored = outer;
    const before = cx.stmts.length;
    const xs = xLeaves.map((leaf) => storeLeaf(cx, leaf, stored, 'x', 'copy'));
    const arg = treeOf(shape, (k, ix) => readLeaf(xs[k]!, stored, ix));
    const { stmts, result } = inBlock(cx, () => {
      const y = callValue(cx, f, [arg], span);
      const yLeaves = leavesOf(y);
      return { y, yLeaves, need: outerAxesOf(cx, yLeaves) };
    });
    const grown = unionAxes(outer, result.need);
    if (grown.length > outer.length) {
      cx.stmts.length = before;
      outer = grown;
      continue;
    }
    const ys = inBlock(
      cx,
      () => result.yLeaves.map((leaf) => storeLeaf(cx, leaf, stored, 'y', 'copy')),
      stmts,
    ).result;
    const ySkeleton = wholeDims(skeletonOf(result.y));
    return { outer: stored, xLeaves, xs, yLeaves: result.yLeaves, ys, ySkeleton, stmts };
  }
}

export type Reverse = { readonly value: Value; readonly gradient: Value };

/** Value and vector-Jacobian product; `ct` is 1 for a scalar loss when left out. */
export function reverse(cx: Cx, f: Value, x: Value, ct: Value | undefined, span: Span): Reverse {
  const ctLeaves = ct === undefined ? [] : leavesOf(ct);
  const p = primalBlock(cx, f, x, ctLeaves, span);
  const seeds = p.ys.flatMap((y, k) => {
    if (y.t !== 'f32') return [];
    const leaf = ctLeaves[k];
    const seed = leaf === undefined ? ones(cx, y) : storeLeaf(cx, leaf, p.outer, 'ct', 'copy');
    return [{ y, ct: seed }];
  });
  const wrt = p.xs.filter((v, k) => v.t === 'f32' && !p.xLeaves[k]!.fixed);
  const d = vjp(p.stmts, wrt, seeds, cx.supply);
  push(cx, ...d.primal, ...d.adjoint);
  const value = treeOf(p.ySkeleton, (k, ix) => readLeaf(p.ys[k]!, p.outer, ix));
  const gradient = treeOf(wholeDims(skeletonOf(x)), (k, ix) => {
    const v = p.xs[k]!;
    const g = wrt.includes(v) ? d.cotangentOf(v) : null;
    return g === null ? constE(v.t, 0) : readLeaf(g, p.outer, ix);
  });
  return { value, gradient };
}

function ones(cx: Cx, y: Var): Var {
  const axes = y.shape.map((n) => freshAxis(cx, n, 'i'));
  return emitNest(cx, 'one', axes, constE('f32', 1));
}

export type Forward = { readonly value: Value; readonly tangent: Value };

export function forward(cx: Cx, f: Value, x: Value, dx: Value, span: Span): Forward {
  const dLeaves = leavesOf(dx);
  const p = primalBlock(cx, f, x, dLeaves, span);
  const wrt = p.xs.flatMap((v, k) => {
    if (v.t !== 'f32' || p.xLeaves[k]!.fixed) return [];
    return [{ x: v, dx: storeLeaf(cx, dLeaves[k]!, p.outer, 'dx', 'copy') }];
  });
  const d = jvp(p.stmts, wrt, cx.supply);
  push(cx, ...d.primal, ...d.tangent);
  const value = treeOf(p.ySkeleton, (k, ix) => readLeaf(p.ys[k]!, p.outer, ix));
  const tangent = treeOf(p.ySkeleton, (k, ix) => {
    const y = p.ys[k]!;
    const t = y.t === 'f32' ? d.tangentOf(y) : null;
    return t === null ? constE(y.t, 0) : readLeaf(t, p.outer, ix);
  });
  return { value, tangent };
}
