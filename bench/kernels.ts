/**
 * W1 to W4 (matrix products of three shapes, GELU of an affine map, softmax over rows, layer norm)
 * written in the language and run on the Wasm device. Lowest of the repetitions, because a shared
 * machine only ever adds time.
 *
 *   node bench/kernels.ts [threads]
 *   node --experimental-wasm-revectorize bench/kernels.ts [threads]
 */

import { wasmDevice } from '../runtime/devices/wasm.ts';
import { compile } from '../runtime/index.ts';

const text = `
fn matmul[M, K, N](a: f32[M, K], b: f32[K, N]): f32[M, N] = for i, j. sum k. a[i, k] * b[k, j]

fn gelu[N](x: f32[N], a: f32, b: f32): f32[N] =
  for i.
    let y = x[i] * a + b
    0.5 * y * (1 + tanh(0.7978845608028654 * (y + 0.044715 * y * y * y)))

fn softmax[R, C](x: f32[R, C]): f32[R, C] where C >= 1 =
  for i.
    let top = max j. x[i, j]
    let e = for j. exp(x[i, j] - top)
    let z = sum j. e[j]
    for j. e[j] / z

fn layerNorm[R, C](x: f32[R, C], w: f32[C], b: f32[C]): f32[R, C] where C >= 1 =
  for i.
    let m = mean j. x[i, j]
    let v = mean j. (x[i, j] - m)^2
    let s = 1 / sqrt(v + 0.00001)
    for j. (x[i, j] - m) * s * w[j] + b[j]
`;

type Work = {
  readonly name: string;
  readonly fn: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, number>>;
  /** Floating-point operations, for the products; bytes moved, for the rest. */
  readonly amount: number;
  readonly unit: 'GFLOP/s' | 'GB/s';
};

const product = (M: number, K: number, N: number): Work => ({
  name: `W1 [${M}x${K}] @ [${K}x${N}]`,
  fn: 'matmul',
  sizes: { M, K, N },
  inputs: { a: M * K, b: K * N },
  amount: 2 * M * K * N,
  unit: 'GFLOP/s',
});

const works: readonly Work[] = [
  product(1024, 1024, 1024),
  product(1024, 384, 1536),
  product(1024, 384, 1152),
  {
    name: 'W2 gelu(x*a + b), 4,194,304',
    fn: 'gelu',
    sizes: { N: 2 ** 22 },
    inputs: { x: 2 ** 22, a: 1, b: 1 },
    amount: 8 * 2 ** 22,
    unit: 'GB/s',
  },
  {
    name: 'W3 softmax [6144, 256]',
    fn: 'softmax',
    sizes: { R: 6144, C: 256 },
    inputs: { x: 6144 * 256 },
    amount: 8 * 6144 * 256,
    unit: 'GB/s',
  },
  {
    name: 'W4 layer norm [1024, 384]',
    fn: 'layerNorm',
    sizes: { R: 1024, C: 384 },
    inputs: { x: 1024 * 384, w: 384, b: 384 },
    amount: 8 * 1024 * 384,
    unit: 'GB/s',
  },
];

const threads = Number(process.argv[2] ?? 1);
const device = wasmDevice({ threads });
const program = compile({ 'kernels.tn': text });
for (const w of works) {
  const fn = program.function(w.fn, { device, sizes: w.sizes });
  const run = await fn.prepare({
    inputs: Object.fromEntries(
      Object.entries(w.inputs).map(([k, n]) => [
        k,
        n === 1
          ? 0.5
          : Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 2003) / 2003 - 0.5),
      ]),
    ),
  });
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + 2500;
  for (let i = 0; i < 10 || performance.now() < end; i++) {
    const start = performance.now();
    await run.run();
    best = Math.min(best, performance.now() - start);
  }
  const rate = (w.amount / best / 1e6).toFixed(1);
  process.stdout.write(
    `${w.name.padEnd(32)} ${best.toFixed(3).padStart(9)} ms  ${rate} ${w.unit}\n`,
  );
  await fn.dispose();
}
device.dispose();
