/** Large whole numbers are drawn without bias, the same ones on every device. */
import { describe, expect, it } from 'vitest';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { availableDevices, compile } from '../../runtime/index.ts';
import { drawn } from '../oracle/threefry.ts';

const available = await availableDevices();
const required = process.env['TENON_REQUIRE_GPU'] === '1';
const devices: readonly DeviceName[] = ['reference', 'wasm', 'webgpu', 'gpujs'];
const program = compile(
  new Map([
    ['draws.tn', 'fn main[N, K](k: key): i32[N] where K >= 1 = for i. i32(randint[K](k, i))\n'],
  ]),
);
const key = [5, 77] as const;

describe.each(devices.filter((d) => available.get(d)!.ok || required))('%s', (device) => {
  it.each([70_000, 2 ** 20, 3 * 2 ** 20 + 1, 1_610_612_736, 2 ** 31 - 2])('below %d', async (K) => {
    const N = 2_000;
    await using f = program.function('main', { device, sizes: { N, K } });
    const { tensors } = await f.call({ k: Uint32Array.from(key) });
    const got = [...[...tensors.values()][0]!.data].map(Number);
    const want = got.map((_, i) => {
      const [a, b] = drawn(key, i);
      return Number((BigInt(a) * 2n ** 32n + BigInt(b)) % BigInt(K));
    });
    expect(got).toEqual(want);
    // Four standard deviations.
    const share = got.filter((v) => v < (2 * K) / 3).length / N;
    expect(Math.abs(share - 2 / 3)).toBeLessThan(0.043);
  });
});
