/**
 * Custom derivatives that reverse mode could not use, found when a program is checked and not when it
 * is first differentiated: each rule is elaborated at a few small sizes that its function allows.
 *
 * Invariant: what is reported fails at those sizes; nothing is said of a rule that cannot be tried by
 * itself (its function takes functions, or no small sizes fit), which is judged where it is called.
 */
import { asDiagnostic, CompileError } from '../../compiler/elaborate/errors.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import type { Diagnostic } from '../../dsl/source.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { instantiate } from '../gradcheck/instantiate.ts';
import { allowedSizes, coveringSizes } from '../gradcheck/sizes.ts';

/** E0811 of every rule that is not linear in its tangents. */
export function bentRules(program: TProgram): readonly Diagnostic[] {
  return [...program.fns.values()]
    .filter((fn) => fn.derivative !== undefined)
    .flatMap((fn) => bent(program, fn) ?? []);
}

function bent(program: TProgram, fn: TFn): Diagnostic | undefined {
  const instance = instantiate(fn);
  if (instance === undefined) return undefined;
  const whole: TProgram = { ...program, fns: new Map(program.fns).set(instance.id, instance) };
  for (const sizes of coveringSizes(allowedSizes(instance, {}))) {
    try {
      elaborate(whole, instance.id, sizes);
    } catch (e) {
      if (!(e instanceof CompileError)) throw e;
      if (e.code === 'E0811') return asDiagnostic(e, fn.span);
    }
  }
  return undefined;
}
