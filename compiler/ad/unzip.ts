/**
 * Taking a program of values and tangents apart: first all values, then all tangents.
 *
 * A fold that carries both becomes two: the first computes the values and stacks (`ys`) what the
 * second needs of each step; the second is linear. What it needs is saved or computed again (save.ts).
 * Values that depend on neither carry nor step never get here: they were moved out of the fold.
 *
 * Invariant: the first list reads no tangent; every statement of the second that is not linear
 * stands in a fold and computes again what the first computed there.
 */

import { copyBlock, defsOf, mapNest, readAt, type Supply, usesOf } from '../core/build.ts';
import { readE } from '../core/expr.ts';
import { ixAxis } from '../core/ix.ts';
import type { Axis, Expr, Fold, Stmt, Var } from '../core.ts';
import { namedVars, rewriteUses } from './rewrite.ts';
import { planSaves, type Saves } from './save.ts';

export type Unzipped = { readonly primal: readonly Stmt[]; readonly linear: readonly Stmt[] };

/** `linear` holds the tangent inputs and grows by everything that depends on them. */
export function unzip(body: readonly Stmt[], linear: Set<Var>, supply: Supply): Unzipped {
  spreadLinear(body, linear);
  return new Unzip(linear, supply).block(body);
}

/** Marks what depends on linear variables, at any depth; a fold part by part. */
export function spreadLinear(body: readonly Stmt[], linear: Set<Var>): void {
  for (const s of body) {
    if (s.k !== 'fold') {
      for (const x of usesOf(s)) if (linear.has(x)) for (const d of defsOf(s)) linear.add(d);
      continue;
    }
    for (let grown = true; grown; ) {
      grown = false;
      for (const c of s.carry) {
        if (linear.has(c.in) || !(linear.has(c.init) || linear.has(c.next))) continue;
        linear.add(c.in).add(c.out);
        grown = true;
      }
      spreadLinear(s.body, linear);
      grown ||= s.carry.some((c) => linear.has(c.next) && !linear.has(c.in));
    }
    for (const y of s.ys) if (linear.has(y.elem)) linear.add(y.v);
    for (const a of s.acc) if (linear.has(a.init) || linear.has(a.add)) linear.add(a.v);
  }
}

class Unzip {
  readonly #linear: ReadonlySet<Var>;
  readonly #supply: Supply;

  constructor(linear: ReadonlySet<Var>, supply: Supply) {
    this.#linear = linear;
    this.#supply = supply;
  }

  block(body: readonly Stmt[]): { primal: Stmt[]; linear: Stmt[] } {
    const primal: Stmt[] = [];
    const linear: Stmt[] = [];
    for (const s of body) {
      if (s.k === 'fold') {
        const f = this.#fold(s);
        if (f.primal !== undefined) primal.push(f.primal);
        if (f.linear !== undefined) linear.push(f.linear);
      } else (defsOf(s).some((d) => this.#linear.has(d)) ? linear : primal).push(s);
    }
    return { primal, linear };
  }

  /** The two folds; one that would define nothing is left out. */
  #fold(f: Fold): { primal?: Fold; linear?: Fold } {
    const isLinear = (x: Var): boolean => this.#linear.has(x);
    const { primal: values, linear: tangents } = this.block(f.body);
    if (tangents.length === 0 && !defsOf(f).some(isLinear)) return { primal: f };
    const primal: Fold = {
      ...f,
      carry: f.carry.filter((c) => !isLinear(c.in)),
      ys: f.ys.filter((y) => !isLinear(y.v)),
      acc: f.acc.filter((a) => !isLinear(a.v)),
      body: values,
    };
    const linear: Fold = {
      ...f,
      carry: f.carry.filter((c) => isLinear(c.in)),
      ys: f.ys.filter((y) => isLinear(y.v)),
      acc: f.acc.filter((a) => isLinear(a.v)),
      body: tangents,
    };
    if (defsOf(linear).length === 0) return { primal };
    // A carry that never changes, or of the only step, is its initial value: that is at hand.
    const known = new Map<Var, Var>();
    for (const c of primal.carry) if (f.trip === 1 || c.next === c.in) known.set(c.in, c.init);
    const plan = planSaves(primal, usesOf(linear), known);
    const { fold, ys } = this.#supplied(linear, plan, primal.ys, known);
    const first = { ...primal, ys: [...primal.ys, ...ys] };
    return defsOf(first).length === 0 ? { linear: fold } : { primal: first, linear: fold };
  }

  /** The linear fold reading saved values at its step, after computing again what was not saved. */
  #supplied(
    f: Fold,
    plan: Saves,
    stacked: Fold['ys'],
    known: ReadonlyMap<Var, Var>,
  ): { fold: Fold; ys: Fold['ys'] } {
    // What the first fold stacks anyway is there.
    const saved = new Map<Var, Var>();
    for (const y of stacked) if (plan.save.has(y.elem)) saved.set(y.elem, y.v);
    const ys = [...plan.save]
      .filter((x) => !saved.has(x))
      .map((elem) => ({ v: this.#supply.var(elem.name, elem.t, [f.trip, ...elem.shape]), elem }));
    for (const y of ys) saved.set(y.elem, y.v);
    const again = new Map<Var, Var>(known);
    const recomputed = copyBlock(plan.recompute, this.#supply, again);
    const block = [...recomputed, ...f.body];
    // A variable that a fold names cannot become a read of a slice: it gets a copy of the slice.
    const slices: Stmt[] = [];
    const named = namedVars([{ ...f, body: block }]);
    for (const [x, v] of saved) {
      if (!named.has(x)) continue;
      const axes = this.#supply.axes(x.shape);
      const copy = this.#supply.like(x);
      slices.push(mapNest(copy, axes, sliceAt(v, f.l, axes), f.spans));
      again.set(x, copy);
    }
    const name = (x: Var): Var => again.get(x) ?? x;
    const [whole] = rewriteUses([{ ...f, body: block }], {
      name,
      read: (r) => {
        const v = saved.get(r.x);
        if (v !== undefined) return readE(v, [ixAxis(f.l), ...r.ix], r.guard);
        const x = again.get(r.x);
        return x === undefined ? undefined : readE(x, r.ix, r.guard);
      },
    }) as [Fold];
    return { fold: { ...whole, body: [...slices, ...whole.body] }, ys };
  }
}

function sliceAt(v: Var, l: Axis, axes: readonly Axis[]): Expr {
  return readAt(v, [l, ...axes]);
}
