/**
 * Plan to WebAssembly module: a memory layout, one function per kernel, and `run(from, to)`, which
 * runs top-level steps of the plan, loops included, without leaving Wasm.
 *
 * Layout, in bytes: a guard page of control words, then constants, inputs, outputs, the scratch of
 * row kernels and packed operands, then the arena of temporaries.
 */
import type { AxisId } from '../../core.ts';
import type { BufId, Kernel, Plan, Step } from '../../plan.ts';
import { asContraction } from '../../schedule/contract.ts';
import { encodeModule, Fn, ins, op } from './binary.ts';
import { type Blocking, emitContraction } from './contract.ts';
import { Graph, type Node, type Scope } from './graph.ts';
import { microKernel, type Tile, tileKey } from './micro.ts';
import { emitLoops } from './nest.ts';

export type WasmOptions = {
  /** f32x4.relaxed_madd is there. */
  readonly fma: boolean;
  readonly blocking?: Partial<Blocking>;
  /** Also export every kernel, as k<id>(values of its loops' axes): for profiles. */
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
  const bytes = encodeModule({ fns, exports, pages, shared: false });
  return { bytes, pages, address, steps: plan.steps.length };
}

/** Tile sizes that the engines like best, measured with bench/contract.ts. */
function blocking(options: WasmOptions): Blocking {
  const base = { rows: 6, vecs: 2, unroll: 1, depth: 384, left: 8192, fma: options.fma };
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
  for (const b of plan.bufs) if (b.kind === 'scratch') address.set(b.id, take(b.words));
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
  // Packed operands live after the arena; kernels share the space one after another.
  const packAt = end;
  let packEnd = end;
  const byKernel = new Map<Kernel, Fn>();
  const kernel = (k: Kernel): void => {
    const fn = new Fn(
      k.name,
      k.loops.map(() => 'i32'),
    );
    const g = new Graph(fn);
    const axes = new Map<AxisId, Scope | Node>();
    k.loops.forEach((a, i) => {
      axes.set(a.id, g.param(i, 'i32'));
    });
    const site = { g, axes, loops: k.loops, base };
    const contraction = asContraction(k);
    if (contraction) {
      let at = packAt;
      const pack = (words: number): number => {
        const from = at;
        at = Math.ceil((at + words * 4) / ALIGN) * ALIGN;
        packEnd = Math.max(packEnd, at);
        return from;
      };
      emitContraction(contraction, { ...site, micro, pack, blocking: blocking(options) });
    } else emitLoops(k, site);
    g.finish();
    define(fn);
    byKernel.set(k, fn);
  };
  const each = (steps: readonly Step[]): void => {
    for (const s of steps) {
      if (s.k === 'kernel') kernel(s);
      else each(s.steps);
    }
  };
  each(plan.steps);
  const run = new Fn('run', ['i32', 'i32']);
  define(run);
  driver(run, plan, byKernel);
  return { fns, run, pages: Math.ceil(packEnd / PAGE), address, kernels: byKernel };
}

/** run(from, to): every top-level step in turn, skipped when outside the range. */
function driver(run: Fn, plan: Plan, byKernel: ReadonlyMap<Kernel, Fn>): void {
  const values = new Map<AxisId, number>();
  const step = (s: Step): void => {
    if (s.k === 'kernel') {
      for (const a of s.loops) run.emit(ins.get(values.get(a.id)!));
      run.emit(ins.call(byKernel.get(s)!.index));
      return;
    }
    if (s.axis.extent === 0) return;
    const l = run.local('i32');
    values.set(s.axis.id, l);
    const [first, by] = s.rev ? [s.axis.extent - 1, -1] : [0, 1];
    run.emit(ins.i32(first), ins.set(l), ins.loop);
    s.steps.forEach(step);
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
