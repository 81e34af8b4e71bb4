/**
 * Kernels that are loops: maps, reductions, row kernels, segment sums. One axis of each nest runs
 * over the lanes of a vector (the one along which most accesses are contiguous): a parallel axis,
 * then every lane is one cell, or a reduced axis, then the lanes are combined at the end.
 *
 * Invariant: the order in which a cell's terms are combined depends on the plan only, so every run
 * and every partition of the cells gives the same bits.
 */

import { type Extents, extentsOf } from '../../core/ix.ts';
import type { Axis, AxisId, Dtype } from '../../core.ts';
import type { BufId, KExpr, Kernel, KNest } from '../../plan.ts';
import { axesOf, eachKExpr } from '../../schedule/flat.ts';
import { accumulator, combine, foldLanes, needsIndex } from './accumulate.ts';
import { Arith, type Env } from './arith.ts';
import { ins, type Ty } from './binary.ts';
import { congruence } from './congruence.ts';
import type { Graph, Node, Scope } from './graph.ts';
import { advance, laneStride, type Vector } from './lanes.ts';
import { applyOp } from './ops.ts';
import { lastOnly, type Part, shareOf } from './part.ts';
import { tangled } from './paths.ts';
import { regions } from './regions.ts';
import { forward, handOn, runsOf } from './runs.ts';

/** An address: a value and a constant. */
export type Place = { readonly node: Node; readonly offset: number };
/** Words of it: what four vectors take. */
export const SPILL = 16;

export type Site = {
  readonly g: Graph;
  /** Values of the enclosing loops' axes. */
  readonly axes: ReadonlyMap<AxisId, Scope | Node>;
  readonly loops: readonly Axis[];
  readonly base: (b: BufId) => number;
  readonly own?: (b: BufId) => Node | undefined;
  readonly isScratch?: (b: BufId) => boolean;
  /** Byte address of the plan's fault word. */
  readonly fault?: number;
  /** Room for SPILL words of this thread, where the engine joins neighbouring vectors. */
  readonly spill?: Place;
  /** The share to compute; all of it when absent. */
  readonly part?: Part;
};

/** Whether the cells of a kernel can be shared out. */
export const canShare = (k: Kernel): boolean =>
  k.nests.length > 1
    ? k.grid.length > 0 || k.nests.every((n) => n.axes.length > 0)
    : k.grid.length > 0 || !!parallelAxes(k.nests[0]!).length;

const parallelAxes = (n: KNest): readonly Axis[] => (n.store.mode === 'add' ? [] : n.axes);

/** Extents of the axes of nests that share a loop: another nest may bind the same id to another one. */
export const extentsAround = (
  k: Kernel,
  loops: readonly Axis[],
  nests: readonly KNest[],
): Extents => extentsOf(loops, k.grid, ...nests.flatMap((n) => [n.axes, n.red]));

/** Emits a kernel as loops into the function of the site. */
export function emitLoops(k: Kernel, site: Site): void {
  const written = new Set(k.nests.map((n) => n.store.buf));
  const around = (nests: readonly KNest[]): Extents => extentsAround(k, site.loops, nests);
  const env = (home: Scope, version: number, axes: Env['axes'], extents: Extents): Env => ({
    g: site.g,
    axes,
    extents,
    base: site.base,
    own: site.own,
    fault: site.fault,
    written: k.nests.length > 1 ? written : new Set(),
    home,
    version,
  });
  const root = site.g.root;
  const outer: Env['axes'] = new Map(site.axes);
  const isLocal = (b: BufId): boolean => site.isScratch?.(b) ?? false;
  if (k.gathered) {
    // Independent nests, each shared out by itself; one without cells to share is the last thread's.
    let version = 0;
    for (const n of k.nests) {
      const whole = n.axes.length === 0;
      const at = whole ? lastOnly(site.g, site.part, root) : root;
      const part = whole ? undefined : site.part;
      for (const r of regions([n], n.axes, around([n]))) {
        const inside = env(at, version++, new Map(outer), r.extents);
        new NestEmitter(inside, r.nests, r.own, [], site.spill, part).emit(at);
      }
    }
    return;
  }
  const pointwise = k.nests.every((n) => n.axes.length === 0 && n.red.length === 0);
  if (k.nests.length === 1 || (pointwise && handOn(k.nests))) {
    const first = k.nests[0]!;
    const sequential = first.store.mode === 'add' ? first.axes : [];
    const own = sequential.length > 0 ? k.grid : [...k.grid, ...first.axes];
    // What only the group itself reads need not be stored.
    const nests = k.nests.length > 1 ? forward(k.nests, isLocal) : k.nests;
    if (nests.length > 0)
      regions(nests, own, around(k.nests)).forEach((r, i) => {
        const at = env(root, i, outer, r.extents);
        new NestEmitter(at, r.nests, r.own, sequential, site.spill, site.part).emit(root);
      });
    return;
  }
  let scope = root;
  // The longest axis outermost where the grid is shared out.
  const longest = k.grid.reduce<Axis | undefined>(
    (a, b) => (a && a.extent >= b.extent ? a : b),
    undefined,
  );
  const first = site.part ? longest : undefined;
  for (const a of first ? [first, ...k.grid.filter((x) => x !== first)] : k.grid) {
    const { lo, hi } = shareOf(site.g, a === first ? site.part : undefined, a.extent);
    scope = scope.loop(lo, hi, 1);
    outer.set(a.id, scope);
  }
  let version = 0;
  for (const { nests, axes } of runsOf(k.nests, isLocal)) {
    const sequential = nests[0]!.store.mode === 'add' ? axes : [];
    const own = sequential.length > 0 ? [] : axes;
    for (const r of regions(nests, own, around(nests))) {
      const at = env(scope, version++, new Map(outer), r.extents);
      new NestEmitter(at, r.nests, r.own, sequential, site.spill).emit(scope);
    }
  }
}

/** Loops over the lanes of a nest begin at 0 and take whole vectors. */
const FOURS = congruence(4, 0);

/** Cost of an access per element, by its stride over the lanes. */
const accessCost = (stride: number | undefined): number =>
  stride === 0 ? 0.3 : stride === 1 ? 1 : 6;

/** The loop to share out among threads; none when the vector axis itself is better. */
function sharedAxis(outer: readonly Axis[], choice: Choice): Axis | undefined {
  const first = outer[0];
  if (!first) return undefined;
  const longest = outer.reduce((a, b) => (b.extent > a.extent ? b : a));
  const axis = first.extent >= 8 ? first : longest;
  const lanes = choice.reduced || !choice.axis ? 0 : choice.axis.extent / 16;
  return axis.extent >= 8 || axis.extent >= lanes ? axis : undefined;
}

type Choice = { readonly axis: Axis | undefined; readonly reduced: boolean };

export class NestEmitter {
  readonly #env: Env;
  readonly #nests: readonly KNest[];
  readonly #own: readonly Axis[];
  readonly #sequential: readonly Axis[];
  readonly #spill: Place | undefined;
  readonly #part: Part | undefined;

  /** `own` axes are parallel; `sequential` ones run outside them, in order. */
  constructor(
    env: Env,
    nests: readonly KNest[],
    own: readonly Axis[],
    sequential: readonly Axis[],
    spill?: Place,
    part?: Part,
  ) {
    this.#spill = spill;
    this.#part = part;
    this.#env = env;
    this.#nests = nests;
    this.#own = own;
    this.#sequential = sequential;
  }

  emit(scope: Scope): void {
    const n = this.#nests[0]!;
    const choice = this.#choose();
    let at = scope;
    for (const a of this.#sequential) at = this.#loop(at, a);
    const outer = this.#own.filter((a) => a !== choice.axis || choice.reduced);
    const shared = this.#part && sharedAxis(outer, choice);
    if (shared) {
      const { lo, hi } = shareOf(this.#env.g, this.#part, shared.extent);
      at = at.loop(lo, hi, 1);
      this.#env.axes.set(shared.id, at);
    }
    for (const a of outer) if (a !== shared) at = this.#loop(at, a);
    const lanes = shared ? undefined : this.#part;
    if (n.op !== null && choice.reduced) this.#reduceLanes(at, n, choice.axis!);
    else if (n.op === null)
      this.#lanes(at, choice.axis, lanes, (s, ar, shifts) => this.#map(s, ar, shifts));
    else
      this.#lanes(at, choice.axis, lanes, (s, ar, shifts) => this.#reduceCells(s, n, ar, shifts));
  }

  #loop(at: Scope, a: Axis): Scope {
    const s = at.loop(0, a.extent, 1);
    this.#env.axes.set(a.id, s);
    return s;
  }

  /** The vector axis: contiguous where possible, long enough, a parallel one when in doubt. */
  #choose(): Choice {
    const n = this.#nests[0]!;
    const guarded = this.#nests.some((x) => x.store.guard.length > 0);
    let best: Choice = { axis: undefined, reduced: false };
    let bestCost = Number.POSITIVE_INFINITY;
    const consider = (axis: Axis, reduced: boolean): void => {
      if (axis.extent < 4) return;
      if (guarded && this.#nests.some((x) => x.store.guard.some((q) => axesOf(q.e).has(axis.id))))
        return;
      const tail = axis.extent % 4;
      const waste = (Math.floor(axis.extent / 4) + tail) / (axis.extent / 4);
      const extra = reduced ? 24 / axis.extent : 0;
      const cost = (this.#accesses(axis.id, !reduced) + 1) * waste + extra;
      if (cost < bestCost) {
        bestCost = cost;
        best = { axis, reduced };
      }
    };
    for (const a of [...this.#own].reverse()) consider(a, false);
    const lanewise = n.op !== null && n.op !== 'argmax' && n.op !== 'argmin';
    if (lanewise) for (const a of [...n.red].reverse()) consider(a, true);
    return best;
  }

  #accesses(axis: AxisId, stores: boolean): number {
    const vec: Vector = { axis, start: FOURS };
    let cost = 0;
    for (const n of this.#nests) {
      const seen = new Set<KExpr>();
      const ar = new Arith(this.#env, axis);
      const load = (e: KExpr): void => {
        if (e.k !== 'load') return;
        const moving =
          e.at.dyn.some((d) => ar.varies(d.e)) || e.guard.some((x) => laneStride(x.e, vec) !== 0);
        cost += moving ? 8 : accessCost(laneStride(e.at.ix, vec));
      };
      eachKExpr(n.body, load, seen);
      for (const d of n.store.at.dyn) {
        eachKExpr(d.e, load, seen);
        if (stores && ar.varies(d.e)) cost += 8;
      }
      if (stores) cost += 1.2 * accessCost(laneStride(n.store.at.ix, vec));
    }
    return cost;
  }

  /** Loops over one axis: several vectors at a time, one vector at a time, single cells. */
  #lanes(
    at: Scope,
    vec: Axis | undefined,
    part: Part | undefined,
    body: (s: Scope, ar: Arith, shifts: readonly number[]) => void,
  ): void {
    if (!vec) {
      body(at, new Arith(this.#env), [0]);
      return;
    }
    const unroll = this.#unroll(vec);
    const full = vec.extent - (vec.extent % 4);
    const wide = unroll > 1 ? vec.extent - (vec.extent % (4 * unroll)) : 0;
    const range = (lo: number, hi: number, step: number, lanes: boolean, whole: boolean): void => {
      if (lo >= hi) return;
      const own = whole ? shareOf(this.#env.g, part, (hi - lo) / step, step, lo) : { lo, hi };
      const from = whole ? at : lastOnly(this.#env.g, part, at);
      const s = from.loop(own.lo, own.hi, step);
      const env = { ...this.#env, axes: new Map(this.#env.axes).set(vec.id, s) };
      const shifts = Array.from({ length: step / 4 }, (_, i) => 4 * i);
      body(s, lanes ? new Arith(env, vec.id) : new Arith(env), lanes ? shifts : [0]);
    };
    range(0, wide, 4 * unroll, true, true);
    range(wide, full, 4, true, wide === 0);
    range(full, vec.extent, 1, false, full === 0);
  }

  #unroll(vec: Axis): number {
    if (tangled(this.#nests.map((n) => n.body))) return 1;
    let nodes = 0;
    for (const n of this.#nests)
      eachKExpr(n.body, (e) => {
        nodes += e.k === 'prim' ? (heavy.has(e.op) ? 12 : 1) : 0;
      });
    // Sums down columns read little of each row: two cache lines of it at a time, where that fits.
    const most = nodes > 16 ? 2 : nodes > 6 || this.#nests[0]!.op === null ? 4 : 8;
    return Math.min(most, Math.max(1, Math.floor(vec.extent / 4)));
  }

  // ------------------------------------------------------------------ maps

  #map(s: Scope, ar: Arith, shifts: readonly number[]): void {
    const ty = (t: Dtype): Ty => (ar.vec !== undefined ? 'v128' : t === 'f32' ? 'f32' : 'i32');
    const values = this.#nests.map((n) => shifts.map((shift) => ar.value(n.body, shift)));
    s.keep(values.flat());
    this.#nests.forEach((n, i) => {
      const vs = values[i]!;
      shifts.forEach((shift, j) => {
        this.#store(s, n, ar, vs[j]!, ty(n.body.t), n.body.t, shift);
      });
    });
  }

  /** Stores (or adds) a value on the lanes of `ar` at the nest's cell. */
  #store(s: Scope, n: KNest, ar: Arith, v: Node, ty: Ty, t: Dtype, shift: number): void {
    const g = this.#env.g;
    const { buf, at, mode } = n.store;
    const ok = ar.guards(n.store.guard);
    const to = ok ? s.branch(ok).then : s;
    const vec = ar.vec;
    const moving = vec !== undefined && at.dyn.some((d) => ar.varies(d.e));
    const stride = vec === undefined || moving ? undefined : ar.stride(advance(at.ix, vec, shift));
    const value =
      t === 'bool' && ty === 'v128' ? g.op('v128.and', 'v128', v, g.lanes('i32', 1)) : v;
    const cell = t === 'f32' ? 'f32' : 'i32';
    const put = (ty: Ty, lanes: 1 | 4, x: Node, lane: number): void => {
      const { node, offset } = ar.address(buf, at, lane, shift);
      // The address is formed, and so checked, before the branch.
      const holds = ar.holds(at, lane, shift);
      const there = holds ? to.branch(holds).then : to;
      if (mode === 'set') {
        there.effect([node, x], ins.store(ty, offset));
        return;
      }
      const old = g.fresh(ty, ins.load(ty, offset), [node], there);
      there.effect([node, applyOp(g, lanes, 'add', t, t, [old, x])], ins.store(ty, offset));
    };
    if (vec === undefined) put(cell, 1, value, 0);
    else if (stride === 1) put('v128', 4, value, 0);
    else for (let k = 0; k < 4; k++) put(cell, 1, g.node(cell, ins.lane(cell, k), [value]), k);
  }

  // ------------------------------------------------------------------ reductions

  /** Every lane (and every shift) is one cell. */
  #reduceCells(s: Scope, n: KNest, ar: Arith, shifts: readonly number[]): void {
    const lanes = ar.vec === undefined ? 1 : 4;
    const terms = n.red.reduce((all, a) => all * a.extent, 1);
    const accs = shifts.map(() => accumulator(this.#env.g, n.op!, n.body.t, lanes, terms));
    for (const a of accs) a.start(s);
    let at = s;
    const env: Env = { ...ar.env, axes: new Map(ar.env.axes) };
    for (const a of n.red) {
      at = at.loop(0, a.extent, 1);
      env.axes.set(a.id, at);
    }
    const inner = new Arith(env, ar.vec);
    const where = n.red.length === 1 ? env.axes.get(n.red[0]!.id) : undefined;
    const index = (): Node =>
      inner.index({ c: 0, terms: [{ m: 1, a: { k: 'axis', id: n.red[0]!.id } }] });
    shifts.forEach((shift, i) => {
      accs[i]!.step(
        at,
        inner.value(n.body, shift),
        where && needsIndex(n.op!) ? index() : undefined,
      );
    });
    shifts.forEach((shift, i) => {
      const v = accs[i]!.result(s);
      const t: Dtype = needsIndex(n.op!) ? 'i32' : n.body.t;
      this.#store(s, n, ar, v, lanes === 4 ? 'v128' : t === 'f32' ? 'f32' : 'i32', t, shift);
    });
  }

  /**
   * The values after a pass through memory: V8's revectorizer looks for pairs upwards from stores, so
   * accumulators that are only folded would stay 128 bits wide.
   */
  #joined(s: Scope, values: readonly Node[]): readonly Node[] {
    const at = this.#spill;
    if (!at || values.length % 2 !== 0) return values;
    s.keep(values);
    values.forEach((v, i) => {
      s.effect([at.node, v], ins.store('v128', at.offset + 16 * i));
    });
    return values.map((_, i) =>
      this.#env.g.fresh('v128', ins.load('v128', at.offset + 16 * i), [at.node], s),
    );
  }

  /** The lanes hold parts of one cell's reduction along `vec`. */
  #reduceLanes(s: Scope, n: KNest, vec: Axis): void {
    const g = this.#env.g;
    const most = tangled([n.body]) ? 1 : 4;
    const unroll = Math.min(most, vec.extent >= 64 ? 4 : vec.extent >= 16 ? 2 : 1);
    const full = vec.extent - (vec.extent % 4);
    const wide = vec.extent - (vec.extent % (4 * unroll));
    const times = n.red.reduce((all, a) => (a === vec ? all : all * a.extent), 1);
    const terms = (times * vec.extent) / (4 * unroll);
    const accs = Array.from({ length: unroll }, () => accumulator(g, n.op!, n.body.t, 4, terms));
    const left = times * (vec.extent - full);
    const rest = left > 0 ? accumulator(g, n.op!, n.body.t, 1, left) : undefined;
    for (const a of accs) a.start(s);
    rest?.start(s);
    let at = s;
    const env: Env = { ...this.#env, axes: new Map(this.#env.axes) };
    for (const a of n.red) {
      if (a === vec) continue;
      at = at.loop(0, a.extent, 1);
      env.axes.set(a.id, at);
    }
    const part = (lo: number, hi: number, step: number, lanes: boolean): void => {
      if (lo >= hi) return;
      const body = at.loop(lo, hi, step);
      const inside = { ...env, axes: new Map(env.axes).set(vec.id, body) };
      const ar = lanes ? new Arith(inside, vec.id) : new Arith(inside);
      if (!lanes) rest!.step(body, ar.value(n.body), undefined);
      else
        for (let j = 0; j < step / 4; j++) accs[j]!.step(body, ar.value(n.body, 4 * j), undefined);
    };
    part(0, wide, 4 * unroll, true);
    part(wide, full, 4, true);
    part(full, vec.extent, 1, false);
    const sums = this.#joined(
      s,
      accs.map((a) => a.result(s)),
    );
    const sum = sums.reduce((a, b) => combine(g, n.op!, n.body.t, 4, a, b));
    let v = foldLanes(g, n.op!, n.body.t, sum);
    if (rest) v = combine(g, n.op!, n.body.t, 1, v, rest.result(s));
    this.#store(s, n, new Arith(this.#env), v, n.body.t === 'f32' ? 'f32' : 'i32', n.body.t, 0);
  }
}

const heavy = new Set<string>(['exp', 'log', 'sin', 'cos', 'tanh', 'erf', 'pow', 'bits0', 'bits1']);
