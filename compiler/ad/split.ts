/**
 * Splitting a nest before it is differentiated, so that its derivative repeats no work.
 *
 * A sub-expression that depends on fewer axes than the nest, gelu(x[i]) inside a sum over (o, i),
 * becomes a nest of its own over just those axes: then the tangent is contracted as
 * w[o, i] * dh[i], and the adjoint is a contraction followed by a pointwise factor instead of
 * a contraction that evaluates gelu' in its inner loop. A place that is computed, x[val(e)], becomes
 * a variable of integers: the adjoint compares or stores by it, perhaps many times.
 *
 * Invariant: the pieces define the same values; the last one defines the nest's own variable.
 */
import { mapNest, readAt, type Supply } from '../core/build.ts';
import { foldExpr, freeAxes, mapSame, type Read, rewriter, withArgs } from '../core/expr.ts';
import { mapIx, noExtents } from '../core/ix.ts';
import type { AxisId, Expr, Ix, Nest } from '../core.ts';
import { isActive } from './scalar.ts';

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
      pieces.push(mapNest(v, axes, e, s.spans));
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

/** The nest with what needs fewer axes taken out into `pieces`. */
function byAxes(s: Nest, active: (r: Read) => boolean, supply: Supply, pieces: Nest[]): Nest {
  const all = [...s.axes, ...s.red];
  const axes = all.filter((a) => a.extent !== 1);
  if (axes.length === 0) return s;
  const passes = isActive(active);
  const fewer = (e: Expr): boolean => {
    if (e.k !== 'prim' || e.t !== 'f32') return false;
    const used: ReadonlySet<AxisId> = freeAxes(e);
    return axes.some((a) => !used.has(a.id)) && passes(e);
  };
  const cuts = new Map<Expr, Expr>();
  const visit = (e: Expr, seen: Set<Expr>): void => {
    if (e.k !== 'prim' || seen.has(e)) return;
    seen.add(e);
    if (fewer(e) && !(e === s.body && s.op === null)) {
      const mine = all.filter((a) => freeAxes(e).has(a.id));
      const v = supply.var(
        s.v.name,
        'f32',
        mine.map((a) => a.extent),
      );
      const piece = mapNest(v, mine, e, s.spans);
      pieces.push(byAxes(piece, active, supply, pieces));
      cuts.set(e, readAt(v, mine));
      return;
    }
    for (const a of e.args) visit(a, seen);
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
