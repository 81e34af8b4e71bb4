/**
 * Plan to WebAssembly module: a memory layout, one function per kernel, and `run(from, to, thread,
 * threads)`, which runs top-level steps of the plan, loops included, without leaving Wasm.
 *
 * Layout, in bytes: control words and the queues of shared kernels, then constants, inputs, outputs, the scratch of
 * row kernels and packed operands, then the arena of temporaries.
 */
import type { AxisId } from '../../core.ts';
import type { BufId, Kernel, Plan, Step } from '../../plan.ts';
import { asContraction, type Contraction } from '../../schedule/contract.ts';
import { hasContraction } from '../../schedule/resident.ts';
import { loadsOf } from '../../schedule/schedule.ts';
import { encodeModule, Fn, ins, op, type Ty } from './binary.ts';
import {
  type Blocking,
  emitContraction,
  packWords,
  type Sharing,
  sharedCut,
  sharingOf,
} from './contract.ts';
import { Graph, type Node, type Scope } from './graph.ts';
import { emitGroup, groupPackWords } from './group.ts';
import { microKernel, type Tile, tileKey } from './micro.ts';
import { canShare, emitLoops } from './nest.ts';
import type { Part } from './part.ts';
import { type Access, barrierFn, Hazards, type Queues, type Range, takeChunks } from './threads.ts';

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
  /** Also export every kernel, as k<id>(values of its loops' axes, chunk, thread, first): for profiles. */
  readonly exportKernels?: boolean;
};

export type WasmPlan = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pages: number;
  /** Byte address of every buffer that has one. */
  readonly address: ReadonlyMap<BufId, number>;
  /** Top-level steps: run(0, steps) is the whole plan. */
  readonly steps: number;
  /** Must be 0 when threads begin to run. */
  readonly queues: Queues;
  /** Of the kernels that threads share, by id. */
  readonly chunks: ReadonlyMap<number, number>;
};

const PAGE = 65536;
const FIRST = 1024;
const ALIGN = 256;

export function emitWasm(plan: Plan, options: WasmOptions): WasmPlan {
  const { fns, run, pages, address, queues, kernels } = buildWasm(plan, options);
  const exports = new Map([['run', run]]);
  if (options.exportKernels) for (const [k, { fn }] of kernels) exports.set(`k${k.id}`, fn);
  const shared = (options.threads ?? 1) > 1;
  const bytes = encodeModule({ fns, exports, pages, shared });
  const shares = [...kernels].filter(([, c]) => c.chunks > 0);
  const chunks = new Map(shares.map(([k, c]) => [k.id, c.chunks]));
  return { bytes, pages, address, steps: plan.steps.length, queues, chunks };
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
  readonly queues: Queues;
  readonly kernels: ReadonlyMap<Kernel, Compiled>;
} {
  const address = new Map<BufId, number>();
  let end = FIRST;
  const take = (words: number): number => {
    const at = end;
    end = Math.ceil((end + words * 4) / ALIGN) * ALIGN;
    return at;
  };
  const threads = options.threads ?? 1;
  const kernels: Kernel[] = [];
  const collect = (steps: readonly Step[]): void => {
    for (const s of steps) {
      if (s.k === 'kernel') kernels.push(s);
      else collect(s.steps);
    }
  };
  collect(plan.steps);
  const isShared = (k: Kernel): boolean =>
    threads > 1 && canShare(k) && work(k) >= (options.shareFrom ?? SMALL);
  const shared = kernels.filter(isShared);
  const queueWords = shared.length * threads;
  const queues = { at: take(queueWords), bytes: 4 * queueWords };
  const queueOf = new Map(shared.map((k, i) => [k, queues.at + 4 * threads * i]));
  for (const b of plan.bufs)
    if (b.kind === 'const' || b.kind === 'input' || b.kind === 'output')
      address.set(b.id, take(b.words));
  // Scratch: each thread has its own copy of all of it.
  const scratchAt = end;
  for (const b of plan.bufs) if (b.kind === 'scratch') address.set(b.id, take(b.words));
  const scratch = end - scratchAt;
  take((scratch / 4) * (threads - 1));
  const spillAt = options.wide ? take((ALIGN / 4) * threads) : undefined;
  const isScratch = (b: BufId): boolean => plan.bufs[b]?.kind === 'scratch';
  const arena = take(plan.arenaWords);
  for (const [b, at] of plan.offsets) address.set(b, arena + at * 4);
  const base = (b: BufId): number => address.get(b) ?? FIRST;

  const fault = plan.checks && base(plan.checks.fault);

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
  const contractions = new Map<Kernel, Contraction>();
  let packed = 0;
  for (const k of kernels) {
    if (hasContraction(k)) packed = Math.max(packed, groupPackWords(k, blocks) * 4);
    const c = asContraction(k);
    if (!c) continue;
    contractions.set(k, c);
    const sharing = sharingOf(c, isShared(k) ? threads : 1);
    packed = Math.max(packed, packWords(sharedCut(c, blocks, sharing)) * 4);
  }
  const pack = { at: end, bytes: packed };

  const compiled = new Map<Kernel, Compiled>();
  for (const k of kernels) {
    const c = contractions.get(k);
    const shared = isShared(k);
    const sharing = c && sharingOf(c, shared ? threads : 1);
    const chunks = shared ? chunksOf(k, threads, sharing) : 0;
    const more: Ty[] = shared ? ['i32', 'i32', 'i32'] : [];
    const fn = new Fn(k.name, [...k.loops.map((): Ty => 'i32'), ...more]);
    const g = new Graph(fn);
    const axes = new Map<AxisId, Scope | Node>();
    k.loops.forEach((a, i) => {
      axes.set(a.id, g.param(i, 'i32'));
    });
    const at = k.loops.length;
    const [chunk, thread, first] = [0, 1, 2].map((i) => at + i);
    const part: Part | undefined = shared
      ? {
          chunk: g.param(chunk!, 'i32'),
          of: chunks,
          thread: g.param(thread!, 'i32'),
          first: g.param(first!, 'i32'),
        }
      : undefined;
    const own = part
      ? (b: BufId) => (isScratch(b) ? g.times(part.thread, scratch) : undefined)
      : undefined;
    const spill =
      spillAt === undefined
        ? undefined
        : { node: part ? g.times(part.thread, ALIGN) : g.i32(0), offset: spillAt };
    const site = { g, axes, loops: k.loops, base, own, isScratch, part, spill, fault };
    const contract = { ...site, micro, pack, blocking: blocks };
    if (c && sharing) emitContraction(c, contract, sharing);
    else if (hasContraction(k)) emitGroup(k, contract);
    else emitLoops(k, site);
    g.finish();
    define(fn);
    const range = (b: BufId): Range => [base(b), base(b) + plan.bufs[b]!.words * 4];
    const global = (l: readonly BufId[]): Range[] => l.filter((b) => !isScratch(b)).map(range);
    const writes = global(k.nests.map((n) => n.store.buf));
    const reads = global(k.nests.flatMap((n) => loadsOf(n).map((l) => l.buf)));
    const access = { reads, writes, serial: !shared };
    compiled.set(k, { fn, access, chunks, at: queueOf.get(k) ?? 0 });
  }
  const barrier = barrierFn(queues);
  if (threads > 1) define(barrier);
  const run = new Fn('run', ['i32', 'i32', 'i32', 'i32']);
  define(run);
  driver(run, plan, compiled, threads > 1 ? barrier : undefined);
  return {
    fns,
    run,
    // A masked read looks at the beginning of its buffer, even of one without words.
    pages: Math.ceil((end + packed * threads + ALIGN) / PAGE),
    address,
    queues,
    kernels: compiled,
  };
}

/** Kernels with less work than this stay on one thread. */
const SMALL = 4096;
const work = (k: Kernel): number =>
  k.nests.reduce(
    (n, x) => n + [...k.grid, ...x.axes, ...x.red].reduce((p, a) => p * a.extent, 1),
    0,
  );

/** Chunks of a kernel: enough that none is long, where it is worth it. */
const CHUNKS = { least: 16, perThread: 4, from: 131_072 } as const;

function chunksOf(k: Kernel, threads: number, sharing: Sharing | undefined): number {
  const alone = sharing !== undefined && !sharing.even;
  if (alone || work(k) < CHUNKS.from) return threads;
  return Math.max(CHUNKS.least, CHUNKS.perThread * threads);
}

type Compiled = {
  readonly fn: Fn;
  readonly access: Access;
  /** 0 where one thread does it all. */
  readonly chunks: number;
  /** Address of its queues. */
  readonly at: number;
};

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
    const made = compiled.get(k)!;
    const { fn, access } = made;
    if (barrier && hazards.needsBarrier(access)) meet();
    const loops = k.loops.map((a) => values.get(a.id)!);
    if (!access.serial) {
      takeChunks(run, made, loops, 2, 3);
      return;
    }
    if (barrier) run.emit(ins.get(2), op['i32.eqz'], ins.if);
    for (const l of loops) run.emit(ins.get(l));
    run.emit(ins.call(fn.index));
    if (barrier) run.emit(ins.end);
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
