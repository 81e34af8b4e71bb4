/** Numbers at the borders of f32, kinks, and long sums, on one device. */
import type { DeviceName } from '../../runtime/devices/device.ts';
import { openDevice } from '../../runtime/devices/registry.ts';
import { ProgramFault } from '../gen/run.ts';
import { offRow, offSums } from '../numbers/judge.ts';
import { rows } from '../numbers/rows.ts';

export async function numbers(name: DeviceName): Promise<void> {
  const device = await openDevice(name);
  for (const r of rows) {
    const off = await offRow(r, device);
    if (off !== undefined) throw new ProgramFault(off);
  }
  const off = name === 'reference' ? undefined : await offSums(device);
  if (off !== undefined) throw new ProgramFault(off);
  device.dispose();
}
