/** Runs core programs on any device and says how outputs differ from those wanted. */
import type { Core } from '../../compiler/core.ts';
import { type Donate, schedule } from '../../compiler/schedule/schedule.ts';
import type { Device, HostArray } from '../../runtime/devices/device.ts';

export async function runOn(
  device: Device,
  core: Core,
  inputs: readonly ArrayLike<number>[],
  donate: Donate = [],
): Promise<HostArray[]> {
  const exe = await device.prepare({ core, plan: () => schedule(core, donate), donate });
  try {
    inputs.forEach((x, i) => {
      exe.write(i, Float64Array.from(x));
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
    const [g, w] = [got[o]!, want[o]!];
    if (g.length !== w.length) out.push(`${v.name}: ${g.length} elements, want ${w.length}`);
    for (let i = 0; i < w.length; i++) {
      const a = g[i]!;
      const b = v.t === 'f32' ? Math.fround(w[i]!) : w[i]!;
      const near = v.t === 'f32' && Math.abs(a - b) <= tolerance * (1 + Math.abs(b));
      if (Object.is(a, b) || a === b || near) continue;
      out.push(`${v.name}[${i}] = ${a}, want ${b}`);
      if (out.length > 5) return;
    }
  });
  return out;
}
