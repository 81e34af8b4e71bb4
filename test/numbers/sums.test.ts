/**
 * Long sums keep their digits on every device: of equal or positive numbers a sum of 10^6 terms is off by 4 units in
 * the last place at most, along rows, along columns and over pairs; a variance in two passes keeps three digits
 * around 10^4.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device, DeviceName } from '../../runtime/devices/device.ts';
import { availableDevices, compile, openDevice, type TenonFunction } from '../../runtime/index.ts';

const program = compile(
  new Map([
    [
      'sums.tn',
      `fn whole[N](x: f32[N]): f32 = sum i. x[i]
fn rows[M, N](x: f32[M, N]): f32[M] = for i. sum j. x[i, j]
fn columns[M, N](x: f32[M, N]): f32[N] = for j. sum i. x[i, j]
fn pairs[N](x: f32[N]): f32 = sum i, j. x[i] * x[j]
fn variance[N](x: f32[N]): f32 where N >= 1 =
  let mu = mean i. x[i]
  mean i. (x[i] - mu)^2
fn factors[N](x: f32[N]): f32 = prod i. x[i]
fn gradient[N](x: f32[N]): f32 = grad(s -> sum i. s * x[i], 1.5)
`,
    ],
  ]),
);

const ulp = 2 ** -23;
const equal = (n: number, v: number): Float32Array => new Float32Array(n).fill(v);
/** Positive numbers from 0 to 1, without any drawing. */
const spread = (n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => (i * 0.6180339887498949) % 1);
const sum = (x: Float32Array): number => x.reduce((a, b) => a + b, 0);

const available = await availableDevices();
const required = process.env['TENON_REQUIRE_GPU'] === '1';
const devices: readonly DeviceName[] = ['wasm', 'webgpu', 'gpujs'];

describe.each(devices.filter((d) => available.get(d)!.ok || required))('%s', (name) => {
  let device: Device;
  const fns = new Map<string, TenonFunction>();
  beforeAll(async () => {
    device = await openDevice(name);
  });
  afterAll(async () => {
    for (const f of fns.values()) await f.dispose();
    device.dispose();
  });

  async function run(fn: string, x: Float32Array, shape: readonly number[]): Promise<number[]> {
    const f = fns.get(fn) ?? program.function(fn, { device });
    fns.set(fn, f);
    const { tensors } = await f.call({ x: { shape, data: x } });
    return [...tensors.values()].flatMap((t) => Array.from(t.data as Float32Array));
  }
  const near = (got: number, want: number, within: number): void =>
    expect(Math.abs(got - want) / Math.abs(want), `${got}, want ${want}`).toBeLessThan(within);

  it.each([
    ['equal numbers', equal(1_000_000, 0.1)],
    ['other ones', equal(999_983, 0.7)],
    ['positive numbers', spread(1_000_000)],
  ])('a million %s', async (_, x) => {
    near((await run('whole', x, [x.length]))[0]!, sum(x), 4 * ulp);
    near((await run('gradient', x, [x.length]))[0]!, sum(x), 4 * ulp);
  });

  it('along rows and along columns', async () => {
    for (const [m, n] of [
      [3, 60_001],
      [60_001, 3],
      [9_000, 20],
    ] as const) {
      const x = equal(m * n, 0.3);
      for (const v of await run('rows', x, [m, n])) near(v, n * x[0]!, 4 * ulp);
      for (const v of await run('columns', x, [m, n])) near(v, m * x[0]!, 4 * ulp);
    }
  });

  it('over pairs', async () => {
    const x = spread(2_000);
    near((await run('pairs', x, [x.length]))[0]!, sum(x) ** 2, 8 * ulp);
  });

  it('a variance around 10^4', async () => {
    const x = spread(300_000).map((v) => v + 10_000);
    const mu = sum(x) / x.length;
    const want = x.reduce((s, v) => s + (v - mu) ** 2, 0) / x.length;
    near((await run('variance', x, [x.length]))[0]!, want, 1e-3);
  });

  // Each product rounds, in whatever order: only more digits help.
  const products = async (): Promise<void> => {
    const x = Float32Array.from({ length: 100_000 }, (_, i) => 1 + ((i % 7) - 3) * 1e-4);
    const want = x.reduce((p, v) => p * v, 1);
    near((await run('factors', x, [x.length]))[0]!, want, 1e-5);
  };
  if (name === 'wasm') it('products', products);
});
