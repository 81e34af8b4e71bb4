/**
 * What the iterations of a linear statement pass on through one read, brought to the cells of the
 * variable read.
 *
 * Three ways, the cheapest in work: straight to the cells (solve.ts); staged, first over the
 * variables of the index alone and then into place (where the read reaches few of the cells, sums
 * over other variables, or its coefficients are only defined where it reads); or added up at
 * data-dependent places.
 */

import type { Span } from '../../dsl/source.ts';
import { type Supply, sizeOf } from '../core/build.ts';
import { freeAxes, freeAxesIx, guardE, keepGuards, type Read } from '../core/expr.ts';
import { type Extents, interval, ixAxis, shiftIx, subIx } from '../core/ix.ts';
import { primsOf } from '../core/work.ts';
import type { Axis, AxisId, Expr, Guard, Ix, Var } from '../core.ts';
import { isZero } from './arith.ts';
import { guarding, stays0 } from './guards.ts';
import { type Solution, solve } from './solve.ts';

/** The iterations of a statement and what each of them passes on through one read. */
export type Flow = {
  readonly vars: readonly Axis[];
  readonly read: Read;
  /** The cotangent of the read in one iteration: linear in reads of `of`. */
  readonly ct: Expr;
  readonly of: Var;
  readonly spans: readonly Span[];
};

export type Route =
  | { readonly k: 'none' }
  /** A cell gets sum(red) body. */
  | { readonly k: 'cells'; readonly red: readonly Axis[]; readonly body: Expr }
  /** Sum(rest) body over the index variables; that goes on through a read with these guards. */
  | {
      readonly k: 'staged';
      readonly index: readonly Axis[];
      readonly rest: readonly Axis[];
      readonly body: Expr;
      readonly guard: readonly Guard[];
    }
  /** To a part of the cells, which then goes into place. */
  | { readonly k: 'boxed'; readonly box: readonly Side[] }
  | { readonly k: 'scatter' };

/** The indices lo .. lo + extent - 1 of a dimension. */
export type Side = { readonly lo: number; readonly extent: number };

/** `out` are the axes of the cells. */
export function route(f: Flow, out: readonly Axis[], outer: Extents, supply: Supply): Route {
  const within: Extents = (id) => f.vars.find((a) => a.id === id)?.extent ?? outer(id);
  if (isZero(f.ct) || keepGuards(f.read.guard, within) === 'never') return { k: 'none' };
  const index = indexVars(f);
  const rest = f.vars.filter((a) => !index.includes(a));
  const solution = solve({ vars: index, read: f.read.ix, out, outer }, supply);
  if (solution === 'none') return { k: 'none' };

  const staged = stagedRoute(f, index, rest, within);
  const reached = product(index);
  const cells = product(out);
  if (solution === 'scatter') {
    // A segment sum must stay in range, so it keeps the guards that depend on the rest.
    const inRange = f.read.guard.every((g) => needsOnly(g, index, f.vars));
    // To add at a place costs more than to add in a register.
    const whole = product(f.vars) * (primsOf(f.ct) + 2);
    return inRange && staged.cost + 2 * reached < whole ? staged.route : { k: 'scatter' };
  }
  const direct = directRoute(f, rest, solution, out);
  const window = product(solution.residual);
  const put = window > 1 ? cells * window : 0;
  // Staging a plain read again would go on forever.
  const better = primsOf(f.ct) + rest.length > 0 && staged.cost + reached + put < direct.cost;
  if (better) return staged.route;
  const box = f.read.ix.map((ix, d) => side(ix, out[d]!.extent, within));
  const inBox = sizeOf(box.map((b) => b.extent));
  if (inBox > 0 && (direct.cost * inBox) / cells + inBox < direct.cost) return { k: 'boxed', box };
  return direct.route;
}

/**
 * The variables of the index, in the order in which they stand in it (in one dimension the largest
 * stride first): what is staged over them then lies in memory as its place does.
 */
function indexVars(f: Flow): readonly Axis[] {
  const rank = new Map<AxisId, number>();
  for (const ix of f.read.ix) {
    const terms = [...ix.terms].sort((s, t) => Math.abs(t.m) - Math.abs(s.m));
    for (const t of terms) {
      for (const id of freeAxesIx({ c: 0, terms: [t] })) {
        if (!rank.has(id)) rank.set(id, rank.size);
      }
    }
  }
  const used = f.vars.filter((a) => rank.has(a.id));
  return used.sort((a, b) => rank.get(a.id)! - rank.get(b.id)!);
}

/** The part of a dimension that an index can reach. */
function side(ix: Ix, extent: number, within: Extents): Side {
  const range = interval(ix, within);
  const [lo, hi] = [Math.max(0, range.lo), Math.min(extent - 1, range.hi)];
  return { lo, extent: Math.max(0, hi - lo + 1) };
}

type Costed<R extends Route> = { readonly route: R; readonly cost: number };

const product = (axes: readonly Axis[]) => sizeOf(axes.map((a) => a.extent));

/** Without the cells written, which every way has. */
function directRoute(
  f: Flow,
  rest: readonly Axis[],
  s: Solution,
  out: readonly Axis[],
): Costed<Extract<Route, { k: 'cells' }>> {
  const extents: Extents = (id) => rest.find((a) => a.id === id)?.extent ?? s.extents(id);
  const moved = guarding(
    f.read.guard.map((g) => solvedGuard(g, f.read, s, out)),
    extents,
    f.of,
  ).of(s.subst.expr(f.ct));
  const safe = guarding(s.guard, extents, f.of).touching(moved);
  const body = stays0(moved, safe) ? safe : guardE(s.guard, safe, extents);
  const red = [...s.residual, ...rest];
  const loops = product(red.filter((a) => freeAxes(body).has(a.id)));
  const cost = product(out) * loops * (primsOf(body) + (loops > 1 ? 1 : 0));
  return { route: { k: 'cells', red, body }, cost };
}

function stagedRoute(
  f: Flow,
  index: readonly Axis[],
  rest: readonly Axis[],
  within: Extents,
): Costed<Extract<Route, { k: 'staged' }>> {
  // In these iterations the coefficients were computed before: only the cotangent is masked.
  const body = guarding(f.read.guard, within, f.of).of(f.ct);
  const guard = f.read.guard.filter((g) => needsOnly(g, index, f.vars));
  const loops = product(rest.filter((a) => freeAxes(body).has(a.id)));
  const cost = product(index) * loops * (primsOf(body) + (loops > 1 ? 1 : 0));
  return { route: { k: 'staged', index, rest, body, guard }, cost };
}

/** A guard of the read at a solution; where it is about an index of the read, that is the cell's. */
function solvedGuard(g: Guard, read: Read, s: Solution, out: readonly Axis[]): Guard {
  for (const [d, ix] of read.ix.entries()) {
    const shift = subIx(g.e, ix);
    if (shift.terms.length === 0) return { ...g, e: shiftIx(ixAxis(out[d]!), shift.c) };
  }
  return s.subst.guard(g);
}

/** Whether a guard depends on no variable but these. */
function needsOnly(g: Guard, index: readonly Axis[], vars: readonly Axis[]): boolean {
  const free = freeAxesIx(g.e);
  return vars.every((a) => index.includes(a) || !free.has(a.id));
}
