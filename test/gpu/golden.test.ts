/**
 * The model as the golden vectors have it (forward pass, loss and all gradients, at a tiny size) on
 * the GPU targets.
 */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { runGolden } from '../../runtime/golden/golden.ts';
import { describeOn } from './devices.ts';

const folder = fileURLToPath(new URL('../golden', import.meta.url));

for (const name of ['webgpu', 'gpujs'] satisfies DeviceName[])
  describeOn(name, (open) => {
    it.each(['redi-forward', 'redi-loss-grad'])('%s', async (only) => {
      const rows = await Array.fromAsync(runGolden(folder, { device: await open(), only }));
      expect(rows.filter((r) => r.status !== 'ok')).toEqual([]);
      expect(rows.length).toBeGreaterThan(0);
    });
  });
