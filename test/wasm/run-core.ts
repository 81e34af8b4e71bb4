/** Runs core programs on the Wasm device and on the f64 reference, and compares the outputs. */
import { interpret } from '../../compiler/core/interpret.ts';
import type { Core } from '../../compiler/core.ts';
import type { Plan } from '../../compiler/plan.ts';
import { type Donate, type ScheduleOptions, schedule } from '../../compiler/schedule/schedule.ts';
import type { HostArray } from '../../runtime/devices/device.ts';
import { wasmDevice } from '../../runtime/devices/wasm.ts';

export async function runWasm(
  core: Core,
  inputs: readonly Float64Array[],
  options: ScheduleOptions = {},
  donate: Donate = [],
): Promise<HostArray[]> {
  return runPlan(core, schedule(core, donate, { resident: true, ...options }), inputs, donate);
}

export async function runPlan(
  core: Core,
  plan: Plan,
  inputs: readonly Float64Array[],
  donate: Donate = [],
): Promise<HostArray[]> {
  const exe = await wasmDevice().prepare({ core, plan: () => plan, donate });
  try {
    inputs.forEach((x, i) => {
      exe.write(i, x);
    });
    await exe.run();
    return await Promise.all(core.outputs.map((_, o) => exe.read(o)));
  } finally {
    exe.dispose();
  }
}

/** What differs, in words; empty when all outputs agree. Integers and bools must be equal. */
export function compare(
  core: Core,
  got: readonly ArrayLike<number>[],
  want: readonly ArrayLike<number>[],
  tolerance = 2e-4,
): string[] {
  const out: string[] = [];
  core.outputs.forEach((v, o) => {
    const g = got[o]!;
    const w = want[o]!;
    if (g.length !== w.length) out.push(`${v.name}: ${g.length} elements, want ${w.length}`);
    for (let i = 0; i < w.length; i++) {
      const a = g[i]!;
      const b = v.t === 'f32' ? Math.fround(w[i]!) : w[i]!;
      const ok =
        Object.is(a, b) ||
        a === b ||
        (v.t === 'f32' && Math.abs(a - b) <= tolerance * (1 + Math.abs(b)));
      if (ok) continue;
      out.push(`${v.name}[${i}] = ${a}, want ${b}`);
      if (out.length > 5) return;
    }
  });
  return out;
}

export async function differences(
  core: Core,
  inputs: readonly Float64Array[],
  options: ScheduleOptions = {},
): Promise<string[]> {
  return compare(core, await runWasm(core, inputs, options), interpret(core, inputs));
}
