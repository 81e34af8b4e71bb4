/**
 * WebGPU: a plan becomes one compute pipeline per kernel over a few large storage buffers, and a run
 * is a list of dispatches. Loops are unrolled in the encoding only: the values of the loop axes come
 * from a uniform block at a dynamic offset.
 *
 * Invariants: dispatches are submitted in the plan's order in batches, and an AbortSignal is heeded
 * between batches; every failure of the device reaches the caller as a TenonError; `dispose` frees
 * all memory, and nothing here keeps a Node process alive.
 */
import { type WgslProgram, wgslProgram } from '../../compiler/emit/wgsl/index.ts';
import { GpuLimitError, type GpuLimits } from '../../compiler/emit/wgsl/memory.ts';
import { dispatches } from '../../compiler/emit/wgsl/walk.ts';
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
import { findAdapter } from './webgpu-adapter.ts';
import { Health } from './webgpu-health.ts';
import {
  BATCH,
  hostArray,
  makePipelines,
  STATE,
  Storage,
  usage,
  wordsOf,
} from './webgpu-storage.ts';

const READ = 1;

export async function webgpuAvailability(): Promise<Availability> {
  try {
    const { detail } = await findAdapter();
    return { ok: true, detail };
  } catch (e) {
    return { ok: false, reason: e instanceof Error ? e.message : String(e) };
  }
}

/**
 * `limits` may ask for less than the adapter offers.
 * @throws TenonError `device` where there is no adapter, `missing-package` without npm webgpu.
 */
export async function webgpuDevice(limits: Partial<GpuLimits> = {}): Promise<Device> {
  const { adapter } = await findAdapter();
  const { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage } =
    adapter.limits;
  const gpu = await adapter.requestDevice({
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize, maxStorageBuffersPerShaderStage },
  });
  return new WebGpuDevice(gpu, {
    bindingBytes: Math.min(maxStorageBufferBindingSize, maxBufferSize, 2 ** 32 - 256),
    bindings: maxStorageBuffersPerShaderStage,
    ...limits,
  });
}

class WebGpuDevice implements Device {
  readonly name = 'webgpu';
  readonly #gpu: GPUDevice;
  readonly #limits: GpuLimits;
  readonly #health: Health;

  constructor(gpu: GPUDevice, limits: GpuLimits) {
    this.#gpu = gpu;
    this.#limits = limits;
    this.#health = new Health(gpu);
  }

  async prepare(program: Compiled): Promise<Executable> {
    this.#health.check();
    const emitted = this.#emit(program.plan());
    const storage = await this.#health.scoped(
      'preparing a program',
      () => new Storage(this.#gpu, emitted),
    );
    try {
      const pipelines = await makePipelines(this.#gpu, emitted, storage.layout);
      this.#health.check();
      return new WebGpuExecutable(
        this.#gpu,
        this.#health,
        emitted,
        storage,
        pipelines,
        program.locate,
      );
    } catch (e) {
      storage.dispose();
      this.#health.check();
      throw e;
    }
  }

  #emit(plan: Plan): WgslProgram {
    try {
      return wgslProgram(plan, this.#limits);
    } catch (e) {
      if (!(e instanceof GpuLimitError)) throw e;
      throw new TenonError('device', e.message, {
        hint: 'Use smaller sizes or a smaller batch, or another device.',
      });
    }
  }

  dispose(): void {
    this.#health.dispose();
    this.#gpu.destroy();
  }
}

class WebGpuExecutable implements Executable {
  readonly bytes: number;
  readonly #gpu: GPUDevice;
  readonly #health: Health;
  readonly #plan: Plan;
  readonly #program: WgslProgram;
  readonly #storage: Storage;
  readonly #pipelines: ReadonlyMap<number, GPUComputePipeline>;
  readonly #locate: Compiled['locate'];
  #disposed = false;
  #ran = false;

  constructor(
    gpu: GPUDevice,
    health: Health,
    program: WgslProgram,
    storage: Storage,
    pipelines: ReadonlyMap<number, GPUComputePipeline>,
    locate: Compiled['locate'],
  ) {
    this.#locate = locate;
    this.#gpu = gpu;
    this.#health = health;
    this.#plan = program.plan;
    this.#program = program;
    this.#storage = storage;
    this.#pipelines = pipelines;
    this.bytes = storage.bytes;
  }

  #use(): void {
    if (this.#disposed) throw new TenonError('usage', 'this program was disposed');
    this.#health.check();
  }

  write(input: number, data: HostArray, at?: number): void {
    this.#use();
    const id = this.#plan.inputs[input];
    if (id === undefined) throw new TenonError('usage', `there is no input ${input}`);
    const buf = this.#plan.bufs[id]!;
    if (buf.words === 0) return;
    checkPiece(buf.name, buf.words, data, at);
    this.#put(buf, data, at);
  }

  #put(buf: Buf, data: HostArray, at = 0): void {
    const { segment, offset } = this.#program.memory.place(buf.id);
    const to = this.#storage.segments[segment]!;
    this.#gpu.queue.writeBuffer(to, (offset + at) * 4, wordsOf(buf, data));
  }

  async run(signal?: AbortSignal): Promise<void> {
    this.#use();
    this.#ran = false;
    const { checks } = this.#plan;
    if (checks) this.#put(this.#plan.bufs[checks.fault]!, Int32Array.of(0));
    const all = dispatches(this.#plan.steps);
    let before: Promise<unknown> = Promise.resolve();
    for (let more = true; more; ) {
      if (signal?.aborted)
        throw new TenonError('aborted', 'the run was aborted', { cause: signal.reason });
      const submitted = this.#health.scoped('a run', () => {
        more = this.#submit(all);
        return this.#gpu.queue.onSubmittedWorkDone();
      });
      submitted.catch(() => undefined);
      // One batch computes while the next is encoded.
      await this.#health.wait(before);
      before = submitted.then((done) => done);
    }
    await this.#health.wait(before);
    this.#use();
    if (checks) {
      const [word] = await this.#get(this.#plan.bufs[checks.fault]!);
      heedFault(checks.sites, word!, this.#locate);
    }
    this.#ran = true;
  }

  /** Encodes and submits the next batch; false when it was the last. */
  #submit(all: ReturnType<typeof dispatches>): boolean {
    const states = new Int32Array((BATCH * STATE) / 4);
    let count = 0;
    let last: readonly number[] | undefined;
    const encoder = this.#gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    let more = false;
    for (let n = 0; n < BATCH; n++) {
      const next = all.next();
      more = !next.done;
      if (next.done) break;
      const { kernel, at } = next.value;
      if (last === undefined || at.length !== last.length || at.some((v, i) => v !== last![i])) {
        states.set(at, (count * STATE) / 4);
        count++;
        last = at;
      }
      const pipeline = this.#pipelines.get(kernel.id);
      if (!pipeline) continue;
      const [x, y] = this.#program.shaders.get(kernel.id)!.groups;
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, this.#storage.group, [(count - 1) * STATE]);
      pass.dispatchWorkgroups(x, y);
    }
    pass.end();
    if (count > 0)
      this.#gpu.queue.writeBuffer(this.#storage.states, 0, states, 0, (count * STATE) / 4);
    this.#gpu.queue.submit([encoder.finish()]);
    return more;
  }

  async read(output: number): Promise<HostArray> {
    this.#use();
    const id = this.#plan.outputs[output];
    if (id === undefined || !this.#ran)
      throw new TenonError('usage', `output ${output} was not computed`);
    const buf = this.#plan.bufs[id]!;
    return buf.words === 0 ? hostArray(buf, new ArrayBuffer(0)) : this.#get(buf);
  }

  async #get(buf: Buf): Promise<HostArray> {
    const { segment, offset } = this.#program.memory.place(buf.id);
    const size = buf.words * 4;
    const staging = await this.#health.scoped('reading a result', () => {
      const to = this.#gpu.createBuffer({ size, usage: usage.mapRead | usage.copyDst });
      const encoder = this.#gpu.createCommandEncoder();
      encoder.copyBufferToBuffer(this.#storage.segments[segment]!, offset * 4, to, 0, size);
      this.#gpu.queue.submit([encoder.finish()]);
      return to;
    });
    try {
      await this.#health.wait(staging.mapAsync(READ));
      return hostArray(buf, staging.getMappedRange().slice(0));
    } finally {
      staging.destroy();
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#storage.dispose();
  }
}
