/** What the gradient of a function costs, counted on the core; what its plans have to check. */
import { sizeOf } from '../../compiler/core/build.ts';
import { work } from '../../compiler/core/work.ts';
import type { Core } from '../../compiler/core.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import { cotangentProgram, isReal } from '../../compiler/gradcheck/derived.ts';
import { optimise } from '../../compiler/optimise.ts';
import { live } from '../../compiler/passes/live.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { instantiate } from '../../runtime/gradcheck/instantiate.ts';
import { allowedSizes } from '../../runtime/gradcheck/sizes.ts';
import { mostWork } from '../core/ties.ts';

/**
 * The work of values and gradients over the most that it may be for this value, at the smallest sizes. Any
 * program has to write the cells of the gradient, which count as written by the value, too.
 */
export function reverseWork(
  program: TProgram,
  fn: TFn,
  given: Record<string, number> = {},
): number {
  const core = smallest(program, fn, given);
  const cells = core.inputs.filter(isReal).reduce((n, x) => n + sizeOf(x.shape), 0);
  return work(cotangentProgram(core).core) / (work(core) + cells) / mostWork(core);
}

/** Accesses that the plans of a function and of its gradient check when they run, in words. */
export function checkedPlaces(
  program: TProgram,
  fn: TFn,
  given: Record<string, number> = {},
): readonly string[] {
  const core = smallest(program, fn, given);
  const programs = core.outputs.some(isReal) ? [core, cotangentProgram(core).core] : [core];
  return programs.map(optimise).flatMap((c) =>
    [true, false].flatMap((resident) => {
      const plan = schedule(c, [], { resident });
      return plan.checks?.sites.map((s) => s.what) ?? [];
    }),
  );
}

/** The function at the smallest sizes that its facts allow. */
function smallest(program: TProgram, fn: TFn, given: Record<string, number>): Core {
  const f = instantiate(fn)!;
  const sizes = allowedSizes(f, { sizes: given })[0]!;
  const whole = { ...program, fns: new Map(program.fns).set(f.id, f) };
  return live(elaborate(whole, f.id, sizes).core);
}
