/**
 * Dead code of derivatives: keeps what the wanted variables need, down to single carries, stacked
 * values and accumulators of a fold. Reverse mode leans on it: passes may emit what turns out to be
 * unused, and a saved value that nothing reads is not saved.
 *
 * Invariant: a statement survives only if something wanted needs it; those that survive whole are
 * the same objects.
 */

import { defsOf, usesOf } from '../core/build.ts';
import { freeVarsIx } from '../core/expr.ts';
import type { Fold, Stmt, Var } from '../core.ts';

/** The statements that `wanted` needs; `wanted` grows by the outer variables they use. */
export function keepLive(body: readonly Stmt[], wanted: Set<Var>): readonly Stmt[] {
  const out: Stmt[] = [];
  for (let i = body.length - 1; i >= 0; i--) {
    const s = body[i]!;
    if (!defsOf(s).some((d) => wanted.has(d))) continue;
    const kept = s.k === 'fold' ? liveFold(s, wanted) : s;
    for (const x of usesOf(kept)) wanted.add(x);
    out.push(kept);
  }
  return out.length === body.length && out.every((s, i) => s === body[body.length - 1 - i])
    ? body
    : out.reverse();
}

function liveFold(f: Fold, wanted: ReadonlySet<Var>): Fold {
  const ys = f.ys.filter((y) => wanted.has(y.v));
  const acc = f.acc.filter((a) => wanted.has(a.v));
  const carries = new Set(f.carry.filter((c) => wanted.has(c.out)));
  for (;;) {
    const inner = new Set<Var>();
    for (const c of carries) inner.add(c.next);
    for (const y of ys) inner.add(y.elem);
    for (const a of acc) {
      inner.add(a.add);
      if (a.at !== null) for (const x of freeVarsIx(a.at)) inner.add(x);
    }
    const body = keepLive(f.body, inner);
    const more = f.carry.filter((c) => inner.has(c.in) && !carries.has(c));
    if (more.length === 0) {
      const whole =
        body === f.body &&
        ys.length === f.ys.length &&
        acc.length === f.acc.length &&
        carries.size === f.carry.length;
      return whole ? f : { ...f, ys, acc, carry: f.carry.filter((c) => carries.has(c)), body };
    }
    for (const c of more) carries.add(c);
  }
}
