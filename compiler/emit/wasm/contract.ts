/**
 * Contractions as packed panels and register tiles (after Goto and van de Geijn, "Anatomy of
 * high-performance matrix multiplication"): the right operand is packed in panels of a tile's width,
 * the left one is read in place when it is a plain affine read and copied otherwise. Packing
 * evaluates whatever expression stands around the reads, so pointwise prologues are free.
 *
 * Invariant: chunk and tile sizes depend on the plan only; the terms of a cell are added in the same
 * order whichever tile it is in.
 */

import { extentsOf } from '../../core/ix.ts';
import type { Axis, AxisId } from '../../core.ts';
import type { BufId, KExpr, KIx, KNest } from '../../plan.ts';
import type { Contraction } from '../../schedule/contract.ts';
import { axesOf } from '../../schedule/flat.ts';
import { Arith, type Env } from './arith.ts';
import { ins } from './binary.ts';
import type { Node, Scope } from './graph.ts';
import type { Tile } from './micro.ts';
import { NestEmitter, type Site } from './nest.ts';
import { lastOnly, shareOf } from './part.ts';

/** Sizes of tiles and blocks, for one engine. */
export type Blocking = {
  readonly rows: number;
  readonly vecs: number;
  readonly unroll: number;
  /** Longest reduction in one pass. */
  readonly depth: number;
  /** Words of the left operand that should stay in the first-level cache across panels. */
  readonly left: number;
  readonly fma: boolean;
};

export type ContractSite = Site & {
  /** Index of the micro-kernel's function. */
  readonly micro: (t: Tile) => number;
  /** Address of each thread's working memory for packed operands, and its bytes per thread. */
  readonly pack: { readonly at: number; readonly bytes: number };
  readonly blocking: Blocking;
};

const extent = (l: readonly Axis[]): number => l.reduce((n, a) => n * a.extent, 1);
const LEFT: BufId = -1;
/** Axes that stand for values: where a thread's working memory and where a chunk begin. */
const OWN: AxisId = -2;
const CHUNK: AxisId = -1;

/** How a contraction is cut up and what it packs, in words. */
export type Cut = {
  /** Units of the outermost summed axis in one pass, and how many such passes are full. */
  readonly unit: number;
  readonly full: number;
  readonly right: number;
  /** 0 when the left operand is read in place. */
  readonly left: number;
};

export function cutOf(c: Contraction, blocking: Blocking): Cut {
  const head = c.red[0]!;
  const inner = extent(c.red.slice(1));
  const units = Math.max(1, Math.min(head.extent, Math.floor(blocking.depth / inner)));
  const rounds = Math.ceil(head.extent / units);
  // Passes of nearly equal length, the last one shorter.
  const unit = Math.ceil(head.extent / rounds);
  const depth = unit * inner;
  const width = 4 * blocking.vecs;
  const panels = Math.ceil(c.cols.at(-1)!.extent / width) * extent(c.cols.slice(0, -1));
  const plain = c.red.length === 1 && plainRead(c.left, [...c.rows, ...c.red, ...c.batch]);
  return {
    unit,
    full: Math.floor(head.extent / unit),
    right: depth * panels * width,
    left: plain ? 0 : extent(c.rows) * depth,
  };
}

/** Words that packing needs in one thread. */
export const packWords = (cut: Cut): number => Math.ceil((cut.right + cut.left) / 64) * 64 + 64;

export function emitContraction(c: Contraction, site: ContractSite): void {
  new Emitter(c, site).emit();
}

/** The strides of an affine, unguarded read over some axes; undefined when it is anything else. */
function plainRead(e: KExpr, axes: readonly Axis[]): Map<AxisId, number> | undefined {
  if (e.k !== 'load' || e.guard.length > 0 || e.at.dyn.length > 0) return undefined;
  const out = new Map<AxisId, number>();
  for (const a of axes) out.set(a.id, 0);
  for (const t of e.at.ix.terms) {
    if (t.a.k !== 'axis') {
      if (t.a.k === 'val' || axes.some((a) => axesOf({ c: 0, terms: [t] }).has(a.id)))
        return undefined;
    } else if (out.has(t.a.id)) {
      if (t.m < 0) return undefined;
      out.set(t.a.id, t.m);
    }
  }
  return out;
}

class Emitter {
  readonly c: Contraction;
  readonly #site: ContractSite;
  readonly #env: Env;
  readonly #row: Axis;
  readonly #col: Axis;
  readonly #width: number;
  /** Which operand's tiles are shared out, when it is not the batch. */
  #shared: 'batch' | 'rows' | 'cols' = 'batch';
  /** Bytes from the first thread's working memory to this one's. */
  #own: Node | undefined;
  #panels = 0;
  #packed = 0;
  #leftAt = 0;

  constructor(c: Contraction, site: ContractSite) {
    this.c = c;
    this.#site = site;
    this.#row = c.rows.at(-1)!;
    this.#col = c.cols.at(-1)!;
    this.#width = 4 * site.blocking.vecs;
    const all = [...c.batch, ...c.rows, ...c.cols, ...c.red];
    this.#env = {
      g: site.g,
      axes: new Map(site.axes),
      extents: extentsOf(site.loops, all),
      base: (b) => (b === LEFT ? this.#leftAt : site.base(b)),
      written: new Set(),
      home: site.g.root,
      version: 0,
    };
  }

  emit(): void {
    const { c } = this;
    const { g, part, pack, blocking } = this.#site;
    const cut = cutOf(c, blocking);
    this.#panels = Math.ceil(this.#col.extent / this.#width);
    this.#packed = pack.at;
    this.#leftAt = pack.at + 4 * Math.ceil(cut.right / 64) * 64;
    if (part) {
      this.#own = g.times(part.t, pack.bytes);
      this.#env.axes.set(OWN, g.times(part.t, pack.bytes / 4));
    }
    let at = g.root;
    const batches = c.batch.reduce<Axis | undefined>(
      (a, b) => (a && a.extent >= b.extent ? a : b),
      undefined,
    );
    if (batches && batches.extent >= 8) {
      const { lo, hi } = shareOf(g, part, batches.extent);
      at = this.#loop(at, batches, lo, hi);
    } else this.#shared = this.#row.extent >= this.#col.extent ? 'rows' : 'cols';
    for (const a of c.batch) if (a !== batches || !this.#env.axes.has(a.id)) at = this.#loop(at, a);
    const { unit, full } = cut;
    const rest = c.red[0]!.extent - full * unit;
    if (full > 1) {
      const chunk = at.loop(0, full * unit, unit);
      this.#chunk(chunk, chunk, unit);
    } else this.#chunk(at, undefined, unit);
    if (rest > 0) this.#chunk(at, undefined, rest, full * unit);
  }

  #loop(at: Scope, a: Axis, lo: number | Node = 0, hi: number | Node = a.extent, step = 1): Scope {
    const s = at.loop(lo, hi, step);
    this.#env.axes.set(a.id, s);
    return s;
  }

  /** `units` of the outermost summed axis, from a loop's counter or a constant. */
  #chunk(at: Scope, counter: Scope | undefined, units: number, from = 0): void {
    const { g } = this.#site;
    const lo: number | Node = counter ? g.induct(undefined, counter, 1) : from;
    const hi: number | Node = typeof lo === 'number' ? lo + units : g.add(lo, g.i32(units));
    const inner = this.c.red.slice(1);
    const depth = units * extent(inner);
    const summed = (s: Scope): Scope => {
      let t = s.loop(lo, hi, 1);
      this.#env.axes.set(this.c.red[0]!.id, t);
      for (const a of inner) t = this.#loop(t, a);
      return t;
    };
    /** Position within the chunk, in units of `by` bytes, on top of other loops' contributions. */
    const place = (by: number, more: Terms): Node => {
      const head = by * extent(inner);
      const terms: (readonly [Scope, number])[] = [...more, [this.#scope(this.c.red[0]!), head]];
      if (counter) terms.push([counter, -head]);
      let rest = extent(inner);
      for (const a of inner) {
        rest /= a.extent;
        terms.push([this.#scope(a), by * rest]);
      }
      const n = g.affine(terms)!;
      const moved = counter ? n : g.add(n, g.i32(-from * head));
      return this.#own ? g.add(moved, this.#own) : moved;
    };
    this.#packRight(at, depth, summed, place);
    const left = this.#left(at, depth, lo, hi, counter, from);
    this.#tiles(at, depth, left, lo, counter, from);
  }

  // ------------------------------------------------------------------ packing

  /** packed[outer cols][panel][k][width], zero beyond the last column. */
  #packRight(
    at: Scope,
    depth: number,
    summed: (s: Scope) => Scope,
    place: (by: number, more: Terms) => Node,
  ): void {
    const { g } = this.#site;
    const { right, cols } = this.c;
    const width = this.#width;
    const col = this.#col;
    const step = 4 * width;
    let s = at;
    for (const a of cols.slice(0, -1)) s = this.#loop(s, a);
    const outer = this.#outerTerms(depth);
    const fullCols = col.extent - (col.extent % width);
    const part = this.#shared === 'cols' ? this.#site.part : undefined;
    if (fullCols > 0) {
      const { lo, hi } = shareOf(g, part, fullCols / width, width);
      const panel = this.#loop(s, col, lo, hi, width);
      const k = summed(panel);
      const ar = new Arith({ ...this.#env, axes: new Map(this.#env.axes) }, col.id);
      const to = place(step, [...outer, [panel, 4 * depth]]);
      for (let v = 0; v < width / 4; v++)
        k.effect([to, ar.value(right, 4 * v)], ins.store('v128', this.#packed + 16 * v));
    }
    if (fullCols === col.extent) return;
    const start = this.#packed + 4 * fullCols * depth;
    s = lastOnly(g, part, s);
    const cells = this.#loop(s, col, fullCols, col.extent);
    const k = summed(cells);
    const ar = new Arith({ ...this.#env, axes: new Map(this.#env.axes) });
    const to = place(step, [...outer, [cells, 4]]);
    k.effect([to, ar.value(right)], ins.store('f32', start - 4 * fullCols));
    const padding = this.#loop(s, col, col.extent, fullCols + width);
    const z = summed(padding);
    const pad = place(step, [...outer, [padding, 4]]);
    z.effect([pad, g.f32(0)], ins.store('f32', start - 4 * fullCols));
  }

  /** Where the loops over the outer column axes stand in the packed operand. */
  #outerTerms(depth: number): Terms {
    let n = 4 * depth * this.#panels * this.#width;
    const out: [Scope, number][] = [];
    for (const a of this.c.cols.slice(0, -1).reverse()) {
      out.push([this.#scope(a), n]);
      n *= a.extent;
    }
    return out;
  }

  #scope(a: Axis): Scope {
    return this.#env.axes.get(a.id) as Scope;
  }

  /** How tiles read the left operand: in place, or from a copy laid out [rows][k]. */
  #left(
    at: Scope,
    depth: number,
    lo: number | Node,
    hi: number | Node,
    counter: Scope | undefined,
    from: number,
  ): Left {
    const { left, rows, red, batch } = this.c;
    const strides = plainRead(left, [...rows, ...red, ...batch]);
    if (strides && red.length === 1 && left.k === 'load')
      return {
        at: left.at,
        buf: left.buf,
        row: strides.get(this.#row.id)!,
        step: strides.get(red[0]!.id)!,
        chunked: true,
      };
    // LEFT[rows..., k] over the chunk, in this thread's working memory.
    const terms: { m: number; a: { k: 'axis'; id: AxisId } }[] = [];
    if (this.#own) terms.push({ m: 1, a: { k: 'axis', id: OWN } });
    let n = depth;
    for (const a of [...rows].reverse()) {
      terms.push({ m: n, a: { k: 'axis', id: a.id } });
      n *= a.extent;
    }
    const rowsOnly: KIx = { ix: { c: 0, terms: [...terms] }, dyn: [] };
    let k = 1;
    for (const a of [...red].reverse()) {
      terms.push({ m: k, a: { k: 'axis', id: a.id } });
      k *= a.extent;
    }
    const head = red[0]!;
    const headStride = extent(red.slice(1));
    const nest: KNest = {
      axes: [...rows, ...red],
      red: [],
      op: null,
      body: left,
      store: { buf: LEFT, at: { ix: { c: 0, terms }, dyn: [] }, guard: [], mode: 'set' },
      spans: [],
    };
    this.#copyLeft(at, nest, head, headStride, lo, hi, counter, from);
    return { at: rowsOnly, buf: LEFT, row: depth, step: 1, chunked: false };
  }

  /** The copy as an ordinary map; the chunk's part of the summed axis is shifted to start at zero. */
  #copyLeft(
    at: Scope,
    nest: KNest,
    head: Axis,
    headStride: number,
    lo: number | Node,
    hi: number | Node,
    counter: Scope | undefined,
    from: number,
  ): void {
    const { g } = this.#site;
    const shift: Node = counter
      ? g.induct(undefined, counter, -headStride)
      : g.i32(-from * headStride);
    const whole = typeof lo === 'number' && typeof hi === 'number' && hi - lo === head.extent;
    const env: Env = { ...this.#env, axes: new Map(this.#env.axes) };
    let s = at;
    let axes = nest.axes;
    if (this.#shared === 'rows' && this.#site.part) {
      const own = this.#rowsOf();
      s = at.loop(own.lo, own.hi, 1);
      env.axes.set(this.#row.id, s);
      axes = axes.filter((a) => a !== this.#row);
    }
    if (whole) {
      new NestEmitter(env, [nest], axes, []).emit(s);
      return;
    }
    // The chunk's position enters the store through an axis of its own.
    env.axes.set(CHUNK, shift);
    const store = {
      ...nest.store,
      at: {
        ix: {
          c: 0,
          terms: [...nest.store.at.ix.terms, { m: 1, a: { k: 'axis' as const, id: CHUNK } }],
        },
        dyn: [],
      },
    };
    const k = s.loop(lo, hi, 1);
    env.axes.set(head.id, k);
    axes = axes.filter((a) => a !== head);
    new NestEmitter(env, [{ ...nest, axes, store }], axes, []).emit(k);
  }

  /** The rows of this thread's tiles; the last thread has those beyond the last whole tile. */
  #rowsOf(): { lo: number | Node; hi: number | Node } {
    const { g, part, blocking } = this.#site;
    const tall = this.#row.extent - (this.#row.extent % blocking.rows);
    const { lo, hi } = shareOf(g, part, tall / blocking.rows, blocking.rows);
    if (!part || tall === this.#row.extent) return { lo, hi };
    const last = g.op('i32.eq', 'i32', g.add(part.t, g.i32(1)), part.of);
    const end = typeof hi === 'number' ? g.i32(hi) : hi;
    return { lo, hi: g.op('select', 'i32', g.i32(this.#row.extent), end, last) };
  }

  // ------------------------------------------------------------------ tiles

  #tiles(
    at: Scope,
    depth: number,
    left: Left,
    lo: number | Node,
    counter: Scope | undefined,
    from: number,
  ): void {
    const { g, blocking } = this.#site;
    const { rows, cols } = this.c;
    let s = at;
    for (const a of rows.slice(0, -1)) s = this.#loop(s, a);
    const row = this.#row;
    const most = Math.max(blocking.rows, Math.floor(blocking.left / depth));
    const block = Math.max(blocking.rows, most - (most % blocking.rows));
    const tall = row.extent - (row.extent % blocking.rows);
    const colPart = this.#shared === 'cols' ? this.#site.part : undefined;
    const rowPart = this.#shared === 'rows' ? this.#site.part : undefined;
    const tiles = (scope: Scope, rowsInTile: number, start: number, stop: number): void => {
      if (start >= stop) return;
      const whole = rowsInTile === blocking.rows;
      const own = whole
        ? shareOf(g, rowPart, (stop - start) / rowsInTile, rowsInTile, start)
        : { lo: start, hi: stop };
      const height = whole ? block : rowsInTile;
      const blocks = Math.ceil((stop - start) / height);
      // Blocks of rows outside, panels inside, tiles of the block innermost.
      const outer = blocks > 1 ? scope.loop(own.lo, own.hi, height) : scope;
      let p = outer;
      for (const a of cols.slice(0, -1)) p = this.#loop(p, a);
      const panels = (q: Scope, low: number | Node, high: number | Node, count: number): void => {
        const panel = this.#loop(q, this.#col, low, high, this.#width);
        let tile: Scope;
        if (blocks > 1) {
          const first = g.induct(undefined, outer, 1);
          const next = g.add(first, g.i32(height));
          const to = typeof own.hi === 'number' ? g.i32(own.hi) : own.hi;
          const end = g.op('select', 'i32', next, to, g.op('i32.lt_s', 'i32', next, to));
          tile = panel.loop(first, end, rowsInTile);
        } else tile = panel.loop(own.lo, own.hi, rowsInTile);
        this.#env.axes.set(row.id, tile);
        this.#tile(tile, panel, depth, left, rowsInTile, count, lo, counter, from);
      };
      const full = this.#col.extent - (this.#col.extent % this.#width);
      if (full > 0) {
        const { lo: low, hi: high } = shareOf(g, colPart, full / this.#width, this.#width);
        panels(p, low, high, this.#width);
      }
      if (full < this.#col.extent)
        panels(lastOnly(g, colPart, p), full, this.#col.extent, this.#col.extent - full);
    };
    tiles(s, blocking.rows, 0, tall);
    if (tall < row.extent) tiles(lastOnly(g, rowPart, s), row.extent - tall, tall, row.extent);
  }

  #tile(
    s: Scope,
    panel: Scope,
    depth: number,
    left: Left,
    rows: number,
    cols: number,
    lo: number | Node,
    counter: Scope | undefined,
    from: number,
  ): void {
    const { g, blocking, micro } = this.#site;
    const { nest } = this.c;
    const env: Env = { ...this.#env, axes: new Map(this.#env.axes) };
    // The tile starts at the chunk's first summed element.
    for (const a of this.c.red) env.axes.set(a.id, g.i32(0));
    if (left.chunked) env.axes.set(this.c.red[0]!.id, typeof lo === 'number' ? g.i32(lo) : lo);
    const ar = new Arith(env);
    const flat = (buf: BufId, at: KIx): Node => {
      const { node, offset } = ar.address(buf, at);
      return g.add(node, g.i32(offset));
    };
    const a = flat(left.buf, left.at);
    const b = g.add(
      g.affine([...this.#outerTerms(depth), [panel, 4 * depth]])!,
      this.#own ? g.add(this.#own, g.i32(this.#packed)) : g.i32(this.#packed),
    );
    const to = flat(nest.store.buf, nest.store.at);
    const stride = (x: Axis): number =>
      nest.store.at.ix.terms.find((t) => t.a.k === 'axis' && t.a.id === x.id)?.m ?? 0;
    const first =
      nest.store.mode === 'add' || from > 0
        ? g.i32(0)
        : counter
          ? g.op('i32.eqz', 'i32', g.induct(undefined, counter, 1))
          : g.i32(1);
    const fn = micro({
      rows,
      vecs: blocking.vecs,
      cols,
      depth,
      unroll: blocking.unroll,
      aRow: left.row,
      aStep: left.step,
      cRow: stride(this.#row),
      cCol: stride(this.#col),
      fma: blocking.fma,
    });
    s.effect([a, b, to, first], ins.call(fn));
  }
}

type Terms = readonly (readonly [Scope, number])[];

type Left = {
  readonly at: KIx;
  readonly buf: BufId;
  readonly row: number;
  readonly step: number;
  /** Whether addresses move with the chunk (in place) or start at zero (a copy). */
  readonly chunked: boolean;
};
