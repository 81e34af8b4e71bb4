/**
 * Every target gives what the f64 reference gives: random programs (every kind of read, reduction,
 * fold and segment sum), and programs of the shapes that models are made of. Integers, bools and
 * random bits must be equal.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { handCases } from './cases.ts';
import { describeOn } from './devices.ts';
import { compare, runOn } from './run-core.ts';

/** How many random programs: what a target costs to compile decides. */
const targets: readonly { name: DeviceName; runs: number; tolerance: number }[] = [
  { name: 'webgpu', runs: 16, tolerance: 2e-4 },
  { name: 'gpujs', runs: 60, tolerance: 2e-4 },
];

for (const { name, runs, tolerance } of targets) {
  describeOn(name, (open) => {
    it.each(handCases)('$name', async ({ make }) => {
      const { core, inputs } = make();
      const got = await runOn(await open(), core, inputs);
      expect(compare(core, got, interpret(core, inputs), 1e-5)).toEqual([]);
    });

    it.each([{}, { extents: [1, 3, 4, 7, 17], customs: true }])(
      'random programs %j',
      async (options) => {
        const device = await open();
        await fc.assert(
          fc.asyncProperty(arbitraryCore(options), async ({ core, inputs }) => {
            const got = await runOn(device, core, inputs);
            expect(compare(core, got, interpret(core, inputs), tolerance)).toEqual([]);
          }),
          { numRuns: runs },
        );
      },
    );
  });
}
