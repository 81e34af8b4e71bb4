/**
 * What a program gives by the interpreter, with how far float32 may be from it, and f64 in another order.
 *
 * Invariant: every tolerance is the bound of running error analysis (compiler/gradcheck/rounding.ts) for the
 * program at that point; none is chosen.
 */
import { type Prepared, prepareCore } from '../../compiler/core/interpret.ts';
import type { Core } from '../../compiler/core.ts';
import { rounding } from '../../compiler/gradcheck/rounding.ts';
import type { HostArray } from '../../runtime/devices/device.ts';

export type Values = readonly Float64Array[];

export function complete(p: Prepared, inputs: readonly ArrayLike<number>[]): Float64Array[] {
  const steps = p.run(inputs);
  for (;;) {
    const s = steps.next();
    if (s.done) return s.value;
  }
}

/** Outputs, and a bound for each element of each; 0 where it is exact. */
export type Bounded = { readonly values: Values; readonly bounds: Values };

export type Meaning = (inputs: Values) => Bounded;

export function meaningOf(core: Core): Meaning {
  const prepared = prepareCore(rounding(core).core);
  return (inputs) => {
    const all = complete(prepared, inputs);
    const values = all.slice(0, core.outputs.length);
    let k = core.outputs.length;
    const bounds = core.outputs.map((y, i) =>
      y.t === 'f32' ? all[k++]! : new Float64Array(values[i]!.length),
    );
    return { values, bounds };
  };
}

/** Of float32. */
const largest = (2 - 2 ** -23) * 2 ** 127;

/** f64 has 29 bits more than f32; both sides round, and sums are in another order on each. */
export const inDouble = 2 ** -27;

export type Difference = { readonly output: number; readonly text: string };

/** The first element that is too far away; `scale` of the bound of float32 is allowed. */
export function difference(
  want: Bounded,
  got: readonly HostArray[],
  name: (output: number) => string,
  scale = 1,
): Difference | undefined {
  for (const [output, all] of want.values.entries()) {
    for (const [cell, v] of all.entries()) {
      const g = got[output]![cell]!;
      if (Object.is(g, v) || g === v || (Number.isNaN(g) && Number.isNaN(v))) continue;
      const bound = want.bounds[output]![cell]!;
      // Nothing is known where the analysis gives no bound, or the value may be beyond float32.
      if (!(Math.abs(v) + bound < largest)) continue;
      if (Math.abs(g - v) <= bound * scale) continue;
      const text = `${name(output)}, element ${cell}: ${g}, by definition ${v} (bound ${(bound * scale).toExponential(1)})`;
      return { output, text };
    }
  }
  return undefined;
}
