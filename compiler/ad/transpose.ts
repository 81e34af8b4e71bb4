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
import { f32, freeAxes, type Read, readE, readIn } from '../core/expr.ts';
import { type Extents, extentsOf, ixAxis, shiftIx } from '../core/ix.ts';
import { Keys } from '../core/key.ts';
import type { Axis, Expr, Guard, Ix, Nest, SegSum, Stmt, Var } from '../core.ts';
import { add, mul } from './arith.ts';
import { type Flow, route, type Side } from './flow.ts';
import { sweep } from './scalar.ts';
import { transposeCustom } from './transpose-custom.ts';
import { transposeFold } from './transpose-fold.ts';

/** A part of a cotangent: a variable, or a pointwise expression over `axesOf(x)`. */
type Part =
  | { readonly k: 'var'; readonly v: Var; readonly spans: readonly Span[] }
  | { readonly k: 'cells'; readonly body: Expr; readonly spans: readonly Span[] };

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
        transposeCustom(s, this);
        return;
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
    const out = this.axesOf(x);
    const r = route(f, out, this.outer, this.supply);
    switch (r.k) {
      case 'none':
        return;
      case 'cells': {
        if (r.red.length === 0) {
          this.#giveCells(x, r.body, out, f.spans);
          return;
        }
        const v = this.supply.like(x, cotangentName(x));
        this.#reduce(v, out, r.red, r.body, f.spans);
        this.giveVar(x, v, f.spans);
        return;
      }
      case 'staged': {
        const shape = r.index.map((a) => a.extent);
        const v = this.supply.var(cotangentName(x), 'f32', shape);
        this.#reduce(v, r.index, r.rest, r.body, f.spans);
        const read = { ...f.read, guard: r.guard };
        this.flow({ ...f, vars: r.index, read, ct: readAt(v, r.index), of: v });
        return;
      }
      case 'boxed':
        this.#boxed(f, r.box);
        return;
      case 'scatter':
        this.#scatter(f);
        return;
    }
  }

  /** Through a variable that stands for the part of the cells that is read at all. */
  #boxed(f: Flow, box: readonly Side[]): void {
    const x = f.read.x;
    const part = this.supply.var(
      x.name,
      'f32',
      box.map((b) => b.extent),
    );
    const ix = f.read.ix.map((e, d) => shiftIx(e, -box[d]!.lo));
    this.flow({ ...f, read: { ...f.read, x: part, ix } });
    const v = this.takeAway(part);
    if (v === null) return;
    const out = this.axesOf(x);
    const at = out.map((a, d) => shiftIx(ixAxis(a), -box[d]!.lo));
    const inside = at.map((e, d): Guard => ({ e, lo: 0, hi: box[d]!.extent }));
    this.#giveCells(x, readIn(extentsOf(out), v, at, inside), out, f.spans);
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
