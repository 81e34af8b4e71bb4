/**
 * The range of a form by trying every point, for the few forms that ranges of their parts are too
 * coarse for. Opaque values are taken with their ranges; conditions on axes alone choose the points.
 */
import { evalIx } from '../core/ix.ts';
import type { AxisId, Ix } from '../core.ts';
import { axesOf } from '../schedule/flat.ts';
import { type Condition, type Form, type Known, rangeOfForm } from './form.ts';
import type { Range } from './range.ts';
import * as R from './range.ts';

const MOST_POINTS = 4096;

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
  const axes = [...ids].map((id) => ({ id, ...known.box.axis(id) }));
  const count = axes.reduce((n, a) => n * Math.max(0, a.hi - a.lo + 1), 1);
  if (!(count <= MOST_POINTS)) return undefined;
  const at = new Map<AxisId, number>(axes.map((a) => [a.id, a.lo]));
  const axis = (id: AxisId): number => at.get(id)!;
  let out = R.nothing;
  for (let p = 0; p < count; p++) {
    let rest = p;
    for (const { id, lo, hi } of axes) {
      const extent = hi - lo + 1;
      at.set(id, lo + (rest % extent));
      rest = Math.floor(rest / extent);
    }
    const holds = about.every((c) => {
      const v = evalIx(c.form.ix, axis);
      return c.lo <= v && v <= c.hi;
    });
    if (holds) out = R.union(out, R.only(evalIx(f.ix, axis)));
  }
  return R.add(out, rangeOfForm({ ...f, ix: { c: 0, terms: [] } }, known));
}
