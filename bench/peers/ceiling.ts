/**
 * The hand-tuned ceilings as a peer: the product of W1, and for W2 to W4 one pass over as many bytes.
 * The others have none of their own; their share is taken of W1's rate.
 */
import { type Gemm, gemmModule, layout, type Tiling } from '../ceiling/gemm.ts';
import { streamLayout, streamModule } from '../ceiling/stream.ts';
import { team } from '../ceiling/team.ts';
import { fill } from '../fill.ts';
import type { Workload } from '../workloads.ts';
import type { Opened, Peer } from './peer.ts';

/** The tile that is fastest with V8's revectorizer, and without. */
export const tilings = {
  wide: { rows: 6, vecs: 4, unroll: 2 },
  narrow: { rows: 6, vecs: 2, unroll: 2 },
} as const;

export const tilingFor = (K: number, wide: boolean, threads: number): Tiling => ({
  ...(wide ? tilings.wide : tilings.narrow),
  depth: Math.min(K, 384),
  threads,
});

export async function openGemm(w: Workload, tiling: Tiling): Promise<Opened> {
  const shape = w.sizes as Gemm;
  const at = layout(shape, tiling);
  const { memory, run } = await team(gemmModule(shape, tiling), at.pages, tiling.threads);
  const floats = new Float32Array(memory.buffer);
  const { M, K, N } = shape;
  const [a, b] = w.inputs.map(fill);
  floats.set(a!, at.a / 4);
  for (let k = 0; k < K; k++) floats.set(b!.subarray(k * N, (k + 1) * N), at.b / 4 + k * at.Np);
  return {
    run,
    async read() {
      const out = new Float32Array(M * N);
      const c = at.c / 4;
      for (let i = 0; i < M; i++) out.set(floats.subarray(c + i * at.Np, c + i * at.Np + N), i * N);
      return new Map([['out', out]]);
    },
  };
}

async function openStream(w: Workload, threads: number): Promise<Opened> {
  const n = w.bytes / 8;
  const { run } = await team(streamModule(n, threads), streamLayout(n, threads).pages, threads);
  return { run, read: async () => new Map() };
}

export const ceiling: Peer = async (w, { threads, wide }) => {
  if (w.kind === 'matmul') return openGemm(w, tilingFor(w.sizes['K']!, wide, threads));
  return w.bytes > 0 ? openStream(w, threads) : undefined;
};
