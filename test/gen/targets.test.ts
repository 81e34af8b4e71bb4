/** Random programs and their gradients on every target, within the bounds of float32 rounding. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cotangentProgram } from '../../compiler/gradcheck/derived.ts';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { availableDevices, openDevice } from '../../runtime/devices/registry.ts';
import { onDevice } from '../../runtime/gradcheck/device.ts';
import { randomProgram } from './program.ts';
import { elaborated, inputsOf, ProgramFault } from './run.ts';

const targets: readonly DeviceName[] = ['wasm', 'gpujs', 'webgpu'];
const available = await availableDevices();
const required = process.env.TENON_REQUIRE_GPU === '1';

describe('random programs and their gradients', () => {
  for (const name of targets) {
    const there = required || available.get(name)?.ok === true;
    it.skipIf(!there)(`agree with the reference on ${name}`, async () => {
      const device = await openDevice(name);
      let [cells, unbounded] = [0, 0];
      try {
        await fc.assert(
          fc.asyncProperty(randomProgram, async (p) => {
            const e = elaborated(p);
            const core = cotangentProgram(e.core).core;
            const own = inputsOf(e, p.seed);
            const seeds = core.inputs
              .slice(own.length)
              .map((x) => new Float64Array(x.shape.reduce((n, d) => n * d, 1)).fill(0.7));
            const run = await onDevice(device, core);
            const v = await run.compare([...own, ...seeds]);
            run.dispose();
            cells += v.cells;
            unbounded += v.unbounded;
            if (!v.ok) throw new ProgramFault(`${JSON.stringify(v)}\n${p.text}`);
          }),
          { numRuns: 60, seed: 51 },
        );
        // Nearly everything was judged.
        expect(unbounded).toBeLessThanOrEqual(0.01 * cells);
      } finally {
        device.dispose();
      }
    });
  }
});
