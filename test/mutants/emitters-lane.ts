/**
 * What the emitters are held to, in short: operands at quotients and remainders, special numbers, chains of
 * integers, and the programs at the borders. As in their tests.
 */
import fc from 'fast-check';
import { interpret } from '../../compiler/core/interpret.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import type { Device, DeviceName } from '../../runtime/devices/device.ts';
import { openDevice } from '../../runtime/devices/registry.ts';
import { numbers, programs } from '../emit/border-programs.ts';
import { built, chain, meant, x, y } from '../emit/integer-chains.ts';
import { wrongValues } from '../emit/special-cases.ts';
import { ProgramFault } from '../gen/run.ts';
import { compare, runOn } from '../gpu/run-core.ts';
import { form, inexact, loops, loopsOf, productOf } from '../wasm/packed.ts';
import { runPlan } from '../wasm/run-core.ts';

const refuse = (faults: readonly string[]): void => {
  if (faults.length > 0) throw new ProgramFault(faults[0]!);
};

async function on(name: DeviceName, run: (device: Device) => Promise<void>): Promise<void> {
  const device = await openDevice(name);
  await run(device);
  device.dispose();
}

/** Random products and loops over quotients and remainders, exact on wasm. */
export async function packed(): Promise<void> {
  for (const f of fc.sample(form, { numRuns: 60, seed: 7 })) refuse(await inexact(productOf(f)));
  for (const f of fc.sample(loops, { numRuns: 60, seed: 8 })) refuse(await inexact(loopsOf(f)));
}

export const specials = (name: DeviceName, forms: readonly string[]): Promise<void> =>
  on(name, async (device) => {
    for (const f of forms) refuse(await wrongValues(device, f));
  });

export const chains = (name: DeviceName, numRuns: number): Promise<void> =>
  on(name, async (device) => {
    for (const steps of fc.sample(chain, { numRuns, seed: 9 })) {
      const got = (await runOn(device, built(steps), [x, y])).map((v) => v.join());
      const want = meant(steps, [x, y]).map((v) => v.join());
      refuse(got.flatMap((g, i) => (g === want[i] ? [] : [`${g}, not ${want[i]}`])));
    }
  });

export const borders = (name: DeviceName): Promise<void> =>
  on(name, async (device) => {
    for (const [what, make] of programs) {
      const core = make();
      const inputs = numbers(core);
      const want = interpret(core, inputs);
      const results = [await runOn(device, core, inputs)];
      if (name === 'wasm')
        results.push(await runPlan(core, schedule(core, [], { resident: true }), inputs));
      for (const got of results)
        refuse(compare(core, got, want, 1e-6).map((fault) => `${what}: ${fault}`));
    }
  });
