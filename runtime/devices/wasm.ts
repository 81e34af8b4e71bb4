/**
 * The embedded device: a plan becomes one WebAssembly module over one linear memory, and a run is
 * one call into it, on this thread or, when there is enough work, on a pool of workers. Works
 * wherever WebAssembly has SIMD128: Node and browsers.
 *
 * Invariant: every buffer of the plan has a fixed address for the life of the executable, so inputs
 * stay where they were written and donated state never moves. Results do not depend on the number
 * of threads.
 */
import { emitWasm, type WasmPlan, workOf } from '../../compiler/emit/wasm/module.ts';
import type { Buf, Plan } from '../../compiler/plan.ts';
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
import { availableThreads, Pool } from './wasm-pool.ts';

export type WasmDeviceOptions = {
  /** This many threads for programs with enough work; default: one for each core, up to 8. */
  readonly threads?: number;
  /**
   * The engine joins neighbouring 128-bit operations into 256-bit ones (V8's revectorizer); default:
   * whether this process was started with its flag. Only the speed depends on it.
   */
  readonly wide?: boolean;
  /**
   * Points from which on threads are woken, and from which on they share a kernel; default: what pays.
   * Tests lower both, so that small programs run on threads too.
   */
  readonly worth?: { readonly threads: number; readonly share: number };
};

/** V8's flag for `wide`. The library never sets it: that is for whoever owns the process. */
export const wideFlag = '--experimental-wasm-revectorize';

/** Whether this process was started with it (Node does not take it from NODE_OPTIONS). */
export const startedWide = (): boolean =>
  typeof process !== 'undefined' && (process.execArgv?.includes(wideFlag) ?? false);

/** Modules that only an engine with the feature accepts: (func (drop (<op> ...))). */
const probe = (body: readonly number[]): boolean =>
  WebAssembly.validate(
    new Uint8Array([
      ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0],
      ...[10, body.length + 4, 1, body.length + 2, 0, ...body, 11],
    ]),
  );
const zero = [0xfd, 12, ...new Array<number>(16).fill(0)];

export const wasmFeatures = (): { readonly simd: boolean; readonly relaxed: boolean } => ({
  simd: probe([...zero, 0x1a]),
  relaxed: probe([...zero, ...zero, ...zero, 0xfd, 0x85, 2, 0x1a]),
});

export function wasmAvailability(): Availability {
  if (typeof WebAssembly === 'undefined')
    return { ok: false, reason: 'this engine has no WebAssembly' };
  const { simd, relaxed } = wasmFeatures();
  if (!simd) return { ok: false, reason: 'this engine has no WebAssembly SIMD' };
  const threads = availableThreads();
  const detail = `SIMD128${relaxed ? ' with relaxed FMA' : ''}, ${threads} thread${threads > 1 ? 's' : ''}`;
  return { ok: true, detail };
}

const LIMIT = 2 ** 32;
/** Points of the plan's nests below which waking workers costs more than they save. */
const WORTH_THREADS = 4_000_000;

export type Runner = {
  run(signal?: AbortSignal): Promise<void>;
  dispose(): void;
};

/** A buffer of the plan in the memory of the program. */
type Place = Pick<Buf, 'name' | 't' | 'words'> & { readonly at: number };

export class WasmExecutable implements Executable {
  readonly bytes: number;
  /** Of the plan no more than these: its kernels and constants are garbage from here on. */
  readonly #inputs: readonly Place[];
  readonly #outputs: readonly Place[];
  readonly #fault: { readonly at: Place; readonly heed: (word: number) => void } | undefined;
  #memory: WebAssembly.Memory | undefined;
  #runner: Runner | undefined;

  constructor(
    plan: Plan,
    memory: WebAssembly.Memory,
    runner: Runner,
    address: ReadonlyMap<number, number>,
    locate: Compiled['locate'],
  ) {
    this.#memory = memory;
    this.#runner = runner;
    this.bytes = memory.buffer.byteLength;
    const place = ({ id, name, t, words }: Buf): Place => ({
      ...{ name, t, words, at: address.get(id) ?? 0 },
    });
    this.#inputs = plan.inputs.map((id) => place(plan.bufs[id]!));
    this.#outputs = plan.outputs.map((id) => place(plan.bufs[id]!));
    for (const b of plan.bufs) if (b.data && b.words > 0) this.#view(place(b)).set(b.data);
    const { checks } = plan;
    this.#fault = checks && {
      at: place(plan.bufs[checks.fault]!),
      heed: (word) => heedFault(checks.sites, word, locate),
    };
  }

  #view({ t, at, words }: Place): Float32Array | Int32Array | Uint32Array {
    if (!this.#memory) throw new TenonError('usage', 'this program has been disposed of');
    const { buffer } = this.#memory;
    if (t === 'f32') return new Float32Array(buffer, at, words);
    if (t === 'u32') return new Uint32Array(buffer, at, words);
    return new Int32Array(buffer, at, words);
  }

  write(input: number, data: HostArray, at?: number): void {
    const b = this.#inputs[input]!;
    const view = this.#view(b);
    checkPiece(b.name, b.words, data, at);
    view.set(data, at);
  }

  async run(signal?: AbortSignal): Promise<void> {
    if (!this.#runner) throw new TenonError('usage', 'this program has been disposed of');
    if (signal?.aborted) throw aborted();
    const fault = this.#fault;
    if (fault) this.#view(fault.at).fill(0);
    await this.#runner.run(signal);
    if (fault) fault.heed(this.#view(fault.at)[0]!);
  }

  async read(output: number): Promise<HostArray> {
    return this.#view(this.#outputs[output]!).slice();
  }

  dispose(): void {
    this.#runner?.dispose();
    this.#memory = undefined;
    this.#runner = undefined;
  }
}

const aborted = (): TenonError => new TenonError('aborted', 'the run was aborted');

type RunFn = (from: number, to: number, thread: number, threads: number) => void;

/** Runs on this thread; looks at the signal between steps. */
function alone(run: RunFn, steps: number): Runner {
  return {
    async run(signal) {
      if (!signal) {
        run(0, steps, 0, 1);
        return;
      }
      let last = performance.now();
      for (let i = 0; i < steps; i++) {
        if (signal.aborted) throw aborted();
        run(i, i + 1, 0, 1);
        if (performance.now() - last < 20) continue;
        await new Promise((done) => setTimeout(done, 0));
        last = performance.now();
      }
      if (signal.aborted) throw aborted();
    },
    dispose() {},
  };
}

/** Runs on every worker of a pool. */
function together(
  pool: Pool,
  id: number,
  memory: WebAssembly.Memory,
  { steps, queues }: WasmPlan,
): Runner {
  return {
    async run(signal) {
      new Uint8Array(memory.buffer, queues.at, queues.bytes).fill(0);
      try {
        await pool.run(id, memory, steps, signal);
      } catch (e) {
        throw signal?.aborted ? aborted() : e;
      }
      if (signal?.aborted) throw aborted();
    },
    dispose: () => pool.drop(id),
  };
}

export function wasmDevice(options: WasmDeviceOptions = {}): Device {
  const { worth } = options;
  const wide = options.wide ?? startedWide();
  const offered = availableThreads();
  // Beyond eight, barriers cost more than further threads bring to plans of this kind.
  const most = offered === 1 ? 1 : (options.threads ?? Math.min(offered, 8));
  let pool: Pool | undefined;
  let programs = 0;
  return {
    name: 'wasm',
    async prepare(program: Compiled): Promise<Executable> {
      const available = wasmAvailability();
      if (!available.ok) throw new TenonError('device', available.reason);
      const plan = program.plan({ resident: true });
      const words = plan.bufs.reduce((n, b) => n + (b.kind === 'temp' ? 0 : b.words), 0);
      refuse((words + plan.arenaWords) * 4);
      const threads = workOf(plan) >= (worth?.threads ?? WORTH_THREADS) ? most : 1;
      const made = emitWasm(plan, {
        ...{ fma: wasmFeatures().relaxed, threads, wide },
        ...(worth && { shareFrom: worth.share }),
      });
      const { bytes, pages, address, steps } = made;
      refuse(pages * 65536);
      const memory = memoryOf(pages, threads > 1);
      const module = await WebAssembly.compile(bytes);
      let runner: Runner;
      if (threads > 1) {
        pool ??= new Pool(threads);
        const id = programs++;
        await pool.load(id, module, memory);
        runner = together(pool, id, memory, made);
      } else {
        const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
        runner = alone(exports['run'] as RunFn, steps);
      }
      return new WasmExecutable(plan, memory, runner, address, program.locate);
    },
    dispose() {
      pool?.dispose();
    },
  };
}

export function memoryOf(pages: number, shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    const size = gigabytes(pages * 65536);
    throw new TenonError('device', `the engine did not give ${size} of memory`, { cause });
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

export function refuse(bytes: number): void {
  if (bytes <= LIMIT) return;
  const size = gigabytes(bytes);
  throw new TenonError('device', `this program needs ${size}; WebAssembly ends at 4 GiB`, {
    hint: 'use a smaller batch or model, or the webgpu device',
  });
}
