/**
 * Devices for tests: a suite per target, skipped by name (with the reason) where the machine has
 * none, and failing instead under TENON_REQUIRE_GPU=1.
 */
import { afterAll, describe, it } from 'vitest';
import type { Device, DeviceName } from '../../runtime/devices/device.ts';
import { availableDevices, openDevice } from '../../runtime/devices/registry.ts';

const available = await availableDevices();

export function describeOn(
  name: DeviceName,
  suite: (device: () => Promise<Device>) => void,
  what = '',
): void {
  const found = available.get(name)!;
  const title = [name, what].filter(Boolean).join(': ');
  if (found.ok) {
    let opened: Promise<Device> | undefined;
    describe(title, () => {
      afterAll(async () => (await opened)?.dispose());
      suite(() => {
        opened ??= openDevice(name);
        return opened;
      });
    });
  } else if (process.env['TENON_REQUIRE_GPU'] === '1')
    it(`${title} is required`, () => {
      throw new Error(found.reason);
    });
  else {
    console.warn(`left out on this machine: ${title} (${found.reason})`);
    describe.skip(`${title}, left out: ${found.reason}`, () => suite(() => openDevice(name)));
  }
}
