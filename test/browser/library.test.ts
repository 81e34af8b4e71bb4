/**
 * The library in a real browser: a program with its gradient on WebAssembly, WebGPU and gpu.js gives
 * in the page what the f64 reference gives in Node.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as Tenon from '../../runtime/index.ts';
import { compile, type DeviceName, deviceNames } from '../../runtime/index.ts';
import { browserPath, type Opened, openPage } from './page.ts';

const text = `
fn softmax[N](x: f32[N]): f32[N] where N >= 1 =
  let top = stop(max i. x[i])
  let e = for i. exp(x[i] - top)
  let z = sum i. e[i]
  for i. e[i] / z

fn attend[T, D](w: f32[D, D], x: f32[T, D]): f32 =
  let q = for t, d. sum e. w[d, e] * x[t, e]
  let y = fold h = x for l: 3.
    for t, d. 0.5 * h[t, d] + sum s. softmax(for u. sum e. q[t, e] * h[u, e] / D)[s] * h[s, d]
  sum t, d. tanh(y[t, d])^2
`;

const T = 5;
const D = 4;
const w = Array.from({ length: D * D }, (_, i) => Math.sin(i * 1.7));
const x = Array.from({ length: T * D }, (_, i) => Math.cos(i * 0.9));

/** Every number of a result, in a fixed order, as text. */
const numbers = (value: unknown): number[] => {
  if (typeof value === 'number') return [value];
  if (ArrayBuffer.isView(value)) return [...(value as Float32Array)];
  if (Array.isArray(value)) return value.flatMap(numbers);
  if (value === null || typeof value !== 'object') return [];
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.flatMap(([, v]) => numbers(v));
};

const executable = browserPath();
const required = process.env['TENON_REQUIRE_GPU'] === '1';

describe.skipIf(executable === undefined && !required)('in a page', () => {
  let opened: Opened;
  beforeAll(async () => {
    if (executable === undefined) throw new Error('no Chromium found: set TENON_CHROMIUM');
    opened = await openPage(executable);
  });
  afterAll(async () => {
    await opened?.close();
  });

  const inNode = async (): Promise<number[]> => {
    await using f = compile({ 'a.tn': text }).function('attend', {
      device: 'reference',
      grad: ['w', 'x'],
    });
    const inputs = { w: Float32Array.from(w), x: Float32Array.from(x) };
    return numbers(await f.call(inputs, { sizes: { T, D } }));
  };

  /** Runs in the page: it sees its argument and nothing else of this file. */
  const inPage = (device: DeviceName) =>
    opened.page.evaluate(
      async ({ device, text, w, x, sizes }) => {
        const { tenon } = globalThis as unknown as { tenon: typeof Tenon };
        const found = (await tenon.availableDevices()).get(device)!;
        if (!found.ok) return { reason: found.reason, result: '[]' };
        const f = tenon.compile({ 'a.tn': text }).function('attend', { device, grad: ['w', 'x'] });
        const inputs = { w: Float32Array.from(w), x: Float32Array.from(x) };
        const result = JSON.stringify(await f.call(inputs, { sizes }), (_, v: unknown) =>
          ArrayBuffer.isView(v) ? [...(v as Float32Array)] : v,
        );
        await f[Symbol.asyncDispose]();
        return { reason: undefined, result };
      },
      { device, text, w, x, sizes: { T, D } },
    );

  it.each(deviceNames)('%s agrees with the reference in Node', async (device) => {
    const { reason, result } = await inPage(device);
    expect(reason).toBeUndefined();
    const got = numbers(JSON.parse(result));
    const want = await inNode();
    expect(got).toHaveLength(want.length);
    expect(want.length).toBeGreaterThan(D * D + T * D);
    got.forEach((v, i) => {
      expect(Math.abs(v - want[i]!)).toBeLessThan(1e-4 * (1 + Math.abs(want[i]!)));
    });
    expect(opened.said).toEqual([]);
  });
});
