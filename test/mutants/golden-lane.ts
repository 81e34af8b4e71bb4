/** One golden case, values and gradients of every parameter, on a device. */
import type { DeviceName } from '../../runtime/devices/device.ts';
import { openDevice } from '../../runtime/devices/registry.ts';
import { runGolden as rows } from '../../runtime/golden/golden.ts';
import { ProgramFault } from '../gen/run.ts';

export async function runGolden(name: DeviceName): Promise<void> {
  const device = await openDevice(name);
  try {
    const signal = new AbortController().signal;
    for (const only of ['redi-forward', 'redi-loss-grad', 'adamw-ema']) {
      for await (const row of rows('test/golden', { device, signal, only })) {
        if (row.status !== 'MISS') continue;
        throw new ProgramFault(
          `${row.case} ${row.tensor} is off by ${row.error} ${row.note ?? ''}`,
        );
      }
    }
  } finally {
    device.dispose();
  }
}
