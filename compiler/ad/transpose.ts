/**
 * Reverse mode: the transpose of linear statements. From cotangents of what they define to
 * cotangents of what they read, last statement first.
 *
 * Invariant: gather form. Each contribution to the cotangent of X is a nest over the cells of X
 * that sums the iterations which read the cell (solve.ts, Note [Adjoint of a read]); only reads at
 * data-dependent places become segment sums. Contributions without a sum are added in one nest.
 */
import type { Span } from '../../dsl/source.ts';
import { defsOf, mapNest, readAt, reduceNest, type Supply, sizeOf } from '../core/build.ts';
import { f32, freeAxes, freeAxesIx, keepGuards, type Read, readE } from '../core/expr.ts';
import { type Extents, ixAxis, shiftIx, subIx } from '../core/ix.ts';
import { Keys } from '../core/key.ts';
import { primsOf } from '../core/work.ts';
import type { Axis, AxisId, Expr, Guard, Ix, Nest, SegSum, Stmt, Var } from '../core.ts';
import { add, isZero, mul } from './arith.ts';
import { linearWhere } from './guards.ts';
import { sweep } from './scalar.ts';
import { type Solution, solve } from './solve.ts';
import { transposeFold } from './transpose-fold.ts';

/** A part of a cotangent: a variable, or a pointwise expression over `axesOf(x)`. */
type Part =
  | { readonly k: 'var'; readonly v: Var; readonly spans: readonly Span[] }
  | { readonly k: 'cells'; readonly body: Expr; readonly spans: readonly Span[] };

/** The iterations of a statement and what each of them passes on through one read. */
export type Flow = {
  readonly vars: readonly Axis[];
  readonly read: Read;
  /** The cotangent of the read in one iteration: linear in reads of `of`. */
  readonly ct: Expr;
  readonly of: Var;
  readonly spans: readonly Span[];
};

export class Transposer {
  readonly out: Stmt[] = [];
  readonly linear: Set<Var>;
  readonly supply: Supply;
  /** Extents of the steps of enclosing folds. */
  readonly outer: Extents;
  readonly #parts: Map<Var, Part[]> = new Map<Var, Part[]>();
  readonly #axes = new Map<Var, readonly Axis[]>();

  constructor(linear: Set<Var>, supply: Supply, outer: Extents) {
    this.linear = linear;
    this.supply = supply;
    this.outer = outer;
  }

  /** For the body of a fold that steps through l. */
  inside(l: Axis): Transposer {
    return new Transposer(this.linear, this.supply, (id) =>
      id === l.id ? l.extent : this.outer(id),
    );
  }

  /** Values first, in order; then the linear statements, last first. */
  run(body: readonly Stmt[]): void {
    const isLinear = (s: Stmt) => defsOf(s).some((d) => this.linear.has(d));
    for (const s of body) if (!isLinear(s)) this.out.push(s);
    for (const s of [...body].reverse()) if (isLinear(s)) this.#stmt(s);
  }

  #stmt(s: Stmt): void {
    switch (s.k) {
      case 'nest':
      case 'segsum':
        this.#nest(s);
        return;
      case 'fold':
        transposeFold(s, this);
        return;
      case 'custom':
        throw new Error('a custom block among linear statements');
    }
  }

  // -------------------------------------------------------------- cotangents

  giveVar(x: Var, v: Var, spans: readonly Span[]): void {
    this.#give(x, { k: 'var', v, spans });
  }

  #give(x: Var, p: Part): void {
    const parts = this.#parts.get(x);
    if (parts === undefined) this.#parts.set(x, [p]);
    else parts.push(p);
  }

  /** A cotangent by its cells, over `axesOf(x)`. */
  giveExpr(x: Var, body: Expr, spans: readonly Span[]): void {
    this.#giveCells(x, body, this.axesOf(x), spans);
  }

  /** What has got a cotangent. */
  given(): readonly Var[] {
    return [...this.#parts.keys()];
  }

  /** The sum of what was given to x so far, as a variable; null when nothing was. */
  take(x: Var): Var | null {
    const parts = this.#parts.get(x);
    if (parts === undefined) return null;
    const only = parts.length === 1 ? parts[0] : undefined;
    if (only?.k === 'var') return only.v;
    const axes = this.axesOf(x);
    const spans = unionSpans(parts.map((p) => p.spans));
    const body = parts.map((p) => (p.k === 'var' ? readAt(p.v, axes) : p.body)).reduce(add);
    const v = this.supply.like(x, cotangentName(x));
    this.out.push(mapNest(v, axes, body, spans));
    this.#parts.set(x, [{ k: 'var', v, spans }]);
    return v;
  }

  /** As `take`, and what was given is given no more. */
  takeAway(x: Var): Var | null {
    const v = this.take(x);
    this.#parts.delete(x);
    return v;
  }

  axesOf(x: Var): readonly Axis[] {
    let axes = this.#axes.get(x);
    if (axes === undefined) {
      axes = this.supply.axes(x.shape);
      this.#axes.set(x, axes);
    }
    return axes;
  }

  // -------------------------------------------------------------- nests

  #nest(s: Nest | SegSum): void {
    const v = this.take(s.v);
    if (v === null) return;
    const vars = s.k === 'nest' ? [...s.axes, ...s.red] : s.axes;
    if (vars.some((a) => a.extent === 0)) return;
    const ct = s.k === 'nest' ? readAt(v, s.axes) : readE(v, s.at, s.guard);
    const flows = sweep(s.body, (r) => this.linear.has(r.x), ct);
    const keys = new Keys();
    const merged = new Map<number, Flow>();
    for (const f of flows) {
      const key = keys.expr(f.read);
      const old = merged.get(key);
      merged.set(key, {
        vars,
        read: f.read,
        ct: old === undefined ? f.ct : add(old.ct, f.ct),
        of: v,
        spans: s.spans,
      });
    }
    for (const f of merged.values()) this.flow(f);
  }

  /** Adds to the cotangent of the variable read what all iterations pass on. */
  flow(f: Flow): void {
    const x = f.read.x;
    const within = this.#within(f.vars);
    if (isZero(f.ct) || keepGuards(f.read.guard, within) === 'never') return;
    const used = new Set<AxisId>();
    for (const ix of f.read.ix) for (const id of freeAxesIx(ix)) used.add(id);
    const index = f.vars.filter((a) => used.has(a.id));
    const rest = f.vars.filter((a) => !used.has(a.id));
    const out = this.axesOf(x);
    const solution = solve({ vars: index, read: f.read.ix, out, outer: this.outer }, this.supply);
    if (solution === 'none') return;
    // A segment sum must stay in range, so it keeps the guards that depend on the rest.
    const inRange =
      solution !== 'scatter' || f.read.guard.every((g) => needsOnly(g, index, f.vars));
    if (inRange && staysCheaper(f, index, rest, solution)) this.#staged(f, index, rest);
    else if (solution === 'scatter') this.#scatter(f);
    else this.#gather(f, rest, solution, out);
  }

  /** Sums over what the read does not depend on, into a variable over what it does. */
  #staged(f: Flow, index: readonly Axis[], rest: readonly Axis[]): void {
    const v = this.supply.var(
      cotangentName(f.read.x),
      'f32',
      index.map((a) => a.extent),
    );
    const ct = linearWhere(f.ct, f.of, f.read.guard, this.#within(f.vars));
    this.#reduce(v, index, rest, ct, f.spans);
    const guard = f.read.guard.filter((g) => needsOnly(g, index, f.vars));
    this.flow({ ...f, vars: index, read: { ...f.read, guard }, ct: readAt(v, index), of: v });
  }

  #within(vars: readonly Axis[]): Extents {
    return (id) => vars.find((a) => a.id === id)?.extent ?? this.outer(id);
  }

  #gather(f: Flow, rest: readonly Axis[], s: Solution, out: readonly Axis[]): void {
    const extents: Extents = (id) => s.extents(id) ?? rest.find((a) => a.id === id)?.extent;
    const guard = [...s.guard, ...f.read.guard.map((g) => solvedGuard(g, f.read, s, out))];
    const ct = linearWhere(s.subst.expr(f.ct), f.of, guard, extents);
    const red = [...s.residual, ...rest];
    if (red.length === 0) {
      this.#giveCells(f.read.x, ct, out, f.spans);
      return;
    }
    const v = this.supply.like(f.read.x, cotangentName(f.read.x));
    this.#reduce(v, out, red, ct, f.spans);
    this.giveVar(f.read.x, v, f.spans);
  }

  /** A copy of a whole variable is that variable. */
  #giveCells(x: Var, body: Expr, out: readonly Axis[], spans: readonly Span[]): void {
    const whole =
      body.k === 'read' &&
      body.guard.length === 0 &&
      body.x.shape.length === out.length &&
      body.ix.every((ix, d) => isAxis(ix, out[d]!) && body.x.shape[d] === out[d]!.extent);
    if (whole) this.giveVar(x, (body as Read).x, spans);
    else this.#give(x, { k: 'cells', body, spans });
  }

  /** v[axes] = sum(red) body, without loops over axes that the body does not mention. */
  #reduce(
    v: Var,
    axes: readonly Axis[],
    red: readonly Axis[],
    body: Expr,
    spans: readonly Span[],
  ): void {
    const free = freeAxes(body);
    const loops = red.filter((a) => free.has(a.id));
    const times = sizeOf(red.filter((a) => !free.has(a.id)).map((a) => a.extent));
    const scaled = mul(body, f32(times));
    this.out.push(
      loops.length === 0
        ? mapNest(v, axes, scaled, spans)
        : reduceNest(v, axes, 'sum', loops, scaled, spans),
    );
  }

  #scatter(f: Flow): void {
    const v = this.supply.like(f.read.x, cotangentName(f.read.x));
    this.out.push({
      k: 'segsum',
      v,
      axes: f.vars,
      at: f.read.ix,
      guard: f.read.guard,
      body: f.ct,
      spans: f.spans,
    });
    this.giveVar(f.read.x, v, f.spans);
  }
}

/**
 * Whether it costs less work to compute the cotangent over the index variables first and then to put
 * it into place, than to compute it at every cell: where the read reaches few of the cells, or goes
 * to data-dependent places.
 */
function staysCheaper(
  f: Flow,
  index: readonly Axis[],
  rest: readonly Axis[],
  solution: Solution | 'scatter',
): boolean {
  const product = (axes: readonly Axis[]) => sizeOf(axes.map((a) => a.extent));
  const free = freeAxes(f.ct);
  const summed = product(rest.filter((a) => free.has(a.id)));
  const reached = product(index);
  const perPoint = primsOf(f.ct) + (summed > 1 ? 1 : 0);
  if (solution === 'scatter') return reached * (summed * perPoint + 2) < product(f.vars) * perPoint;
  const cells = sizeOf(f.read.x.shape);
  const window = product(solution.residual);
  const put = cells * (window > 1 ? window : 0);
  const whole = window * summed > 1 ? 1 : 0;
  return (
    reached * (summed * perPoint + 1) + put < cells * window * summed * (primsOf(f.ct) + whole)
  );
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

function isAxis(ix: Ix, a: Axis): boolean {
  const t = ix.terms[0];
  return ix.c === 0 && ix.terms.length === 1 && t!.m === 1 && t!.a.k === 'axis' && t!.a.id === a.id;
}

export function cotangentName(x: Var): string {
  return x.name.endsWith('_bar') ? x.name : `${x.name.replace(/^d/, '')}_bar`;
}

export function unionSpans(lists: readonly (readonly Span[])[]): readonly Span[] {
  const seen = new Map<string, Span>();
  for (const l of lists) for (const s of l) seen.set(`${s.file}:${s.start}:${s.end}`, s);
  return [...seen.values()];
}
