/**
 * The built-in functions that are not pointwise, one row each.
 *
 * Invariant: the table is total over BuiltinName: a built-in without a meaning does not compile.
 */
import type { BuiltinName, TExpr, TIndex } from '../../dsl/typed.ts';
import { castE, constE, i32, prim } from '../core/expr.ts';
import { addIx, flatIx, modIx, scaleIx } from '../core/ix.ts';
import { forward, reverse } from './derive.ts';
import {
  type Counter,
  counterOf,
  keyOf,
  normalDraw,
  randintDraw,
  splitKey,
  uniformDraw,
} from './draws.ts';
import { evalExpr, exprOf, numAt } from './eval.ts';
import { affine, intOf, numOf } from './ints.ts';
import { leavesOf, skeletonOf, treeOf } from './leaves.ts';
import { type Cx, settle } from './scope.ts';
import { evalBound, evalExtent } from './sizes.ts';
import { evalCheckpoint } from './steps.ts';
import { eachTree } from './trees.ts';
import {
  type Env,
  exactly,
  mapCaptured,
  mapScalars,
  type Num,
  scalar,
  type Value,
} from './value.ts';

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

/** A draw's counter: an integer, or a row-major tuple, exactly. */
function counter(cx: Cx, env: Env, x: TExpr): Num {
  return x.k === 'counter' ? placeOf(cx, env, x.index) : numAt(evalExpr(cx, env, x));
}

function drawn(cx: Cx, env: Env, x: Call): Counter {
  return counterOf(counter(cx, env, x.args[1]!), cx.extents, x.span);
}

function placeOf(cx: Cx, env: Env, ix: TIndex): Num {
  switch (ix.k) {
    case 'at':
      return numAt(evalExpr(cx, env, ix.e));
    case 'tuple':
      return ix.parts.reduce<Num>(
        (before, part, i) => {
          const own = placeOf(cx, env, part);
          if (i === 0) return own;
          const radix = scalar(constE('int', evalExtent(ix.ranges[i]!, env.sizes)));
          return joined(cx, before, radix, own);
        },
        scalar(i32(0)),
      );
    case 'left':
    case 'right':
      throw new Error(`\`${ix.k}\` is no part of a counter`);
  }
}

/** before * radix + own: affine where its parts are. */
function joined(cx: Cx, before: Num, radix: Num, own: Num): Num {
  const [a, n, b] = [affine(before), affine(radix), affine(own)];
  if (a !== undefined && n !== undefined && b !== undefined) {
    return numOf(addIx(scaleIx(a, n.c), b), cx.extents);
  }
  const int = prim('add', prim('mul', exactly(before), exactly(radix)), exactly(own));
  return { k: 'scalar', e: castE('i32', int), int };
}

/** The range a data-dependent index result must lie in. */
function rangeOf(env: Env, x: Call): number {
  if (x.type.k !== 'idx') throw new Error(`${x.name} gives an index`);
  return evalBound(x.type.size, env.sizes, x.span);
}

const builtins: Record<BuiltinName, Rule> = {
  stop: (_cx, _env, _x, args) =>
    mapCaptured(args()[0]!, (e) => (e.t === 'f32' && e.k !== 'const' ? prim('stop', e) : e)),
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
    return settle(cx, splitKey(key, drawn(cx, env, x)), 'key');
  },
  normal: (cx, env, x) => {
    const key = keyOf(evalExpr(cx, env, x.args[0]!));
    return { k: 'scalar', e: normalDraw(key, drawn(cx, env, x)) };
  },
  uniform: (cx, env, x) => {
    const key = keyOf(evalExpr(cx, env, x.args[0]!));
    return { k: 'scalar', e: uniformDraw(key, drawn(cx, env, x)) };
  },
  randint: (cx, env, x) => {
    const key = keyOf(evalExpr(cx, env, x.args[0]!));
    return { k: 'scalar', e: randintDraw(key, drawn(cx, env, x), rangeOf(env, x)) };
  },
  normalLike: (cx, _env, _x, args) => {
    const [k, tree] = args();
    const key = keyOf(k!);
    const leaves = leavesOf(tree!);
    const keys = leaves.map((_, i) =>
      keyOf(settle(cx, splitKey(key, counterOf(scalar(i32(i)), cx.extents, cx.span)), 'key')),
    );
    return treeOf(skeletonOf(tree!), (i, ix) => {
      const leaf = leaves[i]!;
      if (leaf.fixed || leaf.t !== 'f32') return leaf.at(ix);
      const at = numOf(flatIx(ix, leaf.dims), cx.extents);
      return normalDraw(keys[i]!, counterOf(at, cx.extents, cx.span));
    });
  },
  zerosLike: (cx, _env, _x, args) =>
    eachTree(cx, args(), ([leaf]) => mapScalars(leaf!, (e) => constE(e.t, 0)), 'f32'),
  // Of the value, which has wrapped at 32 bits, and in its own type: a large u32 is no negative i32.
  clamp: (_cx, env, x, args) => {
    const e = exprOf(args()[0]!);
    const last = constE(e.t, rangeOf(env, x) - 1);
    const low = e.t === 'u32' ? e : prim('max', e, i32(0));
    return scalar(castE('i32', prim('min', low, last)));
  },
  wrap: (cx, env, x, args) => {
    const e = exprOf(args()[0]!);
    const n = rangeOf(env, x);
    const ix = affine(scalar(e));
    if (ix !== undefined) return scalar(intOf(modIx(ix, n, cx.extents)));
    // 2^31 is no i32.
    const of = e.t === 'i32' && n === 2 ** 31 ? castE('int', e) : e;
    return scalar(castE('i32', prim('mod', of, constE(of.t, n))));
  },
};
