/**
 * Dead code elimination: keeps what the wanted variables need, down to single carries, stacked
 * values and accumulators of folds.
 *
 * Liveness is reachability in one graph over variables (a carry reaches its init and its next, and
 * through the body itself), so the pass is linear however deep the folds are nested. Statements that
 * survive whole are the same objects.
 */

import { defsOf, usesOf } from '../core/build.ts';
import { freeVarsIx } from '../core/expr.ts';
import type { Core, Custom, Fold, Stmt, Var } from '../core.ts';

/** The variables that a definition of the key needs. */
type Needs = Map<Var, Iterable<Var>>;

export function live(core: Core): Core {
  const needs: Needs = new Map();
  gather(core.body, needs);
  const reached = reach(core.outputs, needs);
  const body = keep(core.body, reached);
  const consts = core.consts.filter((c) => reached.has(c.v));
  return body === core.body && consts.length === core.consts.length
    ? core
    : { ...core, body, consts };
}

function reach(roots: readonly Var[], needs: Needs): ReadonlySet<Var> {
  const seen = new Set<Var>(roots);
  const todo = [...roots];
  for (let x = todo.pop(); x !== undefined; x = todo.pop()) {
    for (const y of needs.get(x) ?? []) {
      if (seen.has(y)) continue;
      seen.add(y);
      todo.push(y);
    }
  }
  return seen;
}

function gather(body: readonly Stmt[], needs: Needs): void {
  for (const s of body) {
    switch (s.k) {
      case 'nest':
      case 'segsum':
        needs.set(s.v, usesOf(s));
        break;
      case 'fold':
        gather(s.body, needs);
        for (const c of s.carry) {
          needs.set(c.out, [c.in]);
          needs.set(c.in, [c.init, c.next]);
        }
        for (const y of s.ys) needs.set(y.v, [y.elem]);
        for (const a of s.acc) {
          needs.set(a.v, [a.init, a.add, ...(a.at === null ? [] : freeVarsIx(a.at))]);
        }
        break;
      case 'custom':
        gatherCustom(s, needs);
        break;
    }
  }
}

/** A custom block lives or dies as a whole; its own statements do not. */
function gatherCustom(s: Custom, needs: Needs): void {
  gather(s.body, needs);
  gather(s.jvp.body, needs);
  const whole = [...s.ins, ...s.outs, ...s.jvp.douts];
  for (const x of s.outs) needs.set(x, [...(needs.get(x) ?? []), ...whole]);
}

function keep(body: readonly Stmt[], reached: ReadonlySet<Var>): readonly Stmt[] {
  const out: Stmt[] = [];
  for (const s of body) {
    if (!defsOf(s).some((d) => reached.has(d)) && !carriesReached(s, reached)) continue;
    out.push(s.k === 'fold' ? keepFold(s, reached) : s.k === 'custom' ? keepCustom(s, reached) : s);
  }
  return sameList(body, out) ? body : out;
}

/** A carry may be live inside a fold only while something the fold defines is. */
function carriesReached(s: Stmt, reached: ReadonlySet<Var>): boolean {
  return s.k === 'fold' && s.carry.some((c) => reached.has(c.in));
}

function keepFold(s: Fold, reached: ReadonlySet<Var>): Fold {
  const carry = s.carry.filter((c) => reached.has(c.in));
  const ys = s.ys.filter((y) => reached.has(y.v));
  const acc = s.acc.filter((a) => reached.has(a.v));
  const body = keep(s.body, reached);
  const whole =
    body === s.body &&
    carry.length === s.carry.length &&
    ys.length === s.ys.length &&
    acc.length === s.acc.length;
  return whole ? s : { ...s, carry, ys, acc, body };
}

function keepCustom(s: Custom, reached: ReadonlySet<Var>): Custom {
  const body = keep(s.body, reached);
  const jvp = keep(s.jvp.body, reached);
  return body === s.body && jvp === s.jvp.body ? s : { ...s, body, jvp: { ...s.jvp, body: jvp } };
}

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}
