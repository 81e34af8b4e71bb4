/**
 * gpu.js: stretches of kernels run as gpu.js pipelines, in which values stay on gpu.js's own device;
 * kernels that need whole words or large integers run on the host between them.
 *
 * gpu.js (an optional package) chooses where it computes: by default WebGL in browsers, WebAssembly
 * in Node, where it has no WebGL; `webgpu` and `cpu` can be asked for. A pipeline takes and gives
 * plain arrays, so what crosses between stretches, inputs and outputs live on the host.
 *
 * Invariant: pipelines see f32 arrays only; the host keeps every buffer in its own type.
 */

import type { AxisId } from '../../compiler/core.ts';
import { type HostKernel, type HostWords, hostKernel } from '../../compiler/emit/gpujs/host.ts';
import { type Call, gpujsProgram, type Item } from '../../compiler/emit/gpujs/index.ts';
import { argName, type GpuJsKernel } from '../../compiler/emit/gpujs/kernel.ts';
import { specials } from '../../compiler/emit/gpujs/prims.ts';
import type { Buf, BufId, Plan } from '../../compiler/plan.ts';
import { TenonError } from '../errors.ts';
import {
  type Availability,
  type Compiled,
  checkPiece,
  type Device,
  type Executable,
  type HostArray,
} from './device.ts';
import { heedFault } from './fault.ts';
import { findAdapter } from './webgpu-adapter.ts';

export type GpuJsMode = 'gpu' | 'webasm' | 'cpu' | 'webgpu';

/** What is used of gpu.js: its own types describe less than it offers. */
type Handle = { readonly handle: unique symbol };
type Kernel = (...args: readonly (Handle | Float32Array)[]) => Handle;
type Pipeline = ((...args: readonly Float32Array[]) => Promise<readonly Float32Array[]>) & {
  readonly destroy: () => void;
};
type Gpu = {
  readonly createKernel: (source: string, settings: { output: readonly number[] }) => Kernel;
  readonly createPipeline: (
    f: (...handles: readonly Handle[]) => readonly Handle[],
    settings: { threads: boolean },
  ) => Pipeline;
  readonly destroy: () => Promise<void> | void;
};
type GpuJs = {
  readonly GPU: (new (settings: {
    mode: string;
  }) => Gpu) & {
    readonly isWebAssemblySupported: boolean;
    readonly isGPUSupported: boolean;
  };
  readonly WebGPUContext: { readonly acquire: () => Promise<unknown> };
};

/** WebGPU grants eight storage buffers to a kernel, of which one is its result. */
const webgpuArrays = 7;

export async function gpujsAvailability(): Promise<Availability> {
  try {
    return { ok: true, detail: `gpu.js in mode ${defaultMode(await loadGpuJs())}` };
  } catch (e) {
    return { ok: false, reason: e instanceof Error ? e.message : String(e) };
  }
}

/** @throws TenonError `missing-package` without gpu.js, `device` where the mode does not work. */
export async function gpujsDevice(mode?: GpuJsMode): Promise<Device> {
  const lib = await loadGpuJs();
  const chosen = mode ?? defaultMode(lib);
  const make = (): Gpu => new lib.GPU({ mode: chosen });
  const gpu = chosen === 'webgpu' ? await withWebGpu(lib, make) : make();
  return new GpuJsDevice(gpu, chosen === 'webgpu' ? webgpuArrays : Infinity);
}

async function loadGpuJs(): Promise<GpuJs> {
  try {
    const loaded = (await import('gpu.js')) as unknown as { default?: GpuJs } & GpuJs;
    return loaded.default ?? loaded;
  } catch (cause) {
    throw new TenonError('missing-package', 'the device gpujs needs the npm package gpu.js', {
      hint: 'Install it beside tenon: npm install gpu.js@2.24.1',
      cause,
    });
  }
}

const defaultMode = (lib: GpuJs): GpuJsMode => {
  const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined;
  if (!inNode && lib.GPU.isGPUSupported) return 'gpu';
  return lib.GPU.isWebAssemblySupported ? 'webasm' : 'cpu';
};

/** gpu.js looks for `navigator.gpu` once, when it opens its device: lend it the one we find. */
async function withWebGpu(lib: GpuJs, make: () => Gpu): Promise<Gpu> {
  const { adapter } = await findAdapter();
  const lent = typeof navigator === 'undefined' || navigator.gpu === undefined;
  if (lent) {
    const gpu = { requestAdapter: () => Promise.resolve(adapter) };
    Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  }
  try {
    await lib.WebGPUContext.acquire();
    return make();
  } finally {
    if (lent) Reflect.deleteProperty(navigator, 'gpu');
  }
}

class GpuJsDevice implements Device {
  readonly name = 'gpujs';
  readonly #gpu: Gpu;
  readonly #maxArrays: number;

  constructor(gpu: Gpu, maxArrays: number) {
    this.#gpu = gpu;
    this.#maxArrays = maxArrays;
  }

  prepare(program: Compiled): Promise<Executable> {
    const { plan, items } = gpujsProgram(program.plan(), { maxArrays: this.#maxArrays });
    return Promise.resolve(new GpuJsExecutable(this.#gpu, plan, items, program.locate));
  }

  dispose(): void {
    void this.#gpu.destroy();
  }
}

/** A step of a run. */
type Action = (at: number[], signal: AbortSignal | undefined) => Promise<void>;

class GpuJsExecutable implements Executable {
  readonly bytes: number;
  readonly #gpu: Gpu;
  readonly #plan: Plan;
  readonly #words: HostWords[] = [];
  readonly #pipelines: Pipeline[] = [];
  readonly #actions: readonly Action[];
  readonly #locate: Compiled['locate'];
  #disposed = false;
  #ran = false;

  constructor(gpu: Gpu, plan: Plan, items: readonly Item[], locate: Compiled['locate']) {
    this.#gpu = gpu;
    this.#locate = locate;
    this.#plan = plan;
    for (const b of plan.bufs) {
      this.#words[b.id] = newWords(b);
      if (b.data && b.words > 0) this.#words[b.id]!.set(b.data);
    }
    this.bytes = plan.bufs.reduce((n, b) => n + 4 * b.words, 0);
    this.#actions = items.map((i) => this.#action(i));
  }

  #action(item: Item): Action {
    switch (item.k) {
      case 'pipe':
        return item.gives.length === 0 ? async () => {} : this.#pipe(item);
      case 'host': {
        let run: HostKernel | undefined;
        return async (at) => {
          run ??= hostKernel(item.text);
          run(this.#words, at);
        };
      }
      case 'loop': {
        const inner = item.items.map((i) => this.#action(i));
        const { id, extent } = item.axis;
        return async (at, signal) => {
          for (let i = 0; i < extent; i++) {
            at[id] = item.rev ? extent - 1 - i : i;
            for (const act of inner) {
              heed(signal);
              await act(at, signal);
            }
          }
        };
      }
    }
  }

  #pipe(item: Extract<Item, { k: 'pipe' }>): Action {
    const pipeline = this.#makePipeline(item);
    this.#pipelines.push(pipeline);
    const starts = loopsIn(item.calls).map((l) => Float32Array.of(l.rev ? l.axis.extent - 1 : 0));
    return async (at) => {
      const args = [
        Float32Array.from(specials),
        ...item.loops.map((a) => Float32Array.of(at[a.id]!)),
        ...starts,
        ...item.takes.map((b) => floats(this.#words[b]!)),
      ];
      const results = await pipeline(...args).catch((cause: unknown) => {
        const text = sourcesOf(item.calls).join('\n');
        throw new Error(`internal: gpu.js refused a generated kernel\n${String(cause)}\n${text}`, {
          cause,
        });
      });
      item.gives.forEach((b, i) => {
        this.#words[b]!.set(results[i]!);
      });
    };
  }

  /** The orchestration runs once, on handles: it records calls and computes nothing. */
  #makePipeline(item: Extract<Item, { k: 'pipe' }>): Pipeline {
    const kernels = new Map<GpuJsKernel, Kernel>();
    const kernelFor = (k: GpuJsKernel): Kernel => {
      const made = kernels.get(k) ?? this.#gpu.createKernel(k.source, { output: [k.words] });
      kernels.set(k, made);
      return made;
    };
    const next = (by: string): Kernel =>
      this.#gpu.createKernel(`function (l) { return l[0] ${by}; }`, { output: [1] });
    const up = next('+ 1');
    const down = next('- 1');
    const inner = loopsIn(item.calls);
    const orchestrate = (...handles: readonly Handle[]): readonly Handle[] => {
      let n = 0;
      const special = handles[n++]!;
      const loops = new Map<AxisId, Handle>(item.loops.map((a) => [a.id, handles[n++]!]));
      // Two loops may have one axis: a fold and its adjoint.
      const starts = new Map(inner.map((l) => [l, handles[n++]!]));
      const values = new Map<BufId, Handle>(item.takes.map((b) => [b, handles[n++]!]));
      const run = (calls: readonly Call[]): void => {
        for (const c of calls) {
          if (c.k === 'loop') {
            let at = starts.get(c)!;
            for (let i = 0; i < c.axis.extent; i++) {
              loops.set(c.axis.id, at);
              run(c.calls);
              if (i + 1 < c.axis.extent) at = (c.rev ? down : up)(at);
            }
            continue;
          }
          const args = c.kernel.args.map((a): Handle => {
            const found =
              a.k === 'specials'
                ? special
                : a.k === 'loop'
                  ? loops.get(a.axis)
                  : values.get(a.k === 'old' ? c.kernel.buf : a.buf);
            if (!found) throw new Error(`${argName(a)} is read before it is made`);
            return found;
          });
          values.set(c.kernel.buf, kernelFor(c.kernel)(...args));
        }
      };
      run(item.calls);
      return item.gives.map((b) => values.get(b)!);
    };
    const length = 1 + item.loops.length + inner.length + item.takes.length;
    Object.defineProperty(orchestrate, 'length', { value: length });
    return this.#gpu.createPipeline(orchestrate, { threads: false });
  }

  #use(): void {
    if (this.#disposed) throw new TenonError('usage', 'this program was disposed');
  }

  write(input: number, data: HostArray, at?: number): void {
    this.#use();
    const id = this.#plan.inputs[input];
    if (id === undefined) throw new TenonError('usage', `there is no input ${input}`);
    const buf = this.#plan.bufs[id]!;
    if (buf.words === 0) return;
    checkPiece(buf.name, buf.words, data, at);
    this.#words[id]!.set(data, at);
  }

  async run(signal?: AbortSignal): Promise<void> {
    this.#use();
    this.#ran = false;
    const { checks } = this.#plan;
    if (checks) this.#words[checks.fault]!.fill(0);
    const at: number[] = [];
    for (const act of this.#actions) {
      heed(signal);
      await act(at, signal);
    }
    heed(signal);
    if (checks) heedFault(checks.sites, this.#words[checks.fault]![0]!, this.#locate);
    this.#ran = true;
  }

  read(output: number): Promise<HostArray> {
    this.#use();
    const id = this.#plan.outputs[output];
    if (id === undefined || !this.#ran)
      return Promise.reject(new TenonError('usage', `output ${output} was not computed`));
    return Promise.resolve(this.#words[id]!.slice());
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const p of this.#pipelines) p.destroy();
    this.#words.length = 0;
  }
}

function heed(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new TenonError('aborted', 'the run was aborted', { cause: signal.reason });
}

type LoopCall = Extract<Call, { k: 'loop' }>;
const loopsIn = (calls: readonly Call[]): LoopCall[] =>
  calls.flatMap((c) => (c.k === 'loop' ? [c, ...loopsIn(c.calls)] : []));
const sourcesOf = (calls: readonly Call[]): string[] =>
  calls.flatMap((c) => (c.k === 'loop' ? sourcesOf(c.calls) : [c.kernel.source]));

const floats = (w: HostWords): Float32Array =>
  w instanceof Float32Array ? w : Float32Array.from(w);

function newWords(buf: Buf): HostWords {
  switch (buf.t) {
    case 'f32':
      return new Float32Array(buf.words);
    case 'u32':
      return new Uint32Array(buf.words);
    case 'i32':
    case 'bool':
      return new Int32Array(buf.words);
  }
}
