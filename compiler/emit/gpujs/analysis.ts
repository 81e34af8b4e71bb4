/**
 * Which kernels gpu.js can run exactly, and why not the others.
 *
 * gpu.js stores and computes everything as f32 and has no bit operations, so a kernel runs on the
 * host when it needs words of 32 bits (u32, random bits, rounding to halves), or integers that are
 * not known to stay far below 2^24, where f32 stops being exact, or places that are checked. Integers
 * are known by intervals; a data-dependent index is below its extent by the promise of the plan.
 */
import { type Extents, extentsOf, type Interval, interval } from '../../core/ix.ts';
import type { Axis, Ix, Prim } from '../../core.ts';
import type { BufId, KExpr, Kernel, KIx, KNest, Plan, Step } from '../../plan.ts';

/** Index arithmetic and buffers stay below this; quotients by rounding are exact there. */
export const LIMIT = 2 ** 22;

const unknown: Interval = { lo: -Infinity, hi: Infinity };
const isSmall = (r: Interval): boolean => r.lo >= -LIMIT && r.hi <= LIMIT;
const union = (a: Interval, b: Interval): Interval => ({
  lo: Math.min(a.lo, b.lo),
  hi: Math.max(a.hi, b.hi),
});

const wordPrims: ReadonlySet<Prim> = new Set<Prim>(['f16', 'bf16', 'bits0', 'bits1']);

type Place = { readonly nest: KNest; readonly extents: Extents };

export class Analysis {
  readonly #plan: Plan;
  readonly #stores = new Map<BufId, Place[]>();
  readonly #ranges = new Map<BufId, Interval>();

  constructor(plan: Plan) {
    this.#plan = plan;
    const walk = (steps: readonly Step[], loops: readonly Axis[]): void => {
      for (const s of steps) {
        if (s.k === 'loop') walk(s.steps, [...loops, s.axis]);
        else
          for (const nest of s.nests) {
            const list = this.#stores.get(nest.store.buf) ?? [];
            list.push({ nest, extents: extentsFor(s, nest, loops) });
            this.#stores.set(nest.store.buf, list);
          }
      }
    };
    walk(plan.steps, []);
  }

  /** The reason why a kernel of one nest cannot run in gpu.js; undefined when it can. */
  whyHost(k: Kernel, loops: readonly Axis[]): string | undefined {
    const n = k.nests[0]!;
    const extents = extentsFor(k, n, loops);
    const to = this.#plan.bufs[n.store.buf]!;
    return (
      this.#whyExpr(n, extents) ??
      this.#whyAt(n.store.at, extents) ??
      this.#whyIxs(
        n.store.guard.map((g) => g.e),
        extents,
      ) ??
      (to.words > LIMIT ? `a buffer of ${to.words} words` : undefined) ??
      (to.t === 'i32' && !isSmall(this.#stored({ nest: n, extents }))
        ? 'integers of unknown size'
        : undefined) ??
      // Counters are floats.
      ([...k.grid, ...n.axes, ...n.red].some((a) => a.extent > LIMIT)
        ? 'a loop beyond 2^22 steps'
        : undefined)
    );
  }

  #whyExpr(n: KNest, extents: Extents): string | undefined {
    const seen = new Set<KExpr>();
    const why = (e: KExpr, isIndex: boolean): string | undefined => {
      if (seen.has(e)) return undefined;
      seen.add(e);
      if (e.t === 'u32') return 'words of 32 bits';
      if (e.t === 'int') return 'integers beyond 32 bits';
      if (e.k === 'prim') {
        if (wordPrims.has(e.op)) return `${e.op} works on bits`;
        const by = e.args[1];
        if ((e.op === 'idiv' || e.op === 'mod') && !(by!.k === 'const' && by!.v > 0))
          return 'integer division by what is no positive constant';
      }
      if (e.t === 'i32' && !isIndex && !isSmall(this.#value(e, extents)))
        return 'integers of unknown size';
      switch (e.k) {
        case 'const':
          return undefined;
        case 'checked':
          return 'a place that is checked';
        case 'index':
          return this.#whyIxs([e.ix], extents);
        case 'prim':
          return first(e.args, (a) => why(a, false));
        case 'load': {
          const { words } = this.#plan.bufs[e.buf]!;
          if (words > LIMIT) return `a buffer of ${words} words`;
          return (
            this.#whyAt(e.at, extents) ??
            this.#whyIxs(
              e.guard.map((g) => g.e),
              extents,
            ) ??
            first(e.at.dyn, (d) => why(d.e, d.e.k === 'load'))
          );
        }
      }
    };
    return why(n.body, false) ?? first(n.store.at.dyn, (d) => why(d.e, d.e.k === 'load'));
  }

  #whyAt(at: KIx, extents: Extents): string | undefined {
    const far = at.dyn.some((d) => Math.abs(d.m) * d.extent > LIMIT);
    return far ? 'indices beyond 2^22' : this.#whyIxs([at.ix], extents);
  }

  #whyIxs(list: readonly Ix[], extents: Extents): string | undefined {
    return first(list, (e) => {
      if (!isSmall(interval(e, extents))) return 'indices beyond 2^22';
      return first(e.terms, (t) =>
        t.a.k === 'div' || t.a.k === 'mod' ? this.#whyIxs([t.a.e], extents) : undefined,
      );
    });
  }

  /** What an i32 or bool expression can be. */
  #value(e: KExpr, extents: Extents): Interval {
    if (e.t === 'bool') return { lo: 0, hi: 1 };
    if (e.t !== 'i32') return unknown;
    switch (e.k) {
      case 'const':
        return { lo: e.v, hi: e.v };
      case 'index':
        return interval(e.ix, extents);
      case 'load':
        return union(this.#buffer(e.buf), { lo: 0, hi: 0 });
      case 'prim':
        return this.#prim(e, extents);
      case 'checked':
        return { lo: 0, hi: Math.max(0, e.extent - 1) };
    }
  }

  #prim(e: Extract<KExpr, { k: 'prim' }>, extents: Extents): Interval {
    const [a, b] = e.args.map((x) => this.#value(x, extents)) as [Interval, Interval];
    const corners = (f: (x: number, y: number) => number): Interval => {
      const all = [f(a.lo, b.lo), f(a.lo, b.hi), f(a.hi, b.lo), f(a.hi, b.hi)];
      if (all.some(Number.isNaN)) return unknown;
      return { lo: Math.min(...all), hi: Math.max(...all) };
    };
    switch (e.op) {
      case 'add':
        return corners((x, y) => x + y);
      case 'sub':
        return corners((x, y) => x - y);
      case 'mul':
        return corners((x, y) => x * y);
      case 'idiv':
        return corners((x, y) => Math.floor(x / y));
      case 'mod':
        return { lo: 0, hi: b.hi - 1 };
      case 'min':
        return corners(Math.min);
      case 'max':
        return corners(Math.max);
      case 'neg':
        return { lo: -a.hi, hi: -a.lo };
      case 'abs':
        return { lo: 0, hi: Math.max(Math.abs(a.lo), Math.abs(a.hi)) };
      case 'sign':
        return { lo: -1, hi: 1 };
      case 'stop':
      case 'cast':
        return a;
      case 'select':
        return union(b, this.#value(e.args[2]!, extents));
      default:
        return unknown;
    }
  }

  /** What an i32 buffer can hold: what all its stores put there; inputs are unknown. */
  #buffer(b: BufId): Interval {
    const known = this.#ranges.get(b);
    if (known) return known;
    this.#ranges.set(b, unknown);
    const buf = this.#plan.bufs[b]!;
    let out = unknown;
    if (buf.t === 'bool') out = { lo: 0, hi: 1 };
    else if (buf.kind !== 'input' && !this.#plan.inputs.includes(b)) {
      out = { lo: 0, hi: 0 };
      for (const v of buf.data ?? []) out = union(out, { lo: v, hi: v });
      for (const s of this.#stores.get(b) ?? []) out = union(out, this.#stored(s));
    }
    this.#ranges.set(b, out);
    return out;
  }

  #stored({ nest, extents }: Place): Interval {
    if (nest.store.mode === 'add') return unknown;
    const body = this.#value(nest.body, extents);
    const count = nest.red.reduce((n, a) => n * a.extent, 1);
    switch (nest.op) {
      case null:
        return body;
      case 'argmax':
      case 'argmin':
        return { lo: 0, hi: count };
      case 'max':
      case 'min':
        return count > 0 ? body : unknown;
      case 'sum':
        return { lo: Math.min(0, body.lo * count), hi: Math.max(0, body.hi * count) };
      case 'all':
      case 'any':
        return { lo: 0, hi: 1 };
      case 'prod':
        return unknown;
    }
  }
}

const extentsFor = (k: Kernel, n: KNest, loops: readonly Axis[]): Extents =>
  extentsOf(loops, k.grid, n.axes, n.red);

function first<T, R>(list: readonly T[], f: (x: T) => R | undefined): R | undefined {
  for (const x of list) {
    const r = f(x);
    if (r !== undefined) return r;
  }
  return undefined;
}
