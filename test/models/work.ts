/** What the gradient of a function costs, counted on the core. */
import { sizeOf } from '../../compiler/core/build.ts';
import { work } from '../../compiler/core/work.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import { cotangentProgram, isReal } from '../../compiler/gradcheck/derived.ts';
import { live } from '../../compiler/passes/live.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { instantiate } from '../../runtime/gradcheck/instantiate.ts';
import { allowedSizes } from '../../runtime/gradcheck/sizes.ts';

/**
 * The work of values and gradients over that of the value, at the smallest sizes. Any program has to
 * write the cells of the gradient, which count as written by the value, too.
 */
export function reverseWork(
  program: TProgram,
  fn: TFn,
  given: Record<string, number> = {},
): number {
  const f = instantiate(fn)!;
  const sizes = allowedSizes(f, { sizes: given })[0]!;
  const whole = { ...program, fns: new Map(program.fns).set(f.id, f) };
  const core = live(elaborate(whole, f.id, sizes).core);
  const cells = core.inputs.filter(isReal).reduce((n, x) => n + sizeOf(x.shape), 0);
  return work(cotangentProgram(core).core) / (work(core) + cells);
}
