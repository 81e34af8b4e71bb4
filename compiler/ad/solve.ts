/**
 * Inverting a read: which iterations read a given cell?
 *
 * Note [Adjoint of a read]. A nest over variables v reads X[e(v)] where guards hold. The adjoint at
 * cell a is a sum over the v with e(v) = a, so transposing is solving e(v) = a for v: some variables
 * become index expressions in a, some stay and are summed over (the residual), and what a solution
 * needs to exist becomes guards. Nothing is scattered.
 *
 * The equations are made linear: a `div` or `mod` atom of e over the variables becomes a quotient q
 * and a remainder r with one more equation e - by*q - r = 0. Then, over the integers and bounded
 * variables, in this order: an equation without unknowns is a guard; with one unknown it is solved;
 * a mixed radix (superincreasing multipliers) is read off digit by digit with div and mod of the
 * OUTPUT index; otherwise the unknown of largest extent is eliminated, fraction-free, and the others
 * stay. An unknown eliminated with multiplier m > 1 demands divisibility, which picks a residue
 * class of a residual one: u = m*u' + rho, so a strided window is walked in steps of its stride.
 *
 * A data-dependent index is opaque. Where the other equations determine everything it depends on it
 * is one more guard (the adjoint of x[n, val(k[n])] gathers); otherwise there is no solution and the
 * caller has to add into data-dependent places. So it has where a solution is beyond exact numbers.
 */

import type { Supply } from '../core/build.ts';
import { freeAxesIx, type Rewriter, substAxes } from '../core/expr.ts';
import {
  addIx,
  decideGuard,
  divIx,
  type Extents,
  interval,
  ixAxis,
  ixConst,
  ixZero,
  modIx,
  scaleIx,
  shiftIx,
  subIx,
} from '../core/ix.ts';
import { Keys, sameGuard } from '../core/key.ts';
import type { Atom, Axis, AxisId, Guard, Ix } from '../core.ts';
import {
  combine,
  type Equation,
  inverse,
  isExact,
  isExactEquation,
  nearZero,
  superincreasing,
  type Unknown,
} from './equations.ts';
import { guarding } from './guards.ts';

export type Solution = {
  /** Rewrites anything over the iteration variables to the output axes and the residual. */
  readonly subst: Rewriter;
  /** What remains to be summed over. */
  readonly residual: readonly Axis[];
  /** Where a solution exists. */
  readonly guard: readonly Guard[];
  /** Of the output axes, the residual and whatever else is in scope. */
  readonly extents: Extents;
};

/** num / m, exactly, is the value of the unknown. */
type Eliminated = { readonly u: Unknown; readonly num: Equation; readonly m: number };

export type Problem = {
  readonly vars: readonly Axis[];
  /** The index of each dimension, over `vars` and outer axes. */
  readonly read: readonly Ix[];
  /** Axes of the output: one per dimension. */
  readonly out: readonly Axis[];
  /** Extents of axes bound outside. */
  readonly outer: Extents;
};

/** `scatter` where the read goes to data-dependent places; `none` where no cell is ever read. */
export function solve(problem: Problem, supply: Supply): Solution | 'scatter' | 'none' {
  return new Solver(problem, supply).run();
}

class Solver {
  readonly #problem: Problem;
  readonly #supply: Supply;
  readonly #unknowns = new Map<AxisId, Unknown>();
  readonly #keys = new Keys();
  readonly #splits = new Map<
    string,
    { readonly q: Unknown; readonly qlo: number; readonly r: Unknown }
  >();
  readonly #values = new Map<Unknown, Ix>();
  readonly #eliminated: Eliminated[] = [];
  readonly #guards: Guard[] = [];
  readonly #extents = new Map<AxisId, number>();
  #open: Equation[] = [];
  #impossible = false;
  #exactly = true;

  constructor(problem: Problem, supply: Supply) {
    this.#problem = problem;
    this.#supply = supply;
    for (const v of problem.vars) {
      this.#unknowns.set(v.id, { extent: v.extent, name: v.name, bounded: true });
    }
    for (const a of problem.out) this.#extents.set(a.id, a.extent);
  }

  readonly extents: Extents = (id) => this.#extents.get(id) ?? this.#problem.outer(id);
  /** Extents before solving: those of the iteration variables. */
  readonly #before: Extents = (id) => this.#unknowns.get(id)?.extent ?? this.#problem.outer(id);

  run(): Solution | 'scatter' | 'none' {
    const opaque: { readonly e: Ix; readonly a: Axis }[] = [];
    const single = this.#problem.vars.filter((a) => a.extent === 1);
    const no = substAxes(new Map(single.map((a) => [a.id, ixZero])), this.#before);
    this.#problem.read.map(no.ix).forEach((e, d) => {
      const a = this.#problem.out[d]!;
      if (this.#hasOpaque(e)) opaque.push({ e, a });
      else this.#open.push(this.#equation(e, scaleIx(ixAxis(a), -1)));
    });
    while (this.#step());
    const residual = this.#finish();
    const map = new Map<AxisId, Ix>();
    for (const [id, u] of this.#unknowns) map.set(id, this.#values.get(u)!);
    const subst = substAxes(map, this.extents);
    const loops = new Set(residual.map((a) => a.id));
    for (const { e, a } of opaque) {
      // Where there is no solution, what the index depends on must not be read either.
      const solved = guarding([...this.#guards], this.extents).ix(subst.ix(e));
      for (const id of freeAxesIx(solved)) if (loops.has(id)) return 'scatter';
      this.#demand(isZero(subIx(ixAxis(a), solved)));
    }
    // Multiplied out, an equation may have numbers that are not exact; adding into places needs none.
    const solved = [...map.values(), ...this.#guards.map((g) => g.e)];
    if (!this.#exactly || !solved.every((e) => isExact(e, this.extents))) return 'scatter';
    if (this.#impossible) return 'none';
    return { subst, residual, guard: this.#guards, extents: this.extents };
  }

  // -------------------------------------------------------------- making the equations

  /** Whether an index has a data-dependent part that depends on the variables. */
  #hasOpaque(e: Ix): boolean {
    return e.terms.some(({ a }) =>
      a.k === 'val' ? this.#dependsOnVars(a) : a.k !== 'axis' && this.#hasOpaque(a.e),
    );
  }

  #dependsOnVars(a: Atom): boolean {
    return [...freeAxesIx({ c: 0, terms: [{ m: 1, a }] })].some((id) => this.#unknowns.has(id));
  }

  /** e + known = 0 */
  #equation(e: Ix, known: Ix): Equation {
    let rest = addIx(known, ixConst(e.c));
    const coef = new Map<Unknown, number>();
    const put = (u: Unknown, m: number) => {
      const sum = (coef.get(u) ?? 0) + m;
      if (sum === 0) coef.delete(u);
      else coef.set(u, sum);
    };
    for (const { m, a } of e.terms) {
      if (!this.#dependsOnVars(a)) rest = addIx(rest, { c: 0, terms: [{ m, a }] });
      else if (a.k === 'axis') put(this.#unknowns.get(a.id)!, m);
      else if (a.k === 'val') throw new Error('an opaque index in an equation');
      else {
        const { q, qlo, r } = this.#split(a.e, a.by);
        if (a.k === 'mod') put(r, m);
        else {
          put(q, m);
          rest = shiftIx(rest, m * qlo);
        }
      }
    }
    return { known: rest, coef };
  }

  /** Quotient and remainder of e by a constant, tied by an equation of their own. */
  #split(e: Ix, by: number) {
    const key = `${by}:${this.#keys.ix(e)}`;
    let s = this.#splits.get(key);
    if (s !== undefined) return s;
    const range = interval(e, this.#before);
    const [lo, hi] = [Math.floor(range.lo / by), Math.floor(range.hi / by)];
    const qlo = Number.isFinite(lo) ? lo : 0;
    // The bounds of the quotient follow from those of the variables; they are infinite where an
    // axis of unknown extent is outside, and then it is the first to be eliminated.
    const q = { extent: hi - qlo + 1, name: 'q', bounded: false };
    const r = { extent: by, name: 'r', bounded: true };
    s = { q, qlo, r };
    this.#splits.set(key, s);
    const eq = this.#equation(e, ixConst(-by * qlo));
    this.#open.push({ known: eq.known, coef: new Map([...eq.coef, [q, -by], [r, -1]]) });
    return s;
  }

  // -------------------------------------------------------------- solving

  #step(): boolean {
    const eqs = this.#open;
    const take = (i: number): Equation => eqs.splice(i, 1)[0]!;
    let i = eqs.findIndex((e) => e.coef.size === 0);
    if (i >= 0) {
      this.#demand(isZero(take(i).known));
      return true;
    }
    i = eqs.findIndex((e) => e.coef.size === 1);
    if (i >= 0) {
      const eq = take(i);
      const [[u, m]] = [...eq.coef] as [[Unknown, number]];
      this.#know(u, this.#exact(scaleIx(eq.known, m > 0 ? -1 : 1), Math.abs(m)));
      return true;
    }
    i = eqs.findIndex((e) => superincreasing(e) !== undefined);
    if (i >= 0) {
      this.#digits(take(i));
      return true;
    }
    let best: { i: number; u: Unknown; m: number } | undefined;
    eqs.forEach((e, at) => {
      for (const [u, m] of e.coef) {
        if (best === undefined || better(u, m, best)) best = { i: at, u, m };
      }
    });
    if (best === undefined) return false;
    this.#eliminate(take(best.i), best.u, best.m);
    return true;
  }

  /** e / m, which must divide. */
  #exact(e: Ix, m: number): Ix {
    if (m === 1) return e;
    this.#demand(isZero(modIx(e, m, this.extents)));
    return divIx(e, m, this.extents);
  }

  #know(u: Unknown, value: Ix): void {
    this.#values.set(u, value);
    if (u.bounded) this.#demand({ e: value, lo: 0, hi: u.extent });
    this.#open = this.#open.map((e) => {
      const m = e.coef.get(u);
      if (m === undefined) return e;
      const coef = new Map(e.coef);
      coef.delete(u);
      return { known: addIx(e.known, scaleIx(value, m)), coef };
    });
  }

  /** All unknowns of an equation at once, most significant first. */
  #digits(eq: Equation): void {
    const radix = superincreasing(eq)!;
    // Negative multipliers count from the other end: m*u = m*(n-1) + |m|*(n-1-u).
    let rest = scaleIx(eq.known, -radix.sign);
    for (const { u, m } of radix.terms) if (m < 0) rest = shiftIx(rest, -m * (u.extent - 1));
    for (const { u, m } of radix.terms) {
      const w = Math.abs(m);
      const digit = divIx(rest, w, this.extents);
      rest = modIx(rest, w, this.extents);
      this.#know(u, m > 0 ? digit : shiftIx(scaleIx(digit, -1), u.extent - 1));
    }
    this.#demand(isZero(rest));
  }

  /** Solves for u and multiplies the other equations out, so that they stay over the integers. */
  #eliminate(eq: Equation, u: Unknown, m: number): void {
    const rest = new Map(eq.coef);
    rest.delete(u);
    // m*u = -(known + rest)
    const num = this.#note(combine({ known: eq.known, coef: rest }, m > 0 ? -1 : 1));
    this.#eliminated.push({ u, num, m: Math.abs(m) });
    this.#open = this.#open.map((e) => {
      const p = e.coef.get(u);
      if (p === undefined) return e;
      const without = new Map(e.coef);
      without.delete(u);
      return this.#note(combine({ known: e.known, coef: without }, Math.abs(m), num, p));
    });
  }

  #note(e: Equation): Equation {
    if (!isExactEquation(e)) this.#exactly = false;
    return e;
  }

  // -------------------------------------------------------------- reading the solution

  /** Gives every unknown a value; what no equation determines is looped over. */
  #finish(): Axis[] {
    const residual: Axis[] = [];
    const loop = (u: Unknown, extent: number): Ix => {
      if (extent === 1) return ixZero;
      const a = this.#supply.axis(extent, u.name);
      residual.push(a);
      this.#extents.set(a.id, extent);
      return ixAxis(a);
    };
    const gone = new Set(this.#eliminated.map((e) => e.u));
    const free = new Set<Unknown>();
    for (const e of this.#eliminated) {
      for (const u of e.num.coef.keys()) if (!this.#values.has(u) && !gone.has(u)) free.add(u);
    }
    for (const u of this.#unknowns.values()) {
      if (!this.#values.has(u) && !gone.has(u)) free.add(u);
    }
    const classes = this.#residueClasses(free, loop);
    for (const u of free) if (!this.#values.has(u)) this.#values.set(u, loop(u, u.extent));
    for (const e of [...this.#eliminated].reverse()) {
      const value = classes.get(e)?.() ?? this.#exact(this.#value(e.num), e.m);
      this.#values.set(e.u, value);
      if (e.u.bounded) this.#demand({ e: value, lo: 0, hi: e.u.extent });
    }
    return residual;
  }

  #value(e: Equation): Ix {
    let out = e.known;
    for (const [u, m] of e.coef) out = addIx(out, scaleIx(this.#values.get(u)!, m));
    return out;
  }

  /**
   * p*u + rest = m*v with gcd(p, m) = 1 holds for one residue class of u modulo m:
   * u = m*u' + rho with rho = -rest/p mod m, and then v = p*u' + (p*rho + rest)/m.
   */
  #residueClasses(
    free: ReadonlySet<Unknown>,
    loop: (u: Unknown, extent: number) => Ix,
  ): Map<Eliminated, () => Ix> {
    const out = new Map<Eliminated, () => Ix>();
    const used = new Set<Unknown>();
    for (const e of this.#eliminated) {
      if (e.m === 1) continue;
      const others = [...e.num.coef.keys()];
      if (!others.every((u) => this.#values.has(u) || free.has(u))) continue;
      const [u] = others
        .filter((x) => free.has(x) && !used.has(x) && x.extent > 1 && Number.isFinite(x.extent))
        .filter((x) => inverse(e.num.coef.get(x)!, e.m) !== undefined)
        .sort((x, y) => y.extent - x.extent);
      if (u === undefined) continue;
      const rest = others.filter((x) => x !== u);
      // The rest must be known before u is; a residual one becomes a plain loop now.
      for (const x of rest) {
        used.add(x);
        if (!this.#values.has(x)) this.#values.set(x, loop(x, x.extent));
      }
      used.add(u);
      const p = e.num.coef.get(u)!;
      const restValue = this.#value({
        known: e.num.known,
        coef: new Map(rest.map((x) => [x, e.num.coef.get(x)!])),
      });
      const step = loop(u, Math.ceil(u.extent / e.m));
      const rho = modIx(scaleIx(restValue, nearZero(-inverse(p, e.m)!, e.m)), e.m, this.extents);
      const value = addIx(scaleIx(step, e.m), rho);
      this.#values.set(u, value);
      this.#demand({ e: value, lo: 0, hi: u.extent });
      out.set(e, () => addIx(scaleIx(step, p), this.#quotient(p, rho, restValue, e.m)));
    }
    return out;
  }

  /** (p*rho + rest) / m, in the short form where p is 1 or -1. */
  #quotient(p: number, rho: Ix, rest: Ix, m: number): Ix {
    if (p === -1) return divIx(rest, m, this.extents);
    if (p === 1) return scaleIx(divIx(scaleIx(rest, -1), m, this.extents), -1);
    return divIx(addIx(scaleIx(rho, p), rest), m, this.extents);
  }

  #demand(g: Guard): void {
    const holds = decideGuard(g, this.extents);
    if (holds === 'never') this.#impossible = true;
    if (holds !== 'depends') return;
    if (this.#guards.some((h) => sameGuard(g, h))) return;
    this.#guards.push(g);
  }
}

/** e = 0, with a positive leading multiplier. */
function isZero(e: Ix): Guard {
  const flip = e.terms.length > 0 && e.terms[0]!.m < 0;
  return { e: flip ? scaleIx(e, -1) : e, lo: 0, hi: 1 };
}

/** Larger extent first (fewer iterations remain); of equals the one that needs no division. */
function better(u: Unknown, m: number, than: { u: Unknown; m: number }): boolean {
  if (u.extent !== than.u.extent) return u.extent > than.u.extent;
  return Math.abs(m) < Math.abs(than.m);
}
