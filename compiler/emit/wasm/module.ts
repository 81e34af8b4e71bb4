/**
 * Plan to WebAssembly module: a memory layout, one function per kernel, and `run(from, to, thread,
 * threads)`, which runs top-level steps of the plan, loops included, without leaving Wasm.
 *
 * Layout, in bytes: a guard page of control words, then constants, inputs, outputs, the scratch of
 * row kernels and packed operands, then the arena of temporaries.
 */
import type { AxisId } from '../../core.ts';
import type { BufId, Kernel, Plan, Step } from '../../plan.ts';
import { asContraction, type Contraction } from '../../schedule/contract.ts';
import { hasContraction } from '../../schedule/resident.ts';
import { loadsOf } from '../../schedule/schedule.ts';
import { encodeModule, Fn, ins, op, type Ty } from './binary.ts';
import { type Blocking, cutOf, emitContraction, packWords } from './contract.ts';
import { Graph, type Node, type Scope } from './graph.ts';
import { emitGroup, groupPackWords } from './group.ts';
import { microKernel, type Tile, tileKey } from './micro.ts';
import { canShare, emitLoops } from './nest.ts';
import { type Access, barrierFn, Hazards, type Range } from './threads.ts';

export type WasmOptions = {
  /** f32x4.relaxed_madd is there. */
  readonly fma: boolean;
  /** The engine fuses pairs of vectors, so tiles are twice as wide. */
  readonly wide?: boolean;
  readonly blocking?: Partial<Blocking>;
  /** Threads that will run it together over a shared memory; default 1. */
  readonly threads?: number;
  /** Points of a kernel from which on threads share it; default 4096. */
  readonly shareFrom?: number;
  /** Also export every kernel, as k<id>(values of its loops' axes, thread, threads): for profiles. */
  readonly exportKernels?: boolean;
};

export type WasmPlan = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pages: number;
  /** Byte address of every buffer that has one. */
  readonly address: ReadonlyMap<BufId, number>;
  /** Top-level steps: run(0, steps) is the whole plan. */
  readonly steps: number;
};

const PAGE = 65536;
const FIRST = 1024;
const ALIGN = 256;

export function emitWasm(plan: Plan, options: WasmOptions): WasmPlan {
  const { fns, run, pages, address, kernels } = buildWasm(plan, options);
  const exports = new Map([['run', run]]);
  if (options.exportKernels) for (const [k, f] of kernels) exports.set(`k${k.id}`, f);
  const shared = (options.threads ?? 1) > 1;
  const bytes = encodeModule({ fns, exports, pages, shared });
  return { bytes, pages, address, steps: plan.steps.length };
}

/** Tile sizes that the engines like best: the accumulators, a row of B and a broadcast in registers. */
function blocking(options: WasmOptions): Blocking {
  const vecs = options.wide ? 4 : 2;
  const base = { rows: 6, vecs, unroll: 4, depth: 384, left: 8192, fma: options.fma };
  return { ...base, ...options.blocking };
}

/** The functions of a plan's module, `run` last, and where its buffers are. */
export function buildWasm(
  plan: Plan,
  options: WasmOptions,
): {
  readonly fns: readonly Fn[];
  readonly run: Fn;
  readonly pages: number;
  readonly address: ReadonlyMap<BufId, number>;
  readonly kernels: ReadonlyMap<Kernel, Fn>;
} {
  const address = new Map<BufId, number>();
  let end = FIRST;
  const take = (words: number): number => {
    const at = end;
    end = Math.ceil((end + words * 4) / ALIGN) * ALIGN;
    return at;
  };
  for (const b of plan.bufs)
    if (b.kind === 'const' || b.kind === 'input' || b.kind === 'output')
      address.set(b.id, take(b.words));
  // Scratch: each thread has its own copy of all of it.
  const threads = options.threads ?? 1;
  const scratchAt = end;
  for (const b of plan.bufs) if (b.kind === 'scratch') address.set(b.id, take(b.words));
  const scratch = end - scratchAt;
  take((scratch / 4) * (threads - 1));
  const spillAt = options.wide ? take((ALIGN / 4) * threads) : undefined;
  const isScratch = (b: BufId): boolean => plan.bufs[b]?.kind === 'scratch';
  const arena = take(plan.arenaWords);
  for (const [b, at] of plan.offsets) address.set(b, arena + at * 4);
  const base = (b: BufId): number => address.get(b) ?? FIRST;

  const fns: Fn[] = [];
  const define = (f: Fn): number => {
    f.index = fns.push(f) - 1;
    return f.index;
  };
  const tiles = new Map<string, number>();
  const micro = (t: Tile): number => {
    const key = tileKey(t);
    const index = tiles.get(key) ?? define(microKernel(t));
    tiles.set(key, index);
    return index;
  };
  // Packed operands live after the arena: one area for each thread, used by one kernel after another.
  const blocks = blocking(options);
  const kernels: Kernel[] = [];
  const collect = (steps: readonly Step[]): void => {
    for (const s of steps) {
      if (s.k === 'kernel') kernels.push(s);
      else collect(s.steps);
    }
  };
  collect(plan.steps);
  const contractions = new Map<Kernel, Contraction>();
  let packed = 0;
  for (const k of kernels) {
    if (hasContraction(k)) packed = Math.max(packed, groupPackWords(k, blocks) * 4);
    const c = asContraction(k);
    if (!c) continue;
    contractions.set(k, c);
    packed = Math.max(packed, packWords(cutOf(c, blocks)) * 4);
  }
  const pack = { at: end, bytes: packed };

  const compiled = new Map<Kernel, Compiled>();
  for (const k of kernels) {
    const c = contractions.get(k);
    const shared = threads > 1 && canShare(k) && work(k) >= (options.shareFrom ?? SMALL);
    const more: Ty[] = shared ? ['i32', 'i32'] : [];
    const fn = new Fn(k.name, [...k.loops.map((): Ty => 'i32'), ...more]);
    const g = new Graph(fn);
    const axes = new Map<AxisId, Scope | Node>();
    k.loops.forEach((a, i) => {
      axes.set(a.id, g.param(i, 'i32'));
    });
    const at = k.loops.length;
    const part = shared ? { t: g.param(at, 'i32'), of: g.param(at + 1, 'i32') } : undefined;
    const own = part
      ? (b: BufId) => (isScratch(b) ? g.times(part.t, scratch) : undefined)
      : undefined;
    const spill =
      spillAt === undefined
        ? undefined
        : { node: part ? g.times(part.t, ALIGN) : g.i32(0), offset: spillAt };
    const site = { g, axes, loops: k.loops, base, own, isScratch, part, spill };
    const contract = { ...site, micro, pack, blocking: blocks };
    if (c) emitContraction(c, contract);
    else if (hasContraction(k)) emitGroup(k, contract);
    else emitLoops(k, site);
    g.finish();
    define(fn);
    const range = (b: BufId): Range => [base(b), base(b) + plan.bufs[b]!.words * 4];
    const global = (l: readonly BufId[]): Range[] => l.filter((b) => !isScratch(b)).map(range);
    const writes = global(k.nests.map((n) => n.store.buf));
    const reads = global(k.nests.flatMap((n) => loadsOf(n).map((l) => l.buf)));
    compiled.set(k, { fn, access: { reads, writes, serial: !shared } });
  }
  const barrier = barrierFn();
  if (threads > 1) define(barrier);
  const run = new Fn('run', ['i32', 'i32', 'i32', 'i32']);
  define(run);
  driver(run, plan, compiled, threads > 1 ? barrier : undefined);
  return {
    fns,
    run,
    pages: Math.ceil((end + packed * threads) / PAGE),
    address,
    kernels: new Map([...compiled].map(([k, c]) => [k, c.fn])),
  };
}

/** Kernels with less work than this stay on one thread. */
const SMALL = 4096;
const work = (k: Kernel): number =>
  k.nests.reduce(
    (n, x) => n + [...k.grid, ...x.axes, ...x.red].reduce((p, a) => p * a.extent, 1),
    0,
  );

type Compiled = { readonly fn: Fn; readonly access: Access };

/** run(from, to, thread, threads): every top-level step in turn, skipped when outside the range. */
function driver(
  run: Fn,
  plan: Plan,
  compiled: ReadonlyMap<Kernel, Compiled>,
  barrier: Fn | undefined,
): void {
  const values = new Map<AxisId, number>();
  const hazards = new Hazards();
  const meet = (): void => {
    if (barrier) run.emit(ins.get(3), ins.call(barrier.index));
  };
  const kernel = (k: Kernel): void => {
    const { fn, access } = compiled.get(k)!;
    if (barrier && hazards.needsBarrier(access)) meet();
    const alone = barrier && access.serial;
    if (alone) run.emit(ins.get(2), op['i32.eqz'], ins.if);
    for (const a of k.loops) run.emit(ins.get(values.get(a.id)!));
    if (!access.serial) run.emit(ins.get(2), ins.get(3));
    run.emit(ins.call(fn.index));
    if (alone) run.emit(ins.end);
  };
  const step = (s: Step): void => {
    if (s.k === 'kernel') {
      kernel(s);
      return;
    }
    if (s.axis.extent === 0) return;
    const l = run.local('i32');
    values.set(s.axis.id, l);
    const [first, by] = s.rev ? [s.axis.extent - 1, -1] : [0, 1];
    if (hazards.flush()) meet();
    run.emit(ins.i32(first), ins.set(l), ins.loop);
    s.steps.forEach(step);
    if (hazards.flush()) meet();
    run.emit(ins.get(l), ins.i32(by), op['i32.add'], ins.tee(l));
    if (s.rev) run.emit(ins.i32(0), op['i32.ge_s']);
    else run.emit(ins.i32(s.axis.extent), op['i32.lt_s']);
    run.emit(ins.brIf(0), ins.end);
  };
  plan.steps.forEach((s, i) => {
    run.emit(ins.get(0), ins.i32(i), op['i32.le_s']);
    run.emit(ins.get(1), ins.i32(i), op['i32.gt_s'], op['i32.and'], ins.if);
    step(s);
    run.emit(ins.end);
  });
}

/** Operations of one run, roughly: whether it is worth waking threads for. */
export function workOf(plan: Plan): number {
  const of = (steps: readonly Step[]): number =>
    steps.reduce((n, s) => n + (s.k === 'kernel' ? work(s) : s.axis.extent * of(s.steps)), 0);
  return of(plan.steps);
}
