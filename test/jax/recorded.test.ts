/** A part of the programs that JAX has run (still.ts); all of them are in test/long. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../runtime/devices/device.ts';
import { wasmDevice } from '../../runtime/devices/wasm.ts';
import { classes } from './counts.ts';
import { kept } from './recorded.ts';
import { compared, recorded } from './still.ts';

const some = recorded.filter((_, i) => i % 6 === 0);

describe('programs that JAX has run', () => {
  let device: Device;
  beforeAll(() => {
    device = wasmDevice({ threads: 1 });
  });
  afterAll(() => device.dispose());

  it('use every class', () => {
    const used = (c: string): number => recorded.filter((r) => r.used.includes(c)).length;
    expect(recorded).toHaveLength(kept);
    expect(classes.filter((c) => used(c) < 0.01 * recorded.length)).toEqual([]);
  });

  it('have the values and gradients that it gave', async () => {
    const { faults, gradients, notZero } = await compared(device, some);
    expect(faults).toEqual([]);
    expect(notZero / gradients).toBeGreaterThan(0.95);
  });
});
