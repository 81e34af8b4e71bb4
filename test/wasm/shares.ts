/** Runs plans kernel by kernel in shares on one thread: tests of partition without concurrency. */
import { emitWasm } from '../../compiler/emit/wasm/index.ts';
import type { Plan, Step } from '../../compiler/plan.ts';
import { wasmFeatures } from '../../runtime/devices/wasm.ts';

type Kernel = (...args: number[]) => void;

/** Runs a plan kernel by kernel, the chunks of each in a given order by any of so many threads; bytes of all outputs. */
export async function inShares(
  plan: Plan,
  inputs: readonly ArrayLike<number>[],
  threads: number,
  backwards: boolean,
  options: { readonly wide?: boolean; readonly tag?: number } = {},
): Promise<Uint8Array> {
  const { wide, tag = 0 } = options;
  const fma = wasmFeatures().relaxed;
  const made = emitWasm(plan, { fma, wide, threads, shareFrom: 0, exportKernels: true });
  const memory = new WebAssembly.Memory({
    initial: made.pages,
    maximum: made.pages,
    shared: threads > 1,
  });
  const { instance } = await WebAssembly.instantiate(tagged(made.bytes, tag), {
    env: { memory },
  });
  const kernels = instance.exports as Record<string, Kernel>;
  const view = (id: number) => {
    const b = plan.bufs[id]!;
    const Kind = b.t === 'f32' ? Float32Array : b.t === 'u32' ? Uint32Array : Int32Array;
    return new Kind(memory.buffer, made.address.get(id)!, b.words);
  };
  for (const b of plan.bufs) if (b.data && b.words > 0) view(b.id).set(b.data);
  plan.inputs.forEach((id, i) => {
    view(id).set(inputs[i]!);
  });
  const at = new Map<number, number>();
  const step = (s: Step): void => {
    if (s.k === 'loop') {
      const n = s.axis.extent;
      for (let i = 0; i < n; i++) {
        at.set(s.axis.id, s.rev ? n - 1 - i : i);
        s.steps.forEach(step);
      }
      return;
    }
    const k = kernels[`k${s.id}`]!;
    const loops = s.loops.map((a) => at.get(a.id)!);
    const chunks = made.chunks.get(s.id);
    if (chunks === undefined) {
      k(...loops);
      return;
    }
    const begun = new Set<number>();
    for (let c = 0; c < chunks; c++) {
      // Any thread may take any chunk.
      const thread = (c * 7 + s.id) % threads;
      k(...loops, backwards ? chunks - 1 - c : c, thread, begun.has(thread) ? 0 : 1);
      begun.add(thread);
    }
  };
  plan.steps.forEach(step);
  const bytes = plan.outputs.map((id) => {
    const v = view(id);
    return new Uint8Array(v.slice().buffer);
  });
  return Uint8Array.from(bytes.flatMap((b) => [...b]));
}

/** The same module with a custom section, so that the engine compiles it again and keeps both. */
const tagged = (bytes: Uint8Array, tag: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([...bytes, 0, 3, 1, 0x74, tag]);
