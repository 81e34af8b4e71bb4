/**
 * Records as parameter trees: `each` maps over the leaves of trees of one structure, reductions
 * range over all their elements.
 *
 * Invariant: leaves marked `fixed` are copied from the first tree by `each` and skipped by
 * reductions; the trees were checked to have one structure.
 */
import type { ReduceOp } from '../../dsl/ast.ts';
import type { TExpr } from '../../dsl/typed.ts';
import { constE, prim } from '../core/expr.ts';
import type { Axis, Dtype, Expr } from '../core.ts';
import { dtypeOf, evalExpr, exprOf, tabulated } from './eval.ts';
import { type Cx, emitReduce, ownAxes } from './scope.ts';
import {
  asStored,
  bind,
  type Env,
  finer,
  mapScalars,
  type RecordValue,
  type Tensor,
  type Value,
} from './value.ts';

type OnScalars = (leaves: readonly Value[]) => Value;

export function evalEach(cx: Cx, env: Env, x: TExpr & { k: 'each' }): Value {
  const trees = x.trees.map((t) => evalExpr(cx, env, t));
  const f: OnScalars = (leaves) => {
    const inner = x.names.reduce((e, n, i) => bind(e, n.id, leaves[i]!), env);
    return asStored(evalExpr(cx, inner, x.body));
  };
  return eachTree(cx, trees, f, dtypeOf(x.body));
}

/** Applies `f` to corresponding scalars of trees of one structure; it gives scalars of type `t`. */
export function eachTree(cx: Cx, trees: readonly Value[], f: OnScalars, t: Dtype): Value {
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
      const elems = trees.map((v) => asTensor(v).at(own.ix));
      // Nothing is done to elements that are not there.
      const elem = shape.dims.includes(0) ? withLeaves(elems[0]!, t) : eachTree(cx, elems, f, t);
      return tabulated(cx, { axes: own.axes, dims: shape.dims, radices: shape.radices }, elem);
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
                    trees.map((v) => asRecord(v).fields.get(label)!.value),
                    f,
                    t,
                  ),
            },
          ]),
        ),
      };
  }
}

/** The structure with zeros of another type in the leaves that are not fixed. */
function withLeaves(v: Value, t: Dtype): Value {
  if (v.k !== 'record') return mapScalars(v, () => constE(t, 0));
  const fields = [...v.fields].map(
    ([label, f]) => [label, f.fixed ? f : { ...f, value: withLeaves(f.value, t) }] as const,
  );
  return { k: 'record', fields: new Map(fields) };
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

/** A reduction of nothing; of those that need an element no program asks that. */
export function ofNothing(op: ReduceOp, t: Dtype): Expr {
  switch (op) {
    case 'sum':
    case 'any':
      return constE(t, 0);
    case 'prod':
    case 'all':
      return constE(t, 1);
    case 'mean':
    case 'max':
    case 'min':
    case 'argmax':
    case 'argmin':
      throw new Error(`\`${op}\` of nothing`);
  }
}

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
  if (parts.length === 0) return { k: 'scalar', e: ofNothing(x.op, dtypeOf(x)) };
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
      if (shape.dims.includes(0)) return;
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
