/**
 * Splitting a nest before it is differentiated, so that its derivative repeats no work.
 *
 * A sub-expression that depends on fewer axes than the nest, gelu(x[i]) inside a sum over (o, i),
 * becomes a nest of its own over just those axes: then the tangent is contracted as
 * w[o, i] * dh[i], and the adjoint is a contraction followed by a pointwise factor instead of
 * a contraction that evaluates gelu' in its inner loop. So does a function of one operand in a window,
 * silu(x[i + k]), over the cells of x. A place that is computed, x[val(e)], becomes
 * a variable of integers: the adjoint compares or stores by it, perhaps many times.
 *
 * Invariant: the pieces define the same values; the last one defines the nest's own variable.
 */
import { mapNest, readAt, type Supply, sizeOf } from '../core/build.ts';
import {
  castE,
  f32,
  foldExpr,
  freeAxes,
  insideE,
  mapSame,
  type Read,
  readE,
  rewriter,
  selectE,
  substReads,
  walkExpr,
  withArgs,
} from '../core/expr.ts';
import { type Extents, extentsOf, interval, mapIx, noExtents } from '../core/ix.ts';
import { sameGuard, sameIx, sameIxs } from '../core/key.ts';
import { scalarRule } from '../core/scalar.ts';
import { primsOf } from '../core/work.ts';
import type { Axis, AxisId, Expr, Ix, Nest, Var } from '../core.ts';
import { isActive, mayStandAlone } from './scalar.ts';

export function split(s: Nest, active: (r: Read) => boolean, supply: Supply): readonly Nest[] {
  const pieces: Nest[] = [];
  pieces.push(byAxes(storePlaces(s, active, supply, pieces), active, supply, pieces));
  return pieces;
}

/** The nest with the computed places of its active reads taken out into `pieces`. */
function storePlaces(s: Nest, active: (r: Read) => boolean, supply: Supply, pieces: Nest[]): Nest {
  const stored = new Map<Expr, Expr>();
  const place = (e: Expr): Expr => {
    if (e.k !== 'prim') return e;
    let read = stored.get(e);
    if (read === undefined) {
      const axes = [...s.axes, ...s.red].filter((a) => freeAxes(e).has(a.id));
      const v = supply.var(
        `${s.v.name}_place`,
        'i32',
        axes.map((a) => a.extent),
      );
      // It lies in the range of what it indexes, which an i32 holds.
      pieces.push(mapNest(v, axes, castE('i32', e), s.spans));
      read = readAt(v, axes);
      stored.set(e, read);
    }
    return read;
  };
  const index = (ix: Ix): Ix => mapIx(ix, () => undefined, place, noExtents);
  const { expr } = rewriter({
    node: (e) => {
      if (e.k !== 'read' || !active(e)) return e;
      const ix = mapSame(e.ix, index);
      return ix === e.ix ? e : { ...e, ix };
    },
  });
  const body = expr(s.body);
  return body === s.body ? s : { ...s, body };
}

/** A sub-expression as a variable: over which axes, what there, and what stands in its place. */
type Cut = {
  readonly axes: readonly Axis[];
  readonly body: Expr;
  readonly read: (v: Var) => Expr;
};

/** The nest with what needs fewer cells than it has iterations taken out into `pieces`. */
function byAxes(s: Nest, active: (r: Read) => boolean, supply: Supply, pieces: Nest[]): Nest {
  const all = [...s.axes, ...s.red];
  const points = product(all);
  const passes = isActive(active);
  const alone = mayStandAlone(s, active);
  if (points === 0) return s;
  const worth = (e: Expr, c: Cut | undefined): c is Cut =>
    c !== undefined && primsOf(e) * (points - product(c.axes)) >= product(c.axes);
  const cutOf = (e: Expr): Cut | undefined => {
    if (e.k !== 'prim' || e.t !== 'f32' || !passes(e) || !alone(e)) return undefined;
    const cell = atCell(e, supply, extentsOf(all));
    const few = e === s.body && s.op === null ? undefined : overAxes(e, all);
    const good = [cell, few].filter((c) => worth(e, c));
    return good.sort((a, b) => product(a.axes) - product(b.axes))[0];
  };
  const cuts = new Map<Expr, Expr>();
  const visit = (e: Expr, seen: Set<Expr>): void => {
    if (e.k !== 'prim' || seen.has(e)) return;
    seen.add(e);
    const cut = cutOf(e);
    if (cut === undefined) {
      for (const a of e.args) visit(a, seen);
      return;
    }
    const v = supply.var(
      s.v.name,
      'f32',
      cut.axes.map((a) => a.extent),
    );
    pieces.push(byAxes(mapNest(v, cut.axes, cut.body, s.spans), active, supply, pieces));
    cuts.set(e, cut.read(v));
  };
  visit(s.body, new Set());
  if (cuts.size === 0) return s;
  // Parents first: a cut may stand inside another one as well.
  const put = foldExpr<Expr>((e, go) => {
    const cut = cuts.get(e);
    if (cut !== undefined || e.k !== 'prim') return cut ?? e;
    const args = mapSame(e.args, go);
    return args === e.args ? e : withArgs(e, args);
  });
  return { ...s, body: put(s.body) };
}

const product = (axes: readonly Axis[]) => sizeOf(axes.map((a) => a.extent));

/** Over those of the axes that it depends on. */
function overAxes(e: Expr, all: readonly Axis[]): Cut {
  const used = freeAxes(e);
  const axes = all.filter((a) => used.has(a.id));
  return { axes, body: e, read: (v) => readAt(v, axes) };
}

/**
 * f(x[E]), where all reads are at the same place E: f over the cells of x, read at E. In a window,
 * x[i + k], there are fewer cells than iterations. Where a guard fails, f(0). Every cell must be read:
 * f may have no derivative at the others, and 0 times that is NaN.
 */
function atCell(e: Expr, supply: Supply, extents: Extents): Cut | undefined {
  let first: Read | undefined;
  let same = true;
  walkExpr((n) => {
    if (n.k === 'index') same = false;
    if (n.k !== 'read') return;
    first ??= n;
    same &&=
      sameIxs(first.ix, n.ix) &&
      first.guard.length === n.guard.length &&
      first.guard.every((g, i) => sameGuard(g, n.guard[i]!)) &&
      String(first.x.shape) === String(n.x.shape);
  }, e);
  if (first === undefined || !same || !reachesAll(first, extents)) return undefined;
  const { x, ix, guard } = first;
  const axes = supply.axes(x.shape);
  const at = substReads((r) => readAt(r.x, axes));
  const outside = valueAt0(e);
  const read = (v: Var): Expr => {
    const inside = readE(v, ix, guard);
    return guard.length === 0 || outside === 0
      ? inside
      : selectE(insideE(guard, extents), inside, f32(outside));
  };
  return { axes, body: at(e), read };
}

/** Whether a read with affine indices of separate axes reaches every cell, as far as is easily seen. */
function reachesAll(r: Read, extents: Extents): boolean {
  const seen = new Set<AxisId>();
  const ranges = r.guard.every((g) =>
    r.ix.some((ix, d) => sameIx(ix, g.e) && g.lo <= 0 && g.hi >= r.x.shape[d]!),
  );
  return (
    ranges &&
    r.ix.every((ix, d) => {
      const range = interval(ix, extents);
      if (range.lo > 0 || range.hi < r.x.shape[d]! - 1) return false;
      // No gaps: by rising stride, each is at most one more than what the smaller ones reach.
      let reach = 0;
      for (const t of [...ix.terms].sort((a, b) => Math.abs(a.m) - Math.abs(b.m))) {
        if (t.a.k !== 'axis' || seen.has(t.a.id) || Math.abs(t.m) > reach + 1) return false;
        // The step of a fold around the nest has one value at a time.
        const extent = extents(t.a.id);
        if (extent === undefined) return false;
        seen.add(t.a.id);
        reach += Math.abs(t.m) * (extent - 1);
      }
      return true;
    })
  );
}

/** The value where all reads are 0. */
function valueAt0(e: Expr): number {
  return foldExpr<number>((n, go) => {
    switch (n.k) {
      case 'const':
        return n.v;
      case 'prim':
        return scalarRule[n.op](n.args.map(go), n.t, n.args[0]?.t ?? n.t);
      default:
        return 0;
    }
  })(e);
}
