/**
 * Conditions of uses, moved to where a value is computed.
 *
 * `if x[i] > 0 then r[i] else 0` with r[i] = sum j. log(x[i] * w[j]): within one statement the
 * sweep keeps the dead branch apart (scalar.ts, Note [Dead branches]), but r is a statement of its
 * own, and where nobody uses it, it would multiply the cotangent 0 by infinite partials. So a value
 * that is used under conditions only is computed under them: r[i] = sum j. if x[i] > 0 then ... else
 * 0, which is the same wherever it is used.
 *
 * Invariant: all original variables keep their values; the narrowed value is a variable of its own,
 * read in place of the original by the uses that were looked at. Conditions have no derivative, so
 * derivatives of any order stay what they are.
 */
import { defsOf, type Supply, usesOf } from '../core/build.ts';
import { freeAxes, freeVars, type Read, readE, readsOf, substAxes, zeroE } from '../core/expr.ts';
import { asAxis, extentsOf, ixAxis } from '../core/ix.ts';
import type { AxisId, Expr, Ix, Nest, Stmt, Var } from '../core.ts';
import { always, or, select } from './arith.ts';
import { rewriteUses } from './rewrite.ts';
import { isTame, liveness } from './scalar.ts';

/** Under which condition each cell of a variable is used: over axes given per variable. */
type Use = 'always' | Expr;

export function narrow(
  body: readonly Stmt[],
  active: ReadonlySet<Var>,
  supply: Supply,
): readonly Stmt[] {
  return new Narrowing(body, active, supply).run();
}

class Narrowing {
  readonly #body: readonly Stmt[];
  readonly #active: ReadonlySet<Var>;
  readonly #supply: Supply;
  readonly #uses = new Map<Var, Use>();
  /** The statement that defines a variable, by position; inputs have none. */
  readonly #at = new Map<Var, number>();

  constructor(body: readonly Stmt[], active: ReadonlySet<Var>, supply: Supply) {
    this.#body = body;
    this.#active = active;
    this.#supply = supply;
    body.forEach((s, i) => {
      for (const d of defsOf(s)) this.#at.set(d, i);
    });
  }

  run(): readonly Stmt[] {
    const to = new Map<Var, Var>();
    const out: Stmt[] = [];
    for (let i = this.#body.length - 1; i >= 0; i--) {
      const s = this.#body[i]!;
      if (s.k !== 'nest') {
        for (const x of usesOf(s)) this.#uses.set(x, 'always');
        out.push(s);
        continue;
      }
      const use = this.#uses.get(s.v) ?? 'always';
      const condition = use === 'always' ? always : use;
      this.#look(s, condition);
      const active = (r: Read) => this.#active.has(r.x);
      if (condition !== always && this.#active.has(s.v) && !isTame(s.body, active)) {
        const v = this.#supply.like(s.v);
        to.set(s.v, v);
        out.push({ ...s, v, body: select(condition, s.body, zeroE('f32')) });
      }
      out.push(s);
    }
    if (to.size === 0) return this.#body;
    return rewriteUses(out.reverse(), {
      name: (x) => x,
      read: (r) => (to.has(r.x) ? readE(to.get(r.x)!, r.ix, r.guard) : undefined),
    });
  }

  /** Notes the uses that a nest makes, itself used under a condition over its axes. */
  #look(s: Nest, condition: Expr): void {
    const live = liveness(s.body, (r) => this.#active.has(r.x), condition);
    for (const r of readsOf(s.body)) {
      const old = this.#uses.get(r.x);
      if (old === 'always') continue;
      // A read that passes no tangent may decide something: it counts whenever it is there.
      const mine = this.#atCell(r, live.get(r) ?? always, s);
      if (mine === 'always') this.#uses.set(r.x, 'always');
      else if (old === undefined) this.#uses.set(r.x, mine);
      else {
        const both = or(old, mine);
        this.#uses.set(r.x, both === always ? 'always' : both);
      }
    }
  }

  /** The condition over the axes of the statement that defines what is read. */
  #atCell(r: Read, condition: Expr, s: Nest): Use {
    const position = this.#at.get(r.x);
    if (condition === always || position === undefined) return 'always';
    const by = this.#body[position]!;
    if (by.k !== 'nest') return 'always';
    // Each dimension is read whole, at an axis of its own, and the condition needs no other axis.
    const own = [...s.axes, ...s.red];
    const map = new Map<AxisId, Ix>();
    for (const [d, ix] of r.ix.entries()) {
      const a = own.find((x) => x.id === asAxis(ix));
      const cell = by.axes[d]!;
      if (a === undefined || map.has(a.id) || a.extent !== cell.extent) return 'always';
      map.set(a.id, ixAxis(cell));
    }
    const free = freeAxes(condition);
    if (own.some((a) => free.has(a.id) && !map.has(a.id))) return 'always';
    // What the condition reads has to be there already.
    for (const x of freeVars(condition)) if ((this.#at.get(x) ?? -1) >= position) return 'always';
    return substAxes(map, extentsOf(by.axes)).expr(condition);
  }
}
