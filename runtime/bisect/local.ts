/**
 * Each statement of a program as a program of its own: from what it reads to what it defines, for
 * all steps of the folds around it at once. Given what a device computed for the former, it says what
 * the latter should be, so that a statement is judged by itself and not by what came before it.
 *
 * Invariant: in program order; what a fold hands on (from step to step, and out) has statements too.
 */
import {
  defsOf,
  mapNest,
  reduceNest,
  type Supply,
  supplyAfter,
  usesOfBlock,
} from '../../compiler/core/build.ts';
import { i32, indexE, prim, readE, rewriter, selectE } from '../../compiler/core/expr.ts';
import { ixAxis, ixConst, shiftIx } from '../../compiler/core/ix.ts';
import type { Axis, Core, Expr, Fold, Guard, Ix, Stmt, Var } from '../../compiler/core.ts';
import type { Span } from '../../dsl/source.ts';
import type { Exposed } from './expose.ts';

export type Local = {
  /** Inputs are what it reads, its one output is what it defines: all as they are shown. */
  readonly core: Core;
  /** Folds around it; the first dimensions of the output are their steps. */
  readonly path: readonly Fold[];
  readonly span: Span | undefined;
};

export function localsOf(core: Core, exposed: Exposed): readonly Local[] {
  const make = new Locals(exposed, supplyAfter(exposed.core));
  make.block(core.body, []);
  return make.out;
}

class Locals {
  readonly out: Local[] = [];
  readonly #exposed: Exposed;
  readonly #supply: Supply;

  constructor(exposed: Exposed, supply: Supply) {
    this.#exposed = exposed;
    this.#supply = supply;
  }

  block(body: readonly Stmt[], path: readonly Fold[]): void {
    for (const s of body) {
      switch (s.k) {
        case 'nest':
        case 'segsum':
          this.#nest(s, path);
          break;
        case 'fold':
          this.#fold(s, path);
          break;
        case 'custom':
          throw new Error('a custom derivative after the end of differentiation');
      }
    }
  }

  #put(x: Var, path: readonly Fold[], body: readonly Stmt[], spans: readonly Span[]): void {
    const { v } = this.#exposed.shown.get(x)!;
    const defined = new Set(body.flatMap(defsOf));
    const inputs = [...usesOfBlock(body)].filter((y) => !defined.has(y));
    this.out.push({ core: { inputs, consts: [], body, outputs: [v] }, path, span: spans[0] });
  }

  /** A read of a variable of the program where it is shown, at the steps that `step` gives. */
  #read(x: Var, ix: readonly Ix[], guard: readonly Guard[], step: (f: Fold) => Ix): Expr {
    const { v, path } = this.#exposed.shown.get(x)!;
    return readE(v, [...path.map(step), ...ix], guard);
  }

  #nest(s: Extract<Stmt, { k: 'nest' | 'segsum' }>, path: readonly Fold[]): void {
    const steps = path.map((f) => f.l);
    const step = (f: Fold): Ix => ixAxis(f.l);
    const rw = rewriter({
      axis: () => undefined,
      node: (e) => {
        return e.k === 'read' ? this.#read(e.x, e.ix, e.guard, step) : e;
      },
    });
    const { v } = this.#exposed.shown.get(s.v)!;
    const axes = [...steps, ...s.axes];
    const body = rw.expr(s.body);
    const local: Stmt =
      s.k === 'nest'
        ? { ...s, v, axes, body }
        : {
            ...s,
            v,
            axes,
            at: [...steps.map((l) => ixAxis(l)), ...s.at.map(rw.ix)],
            guard: s.guard.map(rw.guard),
            body,
          };
    this.#put(s.v, path, [local], s.spans);
  }

  #fold(f: Fold, path: readonly Fold[]): void {
    const inside = [...path, f];
    const outer = path.map((p) => p.l);
    /** x over the axes given, at other steps of this fold. */
    const at = (x: Var, axes: readonly Axis[], l: Ix, guard: readonly Guard[] = []): Expr => {
      const step = (p: Fold): Ix => (p === f ? l : ixAxis(p.l));
      return this.#read(
        x,
        axes.map((a) => ixAxis(a)),
        guard,
        step,
      );
    };
    const shown = (x: Var): Var => this.#exposed.shown.get(x)!.v;
    const first = f.rev ? f.trip - 1 : 0;
    const before = shiftIx(ixAxis(f.l), f.rev ? 1 : -1);
    for (const c of f.carry) {
      const axes = this.#supply.axes(c.in.shape);
      const begins = prim('eq', indexE(ixAxis(f.l)), i32(first));
      const past = at(c.next, axes, before, [{ e: before, lo: 0, hi: f.trip }]);
      const body = selectE(begins, at(c.init, axes, ixAxis(f.l)), past);
      const nest = mapNest(shown(c.in), [...outer, f.l, ...axes], body, f.spans);
      if (f.trip > 0) this.#put(c.in, inside, [nest], f.spans);
    }
    this.block(f.body, inside);
    for (const c of f.carry) {
      const axes = this.#supply.axes(c.out.shape);
      const last = ixConst(f.rev ? 0 : f.trip - 1);
      const body = f.trip > 0 ? at(c.next, axes, last) : at(c.init, axes, last);
      this.#put(c.out, path, [mapNest(shown(c.out), [...outer, ...axes], body, f.spans)], f.spans);
    }
    for (const y of f.ys) {
      const axes = this.#supply.axes(y.elem.shape);
      const body = at(y.elem, axes, ixAxis(f.l));
      this.#put(y.v, path, [mapNest(shown(y.v), [...outer, f.l, ...axes], body, f.spans)], f.spans);
    }
    for (const a of f.acc) this.#accumulated(f, a, path, at);
  }

  /** v = init + what the steps added */
  #accumulated(
    f: Fold,
    a: Fold['acc'][number],
    path: readonly Fold[],
    at: (x: Var, axes: readonly Axis[], l: Ix) => Expr,
  ): void {
    const outer = path.map((p) => p.l);
    const added = this.#supply.axes(a.add.shape);
    const term = at(a.add, added, ixAxis(f.l));
    const { v } = this.#exposed.shown.get(a.v)!;
    const total = this.#supply.like(v, `${a.v.name}.added`);
    const sum: Stmt =
      a.at === null
        ? reduceNest(total, [...outer, ...added], 'sum', [f.l], term, f.spans)
        : {
            k: 'segsum',
            v: total,
            axes: [...outer, f.l, ...added],
            at: [...outer.map((l) => ixAxis(l)), a.at, ...added.map((x) => ixAxis(x))],
            guard: [],
            body: term,
            spans: f.spans,
          };
    const axes = this.#supply.axes(a.v.shape);
    const own = [...outer, ...axes].map((x) => ixAxis(x));
    const body = prim('add', at(a.init, axes, ixConst(0)), readE(total, own, []));
    this.#put(a.v, path, [sum, mapNest(v, [...outer, ...axes], body, f.spans)], f.spans);
  }
}
