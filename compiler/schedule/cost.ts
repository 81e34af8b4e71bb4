/**
 * What a plan costs, from its text alone: operations, memory traffic and memory held, by kernel and
 * by nest. The model is the usual one of a roofline (Williams, Waterman and Patterson): a primitive
 * is done as often as its operands differ, and a kernel moves every cell it touches once between
 * memory and itself, whatever caches do in between.
 *
 * Invariant: the cost of a kernel is the sum of its nests', and that of a plan the sum of its kernels'
 * over all their runs, exactly: all counts are whole numbers.
 */
import { type Extents, extentsOf, interval } from '../core/ix.ts';
import type { Axis, AxisId, Dtype, Ix, Prim } from '../core.ts';
import type { BufId, KExpr, Kernel, KIx, KNest, Plan, Step } from '../plan.ts';
import { asContraction } from './contract.ts';
import { axesOf, eachKExpr, kixKey } from './flat.ts';
import { liveness, peakWords } from './memory.ts';
import { hasContraction } from './resident.ts';

export type Cost = {
  /** Floating-point primitives and steps of reductions; each counts one, exp as well as mul. */
  readonly flops: number;
  /** Bytes. */
  readonly read: number;
  readonly written: number;
};

export type NestCost = Cost & { readonly nest: KNest };

/** As design and profiles name them; by form alone. */
export type Form =
  | 'contraction'
  | 'group'
  | 'rows'
  | 'reductions'
  | 'reduction'
  | 'map'
  | 'segment sum';

export type KernelCost = Cost & {
  readonly kernel: Kernel;
  readonly form: Form;
  /** Times it runs in one run of the plan; the costs are of all of them. */
  readonly runs: number;
  readonly nests: readonly NestCost[];
};

export type PlanCost = Cost & {
  /** In program order. */
  readonly kernels: readonly KernelCost[];
  readonly memory: {
    readonly inputs: number;
    /** Outputs that have storage of their own. */
    readonly outputs: number;
    readonly constants: number;
    /** Temporaries, as laid out. */
    readonly arena: number;
    /** The most temporaries that are live at once: no layout needs less. */
    readonly peak: number;
  };
};

/** Names, choices between values and conversions are no arithmetic. */
const free: ReadonlySet<Prim> = new Set(['select', 'cast', 'f16', 'bf16', 'stop']);

const sum = (costs: readonly Cost[]): Cost =>
  costs.reduce<Cost>(
    (a, b) => ({
      flops: a.flops + b.flops,
      read: a.read + b.read,
      written: a.written + b.written,
    }),
    { flops: 0, read: 0, written: 0 },
  );

const cells = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * a.extent, 1);

export function costOf(plan: Plan): PlanCost {
  const kernels: KernelCost[] = [];
  const walk = (steps: readonly Step[], runs: number): void => {
    for (const s of steps) {
      if (s.k === 'loop') walk(s.steps, runs * s.axis.extent);
      else kernels.push(kernelCost(plan, s, runs));
    }
  };
  walk(plan.steps, 1);
  const held = (kind: string): number =>
    plan.bufs.reduce((n, b) => n + (b.kind === kind ? 4 * b.words : 0), 0);
  return {
    ...sum(kernels),
    kernels,
    memory: {
      inputs: held('input'),
      outputs: held('output'),
      constants: held('const'),
      arena: 4 * plan.arenaWords,
      peak: 4 * peakWords(plan),
    },
  };
}

/** Bytes of temporaries that are written before the kernel at `at` and read after it. */
export function heldAcross(plan: Plan, at: number): number {
  return liveness(plan).reduce(
    (n, l) => n + (l.first < at && l.last > at ? 4 * plan.bufs[l.buf]!.words : 0),
    0,
  );
}

function kernelCost(plan: Plan, kernel: Kernel, runs: number): KernelCost {
  const traffic = new Traffic(plan);
  const nests = kernel.nests.map((nest): NestCost => {
    const extents = extentsOf(kernel.grid, nest.axes, nest.red);
    const { read, written } = traffic.of(nest, extents);
    const flops = flopsOf(kernel, nest, extents);
    return { nest, flops: flops * runs, read: read * runs, written: written * runs };
  });
  return { ...sum(nests), kernel, form: formOf(kernel), runs, nests };
}

function formOf(k: Kernel): Form {
  if (asContraction(k)) return 'contraction';
  if (k.gathered) return 'reductions';
  if (k.nests.length > 1) return hasContraction(k) ? 'group' : 'rows';
  const nest = k.nests[0]!;
  if (nest.store.mode === 'add') return 'segment sum';
  return nest.op === null ? 'map' : 'reduction';
}

/** Points over the axes that a set names; axes of enclosing loops are fixed within a kernel. */
const points = (axes: ReadonlySet<AxisId>, extents: Extents): number =>
  [...axes].reduce((n, a) => n * (extents(a) ?? 1), 1);

function flopsOf(kernel: Kernel, nest: KNest, extents: Extents): number {
  const axes = new Map<KExpr, ReadonlySet<AxisId>>();
  const made = new Set(kernel.nests.map((n) => n.store.buf));
  let flops = 0;
  const visit = (e: KExpr): void => {
    const own = new Set<AxisId>();
    const add = (from: Iterable<AxisId>): void => {
      for (const a of from) own.add(a);
    };
    if (e.k === 'index') axesOf(e.ix, own);
    if (e.k === 'load') {
      axesOf(e.at.ix, own);
      for (const g of e.guard) axesOf(g.e, own);
      for (const d of e.at.dyn) add(axes.get(d.e)!);
      // What the kernel itself wrote differs from cell to cell, though scratch is addressed alike.
      if (made.has(e.buf)) add(kernel.grid.map((a) => a.id));
    }
    if (e.k === 'prim') for (const a of e.args) add(axes.get(a)!);
    if (e.k === 'checked') add(axes.get(e.e)!);
    axes.set(e, own);
    if (e.k === 'prim' && isFloat(e) && !free.has(e.op)) flops += points(own, extents);
  };
  const seen = new Set<KExpr>();
  eachKExpr(nest.body, visit, seen);
  for (const d of nest.store.at.dyn) eachKExpr(d.e, visit, seen);
  const all = cells(kernel.grid) * cells(nest.axes) * cells(nest.red);
  const added = nest.op !== null || nest.store.mode === 'add';
  return flops + (added && nest.body.t === 'f32' ? all : 0);
}

/** Comparisons of floats count: they take the same unit as an addition. */
const isFloat = (e: KExpr & { readonly k: 'prim' }): boolean =>
  e.t === 'f32' || (e.t === 'bool' && e.args.some((a) => a.t === ('f32' satisfies Dtype)));

/** Bytes that the nests of one kernel move, in order: what an earlier one moved is there. */
class Traffic {
  readonly #plan: Plan;
  /** Words of each buffer that are in reach, and the addresses they were asked for under. */
  readonly #here = new Map<BufId, number>();
  readonly #known = new Set<string>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  of(nest: KNest, extents: Extents): { read: number; written: number } {
    let read = 0;
    const seen = new Set<KExpr>();
    const load = (e: KExpr): void => {
      if (e.k === 'load') read += this.#fetch(e.buf, e.at, extents);
    };
    eachKExpr(nest.body, load, seen);
    const { buf, at, mode } = nest.store;
    for (const d of at.dyn) eachKExpr(d.e, load, seen);
    if (mode === 'add') read += this.#fetch(buf, at, extents);
    if (this.#plan.bufs[buf]!.kind === 'scratch') return { read: 4 * read, written: 0 };
    const written = this.#distinct(buf, at, extents);
    this.#here.set(buf, Math.min((this.#here.get(buf) ?? 0) + written, this.#words(buf)));
    this.#known.add(`${buf}:${kixKey(at)}`);
    return { read: 4 * read, written: 4 * written };
  }

  #words(buf: BufId): number {
    return this.#plan.bufs[buf]!.words;
  }

  /** Words of an access that are not in reach yet; they are from now on. */
  #fetch(buf: BufId, at: KIx, extents: Extents): number {
    const key = `${buf}:${kixKey(at)}`;
    if (this.#plan.bufs[buf]!.kind === 'scratch' || this.#known.has(key)) return 0;
    this.#known.add(key);
    const before = this.#here.get(buf) ?? 0;
    const after = Math.min(before + this.#distinct(buf, at, extents), this.#words(buf));
    this.#here.set(buf, after);
    return after - before;
  }

  /** How many cells an access may touch: as many as points, or as lie in its range. */
  #distinct(buf: BufId, at: KIx, extents: Extents): number {
    const axes = axesOf(at.ix);
    let spread = rangeOf(at.ix, extents);
    for (const d of at.dyn) {
      eachKExpr(d.e, (e) => {
        if (e.k === 'index') axesOf(e.ix, axes);
        if (e.k === 'load') axesOf(e.at.ix, axes);
      });
      spread *= d.extent;
    }
    return Math.min(points(axes, extents), spread, this.#words(buf));
  }
}

/** Integers an index may be, with the axes of enclosing loops fixed. */
function rangeOf(ix: Ix, extents: Extents): number {
  const { lo, hi } = interval(ix, (id) => extents(id) ?? 1);
  return hi - lo + 1;
}
