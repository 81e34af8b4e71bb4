/**
 * Elaboration proper: evaluates a typed expression at concrete sizes to a value, writing nests for
 * what has to be computed. Functions are applied here and do not survive (language.md, idea 5).
 *
 * Invariant: a `for` body is evaluated once, on fresh axes; reading the result substitutes them. A
 * reduction becomes one nest over the axes its body depends on (fission), so that no later pass has
 * to find out what was shared. A loop without steps has no body: what the checker took for granted
 * inside it (that there is an element) does not hold, so nothing of it is evaluated.
 */
import type { TBinder, TExpr, TPattern } from '../../dsl/typed.ts';
import { bool, castE, constE, prim, selectE } from '../core/expr.ts';
import { ixAxis } from '../core/ix.ts';
import type { Axis, Dtype, Expr, Ix } from '../core.ts';
import { evalBuiltin } from './builtins.ts';
import { callValue, fnValue } from './call.ts';
import { keyOf } from './draws.ts';
import { CompileError } from './errors.ts';
import { globalValue } from './globals.ts';
import { evalArray, evalIndex, zeroOf } from './indexing.ts';
import { applyOp, intOf } from './ints.ts';
import { axisMap, type Cx, emitReduce, freshAxis, ownAxes, settle } from './scope.ts';
import { evalBound, evalRange, evalSize } from './sizes.ts';
import { evalFold } from './steps.ts';
import { evalEach, evalReduceTree, ofNothing } from './trees.ts';
import {
  asStored,
  bind,
  type Env,
  finer,
  lookup,
  type Num,
  scalar,
  substValue,
  type Tensor,
  type Value,
  zipScalars,
} from './value.ts';

export function evalExpr(cx: Cx, env: Env, x: TExpr): Value {
  switch (x.k) {
    case 'num':
      return scalar(constE(dtypeOf(x), x.value));
    case 'bool':
      return scalar(bool(x.value));
    case 'size':
      return scalar(constE(dtypeOf(x), sizeValue(x, evalSize(x.size, env.sizes, x.span))));
    case 'local': {
      const v = lookup(env.locals, x.id);
      if (v === undefined) throw new Error(`local ${x.name} is not bound`);
      return v;
    }
    case 'global':
      return globalValue(cx, x.id);
    case 'fn':
      return fnValue(cx, env, x);
    case 'lambda':
      return { k: 'fn', f: { k: 'lambda', expr: x, env } };
    case 'call': {
      const f = evalExpr(cx, env, x.fn);
      const args = x.args.map((a) => a && evalExpr(cx, env, a));
      return at(cx, x, () => callValue(cx, f, args, x.span));
    }
    case 'inRange':
      return evalInRange(cx, env, x);
    case 'builtin':
      return at(cx, x, () => evalBuiltin(cx, env, x));
    case 'counter':
      throw new Error('a counter stands only in a draw');
    case 'prim': {
      const args = x.args.map((a) => evalExpr(cx, env, a));
      return lift(args, (vs) =>
        vs[0]!.k === 'key'
          ? compareKeys(x, vs)
          : applyOp(x.op, vs.map(numAt), primType(x), cx.extents),
      );
    }
    case 'if':
      return evalIf(cx, env, x);
    case 'let': {
      const value = at(cx, x.value, () => {
        const v = evalExpr(cx, env, x.value);
        return settle(cx, v, x.pattern.k === 'name' ? x.pattern.name : 'value');
      });
      return evalExpr(cx, bindPattern(env, x.pattern, value), x.body);
    }
    case 'for':
      return at(cx, x, () => evalFor(cx, env, x.binders, x.body));
    case 'reduce':
      return at(cx, x, () => evalReduce(cx, env, x));
    case 'reduceTree':
      return at(cx, x, () => evalReduceTree(cx, env, x));
    case 'each':
      return at(cx, x, () => evalEach(cx, env, x));
    case 'fold':
    case 'scan':
      return at(cx, x, () => evalFold(cx, env, x));
    case 'index':
      return at(cx, x, () => evalIndex(cx, env, x));
    case 'field': {
      const r = evalExpr(cx, env, x.target);
      return fieldOf(r, x.label);
    }
    case 'record':
      return {
        k: 'record',
        fields: new Map(
          x.fields.map((f) => [
            f.label,
            { value: asStored(evalExpr(cx, env, f.value)), fixed: isFixed(x, f.label) },
          ]),
        ),
      };
    case 'array':
      return at(cx, x, () => evalArray(cx, env, x));
  }
}

/** Statements made while `f` runs are said to come from this expression. */
function at<T>(cx: Cx, x: TExpr, f: () => T): T {
  const outer = cx.span;
  cx.span = x.span;
  try {
    return f();
  } finally {
    cx.span = outer;
  }
}

function isFixed(x: TExpr, label: string): boolean {
  return x.type.k === 'record' && x.type.fields.some((f) => f.label === label && f.fixed);
}

export function fieldOf(r: Value, label: string): Value {
  if (r.k === 'record') {
    const f = r.fields.get(label);
    if (f !== undefined) return f.value;
  }
  throw new Error(`no field ${label} in a ${r.k}`);
}

export function dtypeOf(x: TExpr): Dtype {
  const t = x.type.k === 'tensor' ? x.type.elem : x.type;
  if (t.k === 'idx') return 'i32';
  if (t.k === 'scalar' && t.s !== 'key') return t.s;
  // A type parameter stands for f32 leaves wherever a number of it is written.
  return 'f32';
}

/** A size used as a number, which its type may not hold. */
function sizeValue(x: TExpr, n: number): number {
  const t = dtypeOf(x);
  const most = t === 'i32' ? 2 ** 31 - 1 : t === 'u32' ? 2 ** 32 - 1 : Number.POSITIVE_INFINITY;
  if (n <= most) return n;
  throw new CompileError(
    'E0802',
    `The size ${n} is used as a number of ${t}, which goes up to ${most}.`,
    x.span,
  );
}

/** Casts name their result; the others have the type of the node. */
function primType(x: TExpr): Dtype {
  return dtypeOf(x);
}

/** Pointwise on tensors of equal shape and scalars. */
function lift(args: readonly Value[], f: (elements: readonly Value[]) => Expr | Num): Value {
  let shape: Tensor | undefined;
  for (const a of args) if (a.k === 'tensor') shape = shape === undefined ? a : finer(shape, a);
  if (shape === undefined) {
    const out = f(args);
    return out.k === 'scalar' ? out : scalar(out);
  }
  // An element is a stored number.
  return {
    ...shape,
    at: (ix) =>
      asStored(
        lift(
          args.map((a) => (a.k === 'tensor' ? a.at(ix) : a)),
          f,
        ),
      ),
  };
}

/** Keys are equal when both words are; no other operator takes them. */
function compareKeys(x: TExpr & { k: 'prim' }, keys: readonly Value[]): Expr {
  const [a, b] = keys.map(keyOf);
  const same = prim('and', prim('eq', a!.hi, b!.hi), prim('eq', a!.lo, b!.lo));
  return x.op === 'eq' ? same : prim('not', same);
}

export function numAt(v: Value): Num {
  if (v.k !== 'scalar') throw new Error(`a scalar was expected, not a ${v.k}`);
  return v;
}

export function exprOf(v: Value): Expr {
  return numAt(v).e;
}

/** It was shown to be an index of its type, which an i32 holds. */
function evalInRange(cx: Cx, env: Env, x: TExpr & { k: 'inRange' }): Value {
  if (x.type.k === 'idx') evalBound(x.type.size, env.sizes, x.span);
  const n = numAt(evalExpr(cx, env, x.e));
  if (n.int === undefined) return n.e.t === 'u32' ? scalar(castE('i32', n.e)) : n;
  return { k: 'scalar', e: castE('i32', n.int), int: n.int };
}

function evalIf(cx: Cx, env: Env, x: TExpr & { k: 'if' }): Value {
  const cond = exprOf(evalExpr(cx, env, x.cond));
  // A condition on sizes: only one branch exists.
  if (cond.k === 'const') return evalExpr(cx, env, cond.v !== 0 ? x.then : x.else);
  const a = evalExpr(cx, env, x.then);
  const b = evalExpr(cx, env, x.else);
  return zipScalars(a, b, (p, q) => selectE(cond, p, q));
}

export function bindPattern(env: Env, p: TPattern, v: Value): Env {
  if (p.k === 'name') return bind(env, p.id, v);
  return p.fields.reduce((e, f) => bindPattern(e, f.pattern, fieldOf(v, f.label)), env);
}

// ---------------------------------------------------------------- binders

export type Bound = {
  readonly env: Env;
  readonly axes: readonly Axis[];
  /** One dim per binder; a tuple is one dim split into its ranges. */
  readonly dims: readonly number[];
  readonly radices: readonly (readonly number[])[];
};

export function bindBinders(cx: Cx, env: Env, binders: readonly TBinder[]): Bound {
  const axes: Axis[] = [];
  let inner = env;
  const enter = (b: TBinder): number[] => {
    if (b.k === 'tuple') return b.items.flatMap(enter);
    const a = freshAxis(cx, evalRange(b.size, env.sizes, cx.span), b.name === '_' ? 'i' : b.name);
    axes.push(a);
    inner = bind(inner, b.id, scalar(intOf(ixAxis(a))));
    return [a.extent];
  };
  const radices = binders.map(enter);
  const dims = radices.map((rs) => rs.reduce((n, r) => n * r, 1));
  return { env: inner, axes, dims, radices };
}

/** Whether a loop has no steps. */
const isEmpty = (axes: readonly Axis[]): boolean => axes.some((a) => a.extent === 0);

function evalFor(cx: Cx, env: Env, binders: readonly TBinder[], body: TExpr): Value {
  const b = bindBinders(cx, env, binders);
  const elem = isEmpty(b.axes) ? zeroOf(env, body.type, body.span) : evalExpr(cx, b.env, body);
  return tabulated(cx, b, asStored(elem));
}

/** The tensor whose element at the bound axes is `elem`. */
export function tabulated(cx: Cx, b: Pick<Bound, 'axes' | 'dims' | 'radices'>, elem: Value): Value {
  const n = b.dims.length;
  const own = { axes: b.axes, ix: [] };
  const inner = (ix: readonly Ix[]) =>
    substValue(elem, axisMap(cx, own, b.radices, ix), cx.extents);
  if (elem.k !== 'tensor') return { k: 'tensor', dims: b.dims, radices: b.radices, at: inner };
  return {
    k: 'tensor',
    dims: [...b.dims, ...elem.dims],
    radices: [...b.radices, ...elem.radices],
    at: (ix) => {
      const t = inner(ix.slice(0, n));
      if (t.k !== 'tensor') throw new Error('a tensor was expected');
      return t.at(ix.slice(n));
    },
  };
}

// ---------------------------------------------------------------- reductions

function evalReduce(cx: Cx, env: Env, x: TExpr & { k: 'reduce' }): Value {
  const b = bindBinders(cx, env, x.binders);
  if (isEmpty(b.axes)) return scalar(ofNothing(x.op, dtypeOf(x)));
  const body = evalExpr(cx, b.env, x.body);
  if (body.k !== 'tensor') return scalar(reduceScalar(cx, x, b, exprOf(body)));
  const own = ownAxes(cx, body.radices);
  const e = exprOf(body.at(own.ix));
  const out = scalar(reduceScalar(cx, x, b, e));
  return tabulated(cx, { axes: own.axes, dims: body.dims, radices: body.radices }, out);
}

function reduceScalar(cx: Cx, x: TExpr & { k: 'reduce' }, b: Bound, e: Expr): Expr {
  switch (x.op) {
    case 'mean': {
      const n = b.axes.reduce((m, a) => m * a.extent, 1);
      const total = emitReduce(cx, 'sum', e, { op: 'sum', red: b.axes });
      return prim('div', total, constE('f32', n));
    }
    case 'argmax':
    case 'argmin':
      return reduceArg(cx, x.op, b, e);
    case 'sum':
    case 'prod':
    case 'max':
    case 'min':
    case 'all':
    case 'any':
      return emitReduce(cx, x.op, e, { op: x.op, red: b.axes });
  }
}

/** The index of an extremum over several axes is row-major over one merged axis. */
function reduceArg(cx: Cx, op: 'argmax' | 'argmin', b: Bound, e: Expr): Expr {
  if (b.axes.length === 1) return emitReduce(cx, op, e, { op, red: b.axes });
  const rs = b.axes.map((a) => a.extent);
  const flat = freshAxis(
    cx,
    rs.reduce((m, r) => m * r, 1),
    'i',
  );
  const map = axisMap(cx, { axes: b.axes, ix: [] }, [rs], [ixAxis(flat)]);
  const merged = exprOf(substValue(scalar(e), map, cx.extents));
  return emitReduce(cx, op, merged, { op, red: [flat] });
}
