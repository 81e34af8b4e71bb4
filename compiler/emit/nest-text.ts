/**
 * One nest of a kernel as statements of a C-like language: what WGSL, gpu.js and the host's own
 * JavaScript have in common. The language is a table (`Lang`); this file decides where each value is
 * computed and what gets a name.
 *
 * Invariants: the text holds numbers and fixed words only, so nothing a user wrote can become code:
 * axes are `a<id>`, temporaries `v<n>`, index sums `i<n>`. A node is computed once, just inside the
 * outermost serial loop that binds all of its axes. A load whose guards cannot hold is 0.
 */
import { decideGuard, type Extents, fitsI32, interval } from '../core/ix.ts';
import type { Atom, AxisId, Dtype, Guard, Ix, Prim } from '../core.ts';
import type { BufId, Checked, KExpr, KIx } from '../plan.ts';

export type PrimNode = Extract<KExpr, { k: 'prim' }>;

export type Lang = {
  readonly prim: Readonly<Record<Prim, (args: readonly string[], node: PrimNode) => string>>;
  readonly literal: (t: Dtype, v: number) => string;
  /** An integer inside index arithmetic. */
  readonly int: (v: number) => string;
  /** floor(e / by) and its remainder; `lo` and `hi` bound e. */
  readonly div: (e: string, by: number, lo: number, hi: number) => string;
  readonly mod: (e: string, by: number, lo: number, hi: number) => string;
  readonly load: (buf: BufId, at: string, t: Dtype) => string;
  /** `load` where the condition holds, else the zero of its type. */
  readonly guarded: (condition: string, load: string, t: Dtype) => string;
  readonly within: (e: string, lo: number, hi: number) => string;
  /** The value where it is in range; elsewhere 0, and the fault is noted. */
  readonly checked: (e: string, node: Checked) => string;
  readonly both: (a: string, b: string) => string;
  /** Index arithmetic to a value of type i32 (`fits`: without wrapping), and back. */
  readonly fromIndex: (e: string, fits: boolean) => string;
  readonly toIndex: (e: string) => string;
  readonly declare: (name: string, text: string, t: Dtype | 'index') => string;
  /** Whether an argument of an operation must be a variable, however short its text. */
  readonly named: (node: PrimNode, arg: KExpr) => boolean;
};

/** Longer texts are named, which bounds the nesting of the generated code. */
const longText = 100;
const isWord = (text: string): boolean => /^[\w.]+$/.test(text);

export const axisName = (id: AxisId): string => `a${id}`;

/** All axes that an index mentions. */
function addAxes(e: Ix, into: Set<AxisId>): void {
  for (const t of e.terms) {
    if (t.a.k === 'axis') into.add(t.a.id);
    else if (t.a.k !== 'val') addAxes(t.a.e, into);
  }
}

export class NestText {
  /** Code just inside serial loop d - 1 (0: before all loops), in order of dependence. */
  readonly at: string[][];
  readonly #lang: Lang;
  readonly #extents: Extents;
  readonly #depth: ReadonlyMap<AxisId, number>;
  readonly #uses = new Map<KExpr, number>();
  readonly #axes = new Map<KExpr, ReadonlySet<AxisId>>();
  readonly #texts = new Map<KExpr, string>();
  readonly #named = new Map<string, string>();
  #count = 0;

  /** `serial` are the loops the caller opens, outermost first; every other axis is already bound. */
  constructor(
    lang: Lang,
    serial: readonly { readonly id: AxisId }[],
    extents: Extents,
    roots: readonly KExpr[],
  ) {
    this.#lang = lang;
    this.#extents = extents;
    this.#depth = new Map(serial.map((a, i) => [a.id, i + 1]));
    this.at = Array.from({ length: serial.length + 1 }, () => []);
    const count = (e: KExpr): void => {
      const n = this.#uses.get(e) ?? 0;
      this.#uses.set(e, n + 1);
      if (n > 0) return;
      if (e.k === 'prim') e.args.forEach(count);
      if (e.k === 'load') for (const d of e.at.dyn) count(d.e);
      if (e.k === 'checked') count(e.e);
    };
    roots.forEach(count);
  }

  #axesOf(e: KExpr): ReadonlySet<AxisId> {
    const known = this.#axes.get(e);
    if (known) return known;
    const out = new Set<AxisId>();
    if (e.k === 'index') addAxes(e.ix, out);
    if (e.k === 'prim') for (const a of e.args) for (const id of this.#axesOf(a)) out.add(id);
    if (e.k === 'load') {
      addAxes(e.at.ix, out);
      for (const g of e.guard) addAxes(g.e, out);
      for (const d of e.at.dyn) for (const id of this.#axesOf(d.e)) out.add(id);
    }
    if (e.k === 'checked') for (const id of this.#axesOf(e.e)) out.add(id);
    this.#axes.set(e, out);
    return out;
  }

  #depthOf(axes: Iterable<AxisId>): number {
    let d = 0;
    for (const id of axes) d = Math.max(d, this.#depth.get(id) ?? 0);
    return d;
  }

  #depthOfIx(e: Ix): number {
    const axes = new Set<AxisId>();
    addAxes(e, axes);
    return this.#depthOf(axes);
  }

  #name(text: string, depth: number, t: Dtype | 'index'): string {
    const key = `${depth}:${t}:${text}`;
    const known = this.#named.get(key);
    if (known) return known;
    const name = `${t === 'index' ? 'i' : 'v'}${this.#count++}`;
    this.#named.set(key, name);
    this.at[depth]!.push(this.#lang.declare(name, text, t));
    return name;
  }

  /** Text of a value, usable at serial depth `here` and below. */
  expr(e: KExpr, here: number): string {
    const known = this.#texts.get(e);
    if (known !== undefined) return known;
    const depth = this.#depthOf(this.#axesOf(e));
    let text = this.#node(e, depth);
    const alone = this.#uses.get(e) === 1 && depth === here && text.length < longText;
    if (e.k !== 'const' && !isWord(text) && !alone) text = this.#name(text, depth, e.t);
    this.#texts.set(e, text);
    return text;
  }

  #node(e: KExpr, depth: number): string {
    switch (e.k) {
      case 'const':
        return this.#lang.literal(e.t, e.v);
      case 'index':
        return this.#lang.fromIndex(this.ix(e.ix, depth), fitsI32(interval(e.ix, this.#extents)));
      case 'load': {
        const kept: Guard[] = [];
        for (const g of e.guard) {
          const d = decideGuard(g, this.#extents);
          if (d === 'never') return this.#lang.literal(e.t, 0);
          if (d === 'depends') kept.push(g);
        }
        const load = this.#lang.load(e.buf, this.kix(e.at, depth), e.t);
        if (kept.length === 0) return load;
        return this.#lang.guarded(this.guards(kept, depth), load, e.t);
      }
      case 'prim': {
        const args = e.args.map((a) => {
          const text = this.expr(a, depth);
          const isVariable = /^[av]\d+$/.test(text);
          return this.#lang.named(e, a) && !isVariable ? this.#name(text, depth, a.t) : text;
        });
        return this.#lang.prim[e.op](args, e);
      }
      case 'checked':
        return this.#lang.checked(this.expr(e.e, depth), e);
    }
  }

  guards(guard: readonly Guard[], here: number): string {
    return guard
      .map((g) => this.#lang.within(this.ix(g.e, here), g.lo, g.hi))
      .reduce((a, b) => this.#lang.both(a, b));
  }

  /** Whether what is checked of a place holds; undefined where nothing is. */
  holds(at: KIx, here: number): string | undefined {
    const tests = at.dyn.flatMap(({ e }) =>
      e.k === 'checked' ? [this.#lang.within(this.expr(e.e, here), 0, e.extent)] : [],
    );
    return tests.length === 0 ? undefined : tests.reduce((a, b) => this.#lang.both(a, b));
  }

  /** A flat offset: the affine part plus the data-dependent one. */
  kix(at: KIx, here: number): string {
    let sum = at.dyn.length > 0 && isZero(at.ix) ? '' : this.ix(at.ix, here);
    for (const d of at.dyn) {
      const v = this.#lang.toIndex(this.expr(d.e, here));
      const term = d.m === 1 ? v : `${v} * ${this.#lang.int(d.m)}`;
      sum = sum === '' ? term : `${sum} + ${term}`;
    }
    return sum;
  }

  /** An index as a short text: partial sums are named at the loop that completes them. */
  ix(e: Ix, here: number): string {
    const lang = this.#lang;
    const terms = e.terms
      .map((t) => ({ t, depth: this.#depthOfIx({ c: 0, terms: [t] }) }))
      .sort((p, q) => p.depth - q.depth);
    let sum = e.c === 0 ? '' : lang.int(e.c);
    let count = sum === '' ? 0 : 1;
    let depth = 0;
    for (const { t, depth: d } of terms) {
      if (d > depth && count > 1) sum = this.#name(sum, depth, 'index');
      depth = d;
      const a = this.#atom(t.a, d);
      const term = t.m === 1 ? a : `${a} * ${lang.int(t.m)}`;
      sum = sum === '' ? term : `${sum} + ${term}`;
      count++;
    }
    if (sum === '') return lang.int(0);
    if (isWord(sum)) return sum;
    return depth === here && sum.length < longText ? `(${sum})` : this.#name(sum, depth, 'index');
  }

  #atom(a: Atom, depth: number): string {
    switch (a.k) {
      case 'axis':
        return axisName(a.id);
      case 'div':
      case 'mod': {
        const { lo, hi } = interval(a.e, this.#extents);
        const e = this.ix(a.e, depth);
        return this.#name(this.#lang[a.k](e, a.by, lo, hi), depth, 'index');
      }
      case 'val':
        throw new Error('kernel indices hold no data-dependent atoms');
    }
  }
}

const isZero = (e: Ix): boolean => e.c === 0 && e.terms.length === 0;
