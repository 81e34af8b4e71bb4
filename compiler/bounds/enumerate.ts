/**
 * The range of a form, or of a value that loops alone decide, by trying every point: for the few that
 * ranges of their parts are too coarse for. In a form, opaque values are taken with their ranges;
 * conditions on axes alone choose the points.
 */
import { evalIx } from '../core/ix.ts';
import { scalarRule, wrap } from '../core/scalar.ts';
import type { AxisId, Ix } from '../core.ts';
import type { KExpr } from '../plan.ts';
import { axesOf, eachKExpr } from '../schedule/flat.ts';
import { type Box, type Condition, type Form, type Known, rangeOfForm } from './form.ts';
import type { Range } from './range.ts';
import * as R from './range.ts';

const MOST_POINTS = 4096;

type At = (id: AxisId) => number;

/** Calls `f` at every point of these axes; false where there are too many. */
function everywhere(ids: ReadonlySet<AxisId>, box: Box, f: (at: At) => void): boolean {
  const axes = [...ids].map((id) => ({ id, ...box.axis(id) }));
  const count = axes.reduce((n, a) => n * Math.max(0, a.hi - a.lo + 1), 1);
  if (!(count <= MOST_POINTS)) return false;
  const at = new Map<AxisId, number>(axes.map((a) => [a.id, a.lo]));
  for (let p = 0; p < count; p++) {
    let rest = p;
    for (const { id, lo, hi } of axes) {
      const extent = hi - lo + 1;
      at.set(id, lo + (rest % extent));
      rest = Math.floor(rest / extent);
    }
    f((id) => at.get(id)!);
  }
  return true;
}

/** Undefined where there are too many points. */
export function enumerated(
  f: Form,
  known: Known,
  conditions: readonly Condition[],
): Range | undefined {
  const about = conditions.filter((c) => c.form.rest.length === 0);
  const ids = new Set<AxisId>();
  const forms: readonly Ix[] = [f.ix, ...about.map((c) => c.form.ix)];
  for (const ix of forms) axesOf(ix, ids);
  let out = R.nothing;
  const tried = everywhere(ids, known.box, (at) => {
    const holds = about.every((c) => {
      const v = evalIx(c.form.ix, at);
      return c.lo <= v && v <= c.hi;
    });
    if (holds) out = R.union(out, R.only(evalIx(f.ix, at)));
  });
  return tried ? R.add(out, rangeOfForm({ ...f, ix: { c: 0, terms: [] } }, known)) : undefined;
}

/** Undefined where memory decides the value, or there are too many points. */
export function enumeratedValue(e: KExpr, box: Box): Range | undefined {
  const ids = new Set<AxisId>();
  let alone = true;
  eachKExpr(e, (x) => {
    if (x.k === 'index') axesOf(x.ix, ids);
    if (x.k === 'load' || x.k === 'checked' || x.t === 'f32') alone = false;
  });
  if (!alone) return undefined;
  let out = R.nothing;
  const tried = everywhere(ids, box, (at) => {
    out = R.union(out, R.only(valueAt(e, at, new Map())));
  });
  return tried && R.isExact(out) ? out : undefined;
}

function valueAt(e: KExpr, at: At, known: Map<KExpr, number>): number {
  const before = known.get(e);
  if (before !== undefined) return before;
  let v = Number.NaN;
  if (e.k === 'const') v = e.v;
  else if (e.k === 'index') v = e.t === 'int' ? evalIx(e.ix, at) : wrap('i32', evalIx(e.ix, at));
  else if (e.k === 'prim') {
    const args = e.args.map((a) => valueAt(a, at, known));
    v = scalarRule[e.op](args, e.t, e.args[0]!.t);
  }
  known.set(e, v);
  return v;
}
