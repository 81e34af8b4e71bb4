/**
 * Packed operands of a contraction: panels of a tile's width, [outer axes][panel][k][width], so that
 * a tile reads both operands in the order in which it needs them (Goto and van de Geijn). Packing
 * evaluates whatever expression stands around the reads, so pointwise prologues are free.
 *
 * Four lanes are four neighbours of a panel, or four steps of the sum that a 4x4 transpose turns into
 * panel order: whichever the reads are contiguous along. A width that is no multiple of four is
 * covered by vectors that overlap.
 *
 * Invariant: every word of a panel is written, with zeros beyond the operand where `pad` asks for it.
 */
import type { Axis } from '../../core.ts';
import type { KExpr } from '../../plan.ts';
import { eachKExpr, mapKExpr } from '../../schedule/flat.ts';
import { Arith, type Env } from './arith.ts';
import { ins } from './binary.ts';
import { type Congruence, congruence, exactly, plus } from './congruence.ts';
import type { Graph, Node, Scope } from './graph.ts';
import { advance, laneStride, type Vector } from './lanes.ts';

/** A part of the summed axes: `units` of the first one, and all of the others. */
export type Chunk = {
  readonly head: Axis;
  readonly inner: readonly Axis[];
  readonly units: number;
  /** The loop that steps over chunks; without, this is the one chunk that starts at `from`. */
  readonly counter: Scope | undefined;
  readonly from: number;
};

export const depthOf = (c: Chunk): number => c.units * c.inner.reduce((n, a) => n * a.extent, 1);

/** Terms of an address: how many bytes each loop adds per step of its axis. */
export type Terms = readonly (readonly [Scope, number])[];

export type Panels = {
  readonly expr: KExpr;
  /** The axis that is cut into panels, and how wide they are. */
  readonly axis: Axis;
  readonly width: number;
  /** Byte address of the whole packed operand; `own` moves it to a thread's working memory. */
  readonly to: number;
  readonly own: Node | undefined;
  /** Position of the enclosing loops over outer axes. */
  readonly outer: Terms;
  readonly chunk: Chunk;
};

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Where vectors of four start that cover `count` words, the last overlapping; empty below four. */
function starts(count: number): number[] {
  if (count < 4) return [];
  const out = range(Math.floor(count / 4)).map((i) => 4 * i);
  if (count % 4) out.push(count - 4);
  return out;
}

/**
 * Emits the copying of panels: the axis from `lo` to `hi` in steps of the width, of which `count`
 * words exist and are stored `stride` apart from one step of the sum to the next.
 */
export function packPanels(
  p: Panels,
  env: Env,
  at: Scope,
  lo: number | Node,
  hi: number | Node,
  count: number,
  stride: number,
): void {
  const { axis, chunk } = p;
  const panel = at.loop(lo, hi, p.width);
  const axes = new Map(env.axes).set(axis.id, panel);
  const outer: Terms = [...p.outer, [panel, 4 * depthOf(chunk)]];
  const along = chunk.inner.at(-1) ?? chunk.head;
  const steps = along === chunk.head ? chunk.units : along.extent;
  const begins = along === chunk.head ? headStart(env.g, chunk) : 0;
  const byLanes = laneCost(p.expr, { axis: axis.id, start: panel.congruence }, env, starts(count));
  const bySteps = laneCost(p.expr, { axis: along.id, start: fours(begins) }, env, [0]);
  const ahead = (j: number): KExpr =>
    j === 0 ? p.expr : mapKExpr(p.expr, (ix) => advance(ix, axis.id, j));
  /** One step of the sum, the panel's words in the lanes; single words where it is narrow. */
  const across = (k: Scope, ax: Env['axes']): void => {
    const e: Env = { ...env, axes: ax };
    const to = place(p, env.g, ax, outer, stride);
    const ar = new Arith(e, count >= 4 ? axis.id : undefined);
    for (const j of starts(count))
      k.effect([to, ar.value(p.expr, j)], ins.store('v128', p.to + 4 * j));
    if (count >= 4) return;
    for (const j of range(count)) {
      k.effect([to, new Arith(e).value(ahead(j))], ins.store('f32', p.to + 4 * j));
    }
  };
  /** Four steps of the sum in the lanes of four words. */
  const turned = (k: Scope, ax: Env['axes']): void => {
    const e: Env = { ...env, axes: ax };
    const to = place(p, env.g, ax, outer, stride);
    for (const j of starts(count)) {
      const rows = range(4).map((i) => new Arith(e, along.id).value(ahead(j + i)));
      transpose(env.g, rows).forEach((v, i) => {
        k.effect([to, v], ins.store('v128', p.to + 4 * (j + i * stride)));
      });
    }
  };
  const pad = (k: Scope, ax: Env['axes']): void => {
    const to = place(p, env.g, ax, outer, stride);
    for (let j = count - (count % 4); j < stride; j += 4)
      k.effect([to, env.g.lanes('f32', 0)], ins.store('v128', p.to + 4 * j));
  };
  /** Loops over the chunk's steps; the innermost in strides of `by`, over its first `upTo` steps. */
  const walk = (
    by: number,
    start: number,
    upTo: number,
    f: (k: Scope, ax: Env['axes']) => void,
  ): void => {
    const ax = new Map(axes);
    let s = panel;
    const list = [chunk.head, ...chunk.inner];
    for (const a of list) {
      const whole = a !== along;
      const [from, to] = whole ? [0, a === chunk.head ? chunk.units : a.extent] : [start, upTo];
      const base = a === chunk.head ? headStart(env.g, chunk) : 0;
      const low = typeof base === 'number' ? base + from : env.g.add(base, env.g.i32(from));
      const high = typeof base === 'number' ? base + to : env.g.add(base, env.g.i32(to));
      s = s.loop(low, high, whole ? 1 : by);
      ax.set(a.id, s);
    }
    f(s, ax);
  };
  if (count < stride) walk(1, 0, steps, pad);
  if (bySteps >= byLanes || steps < 4 || count < 4) {
    walk(1, 0, steps, across);
    return;
  }
  walk(4, 0, steps - (steps % 4), turned);
  // What is left over: the last four steps, some of them for the second time.
  if (steps % 4) walk(4, steps - 4, steps, turned);
}

/** The first step of the chunk on its first axis. */
export function headStart(g: Graph, c: Chunk): number | Node {
  return c.counter ? g.induct(undefined, c.counter, 1) : c.from;
}

/** Where a step of the chunk stands in the packed operand, without the constant address. */
function place(p: Panels, g: Graph, axes: Env['axes'], outer: Terms, stride: number): Node {
  const { chunk } = p;
  const inner = chunk.inner.reduce((n, a) => n * a.extent, 1);
  const head = 4 * stride * inner;
  const terms: (readonly [Scope, number])[] = [...outer, [axes.get(chunk.head.id) as Scope, head]];
  if (chunk.counter) terms.push([chunk.counter, -head]);
  let rest = inner;
  for (const a of chunk.inner) {
    rest /= a.extent;
    terms.push([axes.get(a.id) as Scope, 4 * stride * rest]);
  }
  const n = g.affine(terms)!;
  const moved = chunk.counter ? n : g.add(n, g.i32(-chunk.from * head));
  return p.own ? g.add(moved, p.own) : moved;
}

/** What is known of the steps of a loop that begins there and takes four at a time. */
const fours = (from: number | Node): Congruence =>
  plus(typeof from === 'number' ? exactly(from) : from.congruence, congruence(4, 0));

/** What the loads of an expression cost per element when lanes run along an axis, from some starts. */
function laneCost(root: KExpr, vec: Vector, env: Env, shifts: readonly number[]): number {
  const ar = new Arith(env, vec.axis);
  let cost = 0;
  for (const shift of shifts) {
    const from: Vector = { ...vec, start: plus(vec.start, exactly(shift)) };
    eachKExpr(root, (e) => {
      if (e.k !== 'load') return;
      const moving =
        e.at.dyn.some((d) => ar.varies(d.e)) || e.guard.some((x) => laneStride(x.e, from) !== 0);
      const stride = moving ? undefined : laneStride(e.at.ix, from);
      cost += stride === 0 ? 0.3 : stride === 1 ? 1 : 6;
    });
  }
  return cost / Math.max(1, shifts.length);
}

/** Rows to columns: two rounds of interleaving. */
function transpose(g: Graph, rows: readonly Node[]): Node[] {
  const [a, b, c, d] = rows as [Node, Node, Node, Node];
  const pick = (x: Node, y: Node, lanes: readonly number[]): Node =>
    g.node('v128', ins.shuffle(lanes.flatMap((l) => range(4).map((i) => 4 * l + i))), [x, y]);
  const low = [0, 4, 1, 5];
  const high = [2, 6, 3, 7];
  const ab = [pick(a, c, low), pick(a, c, high)] as const;
  const cd = [pick(b, d, low), pick(b, d, high)] as const;
  return [
    pick(ab[0], cd[0], low),
    pick(ab[0], cd[0], high),
    pick(ab[1], cd[1], low),
    pick(ab[1], cd[1], high),
  ];
}
