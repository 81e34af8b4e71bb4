/**
 * One function and its gradient on a device against the reference, at a few points of the domain
 * that its derivatives were verified on.
 */
import fc from 'fast-check';
import { elaborate } from '../../compiler/elaborate/index.ts';
import { cotangentProgram } from '../../compiler/gradcheck/derived.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import type { Device } from '../devices/device.ts';
import type { GradcheckOptions } from './check-function.ts';
import { numbers, randomLike } from './check-point.ts';
import { agreed, type DeviceVerdict, onDevice } from './device.ts';
import { type Domain, domains, type Point, pointAt } from './generate.ts';
import { instantiate } from './instantiate.ts';
import { indexText, leafName } from './show.ts';
import { allowedSizes, coveringSizes } from './sizes.ts';

export type DeviceReport = DeviceVerdict & {
  readonly points: number;
  /** Where it is worst, and the element of a result or gradient there: `out.loss[2]`, `grad.x`. */
  readonly point?: Point;
  readonly at?: string;
  /** Why it does not count, though no element is wrong. */
  readonly problem?: string;
};

const pointsPerSizes = 5;

type Settings = GradcheckOptions & { readonly domain: Domain };

export async function compareFunction(
  program: TProgram,
  fn: TFn,
  device: Device,
  options: Settings,
): Promise<DeviceReport | undefined> {
  const instance = instantiate(fn);
  if (instance === undefined) return undefined;
  let first: DeviceReport | undefined;
  // Numbers that float32 cannot hold may be met on one domain and not on another.
  for (const domain of new Set([options.domain, ...domains])) {
    const report = await compareOn(program, instance, device, { ...options, domain });
    if (report.problem === undefined) return report;
    first ??= report;
  }
  return first;
}

async function compareOn(
  program: TProgram,
  instance: TFn,
  device: Device,
  options: Settings,
): Promise<DeviceReport> {
  const whole: TProgram = { ...program, fns: new Map(program.fns).set(instance.id, instance) };
  let worst: DeviceReport = { ...agreed, points: 0 };
  let [points, cells, unbounded] = [0, 0, 0];
  for (const sizes of coveringSizes(allowedSizes(instance, options))) {
    const { core: value, result } = elaborate(whole, instance.id, sizes);
    const { core, zero } = cotangentProgram(value);
    const run = await onDevice(device, core);
    try {
      const drawn = fc.sample(pointAt(instance, sizes, options.domain), {
        numRuns: pointsPerSizes,
        seed: options.seed,
      });
      for (const point of drawn) {
        options.signal?.throwIfAborted();
        const next = numbers(options.seed + points);
        const cts = core.inputs
          .slice(point.inputs.length)
          .map((y) => randomLike(new Float64Array(y.shape.reduce((n, d) => n * d, 1)), next));
        const v = await run.compare([...point.inputs, ...cts]);
        points++;
        cells += v.cells;
        unbounded += v.unbounded;
        if (v.ok && v.error * worst.bound <= worst.error * v.bound) continue;
        const reals = point.leaves.filter((l) => l.spec.scalar === 'f32');
        const names = [
          ...result.map((spec) => leafName('out', spec)),
          ...reals.filter((_, i) => !zero[i]).map((l) => `grad.${l.name}`),
        ];
        const at = names[v.output] + indexText(v.cell, core.outputs[v.output]!.shape);
        worst = { ...v, points, point, at };
        if (!v.ok) return worst;
      }
    } finally {
      run.dispose();
    }
  }
  const all = { ...worst, points, cells, unbounded };
  if (unbounded <= 0.05 * cells) return all;
  const problem = `${unbounded} of ${cells} elements may be beyond float32, or their rounding has no bound`;
  return { ...all, ok: false, problem };
}
