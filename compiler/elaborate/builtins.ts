/**
 * The built-in functions that are not pointwise, one row each.
 *
 * Invariant: the table is total over BuiltinName: a built-in without a meaning does not compile.
 */
import type { BuiltinName, TExpr } from '../../dsl/typed.ts';
import { castE, constE, i32, prim } from '../core/expr.ts';
import { flatIx, modIx } from '../core/ix.ts';
import type { Expr } from '../core.ts';
import { forward, reverse } from './derive.ts';
import { keyOf, normalDraw, randintDraw, splitKey, uniformDraw } from './draws.ts';
import { evalExpr, exprOf } from './eval.ts';
import { indexOf } from './indexing.ts';
import { affine, intOf } from './ints.ts';
import { leavesOf, skeletonOf, treeOf } from './leaves.ts';
import { type Cx, settle } from './scope.ts';
import { evalExtent } from './sizes.ts';
import { evalCheckpoint } from './steps.ts';
import { eachTree } from './trees.ts';
import { type Env, mapScalars, type Value } from './value.ts';

type Call = TExpr & { k: 'builtin' };
type Rule = (cx: Cx, env: Env, x: Call, args: () => readonly Value[]) => Value;

export function evalBuiltin(cx: Cx, env: Env, x: Call): Value {
  return builtins[x.name](cx, env, x, () => x.args.map((a) => evalExpr(cx, env, a)));
}

function pair(a: string, va: Value, b: string, vb: Value): Value {
  return {
    k: 'record',
    fields: new Map([
      [a, { value: va, fixed: false }],
      [b, { value: vb, fixed: false }],
    ]),
  };
}

/** A draw's counter: an integer, or a row-major tuple. */
function counter(cx: Cx, env: Env, x: TExpr): Expr {
  if (x.k === 'counter') return intOf(indexOf(cx, env, x.index, 2 ** 31 - 1));
  return exprOf(evalExpr(cx, env, x));
}

/** The range a data-dependent index result must lie in. */
function rangeOf(env: Env, x: Call): number {
  if (x.type.k !== 'idx') throw new Error(`${x.name} gives an index`);
  return evalExtent(x.type.size, env.sizes, x.span);
}

const builtins: Record<BuiltinName, Rule> = {
  stop: (_cx, _env, _x, args) =>
    mapScalars(args()[0]!, (e) => (e.t === 'f32' && e.k !== 'const' ? prim('stop', e) : e)),
  checkpoint: (cx, _env, _x, args) => {
    const [f, x] = args();
    return evalCheckpoint(cx, f!, x!);
  },
  grad: (cx, _env, x, args) => {
    const [f, at] = args();
    return reverse(cx, f!, at!, undefined, x.span).gradient;
  },
  valueGrad: (cx, _env, x, args) => {
    const [f, at] = args();
    const r = reverse(cx, f!, at!, undefined, x.span);
    return pair('value', r.value, 'gradient', r.gradient);
  },
  vjp: (cx, _env, x, args) => {
    const [f, at, ct] = args();
    const r = reverse(cx, f!, at!, ct!, x.span);
    return pair('value', r.value, 'gradient', r.gradient);
  },
  jvp: (cx, _env, x, args) => {
    const [f, at, dx] = args();
    const r = forward(cx, f!, at!, dx!, x.span);
    return pair('value', r.value, 'tangent', r.tangent);
  },
  split: (cx, env, x) => {
    const key = keyOf(evalExpr(cx, env, x.args[0]!));
    return settle(cx, splitKey(key, counter(cx, env, x.args[1]!)), 'key');
  },
  normal: (cx, env, x) => {
    const key = keyOf(evalExpr(cx, env, x.args[0]!));
    return { k: 'scalar', e: normalDraw(key, counter(cx, env, x.args[1]!)) };
  },
  uniform: (cx, env, x) => {
    const key = keyOf(evalExpr(cx, env, x.args[0]!));
    return { k: 'scalar', e: uniformDraw(key, counter(cx, env, x.args[1]!)) };
  },
  randint: (cx, env, x) => {
    const key = keyOf(evalExpr(cx, env, x.args[0]!));
    return { k: 'scalar', e: randintDraw(key, counter(cx, env, x.args[1]!), rangeOf(env, x)) };
  },
  normalLike: (cx, _env, _x, args) => {
    const [k, tree] = args();
    const key = keyOf(k!);
    const leaves = leavesOf(tree!);
    const keys = leaves.map((_, i) => keyOf(settle(cx, splitKey(key, i32(i)), 'key')));
    return treeOf(skeletonOf(tree!), (i, ix) => {
      const leaf = leaves[i]!;
      if (leaf.fixed || leaf.t !== 'f32') return leaf.at(ix);
      return normalDraw(keys[i]!, intOf(flatIx(ix, leaf.dims)));
    });
  },
  zerosLike: (cx, _env, _x, args) =>
    eachTree(cx, args(), ([leaf]) => mapScalars(leaf!, (e) => constE(e.t, 0))),
  clamp: (_cx, env, x, args) => {
    const e = castE('i32', exprOf(args()[0]!));
    const n = rangeOf(env, x);
    return { k: 'scalar', e: prim('min', prim('max', e, i32(0)), i32(n - 1)) };
  },
  wrap: (cx, env, x, args) => {
    const e = castE('i32', exprOf(args()[0]!));
    const n = rangeOf(env, x);
    const ix = affine(e);
    return {
      k: 'scalar',
      e: ix === undefined ? prim('mod', e, i32(n)) : intOf(modIx(ix, n, cx.extents)),
    };
  },
};
