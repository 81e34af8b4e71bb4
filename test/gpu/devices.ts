/**
 * Devices for tests: a suite per target, skipped by name (with the reason) where the machine has
 * none, and failing instead under TENON_REQUIRE_GPU=1. Also runs programs and compares outputs.
 */
import { afterAll, describe, it } from 'vitest';
import type { Core } from '../../compiler/core.ts';
import { type Donate, schedule } from '../../compiler/schedule/schedule.ts';
import type { Device, DeviceName, HostArray } from '../../runtime/devices/device.ts';
import { availableDevices, openDevice } from '../../runtime/devices/registry.ts';

const available = await availableDevices();

export function describeOn(
  name: DeviceName,
  suite: (device: () => Promise<Device>) => void,
  what = '',
): void {
  const found = available.get(name)!;
  const title = [name, what].filter(Boolean).join(': ');
  if (found.ok) {
    let opened: Promise<Device> | undefined;
    describe(title, () => {
      afterAll(async () => (await opened)?.dispose());
      suite(() => {
        opened ??= openDevice(name);
        return opened;
      });
    });
  } else if (process.env['TENON_REQUIRE_GPU'] === '1')
    it(`${title} is required`, () => {
      throw new Error(found.reason);
    });
  else describe.skip(`${title}, left out: ${found.reason}`, () => suite(() => openDevice(name)));
}

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
