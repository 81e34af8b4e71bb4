/**
 * A random program and its gradient on a device, against the reference within the bounds of float32
 * rounding; at its own sizes or at larger ones, where tiles, lanes and what they leave over are used.
 *
 * Invariant: a fault shows at two points. At one alone it may be a comparison of numbers that rounding
 * decides.
 */
import { sizeOf } from '../../compiler/core/build.ts';
import { work } from '../../compiler/core/work.ts';
import { cotangentProgram } from '../../compiler/gradcheck/derived.ts';
import type { Device } from '../../runtime/devices/device.ts';
import { numbers } from '../../runtime/gradcheck/check-point.ts';
import { agreed, type DeviceVerdict, onDevice } from '../../runtime/gradcheck/device.ts';
import type { RandomProgram } from './program.ts';
import { elaborated, inputsOf, ProgramFault } from './run.ts';

/** The reference takes about a second for this many operations. */
const affordable = 2e6;

/** Compares; what costs more than is affordable counts as agreed with no cell compared. */
export async function agreesOn(device: Device, p: RandomProgram): Promise<DeviceVerdict> {
  const e = elaborated(p);
  const core = cotangentProgram(e.core).core;
  if (work(core) > affordable) return agreed;
  const run = await onDevice(device, core);
  try {
    const at = (seed: number) => {
      const own = inputsOf(e, seed);
      const seeds = core.inputs
        .slice(own.length)
        .map((x) => new Float64Array(sizeOf(x.shape)).fill(0.7));
      return run.compare([...own, ...seeds]);
    };
    const first = await at(p.seed);
    if (first.ok) return first;
    const again = await at(p.seed + 7919);
    if (again.ok) return { ...again, unbounded: again.cells };
    throw new ProgramFault(
      `${device.name} at ${JSON.stringify(p.sizes)}: ${JSON.stringify(first)}\n${p.text}`,
    );
  } finally {
    run.dispose();
  }
}

const larger = [4, 6, 7, 8, 11, 16, 19];

/** The same program at sizes that fill lanes and tiles: its text holds at all sizes. */
export function enlarged(p: RandomProgram): RandomProgram {
  const next = numbers(p.seed);
  const size = () => larger[Math.floor(next() * larger.length)]!;
  return { ...p, sizes: Object.fromEntries(Object.keys(p.sizes).map((name) => [name, size()])) };
}
