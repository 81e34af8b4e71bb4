/**
 * Threads in pages: one that is cross-origin isolated runs large plans on workers, any other page on
 * its own thread, and both give the same bits.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type * as Tenon from '../../runtime/index.ts';
import { browserPath, type Opened, openPage } from './page.ts';

const text = `fn product[N](x: f32[N, N]): f32[N, N] =
  let y = for i, j. sum k. x[i, k] * x[k, j]
  for i, j. tanh(y[i, j])
`;
const N = 256;

const executable = browserPath();
const required = process.env['TENON_REQUIRE_GPU'] === '1';

describe.skipIf(executable === undefined && !required)('a page', () => {
  let opened: Opened | undefined;
  afterEach(async () => {
    await opened?.close();
  });

  const inPage = (page: Opened['page']) =>
    page.evaluate(
      async ({ text, N }) => {
        const { tenon } = globalThis as unknown as { tenon: typeof Tenon };
        const found = (await tenon.availableDevices()).get('wasm')!;
        const f = tenon.compile({ 'a.tn': text }).function('product', { sizes: { N } });
        const x = Float32Array.from({ length: N * N }, (_, i) => Math.fround(Math.sin(i * 0.7)));
        const results: number[][] = [];
        for (let run = 0; run < 2; run++) {
          const { out } = await f.call({ x });
          const { data } = out as { data: Float32Array };
          results.push([...new Uint32Array(data.buffer)]);
        }
        const same = results[0]!.every((v, i) => v === results[1]![i]);
        const isolated = globalThis.crossOriginIsolated;
        const cores = navigator.hardwareConcurrency;
        return {
          detail: found.ok ? found.detail : found.reason,
          bits: results[0]!,
          same,
          isolated,
          cores,
        };
      },
      { text, N },
    );

  it('that is isolated runs on workers, any other on one thread, with the same bits', async () => {
    if (executable === undefined) throw new Error('no Chromium found: set TENON_CHROMIUM');
    const bits: number[][] = [];
    for (const isolated of [true, false]) {
      opened = await openPage(executable, { isolated });
      const workers: string[] = [];
      opened.page.on('worker', (w) => workers.push(w.url()));
      const r = await inPage(opened.page);
      const threads = isolated ? Math.min(r.cores, 8) : 1;
      expect(r.isolated).toBe(isolated);
      expect(r.detail).toMatch(isolated ? new RegExp(`, ${r.cores} thread`) : /, 1 thread$/);
      expect(workers).toHaveLength(threads > 1 ? threads : 0);
      expect(r.same).toBe(true);
      expect(opened.said).toEqual([]);
      bits.push(r.bits);
      await opened.close();
      opened = undefined;
    }
    expect(bits[0]!.length).toBe(N * N);
    expect(bits[0]!.findIndex((v, i) => v !== bits[1]![i])).toBe(-1);
  });
});
