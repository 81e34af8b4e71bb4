/**
 * Indexing and concatenation: product and sum indices become flat ones, reads that may leave their
 * tensor become guarded reads.
 *
 * Invariant: an index proved by the checker needs no guard; everything read under a condition
 * (`??`, the parts of a concatenation) carries that condition as guards on its reads, so no emitted
 * read can leave its array even where its value is not used.
 */
import type { Span } from '../../dsl/source.ts';
import type { TExpr, TIndex, Type } from '../../dsl/typed.ts';
import { constE, insideE, keepGuards, mapExpr, prim, readE, selectE } from '../core/expr.ts';
import { addIx, ixConst, ixVal, shiftIx } from '../core/ix.ts';
import type { Expr, Guard, Ix } from '../core.ts';
import { evalExpr, numAt } from './eval.ts';
import { affine, requireExact, toIx } from './ints.ts';
import { leavesOfSkeleton, treeOf } from './leaves.ts';
import { type Cx, joinIx } from './scope.ts';
import { evalBound, evalExtent, evalSize } from './sizes.ts';
import { skeletonOfType } from './types.ts';
import {
  asStored,
  type Env,
  exactly,
  mapScalars,
  plain,
  type Tensor,
  type Value,
  zipScalars,
} from './value.ts';

export function indexOf(cx: Cx, env: Env, ix: TIndex, extent: number): Ix {
  switch (ix.k) {
    case 'at': {
      const { type, span } = ix.e;
      const bound = type.k === 'idx' ? evalBound(type.size, env.sizes, span) : extent;
      return toIx(numAt(evalExpr(cx, env, ix.e)), bound, cx.extents, span);
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
  const guarded = (ix: Ix): PlaceAt => ({ ix, guard: { e: ix, lo: 0, hi: extent } });
  if (i.k !== 'at' || i.e.type.k === 'idx') return guarded(indexOf(cx, env, i, extent));
  const n = numAt(evalExpr(cx, env, i.e));
  if (affine(n) !== undefined) return guarded(toIx(n, extent, cx.extents, i.e.span));
  if (extent === 0) return guarded(ixConst(0));
  // A u32 is the number that it is; an i32 that cannot have wrapped stays one.
  const at = n.int ?? (n.e.t === 'u32' ? exactly(n) : n.e);
  const [first, end] = [constE(at.t, 0), constE(at.t, extent)];
  const when = prim('and', prim('ge', at, first), prim('lt', at, end));
  const ix = ixVal(selectE(when, at, first), extent);
  requireExact(ix, cx.extents, i.e.span);
  return { ix, when };
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
  return mapScalars(v, () => fallback.e); // elements: none has a twin
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
    const value = asStored(evalExpr(cx, env, item.value));
    const part = { value, from: total, size, spread: item.spread };
    total += size;
    return part;
  });
  const first = parts[0];
  if (first === undefined) return zeroOf(env, x.type, x.span);
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

/** What stands for elements that nobody can read: those of an array or loop without any. */
export function zeroOf(env: Env, t: Type, span: Span): Value {
  const s = skeletonOfType(t, env, span);
  const types = leavesOfSkeleton(s).map((leaf) => leaf.t);
  return treeOf(s, (k) => constE(types[k]!, 0));
}

/** What stands for an element where every part is empty. */
function noElement(env: Env, x: TExpr): Value {
  const t = x.type.k === 'tensor' ? x.type.elem : x.type;
  return zeroOf(env, t, x.span);
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
