/**
 * Random programs and their gradients on every target, within the bounds of float32 rounding; on wasm
 * at larger sizes too, which fill its lanes and tiles.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { availableDevices, openDevice } from '../../runtime/devices/registry.ts';
import { agreesOn, enlarged } from './on-target.ts';
import { type RandomProgram, randomProgram } from './program.ts';

const targets: readonly DeviceName[] = ['wasm', 'gpujs', 'webgpu'];
const available = await availableDevices();
const required = process.env.TENON_REQUIRE_GPU === '1';

async function agree(name: DeviceName, programs: fc.Arbitrary<RandomProgram>): Promise<void> {
  const device = await openDevice(name);
  let [cells, unbounded] = [0, 0];
  try {
    await fc.assert(
      fc.asyncProperty(programs, async (p) => {
        const v = await agreesOn(device, p);
        cells += v.cells;
        unbounded += v.unbounded;
      }),
      { numRuns: 60, seed: 51 },
    );
    // Nearly everything was judged.
    expect(unbounded).toBeLessThanOrEqual(0.01 * cells);
  } finally {
    device.dispose();
  }
}

describe('random programs and their gradients', () => {
  for (const name of targets) {
    const there = required || available.get(name)?.ok === true;
    it.skipIf(!there)(`agree with the reference on ${name}`, () => agree(name, randomProgram));
  }

  it('agree with the reference on wasm, at larger sizes', () =>
    agree('wasm', randomProgram.map(enlarged)));
});
