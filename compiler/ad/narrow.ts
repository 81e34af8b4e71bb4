/**
 * Conditions of uses, moved to where a value is computed.
 *
 * `if x[i] > 0 then r[i] else 0` with r[i] = sum j. log(x[i] * w[j]): within one statement the
 * sweep keeps the dead branch apart (scalar.ts, Note [Dead branches]), but r is a statement of its
 * own, and where nobody uses it, it would multiply the cotangent 0 by infinite partials. So a value
 * whose tangent is used under conditions only has a copy that is computed under them,
 * r'[i] = sum j. if x[i] > 0 then ... else 0, and what passes tangents reads the copy.
 *
 * Invariant: every statement that was there defines the value it had, bit for bit. Reads that pass no
 * tangent (of stop, floor, comparisons, indices), folds that name a variable, and outputs have the
 * original; a read that passes tangents to what is asked for has the copy, in branches that choose it
 * only where the copy has its value. Conditions have no derivative, so derivatives of any order stay what they are.
 */
import { defsOf, type Supply, usesOf } from '../core/build.ts';
import { freeAxes, freeVars, readE, substAxes, zeroE } from '../core/expr.ts';
import { asAxis, extentsOf, ixAxis } from '../core/ix.ts';
import type { AxisId, Expr, Ix, Nest, Stmt, Var } from '../core.ts';
import { always, or, select } from './arith.ts';
import { isTame, type Passing, passingReads, rewritePassing } from './scalar.ts';

/** Under which condition the tangent of each cell of a variable is used, over the axes of its nest. */
type Use = 'never' | 'always' | Expr;

/** `wanted`: the variables whose tangents are used outside of the statements. */
export function narrow(
  body: readonly Stmt[],
  active: ReadonlySet<Var>,
  wanted: Iterable<Var>,
  supply: Supply,
): readonly Stmt[] {
  return new Narrowing(body, active, wanted, supply).run();
}

class Narrowing {
  readonly #body: readonly Stmt[];
  readonly #active: ReadonlySet<Var>;
  readonly #supply: Supply;
  readonly #uses = new Map<Var, Use>();
  /** The statement that defines a variable, by position; inputs have none. */
  readonly #at = new Map<Var, number>();
  /** The copy of a variable that what passes tangents reads. */
  readonly #copy = new Map<Var, Var>();

  constructor(
    body: readonly Stmt[],
    active: ReadonlySet<Var>,
    wanted: Iterable<Var>,
    supply: Supply,
  ) {
    this.#body = body;
    this.#active = active;
    this.#supply = supply;
    for (const x of wanted) this.#uses.set(x, 'always');
    body.forEach((s, i) => {
      for (const d of defsOf(s)) this.#at.set(d, i);
    });
  }

  #useOf(x: Var): Use {
    return this.#uses.get(x) ?? 'never';
  }

  run(): readonly Stmt[] {
    for (const s of [...this.#body].reverse()) {
      if (defsOf(s).every((d) => this.#useOf(d) === 'never')) continue;
      if (s.k === 'nest') this.#look(s, this.#condition(s));
      else for (const x of usesOf(s)) this.#uses.set(x, 'always');
    }
    const out = this.#body.flatMap((s) => (s.k === 'nest' ? this.#narrowed(s) : [s]));
    return this.#copy.size === 0 ? this.#body : out;
  }

  #condition(s: Nest): Expr {
    const use = this.#useOf(s.v);
    return use === 'always' || use === 'never' ? always : use;
  }

  readonly #isActive = (r: Passing): boolean => this.#active.has(r.x);

  /**
   * A statement whose tangent is used under a condition is left as it is, for whoever needs its value,
   * and has a copy where a cotangent 0 would meet what may be infinite: its own partials, or those of
   * a copy further up.
   */
  #narrowed(s: Nest): readonly Stmt[] {
    if (this.#useOf(s.v) === 'never') return [s];
    const condition = this.#condition(s);
    const body = rewritePassing(s.body, (r) => {
      const v = this.#copy.get(r.x);
      return v === undefined ? r : readE(v, r.ix, r.guard);
    });
    if (condition === always || !this.#active.has(s.v)) {
      return [body === s.body ? s : { ...s, body }];
    }
    if (body === s.body && isTame(s.body, this.#isActive)) return [s];
    const v = this.#supply.like(s.v);
    this.#copy.set(s.v, v);
    return [s, { ...s, v, body: select(condition, body, zeroE('f32')) }];
  }

  /** Notes the tangents that a nest uses, its own used under a condition over its axes. */
  #look(s: Nest, condition: Expr): void {
    for (const [r, here] of passingReads(s.body, this.#isActive, condition)) {
      const old = this.#useOf(r.x);
      if (old === 'always') continue;
      const mine = this.#atCell(r, here, s);
      const both = old === 'never' || mine === 'always' ? mine : or(old, mine);
      this.#uses.set(r.x, both === always ? 'always' : both);
    }
  }

  /** The condition over the axes of the statement that defines what is read. */
  #atCell(r: Passing, condition: Expr, s: Nest): Exclude<Use, 'never'> {
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
