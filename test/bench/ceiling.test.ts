import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compare } from '../../bench/compare.ts';
import { fill } from '../../bench/fill.ts';
import { openGemm } from '../../bench/peers/ceiling.ts';
import { matmul } from '../../bench/workloads.ts';

function product(M: number, K: number, N: number, a: Float32Array, b: Float32Array): Float32Array {
  const out = new Float32Array(M * N);
  for (let i = 0; i < M; i++)
    for (let j = 0; j < N; j++) {
      let s = 0;
      for (let k = 0; k < K; k++) s += a[i * K + k]! * b[k * N + j]!;
      out[i * N + j] = s;
    }
  return out;
}

test('the ceiling multiplies matrices, whatever does not divide', async () => {
  const size = fc.integer({ min: 1, max: 40 });
  const tiling = fc.record({
    rows: fc.integer({ min: 1, max: 6 }),
    vecs: fc.integer({ min: 1, max: 4 }),
    unroll: fc.integer({ min: 1, max: 4 }),
    depth: fc.integer({ min: 1, max: 40 }),
    threads: fc.integer({ min: 1, max: 2 }),
  });
  await fc.assert(
    fc.asyncProperty(size, size, size, tiling, async (M, K, N, t) => {
      const w = matmul('x', M, K, N);
      const [a, b] = w.inputs.map(fill) as [Float32Array, Float32Array];
      const opened = await openGemm(w, t);
      await opened.run();
      await opened.run();
      const expected = new Map([['out', product(M, K, N, a, b)]]);
      expect(compare(await opened.read(), expected, ['out'])).toBeLessThan(1e-5);
    }),
    { numRuns: 30 },
  );
});
