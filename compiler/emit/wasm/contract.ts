/**
 * Contractions as packed panels and register tiles (after Goto and van de Geijn, "Anatomy of
 * high-performance matrix multiplication"): the right operand is packed in panels of a tile's width,
 * the left one is read in place where a row is contiguous along the sum and packed by tiles
 * otherwise.
 *
 * Invariant: chunk and tile sizes depend on the plan only; the terms of a cell are added in the same
 * order whichever tile it is in.
 */

import { extentsOf } from '../../core/ix.ts';
import type { Axis, AxisId } from '../../core.ts';
import type { BufId, KExpr, KIx } from '../../plan.ts';
import type { Contraction } from '../../schedule/contract.ts';
import { axesOf } from '../../schedule/flat.ts';
import { Arith, type Env } from './arith.ts';
import { ins } from './binary.ts';
import type { Graph, Node, Scope } from './graph.ts';
import type { Tile } from './micro.ts';
import type { Site } from './nest.ts';
import { type Chunk, depthOf, headStart, packPanels, type Terms } from './pack.ts';
import { firstOnly, lastOnly, shareOf } from './part.ts';

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
  return {
    unit,
    full: Math.floor(head.extent / unit),
    right: depth * panels * width,
    left: inPlace(c) ? 0 : extent(c.rows) * depth,
  };
}

/**
 * How chunks share a contraction: items of its batch; tiles of rows or panels of columns, whose other
 * operand each thread packs once and for all passes; or the same within every item of a small batch,
 * where each thread has one chunk.
 */
export type Sharing = {
  readonly by: 'batch' | 'rows' | 'cols';
  readonly even: boolean;
};

export function sharingOf(c: Contraction, threads: number): Sharing {
  const items = extent(c.batch);
  if (threads > 1 && items >= 2 * threads) return { by: 'batch', even: true };
  const by = c.rows.at(-1)!.extent >= c.cols.at(-1)!.extent ? 'rows' : 'cols';
  return { by, even: threads > 1 && items === 1 };
}

/** The cut where chunks share rows or columns: the other operand is packed whole. */
export function sharedCut(c: Contraction, blocking: Blocking, sharing: Sharing): Cut {
  const cut = cutOf(c, blocking);
  if (!sharing.even || sharing.by === 'batch') return cut;
  if (sharing.by === 'rows') return aheadCut(c, blocking);
  return cut.left === 0 ? cut : { ...cut, left: extent(c.rows) * extent(c.red) };
}

/** Words that packing needs in one thread. */
export const packWords = (cut: Cut): number => align(cut.right) + align(cut.left) + 64;
const align = (words: number): number => Math.ceil(words / 64) * 64;

export function emitContraction(c: Contraction, site: ContractSite, sharing: Sharing): void {
  const { g, base, fault } = site;
  const all = [...c.batch, ...c.rows, ...c.cols, ...c.red];
  const extents = extentsOf(site.loops, all);
  const written: ReadonlySet<BufId> = new Set();
  const env = { g, axes: site.axes, extents, base, fault, written, home: g.root, version: 0 };
  new ContractionEmitter(
    c,
    site,
    { ...env, axes: new Map(site.axes) },
    sharedCut(c, site.blocking, sharing),
  ).emit(sharing);
}

/** Below this many columns a packed left operand is not read often enough. */
const REUSED = 32;

/** Strides of the left operand where tiles read it as it stands. */
function inPlace(c: Contraction): Map<AxisId, number> | undefined {
  if (c.red.length > 1) return undefined;
  const strides = plainRead(c.left, [...c.rows, ...c.red, ...c.batch]);
  if (!strides) return undefined;
  return strides.get(c.red[0]!.id) === 1 || extent(c.cols) < REUSED ? strides : undefined;
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

/** A stretch of rows in tiles of one height. */
type Region = { readonly from: number; readonly to: number; readonly height: number };

/**
 * Rows in tiles of the full height and what is left over in tiles as tall as can be: a tile of one or
 * two rows waits for its additions, two of four do not.
 */
export function regions(rows: number, height: number): Region[] {
  const rest = rows % height;
  const spare =
    height === 6 && rows > 12
      ? ([[], [5, 4, 4], [4, 4], [5, 4], [4], [5]] as const)[rest]
      : undefined;
  const tails = spare ?? (rest > 0 ? [rest] : []);
  const tall = rows - tails.reduce((n: number, t) => n + t, 0);
  const out: Region[] = tall > 0 ? [{ from: 0, to: tall, height }] : [];
  let from = tall;
  for (const t of tails) {
    out.push({ from, to: from + t, height: t });
    from += t;
  }
  return out;
}

/** The same when the right operand is packed whole, for all passes, before they begin. */
export function aheadCut(c: Contraction, blocking: Blocking): Cut {
  const cut = cutOf(c, blocking);
  const width = 4 * blocking.vecs;
  const panels = Math.ceil(c.cols.at(-1)!.extent / width) * extent(c.cols.slice(0, -1));
  return { ...cut, right: extent(c.red) * panels * width };
}

/** The axes whose row-major number a loop counts. */
export function splitCounter(g: Graph, loop: Scope, axes: readonly Axis[]): Node[] {
  let left = g.induct(undefined, loop, 1);
  const out: Node[] = [];
  [...axes].reverse().forEach((a, i) => {
    const first = i === axes.length - 1;
    out.unshift(first ? left : g.op('i32.rem_u', 'i32', left, g.i32(a.extent)));
    left = g.op('i32.div_u', 'i32', left, g.i32(a.extent));
  });
  return out;
}

export class ContractionEmitter {
  readonly c: Contraction;
  readonly #site: ContractSite;
  readonly #env: Env;
  readonly #axes: Env['axes'];
  readonly #row: Axis;
  readonly #col: Axis;
  readonly #width: number;
  readonly #regions: readonly Region[];
  readonly #strides: Map<AxisId, number> | undefined;
  /** Which operand's tiles are shared out, when it is not the batch. */
  #shared: Sharing['by'] = 'batch';
  /** Bytes from the first thread's working memory to this one's. */
  readonly #own: Node | undefined;
  readonly #panels: number;
  readonly #cut: Cut;
  /** Which packed operands hold all passes, one after another, and are packed before the loops. */
  #ahead = { left: false, right: false };

  /** The axes that `env` binds are those of enclosing loops; `site.pack` is this contraction's own. */
  constructor(c: Contraction, site: ContractSite, env: Env, cut: Cut) {
    this.c = c;
    this.#site = site;
    this.#env = env;
    this.#row = c.rows.at(-1)!;
    this.#col = c.cols.at(-1)!;
    this.#width = 4 * site.blocking.vecs;
    this.#axes = env.axes;
    // Summed axes of one step are no part of the sum, but the operands may name them.
    for (const a of c.nest.red) if (!c.red.includes(a)) this.#axes.set(a.id, site.g.i32(0));
    this.#regions = regions(this.#row.extent, site.blocking.rows);
    this.#strides = inPlace(c);
    this.#panels = Math.ceil(this.#col.extent / this.#width);
    this.#cut = cut;
    const { g, part, pack } = site;
    this.#own = part && g.times(part.thread, pack.bytes);
  }

  /** Bytes of the packed right operand for one unit of the first summed axis. */
  get #unitBytes(): number {
    const inner = extent(this.c.red.slice(1));
    return 4 * inner * this.#panels * this.#width * extent(this.c.cols.slice(0, -1));
  }
  #rightOf(chunk: Chunk): number {
    return this.#site.pack.at + (this.#ahead.right ? chunk.from * this.#unitBytes : 0);
  }
  /** Bytes of the packed left operand for one unit of the first summed axis. */
  get #leftUnitBytes(): number {
    return 4 * extent(this.c.red.slice(1)) * extent(this.c.rows);
  }
  #leftOf(chunk: Chunk): number {
    const at = this.#site.pack.at + 4 * align(this.#cut.right);
    return at + (this.#ahead.left ? chunk.from * this.#leftUnitBytes : 0);
  }

  #now(): Env {
    return { ...this.#env, axes: new Map(this.#axes) };
  }

  /** Packs the whole right operand here, for cells of the loops that open later. */
  packAhead(at: Scope): void {
    this.#ahead.right = true;
    this.#passes(at, (s, chunk) => this.#packRight(s, chunk));
  }

  /** One thread's contraction; `ahead` says that its right operand is packed already. */
  inside(at: Scope, ahead: boolean): void {
    this.#ahead.right = ahead;
    let s = at;
    for (const a of this.c.batch) s = this.#loop(s, a);
    this.#passes(s, (t, chunk) => this.#chunk(t, chunk));
  }

  emit({ by, even }: Sharing): void {
    const { c } = this;
    const { g, part } = this.#site;
    if (part && by === 'batch') {
      const { lo, hi } = shareOf(g, part, extent(c.batch));
      const at = g.root.loop(lo, hi, 1);
      splitCounter(g, at, c.batch).forEach((n, i) => {
        this.#axes.set(c.batch[i]!.id, n);
      });
      this.#passes(at, (s, chunk) => this.#chunk(s, chunk));
      return;
    }
    let at = g.root;
    for (const a of c.batch) at = this.#loop(at, a);
    if (part && even) {
      const once = firstOnly(part, at);
      if (by === 'rows') this.packAhead(once);
      else if (!this.#strides) {
        this.#ahead.left = true;
        this.#passes(once, (s, chunk) => this.#packLeft(s, chunk));
      }
    }
    if (part) this.#shared = by;
    this.#passes(at, (s, chunk) => this.#chunk(s, chunk));
  }

  /** The sum in passes of one length, and what is left over. */
  #passes(at: Scope, f: (at: Scope, chunk: Chunk) => void): void {
    const { unit, full } = this.#cut;
    const head = this.c.red[0]!;
    const inner = this.c.red.slice(1);
    const rest = head.extent - full * unit;
    if (full > 1) {
      const counter = at.loop(0, full * unit, unit);
      f(counter, { head, inner, units: unit, counter, from: 0 });
    } else f(at, { head, inner, units: unit, counter: undefined, from: 0 });
    if (rest > 0) f(at, { head, inner, units: rest, counter: undefined, from: full * unit });
  }

  #loop(at: Scope, a: Axis, lo: number | Node = 0, hi: number | Node = a.extent, step = 1): Scope {
    const s = at.loop(lo, hi, step);
    this.#axes.set(a.id, s);
    return s;
  }

  #chunk(at: Scope, chunk: Chunk): void {
    if (!this.#ahead.right) this.#packRight(at, chunk);
    if (!this.#strides && !this.#ahead.left) this.#packLeft(at, chunk);
    this.#tiles(at, chunk);
  }

  // ------------------------------------------------------------------ packing

  /** [outer cols][panel][k][width], zero beyond the last column. */
  #packRight(at: Scope, chunk: Chunk): void {
    const { g, part } = this.#site;
    const { right, cols } = this.c;
    let s = at;
    for (const a of cols.slice(0, -1)) s = this.#loop(s, a);
    const panels = {
      expr: right,
      axis: this.#col,
      width: this.#width,
      to: this.#rightOf(chunk),
      own: this.#own,
      outer: this.#outerCols(chunk),
      chunk,
    };
    const own = this.#shared === 'cols' ? part : undefined;
    const { extent: all } = this.#col;
    const full = all - (all % this.#width);
    const env = this.#now();
    if (full > 0) {
      const { lo, hi } = shareOf(g, own, full / this.#width, this.#width);
      packPanels(panels, env, s, lo, hi, this.#width, this.#width);
    }
    if (full < all)
      packPanels(panels, env, lastOnly(g, own, s), full, all, all - full, this.#width);
  }

  /** [outer rows][tile][k][rows of the tile]. */
  #packLeft(at: Scope, chunk: Chunk): void {
    const { g, part } = this.#site;
    const { left, rows } = this.c;
    let s = at;
    for (const a of rows.slice(0, -1)) s = this.#loop(s, a);
    const own = this.#shared === 'rows' ? part : undefined;
    this.#regions.forEach(({ from, to, height }, i) => {
      const panels = {
        expr: left,
        axis: this.#row,
        width: height,
        to: this.#leftOf(chunk),
        own: this.#own,
        outer: this.#outerRows(chunk),
        chunk,
      };
      const mine = i === 0 ? shareOf(g, own, (to - from) / height, height, from) : undefined;
      const where = mine ? s : lastOnly(g, own, s);
      packPanels(panels, this.#now(), where, mine?.lo ?? from, mine?.hi ?? to, height, height);
    });
  }

  /** Where the loops over the outer column axes stand in the packed operand. */
  #outerCols(chunk: Chunk): Terms {
    const outer = this.#outer(this.c.cols, 4 * depthOf(chunk) * this.#panels * this.#width);
    const steps = this.#ahead.right && chunk.counter;
    return steps ? [...outer, [steps, this.#unitBytes]] : outer;
  }
  #outerRows(chunk: Chunk): Terms {
    const outer = this.#outer(this.c.rows, 4 * depthOf(chunk) * this.#row.extent);
    const steps = this.#ahead.left && chunk.counter;
    return steps ? [...outer, [steps, this.#leftUnitBytes]] : outer;
  }
  #outer(axes: readonly Axis[], bytes: number): Terms {
    let n = bytes;
    const out: [Scope, number][] = [];
    for (const a of axes.slice(0, -1).reverse()) {
      out.push([this.#axes.get(a.id) as Scope, n]);
      n *= a.extent;
    }
    return out;
  }

  // ------------------------------------------------------------------ tiles

  /** Blocks of rows outside, panels inside, tiles of the block innermost. */
  #tiles(at: Scope, chunk: Chunk): void {
    const { g, blocking, part } = this.#site;
    const { rows, cols } = this.c;
    let s = at;
    for (const a of rows.slice(0, -1)) s = this.#loop(s, a);
    const colPart = this.#shared === 'cols' ? part : undefined;
    const rowPart = this.#shared === 'rows' ? part : undefined;
    const most = Math.max(blocking.rows, Math.floor(blocking.left / depthOf(chunk)));
    const block = most - (most % blocking.rows);
    this.#regions.forEach(({ from, to, height }, i) => {
      const whole = i === 0;
      const scope = whole ? s : lastOnly(g, rowPart, s);
      const own = whole
        ? shareOf(g, rowPart, (to - from) / height, height, from)
        : { lo: from, hi: to };
      const tall = whole && height === blocking.rows ? block : height;
      const blocks = Math.ceil((to - from) / tall);
      const outer = blocks > 1 ? scope.loop(own.lo, own.hi, tall) : scope;
      let p = outer;
      for (const a of cols.slice(0, -1)) p = this.#loop(p, a);
      const panels = (q: Scope, low: number | Node, high: number | Node, count: number): void => {
        const panel = this.#loop(q, this.#col, low, high, this.#width);
        let tile: Scope;
        if (blocks > 1) {
          const first = g.induct(undefined, outer, 1);
          const next = g.add(first, g.i32(tall));
          const end = typeof own.hi === 'number' ? g.i32(own.hi) : own.hi;
          const least = g.op('select', 'i32', next, end, g.op('i32.lt_s', 'i32', next, end));
          tile = panel.loop(first, least, height);
        } else tile = panel.loop(own.lo, own.hi, height);
        this.#axes.set(this.#row.id, tile);
        this.#tile(tile, panel, chunk, height, count);
      };
      const full = this.#col.extent - (this.#col.extent % this.#width);
      if (full > 0) {
        const { lo, hi } = shareOf(g, colPart, full / this.#width, this.#width);
        panels(p, lo, hi, this.#width);
      }
      if (full < this.#col.extent)
        panels(lastOnly(g, colPart, p), full, this.#col.extent, this.#col.extent - full);
    });
  }

  #tile(s: Scope, panel: Scope, chunk: Chunk, height: number, count: number): void {
    const { g, blocking, micro } = this.#site;
    const { nest } = this.c;
    const depth = depthOf(chunk);
    const env = this.#now();
    const ar = new Arith(env);
    const flat = (buf: BufId, at: KIx): Node => {
      const { node, offset } = ar.address(buf, at);
      return g.add(node, g.i32(offset));
    };
    const mine = (to: number): Node => (this.#own ? g.add(this.#own, g.i32(to)) : g.i32(to));
    const to = flat(nest.store.buf, nest.store.at);
    const b = g.add(
      g.affine([...this.#outerCols(chunk), [panel, 4 * depth]])!,
      mine(this.#rightOf(chunk)),
    );
    let a: Node;
    if (this.#strides && this.c.left.k === 'load') {
      // The tile starts at the chunk's first summed element.
      const lo = headStart(g, chunk);
      env.axes.set(chunk.head.id, typeof lo === 'number' ? g.i32(lo) : lo);
      a = flat(this.c.left.buf, this.c.left.at);
    } else
      a = g.add(g.affine([...this.#outerRows(chunk), [s, 4 * depth]])!, mine(this.#leftOf(chunk)));
    const stride = (x: Axis): number =>
      nest.store.at.ix.terms.find((t) => t.a.k === 'axis' && t.a.id === x.id)?.m ?? 0;
    const first =
      nest.store.mode === 'add' || chunk.from > 0
        ? g.i32(0)
        : chunk.counter
          ? g.op('i32.eqz', 'i32', g.induct(undefined, chunk.counter, 1))
          : g.i32(1);
    const fn = micro({
      rows: height,
      vecs: blocking.vecs,
      cols: count,
      depth,
      unroll: blocking.unroll,
      aRow: this.#strides ? this.#strides.get(this.#row.id)! : 1,
      aStep: this.#strides ? this.#strides.get(chunk.head.id)! : height,
      cRow: stride(this.#row),
      cCol: stride(this.#col),
      fma: blocking.fma,
    });
    s.effect([a, b, to, first], ins.call(fn));
  }
}
