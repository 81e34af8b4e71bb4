/**
 * A device against the reference: every f32 result within the bound that running error analysis
 * gives for float32 (compiler/gradcheck/rounding.ts), integers and booleans equal.
 *
 * Invariant: inputs are rounded to float32 first, so both sides start from the same numbers.
 */
import { prepareCore } from '../../compiler/core/interpret.ts';
import type { Core } from '../../compiler/core.ts';
import { rounding } from '../../compiler/gradcheck/rounding.ts';
import { optimise } from '../../compiler/optimise.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import type { Device, HostArray } from '../devices/device.ts';
import type { Values } from './point.ts';

export type DeviceVerdict = {
  /** The largest error relative to its bound, with both, and where. */
  readonly error: number;
  readonly bound: number;
  readonly output: number;
  readonly cell: number;
  readonly got: number;
  readonly want: number;
  readonly cells: number;
  /**
   * Cells of which nothing is known: the analysis gives no bound (a partial derivative is infinite), or
   * the value may be beyond float32.
   */
  readonly unbounded: number;
  readonly ok: boolean;
};

/** Before anything was compared. */
export const agreed: DeviceVerdict = {
  error: 0,
  bound: 1,
  output: 0,
  cell: 0,
  got: 0,
  want: 0,
  cells: 0,
  unbounded: 0,
  ok: true,
};

/** One program on one device, run at many points. */
export type OnDevice = {
  compare(inputs: Values): Promise<DeviceVerdict>;
  dispose(): void;
};

export async function onDevice(device: Device, core: Core): Promise<OnDevice> {
  const tidy = optimise(core);
  const exec = await device.prepare({
    core: tidy,
    plan: (options) => schedule(tidy, [], options),
    donate: [],
  });
  const analysed = rounding(core);
  const exact = prepareCore(analysed.core);
  return {
    async compare(inputs) {
      const rounded = inputs.map((x, i) =>
        core.inputs[i]!.t === 'f32' ? x.map(Math.fround) : Float64Array.from(x),
      );
      for (const [i, x] of rounded.entries()) exec.write(i, hostArray(core.inputs[i]!.t, x));
      await exec.run();
      const got = await Promise.all(core.outputs.map((_, i) => exec.read(i)));
      const want = complete(exact.run(rounded));
      return judge(core, got, want);
    },
    dispose: () => exec.dispose(),
  };
}

/** Of float32. */
const largest = (2 - 2 ** -23) * 2 ** 127;

function judge(core: Core, got: readonly HostArray[], want: Values): DeviceVerdict {
  let worst = agreed;
  let [cells, unbounded] = [0, 0];
  let k = core.outputs.length;
  for (const [output, y] of core.outputs.entries()) {
    const bounds = y.t === 'f32' ? want[k++] : undefined;
    for (const [cell, v] of want[output]!.entries()) {
      const g = got[output]![cell]!;
      cells++;
      if (Object.is(g, v) || (Number.isNaN(g) && Number.isNaN(v))) continue;
      const bound = bounds?.[cell] ?? 0;
      if (!(Math.abs(v) + bound < largest)) {
        unbounded++;
        continue;
      }
      const error = Math.abs(g - v);
      const ok = error <= bound;
      if (ok && error * worst.bound <= worst.error * bound) continue;
      if (!worst.ok && ok) continue;
      worst = { ...worst, error, bound, output, cell, got: g, want: v, ok };
    }
  }
  return { ...worst, cells, unbounded };
}

function complete<T>(steps: Generator<void, T>): T {
  for (;;) {
    const s = steps.next();
    if (s.done) return s.value;
  }
}

export function hostArray(t: Core['inputs'][number]['t'], x: Float64Array): HostArray {
  switch (t) {
    case 'f32':
      return Float32Array.from(x);
    case 'u32':
      return Uint32Array.from(x);
    case 'i32':
    case 'bool':
      return Int32Array.from(x);
  }
}
