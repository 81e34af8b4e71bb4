/**
 * What an executable keeps on a WebGPU device: the segments of its memory with their bind group, and
 * its pipelines.
 */
import type { WgslProgram } from '../../compiler/emit/wgsl/index.ts';
import type { Buf } from '../../compiler/plan.ts';
import type { HostArray } from './device.ts';

/** Dispatches per submission: short enough to abort soon, long enough to hide the cost of one. */
export const BATCH = 512;
/** Bytes between two states of the loops: the alignment of dynamic offsets everywhere. */
export const STATE = 256;
export const usage = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128 } as const;
const COMPUTE = 4;

/** The buffers of an executable and how its shaders see them. */
export class Storage {
  readonly layout: GPUPipelineLayout;
  readonly group: GPUBindGroup;
  readonly segments: readonly GPUBuffer[];
  readonly states: GPUBuffer;
  readonly bytes: number;

  constructor(gpu: GPUDevice, program: WgslProgram) {
    const { memory, plan } = program;
    const sizes = memory.segments.map((words) => words * 4);
    this.segments = sizes.map((size) =>
      gpu.createBuffer({ size, usage: usage.storage | usage.copySrc | usage.copyDst }),
    );
    const stateBytes = BATCH * STATE;
    this.states = gpu.createBuffer({ size: stateBytes, usage: usage.uniform | usage.copyDst });
    this.bytes = sizes.reduce((a, b) => a + b, stateBytes);
    const groupLayout = gpu.createBindGroupLayout({
      entries: [
        {
          binding: 0,
          visibility: COMPUTE,
          buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: 64 },
        },
        ...sizes.map((_, s) => ({
          binding: s + 1,
          visibility: COMPUTE,
          buffer: { type: 'storage' as const },
        })),
      ],
    });
    this.layout = gpu.createPipelineLayout({ bindGroupLayouts: [groupLayout] });
    this.group = gpu.createBindGroup({
      layout: groupLayout,
      entries: [
        { binding: 0, resource: { buffer: this.states, size: 64 } },
        ...this.segments.map((buffer, s) => ({ binding: s + 1, resource: { buffer } })),
      ],
    });
    for (const b of plan.bufs) {
      if (!b.data || b.words === 0) continue;
      const { segment, offset } = memory.place(b.id);
      gpu.queue.writeBuffer(this.segments[segment]!, offset * 4, wordsOf(b, b.data));
    }
  }

  dispose(): void {
    for (const b of this.segments) b.destroy();
    this.states.destroy();
  }
}

/** By kernel id. Equal shaders share a pipeline. */
export async function makePipelines(
  gpu: GPUDevice,
  program: WgslProgram,
  layout: GPUPipelineLayout,
): Promise<ReadonlyMap<number, GPUComputePipeline>> {
  const byCode = new Map<string, Promise<GPUComputePipeline>>();
  const make = async (code: string): Promise<GPUComputePipeline> => {
    gpu.pushErrorScope('validation');
    const module = gpu.createShaderModule({ code });
    const invalid = gpu.popErrorScope();
    try {
      const made = gpu.createComputePipelineAsync({
        layout,
        compute: { module, entryPoint: 'main' },
      });
      const [pipeline] = await Promise.all([made, invalid]);
      return pipeline;
    } catch (cause) {
      const said = (await invalid)?.message ?? String(cause);
      // Every plan has valid shaders: this is a defect of the emitter, to be reported with its text.
      throw new Error(`internal: a generated shader was refused\n${said}\n${code}`, { cause });
    }
  };
  const entries = await Promise.all(
    [...program.shaders].map(async ([id, { code }]) => {
      const made = byCode.get(code) ?? make(code);
      byCode.set(code, made);
      return [id, await made] as const;
    }),
  );
  return new Map(entries);
}

/** The words of a buffer from host values. */
export function wordsOf(buf: Buf, data: HostArray): Float32Array | Int32Array | Uint32Array {
  switch (buf.t) {
    case 'f32':
      return data instanceof Float32Array ? data : Float32Array.from(data);
    case 'u32':
      return data instanceof Uint32Array ? data : Uint32Array.from(data);
    case 'i32':
    case 'bool':
      return data instanceof Int32Array ? data : Int32Array.from(data);
  }
}

export function hostArray(buf: Buf, words: ArrayBuffer): HostArray {
  switch (buf.t) {
    case 'f32':
      return new Float32Array(words);
    case 'u32':
      return new Uint32Array(words);
    case 'i32':
    case 'bool':
      return new Int32Array(words);
  }
}
