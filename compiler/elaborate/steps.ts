/**
 * `fold`, `scan` and `checkpoint`: loops over steps become one Fold statement each, whatever their
 * trip count, and a fold inside a `for` becomes one fold over a batched carry.
 *
 * Invariant: the carries have one set of enclosing axes, found as a fixpoint: those of the initial
 * value, then those the body adds. The body is written once more only when the set grew.
 */
import type { Span } from '../../dsl/source.ts';
import type { TExpr } from '../../dsl/typed.ts';
import { constE, readE } from '../core/expr.ts';
import { ixAxis } from '../core/ix.ts';
import type { Axis, Ix, Stmt, Var } from '../core.ts';
import { callValue } from './call.ts';
import { bindPattern, evalExpr } from './eval.ts';
import { intOf } from './ints.ts';
import { type Leaf, leavesOf, leavesOfSkeleton, skeletonOf, treeOf, wholeDims } from './leaves.ts';
import {
  type Cx,
  freshAxis,
  inBlock,
  outerAxesOf,
  push,
  readLeaf,
  storeLeaf,
  unionAxes,
} from './scope.ts';
import { evalRange } from './sizes.ts';
import { bind, type Env, scalar, type Value } from './value.ts';

export function evalFold(cx: Cx, env: Env, x: TExpr & { k: 'fold' | 'scan' }): Value {
  const init = evalExpr(cx, env, x.init);
  const trip = evalRange(x.binder.size, env.sizes, x.span);
  if (trip === 0) return x.k === 'fold' ? init : noSteps(init);
  const name = x.pattern.k === 'name' ? x.pattern.name : 'carry';
  const names = leavesOf(init).map((leaf) => nameOf(leaf, name));
  const steps = loop(cx, {
    trip,
    init,
    lName: x.binder.name === '_' ? 'l' : x.binder.name,
    names,
    span: resultSpan(x.body),
    body: (l, carry) => {
      const inner = bind(bindPattern(env, x.pattern, carry), x.binder.id, scalar(intOf(ixAxis(l))));
      return evalExpr(cx, inner, x.body);
    },
  });
  const shape = wholeDims(skeletonOf(init));
  if (x.k === 'fold') {
    steps.finish([]);
    return treeOf(shape, (k, ix) => readLeaf(steps.carry[k]!.out, steps.outer, ix));
  }
  const ys = steps.carry.map((c) => ({
    v: cx.supply.var(`${c.next.name}s`, c.next.t, [trip, ...c.next.shape]),
    elem: c.next,
  }));
  steps.finish(ys);
  return stacked(
    trip,
    shape,
    ys.map((y) => y.v),
    steps.outer,
  );
}

export function resultSpan(x: TExpr): Span {
  return x.k === 'let' ? resultSpan(x.body) : x.span;
}

function nameOf(leaf: Leaf, fallback: string): string {
  const last = leaf.path.at(-1);
  return typeof last === 'string' ? last : fallback;
}

/** The carries of no steps, stacked: their structure, and nobody reads an element. */
function noSteps(init: Value): Value {
  const shape = wholeDims(skeletonOf(init));
  const types = leavesOfSkeleton(shape).map((leaf) => leaf.t);
  const zero = treeOf(shape, (k) => constE(types[k]!, 0));
  if (zero.k !== 'tensor') return { k: 'tensor', dims: [0], radices: [[0]], at: () => zero };
  return {
    k: 'tensor',
    dims: [0, ...zero.dims],
    radices: [[0], ...zero.radices],
    at: ([, ...ix]) => zero.at(ix),
  };
}

/** Slice l of array k is leaf k of step l. */
function stacked(
  trip: number,
  shape: ReturnType<typeof skeletonOf>,
  vars: readonly Var[],
  outer: readonly Axis[],
): Value {
  const read = treeOf(
    { k: 'tensor', dims: [trip], radices: [[trip]], elem: shape },
    (k, [l, ...ix]) => readAtStep(vars[k]!, l!, outer, ix),
  );
  if (read.k !== 'tensor' || shape.k !== 'tensor') return read;
  // A stack of tensors is one tensor with a leading dim.
  return {
    k: 'tensor',
    dims: [trip, ...shape.dims],
    radices: [[trip], ...shape.radices],
    at: ([l, ...ix]) => {
      const t = read.at([l!]);
      if (t.k !== 'tensor') throw new Error('a tensor was expected');
      return t.at(ix);
    },
  };
}

function readAtStep(v: Var, l: Ix, outer: readonly Axis[], ix: readonly Ix[]) {
  return readE(v, [l, ...outer.map((a) => ixAxis(a)), ...ix]);
}

type LoopSpec = {
  readonly trip: number;
  readonly init: Value;
  readonly lName: string;
  readonly names: readonly string[];
  /** Of the expression that gives the next carry. */
  readonly span: Span;
  readonly body: (l: Axis, carry: Value) => Value;
};

type Steps = {
  readonly outer: readonly Axis[];
  readonly carry: readonly { in: Var; init: Var; next: Var; out: Var }[];
  readonly finish: (ys: readonly { v: Var; elem: Var }[]) => void;
};

function loop(cx: Cx, spec: LoopSpec): Steps {
  const leaves = leavesOf(spec.init);
  const shape = wholeDims(skeletonOf(spec.init));
  const l = freshAxis(cx, spec.trip, spec.lName);
  let outer = outerAxesOf(cx, leaves);
  cx.ambient.add(l.id);
  for (;;) {
    const stored = outer;
    const extents = stored.map((a) => a.extent);
    const ins = leaves.map((leaf, k) =>
      cx.supply.var(spec.names[k]!, leaf.t, [...extents, ...leaf.dims]),
    );
    const carry = treeOf(shape, (k, ix) => readLeaf(ins[k]!, stored, ix));
    const { stmts, result } = inBlock(cx, () => {
      const next = leavesOf(spec.body(l, carry));
      return { next, need: outerAxesOf(cx, next) };
    });
    const grown = unionAxes(outer, result.need);
    if (grown.length > outer.length) {
      outer = grown;
      continue;
    }
    const whole = cx.span;
    cx.span = spec.span;
    const nexts = inBlock(
      cx,
      () => result.next.map((leaf, k) => storeLeaf(cx, leaf, stored, spec.names[k]!)),
      stmts,
    ).result;
    cx.span = whole;
    cx.ambient.delete(l.id);
    const inits = leaves.map((leaf, k) => storeLeaf(cx, leaf, stored, spec.names[k]!));
    const rows = ins.map((v, k) => ({
      in: v,
      init: inits[k]!,
      next: nexts[k]!,
      out: cx.supply.like(v),
    }));
    const finish: Steps['finish'] = (ys) => {
      push(cx, foldStmt(cx, l, spec.trip, rows, ys, stmts, 'auto'));
    };
    return { outer: stored, carry: rows, finish };
  }
}

function foldStmt(
  cx: Cx,
  l: Axis,
  trip: number,
  carry: Steps['carry'],
  ys: readonly { v: Var; elem: Var }[],
  body: readonly Stmt[],
  save: 'auto' | 'carries',
): Stmt {
  return { k: 'fold', trip, l, rev: false, carry, ys, acc: [], save, body, spans: [cx.span] };
}

/**
 * f(x), keeping only x for the backward pass: a fold of one step that saves its carries and
 * recomputes its body (Griewank's checkpointing with one level).
 */
export function evalCheckpoint(cx: Cx, f: Value, x: Value): Value {
  const leaves = leavesOf(x);
  const shape = wholeDims(skeletonOf(x));
  const l = freshAxis(cx, 1, 'l');
  let outer = outerAxesOf(cx, leaves);
  cx.ambient.add(l.id);
  for (;;) {
    const stored = outer;
    const extents = stored.map((a) => a.extent);
    const ins = leaves.map((leaf) => cx.supply.var('x', leaf.t, [...extents, ...leaf.dims]));
    const carry = treeOf(shape, (k, ix) => readLeaf(ins[k]!, stored, ix));
    const { stmts, result } = inBlock(cx, () => {
      const y = callValue(cx, f, [carry], cx.span);
      const found = leavesOf(y);
      return { y, found, need: outerAxesOf(cx, found) };
    });
    const grown = unionAxes(outer, result.need);
    if (grown.length > outer.length) {
      outer = grown;
      continue;
    }
    const elems = inBlock(
      cx,
      () => result.found.map((leaf) => storeLeaf(cx, leaf, stored, 'y', 'copy')),
      stmts,
    ).result;
    cx.ambient.delete(l.id);
    const inits = leaves.map((leaf) => storeLeaf(cx, leaf, stored, 'x'));
    const ys = elems.map((elem) => ({
      v: cx.supply.var('y', elem.t, [1, ...elem.shape]),
      elem,
    }));
    const rows = ins.map((v, k) => ({ in: v, init: inits[k]!, next: v, out: cx.supply.like(v) }));
    push(cx, foldStmt(cx, l, 1, rows, ys, stmts, 'carries'));
    return treeOf(wholeDims(skeletonOf(result.y)), (k, ix) =>
      readAtStep(ys[k]!.v, { c: 0, terms: [] }, stored, ix),
    );
  }
}
