/**
 * Kernel expressions to Wasm values, on one lane or on four. With four lanes one axis (the vector
 * axis) advances from lane to lane; what does not depend on it is computed once as a scalar and
 * spread. Loads with stride one become vector loads, with stride zero splats, the rest are gathered
 * lane by lane. A guarded load reads a cell that is always there and is masked. Numbers beyond 32 bits
 * and checked places are scalars, put together lane by lane.
 *
 * Invariant: scalar and vector forms of an expression give the same bits.
 */

import { type Extents, interval } from '../../core/ix.ts';
import type { AxisId, Guard, Ix, IxTerm } from '../../core.ts';
import type { BufId, KExpr, KIx } from '../../plan.ts';
import { axesOf, eachKExpr, mapKExpr } from '../../schedule/flat.ts';
import { ins, type Ty } from './binary.ts';
import { unknown } from './congruence.ts';
import type { Graph, Node, Scope } from './graph.ts';
import { advance, laneStride } from './lanes.ts';
import { gather, primOp } from './ops.ts';
import { checkedValue, isWide, wideConst, wideOp } from './wide.ts';

export type Env = {
  readonly g: Graph;
  /** Where each axis gets its value: the loop it counts, or a parameter. */
  readonly axes: Map<AxisId, Scope | Node>;
  readonly extents: Extents;
  /** Byte address of a buffer. */
  readonly base: (b: BufId) => number;
  /** Bytes from the first thread's copy of a scratch buffer to this one's. */
  readonly own?: (b: BufId) => Node | undefined;
  /** Byte address of the plan's fault word. */
  readonly fault?: number;
  /** Buffers that the function writes: what is read from them stays in `home`. */
  readonly written: ReadonlySet<BufId>;
  readonly home: Scope;
  /** Tells reads before a nest of the kernel from reads after it. */
  readonly version: number;
};

const MAX_OFFSET = 2 ** 31;

export class Arith {
  readonly env: Env;
  /** The axis that runs over the lanes; undefined for scalar code. */
  readonly vec: AxisId | undefined;
  readonly #scalars = new Map<KExpr, Node>();
  readonly #vectors = new Map<number, Map<KExpr, Node>>();
  readonly #varying = new Map<KExpr, boolean>();
  /** Expressions with the vector axis moved on, by how far. */
  readonly #ahead = new Map<number, Map<KExpr, KExpr>>();

  constructor(env: Env, vec?: AxisId) {
    this.env = env;
    this.vec = vec;
  }

  get #g(): Graph {
    return this.env.g;
  }

  /** Whether an expression differs from lane to lane. */
  varies(root: KExpr): boolean {
    if (this.vec === undefined) return false;
    const vec = this.vec;
    const on = (e: Ix): boolean => axesOf(e).has(vec);
    eachKExpr(root, (e) => {
      if (this.#varying.has(e)) return;
      const v =
        e.k === 'index'
          ? on(e.ix)
          : e.k === 'prim'
            ? e.args.some((a) => this.#varying.get(a))
            : e.k === 'load'
              ? on(e.at.ix) ||
                e.guard.some((x) => on(x.e)) ||
                e.at.dyn.some((d) => this.#varying.get(d.e))
              : e.k === 'checked' && this.#varying.get(e.e)!;
      this.#varying.set(e, v);
    });
    return this.#varying.get(root)!;
  }

  /** The expression on the lanes of this Arith, `shift` steps of the vector axis ahead. */
  value(e: KExpr, shift = 0): Node {
    return this.vec === undefined ? this.scalar(e) : this.vector(e, shift);
  }

  get ty(): Ty | undefined {
    return this.vec === undefined ? undefined : 'v128';
  }

  /** How far an index moves from lane to lane, in the loop that counts the vector axis. */
  stride(e: Ix): number | undefined {
    const axis = this.vec!;
    return laneStride(e, { axis, start: this.env.axes.get(axis)?.congruence ?? unknown });
  }

  // ------------------------------------------------------------------ indices

  /** The value of an index (at lane 0), as `scale` times its terms; the constant apart. */
  #terms(e: Ix, scale: number): Node {
    const g = this.#g;
    const affine: [Scope, number][] = [];
    let rest: Node | undefined;
    const plus = (n: Node): void => {
      rest = rest ? g.add(rest, n) : n;
    };
    for (const t of e.terms) {
      if (t.a.k === 'axis') {
        const at = this.env.axes.get(t.a.id);
        if (!at) throw new Error(`wasm: axis ${t.a.id} is not bound here`);
        if ('ty' in at) plus(g.times(at, t.m * scale));
        else affine.push([at, t.m * scale]);
      } else plus(g.times(this.#atom(t.a), t.m * scale));
    }
    const chain = g.affine(affine);
    if (!chain) return rest ?? g.i32(0);
    return rest ? g.add(chain, rest) : chain;
  }

  #atom(a: Exclude<IxTerm['a'], { k: 'axis' }>): Node {
    if (a.k === 'val') throw new Error('wasm: a data-dependent atom inside an index');
    const g = this.#g;
    const v = this.index(a.e);
    const log = Math.log2(a.by);
    if (Number.isInteger(log)) {
      return a.k === 'div'
        ? g.op('i32.shr_s', 'i32', v, g.i32(log))
        : g.op('i32.and', 'i32', v, g.i32(a.by - 1));
    }
    const by = g.i32(a.by);
    if (interval(a.e, this.env.extents).lo >= 0)
      return g.op(a.k === 'div' ? 'i32.div_u' : 'i32.rem_u', 'i32', v, by);
    const q = g.op('i32.div_s', 'i32', v, by);
    const r = g.op('i32.sub', 'i32', v, g.op('i32.mul', 'i32', q, by));
    const below = g.op('i32.shr_s', 'i32', r, g.i32(31));
    return a.k === 'div' ? g.add(q, below) : g.add(r, g.op('i32.and', 'i32', below, by));
  }

  /** The value of an index at lane 0. */
  index(e: Ix): Node {
    return this.#g.add(this.#terms(e, 1), this.#g.i32(e.c));
  }

  #indexLanes(e: Ix, shift: number): Node {
    const g = this.#g;
    const ahead = advance(e, this.vec!, shift);
    const s = this.stride(ahead);
    if (s !== undefined) {
      const first = g.op('i32x4.splat', 'v128', this.index(ahead));
      return s === 0 ? first : g.op('i32x4.add', 'v128', first, g.lanesOf([0, s, 2 * s, 3 * s]));
    }
    return gather(this.#g, 'i32', (k) => this.index(advance(ahead, this.vec!, k)));
  }

  /** Whether lo <= e < hi, as i32 0 or 1; undefined when it always holds. */
  #holds(guards: readonly Guard[]): Node | undefined {
    const g = this.#g;
    let all: Node | undefined;
    for (const x of guards) {
      const range = interval(x.e, this.env.extents);
      if (range.lo >= x.lo && range.hi < x.hi) continue;
      // What a guard is taken of fits 32 bits; its bounds may lie beyond.
      const [lo, hi] = [Math.max(x.lo, -(2 ** 31)), Math.min(x.hi, 2 ** 31)];
      if (hi - lo === 2 ** 32) continue;
      const from = g.add(this.#terms(x.e, 1), g.i32(x.e.c - lo));
      const one = hi <= lo ? g.i32(0) : g.op('i32.lt_u', 'i32', from, g.i32(hi - lo));
      all = all ? g.op('i32.and', 'i32', all, one) : one;
    }
    return all;
  }

  /** lo <= e < hi at lane 0 for a guard list, e.g. of a store. */
  guards(guards: readonly Guard[]): Node | undefined {
    return this.#holds(guards);
  }

  /**
   * Address of lane 0 (`lane` steps of the vector axis on, for gathers) and its constant part.
   *
   * A memory instruction adds its offset without wrapping, so the value has to be the number that its
   * terms add up to, below 2^32 as an unsigned one. It is where no term takes anything away: what is
   * left of the address, which lies in memory, without a constant that is not negative. Elsewhere the
   * constant is added first, modulo 2^32, and the sum is the address itself.
   */
  address(buf: BufId, at: KIx, lane = 0, shift = 0): { node: Node; offset: number } {
    const g = this.#g;
    const ix = this.vec === undefined ? at.ix : advance(at.ix, this.vec, lane + shift);
    let node = this.#terms(ix, 4);
    for (const d of at.dyn) node = g.add(node, g.times(this.#dyn(d.e, lane, shift), d.m * 4));
    const own = this.env.own?.(buf);
    if (own) node = g.add(node, own);
    const offset = this.env.base(buf) + ix.c * 4;
    const least = interval({ c: 0, terms: ix.terms }, this.env.extents).lo;
    const positive = least >= 0 && at.dyn.every((d) => d.m >= 0);
    if (positive && offset >= 0 && offset < MAX_OFFSET) return { node, offset };
    return { node: g.add(node, g.i32(offset)), offset: 0 };
  }

  #dyn(e: KExpr, lane: number, shift: number): Node {
    if (!this.varies(e)) return this.scalar(e);
    return this.#g.node('i32', ins.lane('i32', lane), [this.vector(e, shift)]);
  }

  /** Whether all that is checked of a place holds, on one lane; undefined where nothing is. */
  holds(at: KIx, lane = 0, shift = 0): Node | undefined {
    const g = this.#g;
    return at.dyn.reduce<Node | undefined>((all, { e }) => {
      if (e.k !== 'checked') return all;
      const one = g.op('i32.lt_u', 'i32', this.#dyn(e.e, lane, shift), g.i32(e.extent));
      return all ? g.op('i32.and', 'i32', all, one) : one;
    }, undefined);
  }

  // ------------------------------------------------------------------ loads

  #raw(ty: Ty, buf: BufId, code: readonly number[], args: readonly Node[]): Node {
    const { written, home, version } = this.env;
    return written.has(buf)
      ? this.#g.node(ty, code, args, home, version)
      : this.#g.node(ty, code, args);
  }

  /** One cell; `lane` steps of the vector axis on. */
  #cell(e: Extract<KExpr, { k: 'load' }>, lane: number, shift: number): Node {
    const g = this.#g;
    const ty = e.t === 'f32' ? 'f32' : 'i32';
    const { node, offset } = this.address(e.buf, e.at, lane, shift);
    const guard =
      this.vec === undefined
        ? e.guard
        : e.guard.map((x) => ({ ...x, e: advance(x.e, this.vec!, lane + shift) }));
    const ok = this.#holds(guard);
    if (!ok) return this.#raw(ty, e.buf, ins.load(ty, offset), [node]);
    const safe = g.op('select', 'i32', g.add(node, g.i32(offset)), g.i32(this.env.base(e.buf)), ok);
    const v = this.#raw(ty, e.buf, ins.load(ty, 0), [safe]);
    return g.op('select', ty, v, ty === 'f32' ? g.f32(0) : g.i32(0), ok);
  }

  #loadLanes(e: Extract<KExpr, { k: 'load' }>, shift: number): Node {
    const g = this.#g;
    const vec = this.vec!;
    const stride = e.at.dyn.some((d) => this.varies(d.e))
      ? undefined
      : this.stride(advance(e.at.ix, vec, shift));
    const guards = e.guard.map((x) => ({ ...x, e: advance(x.e, vec, shift) }));
    const open = guards.filter((x) => {
      const { lo, hi } = interval(x.e, this.env.extents);
      return lo < x.lo || hi >= x.hi;
    });
    const even = open.every((x) => this.stride(x.e) === 0);
    const asMask = (v: Node): Node => (e.t === 'bool' ? g.op('i32x4.neg', 'v128', v) : v);
    if (!even || (stride !== 0 && stride !== 1)) {
      const t = e.t === 'f32' ? 'f32' : 'i32';
      return asMask(gather(this.#g, t, (k) => this.#cell(e, k, shift)));
    }
    const { node, offset } = this.address(e.buf, e.at, 0, shift);
    const code = (o: number): number[] => (stride === 1 ? ins.load('v128', o) : ins.splat(o));
    const ok = this.#holds(open);
    if (!ok) return asMask(this.#raw('v128', e.buf, code(offset), [node]));
    const safe = g.op('select', 'i32', g.add(node, g.i32(offset)), g.i32(this.env.base(e.buf)), ok);
    const mask = g.op('i32x4.splat', 'v128', g.op('i32.sub', 'i32', g.i32(0), ok));
    const v = this.#raw('v128', e.buf, code(0), [safe]);
    return asMask(g.op('v128.and', 'v128', v, mask));
  }

  // ------------------------------------------------------------------ expressions

  scalar(e: KExpr): Node {
    const known = this.#scalars.get(e);
    if (known) return known;
    const g = this.#g;
    let out: Node;
    switch (e.k) {
      case 'const':
        out = e.t === 'f32' ? g.f32(e.v) : e.t === 'int' ? wideConst(g, e.v) : g.i32(e.v);
        break;
      case 'index':
        out = this.index(e.ix);
        break;
      case 'load':
        out = this.#cell(e, 0, 0);
        break;
      case 'prim':
        out = isWide(e)
          ? wideOp(g, e, (a) => this.scalar(a))
          : primOp(g, e, 1, (a) => this.scalar(a));
        break;
      case 'checked':
        out = checkedValue(g, e, this.scalar(e.e), this.env.fault!);
        break;
    }
    this.#scalars.set(e, out);
    return out;
  }

  vector(e: KExpr, shift: number): Node {
    const memo = this.#vectors.get(shift) ?? new Map<KExpr, Node>();
    this.#vectors.set(shift, memo);
    const known = memo.get(e);
    if (known) return known;
    const out = this.varies(e) ? this.#vector(e, shift) : this.#spread(e);
    memo.set(e, out);
    return out;
  }

  #spread(e: KExpr): Node {
    const g = this.#g;
    if (e.k === 'const') return g.lanes(e.t === 'f32' ? 'f32' : 'i32', e.t === 'bool' ? -e.v : e.v);
    if (e.k === 'load' && e.t === 'f32' && e.guard.length === 0) {
      const { node, offset } = this.address(e.buf, e.at);
      return this.#raw('v128', e.buf, ins.splat(offset), [node]);
    }
    const s = this.scalar(e);
    if (e.t === 'f32') return g.op('f32x4.splat', 'v128', s);
    return g.op('i32x4.splat', 'v128', e.t === 'bool' ? g.op('i32.sub', 'i32', g.i32(0), s) : s);
  }

  #vector(e: KExpr, shift: number): Node {
    switch (e.k) {
      case 'const':
        return this.#spread(e);
      case 'index':
        return this.#indexLanes(e.ix, shift);
      case 'load':
        return this.#loadLanes(e, shift);
      case 'prim':
        if (isWide(e)) return this.#laneByLane(e, shift);
        return primOp(this.#g, e, 4, (a) => this.vector(a, shift));
      case 'checked':
        return this.#laneByLane(e, shift);
    }
  }

  #laneByLane(e: KExpr, shift: number): Node {
    const vec = this.vec!;
    const v = gather(this.#g, e.t === 'f32' ? 'f32' : 'i32', (k) => {
      const memo = this.#ahead.get(k + shift) ?? new Map<KExpr, KExpr>();
      this.#ahead.set(k + shift, memo);
      return this.scalar(
        mapKExpr(
          e,
          (ix) => advance(ix, vec, k + shift),
          (x) => x,
          memo,
        ),
      );
    });
    return e.t === 'bool' ? this.#g.op('i32x4.neg', 'v128', v) : v;
  }
}
