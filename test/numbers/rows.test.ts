/** The rows of rows.ts on every device there is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device, DeviceName } from '../../runtime/devices/device.ts';
import { availableDevices, openDevice } from '../../runtime/index.ts';
import { offRow } from './judge.ts';
import { rows } from './rows.ts';

const available = await availableDevices();
const devices: readonly DeviceName[] = ['reference', 'wasm', 'webgpu', 'gpujs'];
const required = process.env['TENON_REQUIRE_GPU'] === '1';

describe.each(devices.filter((d) => available.get(d)!.ok || required))('%s', (name) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(name);
  });
  afterAll(() => device.dispose());

  it.each(rows.map((r) => [r.what, r] as const))('%s', async (_, row) => {
    expect(await offRow(row, device)).toBeUndefined();
  });
});
