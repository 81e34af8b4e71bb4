/**
 * Whole numbers without a size on every target: what fits 32 bits is computed in 32 bits and the rest
 * wide, and both words of each are those of the reference, to the last bit.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { emitWat } from '../../compiler/emit/wasm/index.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { describeOn } from '../gpu/devices.ts';
import { compare, runOn } from '../gpu/run-core.ts';
import { choices, wholeCorners, wholeInputs, wholeNumbers } from './whole-numbers.ts';

const targets: readonly { name: DeviceName; runs: number; count: number }[] = [
  { name: 'wasm', runs: 7, count: 4 },
  { name: 'webgpu', runs: 1, count: 2 },
  { name: 'gpujs', runs: 7, count: 4 },
];

for (const { name, runs, count } of targets) {
  describeOn(name, (open) => {
    it('computes every operation at its corners', async () => {
      const { core, inputs } = wholeCorners();
      const want = interpret(core, inputs);
      expect(compare(core, await runOn(await open(), core, inputs), want)).toEqual([]);
    });

    it('computes random whole numbers exactly', async () => {
      const device = await open();
      await fc.assert(
        fc.asyncProperty(choices, async (numbers) => {
          const core = wholeNumbers(numbers, count);
          const got = await runOn(device, core, wholeInputs);
          expect(compare(core, got, interpret(core, wholeInputs))).toEqual([]);
        }),
        { numRuns: runs },
      );
    });
  });
}

describe('the numbers drawn', () => {
  it('are wide as often as not', () => {
    const texts = fc.sample(choices, 8).map((c) => emitWat(schedule(wholeNumbers(c, 1))));
    const wide = texts.filter((t) => t.includes('i64.'));
    expect(wide.length).toBeGreaterThan(3);
  });
});
