/**
 * Records as parameter trees: `each` maps over the leaves of trees of one structure, reductions
 * range over all their elements.
 *
 * Invariant: leaves marked `fixed` are copied from the first tree by `each` and skipped by
 * reductions; the trees were checked to have one structure.
 */
import type { TExpr } from '../../dsl/typed.ts';
import { constE, prim } from '../core/expr.ts';
import type { Axis, Expr } from '../core.ts';
import { evalExpr, exprOf, tabulated } from './eval.ts';
import { type Cx, emitReduce, ownAxes } from './scope.ts';
import { bind, type Env, finer, type RecordValue, type Tensor, type Value } from './value.ts';

type OnScalars = (leaves: readonly Value[]) => Value;

export function evalEach(cx: Cx, env: Env, x: TExpr & { k: 'each' }): Value {
  const trees = x.trees.map((t) => evalExpr(cx, env, t));
  return eachTree(cx, trees, (leaves) => {
    const inner = x.names.reduce((e, n, i) => bind(e, n.id, leaves[i]!), env);
    return evalExpr(cx, inner, x.body);
  });
}

/** Applies `f` to corresponding scalars of trees of one structure. */
export function eachTree(cx: Cx, trees: readonly Value[], f: OnScalars): Value {
  const first = trees[0]!;
  switch (first.k) {
    case 'scalar':
    case 'key':
      return f(trees);
    case 'fn':
      return first;
    case 'tensor': {
      const shape = trees.reduce<Tensor>((a, t) => finer(a, asTensor(t)), first);
      const own = ownAxes(cx, shape.radices);
      const elems = trees.map((t) => asTensor(t).at(own.ix));
      return tabulated(
        cx,
        { axes: own.axes, dims: shape.dims, radices: shape.radices },
        eachTree(cx, elems, f),
      );
    }
    case 'record':
      return {
        k: 'record',
        fields: new Map(
          [...first.fields].map(([label, field]) => [
            label,
            {
              fixed: field.fixed,
              value: field.fixed
                ? field.value
                : eachTree(
                    cx,
                    trees.map((t) => asRecord(t).fields.get(label)!.value),
                    f,
                  ),
            },
          ]),
        ),
      };
  }
}

function asTensor(v: Value): Tensor {
  if (v.k !== 'tensor') throw new Error(`a tensor was expected, not a ${v.k}`);
  return v;
}

function asRecord(v: Value): RecordValue {
  if (v.k !== 'record') throw new Error(`a record was expected, not a ${v.k}`);
  return v;
}

// ---------------------------------------------------------------- reductions over trees

type TreeOp = 'sum' | 'prod' | 'max' | 'min' | 'all' | 'any';

const combine: Record<TreeOp, (a: Expr, b: Expr) => Expr> = {
  sum: (a, b) => prim('add', a, b),
  prod: (a, b) => prim('mul', a, b),
  max: (a, b) => prim('max', a, b),
  min: (a, b) => prim('min', a, b),
  all: (a, b) => prim('and', a, b),
  any: (a, b) => prim('or', a, b),
};

export function evalReduceTree(cx: Cx, env: Env, x: TExpr & { k: 'reduceTree' }): Value {
  if (x.op === 'argmax' || x.op === 'argmin') throw new Error(`${x.op} needs one range`);
  const op: TreeOp = x.op === 'mean' ? 'sum' : x.op;
  const trees = x.trees.map((t) => evalExpr(cx, env, t));
  const parts: { e: Expr; count: number }[] = [];
  reduceLeaves(cx, trees, [], (leaves, axes) => {
    const inner = x.names.reduce((e, n, i) => bind(e, n.id, leaves[i]!), env);
    const body = exprOf(evalExpr(cx, inner, x.body));
    const count = axes.reduce((n, a) => n * a.extent, 1);
    const e = axes.length === 0 ? body : emitReduce(cx, op, body, { op, red: axes });
    parts.push({ e, count });
  });
  if (parts.length === 0) {
    const neutral: Record<TreeOp, Expr> = {
      sum: constE('f32', 0),
      prod: constE('f32', 1),
      max: constE('f32', Number.NEGATIVE_INFINITY),
      min: constE('f32', Number.POSITIVE_INFINITY),
      all: constE('bool', 1),
      any: constE('bool', 0),
    };
    return { k: 'scalar', e: neutral[op] };
  }
  const total = parts.map((p) => p.e).reduce(combine[op]);
  if (x.op !== 'mean') return { k: 'scalar', e: total };
  const n = parts.reduce((m, p) => m + p.count, 0);
  return { k: 'scalar', e: prim('div', total, constE('f32', n)) };
}

function reduceLeaves(
  cx: Cx,
  trees: readonly Value[],
  axes: readonly Axis[],
  f: (leaves: readonly Value[], axes: readonly Axis[]) => void,
): void {
  const first = trees[0]!;
  switch (first.k) {
    case 'scalar':
    case 'key':
      f(trees, axes);
      return;
    case 'fn':
      return;
    case 'tensor': {
      const shape = trees.reduce<Tensor>((a, t) => finer(a, asTensor(t)), first);
      const own = ownAxes(cx, shape.radices);
      const elems = trees.map((t) => asTensor(t).at(own.ix));
      reduceLeaves(cx, elems, [...axes, ...own.axes], f);
      return;
    }
    case 'record':
      for (const [label, field] of first.fields) {
        if (field.fixed) continue;
        const values = trees.map((t) => asRecord(t).fields.get(label)!.value);
        reduceLeaves(cx, values, axes, f);
      }
      return;
  }
}
