/** The programs at the borders on every target, against the reference. */
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { describeOn } from '../gpu/devices.ts';
import { compare, runOn } from '../gpu/run-core.ts';
import { runPlan } from '../wasm/run-core.ts';
import { numbers, programs } from './border-programs.ts';

describe('wasm in groups', () => {
  it.each(programs)('%s', async (_name, make) => {
    const core = make();
    const inputs = numbers(core);
    const got = await runPlan(core, schedule(core, [], { resident: true }), inputs);
    expect(compare(core, got, interpret(core, inputs), 1e-6)).toEqual([]);
  });
});

for (const name of ['wasm', 'webgpu', 'gpujs'] as const) {
  describeOn(name, (device) => {
    it.each(programs)('%s', async (_name, make) => {
      const core = make();
      const inputs = numbers(core);
      const got = await runOn(await device(), core, inputs);
      expect(compare(core, got, interpret(core, inputs), 1e-6)).toEqual([]);
    });
  });
}
