/**
 * Indexing and concatenation: product and sum indices become flat ones, reads that may leave their
 * tensor become guarded reads.
 *
 * Invariant: an index proved by the checker needs no guard; everything read under a condition
 * (`??`, the parts of a concatenation) carries that condition as guards on its reads, so no emitted
 * read can leave its array even where its value is not used.
 */
import type { TExpr, TIndex } from '../../dsl/typed.ts';
import { castE, constE, insideE, keepGuards, mapExpr, prim, readE, selectE } from '../core/expr.ts';
import { addIx, ixConst, shiftIx } from '../core/ix.ts';
import type { Expr, Guard, Ix } from '../core.ts';
import { evalExpr, exprOf } from './eval.ts';
import { affine, toIx } from './ints.ts';
import { leavesOfSkeleton, type Skeleton, treeOf } from './leaves.ts';
import { type Cx, joinIx } from './scope.ts';
import { evalExtent, evalSize } from './sizes.ts';
import { skeletonOfType } from './types.ts';
import { type Env, mapScalars, plain, type Tensor, type Value, zipScalars } from './value.ts';

export function indexOf(cx: Cx, env: Env, ix: TIndex, extent: number): Ix {
  switch (ix.k) {
    case 'at': {
      const bound = ix.e.type.k === 'idx' ? evalExtent(ix.e.type.size, env.sizes) : extent;
      return toIx(exprOf(evalExpr(cx, env, ix.e)), bound);
    }
    case 'tuple': {
      const ranges = ix.ranges.map((r) => evalExtent(r, env.sizes));
      return joinIx(
        ix.parts.map((p, i) => indexOf(cx, env, p, ranges[i]!)),
        ranges,
      );
    }
    case 'left':
      return indexOf(cx, env, ix.part, extent);
    case 'right': {
      const offset = evalSize(ix.offset, env.sizes);
      return shiftIx(indexOf(cx, env, ix.part, extent - offset), offset);
    }
  }
}

export function evalIndex(cx: Cx, env: Env, x: TExpr & { k: 'index' }): Value {
  const target = evalExpr(cx, env, x.target);
  if (target.k !== 'tensor') throw new Error(`a ${target.k} cannot be indexed`);
  if (x.orElse === undefined) {
    return partial(
      target,
      x.ix.map((i, d) => indexOf(cx, env, i, target.dims[d]!)),
    );
  }
  const places = x.ix.map((i, d) => placeOf(cx, env, i, target.dims[d]!));
  const value = partial(
    target,
    places.map((p) => p.ix),
  );
  return orElse(cx, value, places, evalExpr(cx, env, x.orElse));
}

/** An index that need not be in range, and when it is: what axes decide, or what data does. */
type PlaceAt = { readonly ix: Ix; readonly guard?: Guard; readonly when?: Expr };

/** A computed integer is promised to be in range, so where it is not, element 0 is meant instead. */
function placeOf(cx: Cx, env: Env, i: TIndex, extent: number): PlaceAt {
  const e = i.k === 'at' ? exprOf(evalExpr(cx, env, i.e)) : undefined;
  if (i.k !== 'at' || i.e.type.k === 'idx' || e === undefined || affine(e) !== undefined) {
    const ix = indexOf(cx, env, i, extent);
    return { ix, guard: { e: ix, lo: 0, hi: extent } };
  }
  if (extent === 0) return { ix: ixConst(0), guard: { e: ixConst(0), lo: 0, hi: 0 } };
  const at = castE('i32', e);
  const [first, end] = [constE('i32', 0), constE('i32', extent)];
  const when = prim('and', prim('ge', at, first), prim('lt', at, end));
  return { ix: toIx(selectE(when, at, first), extent), when };
}

/** The element, or the tensor of the trailing dims. */
export function partial(t: Tensor, ix: readonly Ix[]): Value {
  if (ix.length === t.dims.length) return t.at(ix);
  return {
    k: 'tensor',
    dims: t.dims.slice(ix.length),
    radices: t.radices.slice(ix.length),
    at: (rest) => t.at([...ix, ...rest]),
  };
}

function orElse(cx: Cx, v: Value, places: readonly PlaceAt[], fallback: Value): Value {
  const guards = places.flatMap((p) => p.guard ?? []);
  const kept = keepGuards(guards, cx.extents);
  const conditions = places.flatMap((p) => p.when ?? []);
  if (kept !== 'never' && kept.length + conditions.length === 0) return v;
  const whole = fillLike(v, fallback);
  if (kept === 'never') return whole;
  if (kept.length > 0) conditions.unshift(insideE(kept, cx.extents));
  const inside = conditions.reduce((a, b) => prim('and', a, b));
  const byAxes = conditions.length === 1 && kept.length > 0;
  return zipScalars(v, whole, (e, other) => {
    const guarded = addGuards(e, kept);
    // Outside its guards a plain read is 0 already.
    if (byAxes && e.k === 'read' && other.k === 'const' && other.v === 0) return guarded;
    return selectE(inside, guarded, other);
  });
}

/** A scalar fallback stands for every element. */
function fillLike(v: Value, fallback: Value): Value {
  if (fallback.k !== 'scalar' || v.k === 'scalar') return fallback;
  return mapScalars(v, () => fallback.e);
}

/** Every read below `e` happens only where the guards hold. */
export function addGuards(e: Expr, guards: readonly Guard[]): Expr {
  return mapExpr((x) => (x.k === 'read' ? readE(x.x, x.ix, [...x.guard, ...guards]) : x))(e);
}

// ---------------------------------------------------------------- concatenation

type Part = {
  readonly value: Value;
  readonly from: number;
  readonly size: number;
  spread: boolean;
};

export function evalArray(cx: Cx, env: Env, x: TExpr & { k: 'array' }): Value {
  let total = 0;
  const parts = x.items.map((item): Part => {
    const size = item.spread ? evalExtent(item.size, env.sizes, x.span) : 1;
    const part = { value: evalExpr(cx, env, item.value), from: total, size, spread: item.spread };
    total += size;
    return part;
  });
  const first = parts[0];
  if (first === undefined) return zeroOf(skeletonOfType(x.type, env.sizes, x.span));
  const rest = restDims(first);
  const at = (ix: readonly Ix[]): Value => {
    const i = ix[0]!;
    const own = parts
      .map((p) => ({ p, guard: { e: i, lo: p.from, hi: p.from + p.size } }))
      .filter(({ guard }) => keepGuards([guard], cx.extents) !== 'never');
    if (own.length === 0) return noElement(env, x);
    return own
      .map(({ p, guard }) => ({ guard, value: partAt(p, i, ix.slice(1)) }))
      .reduceRight<Value | undefined>((other, { guard, value }) => {
        const kept = keepGuards([guard], cx.extents);
        if (kept === 'never') throw new Error('a part that is never chosen');
        if (other === undefined && own.length === 1) return value;
        const guarded = mapScalars(value, (e) => addGuards(e, kept));
        if (other === undefined) return guarded;
        return zipScalars(guarded, other, (a, b) => selectE(insideE(kept, cx.extents), a, b));
      }, undefined)!;
  };
  return { k: 'tensor', dims: [total, ...rest], radices: plain([total, ...rest]), at };
}

/** An array without items has elements of its type that nobody can read. */
function zeroOf(s: Skeleton): Value {
  const types = leavesOfSkeleton(s).map((leaf) => leaf.t);
  return treeOf(s, (k) => constE(types[k]!, 0));
}

/** What stands for an element where every part is empty. */
function noElement(env: Env, x: TExpr): Value {
  const t = x.type.k === 'tensor' ? x.type.elem : x.type;
  return zeroOf(skeletonOfType(t, env.sizes, x.span));
}

function restDims(p: Part): readonly number[] {
  if (p.value.k !== 'tensor') return [];
  return p.spread ? p.value.dims.slice(1) : p.value.dims;
}

function partAt(p: Part, i: Ix, rest: readonly Ix[]): Value {
  if (p.value.k !== 'tensor') return p.value;
  const own = p.spread ? [addIx(i, ixConst(-p.from)), ...rest] : rest;
  return p.value.at(own);
}
