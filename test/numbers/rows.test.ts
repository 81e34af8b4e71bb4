/** The rows of rows.ts on every device there is. */
import { describe, expect, it } from 'vitest';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { availableDevices, compile } from '../../runtime/index.ts';
import { rows } from './rows.ts';

const available = await availableDevices();
const devices: readonly DeviceName[] = ['reference', 'wasm', 'webgpu', 'gpujs'];
const required = process.env['TENON_REQUIRE_GPU'] === '1';

describe.each(devices)('%s', (device) => {
  const there = available.get(device)!.ok || required;
  it.skipIf(!there).each(rows.map((r) => [r.what, r] as const))('%s', async (_, row) => {
    await using f = compile(new Map([['row.tn', row.text]])).function('main', { device });
    const { tensors } = await f.call({ x: row.x });
    const got = [...tensors.values()].flatMap((t) => [...t.data].map(Number));
    expect(got).toHaveLength(row.want.length);
    const scale = Math.max(...row.want.filter(Number.isFinite).map(Math.abs));
    row.want.forEach((want, i) => {
      if (!Number.isFinite(want)) expect(got[i]).toBe(want);
      else
        expect(Math.abs(got[i]! - want), `${got[i]}, want ${want}`).toBeLessThanOrEqual(
          (row.within ?? 1e-5) * scale,
        );
    });
  });
});
