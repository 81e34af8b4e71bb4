/**
 * One nest (or segment sum) as a generated JavaScript loop over Float64Arrays.
 *
 * Invariants: the text holds numbers and fixed words only, never a name of the user; variables are
 * slots, and they, axes and temporaries are numbered in order of appearance, so that equal nests have
 * equal texts. A node is computed at the outermost loop that binds all of its axes, and once there, so
 * shared nodes and loop-invariant parts cost what they should. Reads whose range intervals do not
 * prove, and every data-dependent index, are checked as they are used.
 */
import type { Atom, Axis, AxisId, Expr, Guard, Ix, Nest, SegSum, Var } from '../core.ts';
import { eachVal, freeAxes, freeAxesIx, type Read } from './expr.ts';
import { atomInterval, type Extents, eachAtom, extentsOf, flatIx, interval } from './ix.ts';
import { accumulate, fitted, helpers, number, primText } from './js-text.ts';

/** (store by slot, values of the enclosing folds' axes, where to write, on a breach) */
export type Loop = (
  store: readonly Float64Array[],
  steps: readonly number[],
  out: Float64Array,
  fault: (message: string) => never,
) => void;

// ---------------------------------------------------------------- code generation

/** Longer texts are named, which bounds the nesting of the generated code. */
const longText = 160;

const isWord = (text: string) => /^\w+$/.test(text);

class Coder {
  /** Code just inside loop d - 1 (0: before all loops), in order of dependence. */
  readonly at: string[][];
  /** Slots in order of first use: the text calls them b0, b1, ... */
  readonly buffers: number[] = [];
  /** Names of the folds' axes and of the loops', so that equal nests have equal texts. */
  readonly #axes = new Map<AxisId, string>();
  readonly #depth = new Map<AxisId, number>();
  readonly #extents: Extents;
  readonly #slot: (x: Var) => number;
  readonly #uses = new Map<Expr, number>();
  readonly #texts = new Map<Expr, { readonly text: string; readonly depth: number }>();
  /** Named texts, so that equal index arithmetic is done once. */
  readonly #named = new Map<string, string>();
  #temps = 0;

  constructor(
    folds: readonly Axis[],
    loops: readonly Axis[],
    roots: readonly Expr[],
    slot: (x: Var) => number,
  ) {
    this.#extents = extentsOf(folds, loops);
    this.#slot = slot;
    folds.forEach((a, i) => {
      this.#depth.set(a.id, 0);
      this.#axes.set(a.id, `f${i}`);
    });
    loops.forEach((a, i) => {
      this.#depth.set(a.id, i + 1);
      this.#axes.set(a.id, `a${i}`);
    });
    this.at = Array.from({ length: loops.length + 1 }, () => []);
    this.#count(roots);
  }

  /** How often each node's text would be used. */
  #count(roots: readonly Expr[]): void {
    const visit = (e: Expr): void => {
      const n = this.#uses.get(e) ?? 0;
      this.#uses.set(e, n + 1);
      if (n > 0) return;
      const inIx = (ix: Ix) => eachVal(ix, visit);
      if (e.k === 'prim') e.args.forEach(visit);
      else if (e.k === 'index') inIx(e.ix);
      else if (e.k === 'read') {
        e.ix.forEach(inIx);
        for (const g of e.guard) inIx(g.e);
      }
    };
    roots.forEach(visit);
  }

  axis(id: AxisId): string {
    return this.#axes.get(id)!;
  }

  #buffer(x: Var): string {
    const slot = this.#slot(x);
    const known = this.buffers.indexOf(slot);
    return `b${known < 0 ? this.buffers.push(slot) - 1 : known}`;
  }

  #depthOf(axes: Iterable<AxisId>): number {
    let d = 0;
    for (const id of axes) d = Math.max(d, this.#depth.get(id)!);
    return d;
  }

  #name(text: string, depth: number): string {
    const key = `${depth}:${text}`;
    let n = this.#named.get(key);
    if (n === undefined) {
      n = `t${this.#temps++}`;
      this.#named.set(key, n);
      this.at[depth]!.push(`const ${n} = ${text};`);
    }
    return n;
  }

  /** Text usable at loop depth `here`. */
  expr(e: Expr, here: number): string {
    const known = this.#texts.get(e);
    if (known !== undefined) return known.text;
    const depth = this.#depthOf(freeAxes(e));
    let text = this.#node(e, depth);
    const leaf = e.k === 'const' || isWord(text);
    const alone = this.#uses.get(e) === 1 && depth === here && text.length < longText;
    if (!leaf && !alone) text = this.#name(text, depth);
    this.#texts.set(e, { text, depth });
    return text;
  }

  #node(e: Expr, depth: number): string {
    switch (e.k) {
      case 'const':
        return number(e.v);
      case 'index':
        return e.t === 'int' ? this.ix(e.ix, depth) : `(${this.ix(e.ix, depth)} | 0)`;
      case 'read':
        return this.#read(e, depth);
      case 'prim':
        return primText[e.op](
          e.args.map((a) => this.expr(a, depth)),
          e.t,
          e.args[0]?.t ?? e.t,
        );
    }
  }

  #read(e: Read, depth: number): string {
    const load = `${this.#buffer(e.x)}[${this.offset(e.ix, e.x.shape, depth)}]`;
    const checks = this.checks(e.ix, e.x.shape, depth);
    const checked = checks === '' ? load : `(${checks}, ${load})`;
    return e.guard.length === 0 ? checked : `(${this.guards(e.guard, depth)} ? ${checked} : 0)`;
  }

  guards(guard: readonly Guard[], depth: number): string {
    const one = (g: Guard) => {
      const v = this.ix(g.e, depth);
      return `${v} >= ${number(g.lo)} && ${v} < ${number(g.hi)}`;
    };
    return guard.map(one).join(' && ');
  }

  /** Row-major offset. */
  offset(ixs: readonly Ix[], shape: readonly number[], depth: number): string {
    return this.ix(flatIx(ixs, shape), depth);
  }

  /**
   * Comma-joined checks of the dimensions whose range is not proved, and of data-dependent values.
   * They stand where the access does: behind guards that do not hold, anything may stand.
   */
  checks(ixs: readonly Ix[], shape: readonly number[], depth: number): string {
    const out: string[] = [];
    ixs.forEach((ix, d) => {
      const n = shape[d]!;
      eachAtom(ix, (a) => {
        if (a.k !== 'val') return;
        const [v, m] = [this.atom(a, depth), atomInterval(a, this.#extents).hi + 1];
        out.push(
          `(${v} >= 0 && ${v} < ${m}) || fault('an index value is ' + ${v} + ', the extent ${m}')`,
        );
      });
      const r = interval(ix, this.#extents);
      if (r.lo >= 0 && r.hi < n) return;
      const v = this.ix(ix, depth);
      out.push(
        `(${v} >= 0 && ${v} < ${n}) || fault('index ${d} is ' + ${v} + ', the extent ${n}')`,
      );
    });
    return out.join(', ');
  }

  /** An index as a short text: partial sums are named at the loop that completes them. */
  ix(ix: Ix, here: number): string {
    const terms = ix.terms
      .map((t) => ({ t, depth: this.#depthOf(freeAxesIx({ c: 0, terms: [t] })) }))
      .sort((p, q) => p.depth - q.depth);
    let sum = ix.c === 0 ? '' : number(ix.c);
    let depth = 0;
    for (const { t, depth: d } of terms) {
      if (d > depth && sum !== '' && !isWord(sum) && !/^\(-\d+\)$/.test(sum))
        sum = this.#name(sum, depth);
      depth = d;
      const a = this.atom(t.a, d);
      const m = t.m === 1 ? a : `${a} * ${number(t.m)}`;
      sum = sum === '' ? m : `${sum} + ${m}`;
    }
    if (sum === '') return '0';
    if (isWord(sum)) return sum;
    return depth === here && sum.length < 24 ? `(${sum})` : this.#name(sum, depth);
  }

  atom(a: Atom, depth: number): string {
    switch (a.k) {
      case 'axis':
        return this.axis(a.id);
      case 'div':
      case 'mod': {
        const e = this.ix(a.e, depth);
        const { lo, hi } = interval(a.e, this.#extents);
        const positive = lo >= 0;
        const small = positive && hi < 2 ** 31;
        const div = small ? `((${e} / ${a.by}) | 0)` : `Math.floor(${e} / ${a.by})`;
        if (a.k === 'div') return this.#name(div, depth);
        return this.#name(positive ? `${e} % ${a.by}` : `${e} - ${a.by} * ${div}`, depth);
      }
      case 'val': {
        const text = this.expr(a.e, depth);
        return isWord(text) ? text : this.#name(text, depth);
      }
    }
  }
}

/** Compiles a statement; `folds` are the enclosing folds' axes, whose values come as `steps`. */
export function loopOf(s: Nest | SegSum, folds: readonly Axis[], slot: (x: Var) => number): Loop {
  const loops = s.k === 'nest' ? [...s.axes, ...s.red] : s.axes;
  const roots = [s.body];
  const coder = new Coder(folds, loops, roots, slot);
  const lines =
    s.k === 'nest' ? nestLines(s, coder) : segsumLines(s, coder, coder.expr(s.body, loops.length));
  const head = [
    ...folds.map((a, i) => `const ${coder.axis(a.id)} = steps[${i}];`),
    ...coder.buffers.map((_, k) => `const b${k} = store[slots[${k}]];`),
  ];
  const f = compiled(["'use strict';", ...head, ...lines].join('\n'));
  const slots = coder.buffers;
  return (store, steps, out, fault) => f(helpers, store, slots, steps, out, fault);
}

/** A program, its tangents and its cotangents hold the same nests: a text is compiled once. */
const known = new Map<string, Compiled>();
const mostKnown = 4000;

type Compiled = (
  h: typeof helpers,
  store: readonly Float64Array[],
  slots: readonly number[],
  ...rest: [steps: readonly number[], out: Float64Array, fault: (message: string) => never]
) => void;

function compiled(text: string): Compiled {
  let f = known.get(text);
  if (f === undefined) {
    if (known.size >= mostKnown) known.clear();
    f = new Function('h', 'store', 'slots', 'steps', 'out', 'fault', text) as Compiled;
    known.set(text, f);
  }
  return f;
}

const open = (name: string, extent: number) =>
  `for (let ${name} = 0; ${name} < ${extent}; ${name}++) {`;

function nestLines(s: Nest, coder: Coder): readonly string[] {
  const depth = s.axes.length + s.red.length;
  const value = coder.expr(s.body, depth);
  const lines: string[] = ['let o = 0;'];
  if ([...s.axes].some((a) => a.extent === 0)) return lines;
  const acc = s.op === null ? undefined : accumulate[s.op];
  // An empty reduction must not compute what stands inside or before its loops.
  const empty = s.red.some((a) => a.extent === 0);
  const inside = (d: number) => (empty ? [] : coder.at[d]!);
  lines.push(...inside(0));
  s.axes.forEach((a, i) => {
    lines.push(open(coder.axis(a.id), a.extent), ...inside(i + 1));
  });
  if (acc === undefined) lines.push(`out[o++] = ${value};`);
  else {
    lines.push(acc.start(s.body.t));
    if (!empty) {
      s.red.forEach((a, i) => {
        lines.push(open(coder.axis(a.id), a.extent), ...inside(s.axes.length + i + 1));
      });
      lines.push(acc.step(value, coder.axis(s.red[0]!.id), s.body.t), '}'.repeat(s.red.length));
    }
    lines.push(`out[o++] = ${acc.result};`);
  }
  lines.push('}'.repeat(s.axes.length));
  return lines;
}

function segsumLines(s: SegSum, coder: Coder, value: string): readonly string[] {
  const depth = s.axes.length;
  if (s.axes.some((a) => a.extent === 0)) return ['out.fill(0);'];
  const guard = s.guard.length === 0 ? '' : `if (${coder.guards(s.guard, depth)})`;
  const offset = coder.offset(s.at, s.v.shape, depth);
  const checks = coder.checks(s.at, s.v.shape, depth);
  const lines = ['out.fill(0);', ...coder.at[0]!];
  s.axes.forEach((a, i) => {
    lines.push(open(coder.axis(a.id), a.extent), ...coder.at[i + 1]!);
  });
  lines.push(
    `${guard} {`,
    ...(checks === '' ? [] : [`${checks};`]),
    `const o = ${offset};`,
    `out[o] = ${fitted(s.v.t, `out[o] + ${value}`)};`,
    '}',
    '}'.repeat(s.axes.length),
  );
  return lines;
}
