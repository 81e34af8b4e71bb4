/**
 * The embedded device: a plan becomes one WebAssembly module over one linear memory, and a run is
 * one call into it. Works wherever WebAssembly has SIMD128: Node and browsers.
 *
 * Invariant: every buffer of the plan has a fixed address for the life of the executable, so inputs
 * stay where they were written and donated state never moves.
 */
import { emitWasm } from '../../compiler/emit/wasm/module.ts';
import type { Buf, Plan } from '../../compiler/plan.ts';
import { TenonError } from '../errors.ts';
import type { Availability, Compiled, Device, Executable, HostArray } from './device.ts';

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
  return { ok: true, detail: relaxed ? 'SIMD128 with relaxed FMA' : 'SIMD128' };
}

const LIMIT = 2 ** 32;

type RunFn = (from: number, to: number, thread: number, threads: number) => void;

class WasmExecutable implements Executable {
  readonly bytes: number;
  readonly #plan: Plan;
  readonly #steps: number;
  readonly #address: ReadonlyMap<number, number>;
  #memory: WebAssembly.Memory | undefined;
  #run: RunFn | undefined;

  constructor(
    plan: Plan,
    memory: WebAssembly.Memory,
    run: RunFn,
    steps: number,
    address: ReadonlyMap<number, number>,
  ) {
    this.#plan = plan;
    this.#memory = memory;
    this.#run = run;
    this.#steps = steps;
    this.#address = address;
    this.bytes = memory.buffer.byteLength;
    for (const b of plan.bufs) if (b.data && b.words > 0) this.#view(b).set(b.data);
  }

  #view(b: Buf): Float32Array | Int32Array | Uint32Array {
    if (!this.#memory) throw new TenonError('usage', 'this program has been disposed of');
    const { buffer } = this.#memory;
    const at = this.#address.get(b.id) ?? 0;
    if (b.t === 'f32') return new Float32Array(buffer, at, b.words);
    if (b.t === 'u32') return new Uint32Array(buffer, at, b.words);
    return new Int32Array(buffer, at, b.words);
  }

  write(input: number, data: HostArray): void {
    const b = this.#plan.bufs[this.#plan.inputs[input]!]!;
    const view = this.#view(b);
    if (data.length !== b.words)
      throw new TenonError('input', `${b.name} has ${b.words} elements, got ${data.length}`);
    view.set(data);
  }

  async run(signal?: AbortSignal): Promise<void> {
    const run = this.#run;
    if (!run) throw new TenonError('usage', 'this program has been disposed of');
    if (!signal) {
      run(0, this.#steps, 0, 1);
      return;
    }
    let last = performance.now();
    for (let i = 0; i < this.#steps; i++) {
      if (signal.aborted) throw new TenonError('aborted', 'the run was aborted');
      run(i, i + 1, 0, 1);
      if (performance.now() - last < 20) continue;
      await new Promise((done) => setTimeout(done, 0));
      last = performance.now();
    }
    if (signal.aborted) throw new TenonError('aborted', 'the run was aborted');
  }

  async read(output: number): Promise<HostArray> {
    return this.#view(this.#plan.bufs[this.#plan.outputs[output]!]!).slice();
  }

  dispose(): void {
    this.#memory = undefined;
    this.#run = undefined;
  }
}

export function wasmDevice(): Device {
  return {
    name: 'wasm',
    async prepare(program: Compiled): Promise<Executable> {
      const available = wasmAvailability();
      if (!available.ok) throw new TenonError('device', available.reason);
      const plan = program.plan();
      const words = plan.bufs.reduce((n, b) => n + (b.kind === 'temp' ? 0 : b.words), 0);
      refuse((words + plan.arenaWords) * 4);
      const { bytes, pages, address, steps } = emitWasm(plan, { fma: wasmFeatures().relaxed });
      refuse(pages * 65536);
      let memory: WebAssembly.Memory;
      try {
        memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
      } catch (cause) {
        const size = gigabytes(pages * 65536);
        throw new TenonError('device', `the engine did not give ${size} of memory`, { cause });
      }
      const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
      const run = instance.exports['run'] as RunFn;
      return new WasmExecutable(plan, memory, run, steps, address);
    },
    dispose() {},
  };
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

function refuse(bytes: number): void {
  if (bytes <= LIMIT) return;
  throw new TenonError(
    'device',
    `this program needs ${gigabytes(bytes)}; WebAssembly ends at 4 GiB`,
    {
      hint: 'use a smaller batch or model, or the webgpu device',
    },
  );
}
