/**
 * `check name[N](x: f32[N]) where ... = condition`: the condition must hold for generated inputs; a
 * counter-example is shrunk to small sizes and round numbers.
 *
 * Invariant: the result depends on the program, the seed and the number of runs only.
 */
import fc from 'fast-check';
import { prepareCore } from '../../compiler/core/interpret.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { arbitraryPoint, type Point } from './generate.ts';

export type PropertyOptions = {
  readonly runs: number;
  readonly seed: number;
  readonly sizes?: Readonly<Record<string, number>>;
};

export type PropertyResult =
  | { readonly ok: true; readonly runs: number }
  | { readonly ok: false; readonly runs: number; readonly shrinks: number; readonly point: Point };

type Run = (inputs: readonly Float64Array[]) => readonly Float64Array[];

/** Core programs by sizes: many points share them. */
export function compiledBySizes(program: TProgram, fn: TFn): (point: Point) => Run {
  const made = new Map<string, Run>();
  const whole: TProgram = { ...program, fns: new Map(program.fns).set(fn.id, fn) };
  return (point) => {
    const id = [...point.sizes].join(';');
    let run = made.get(id);
    if (run === undefined) {
      const prepared = prepareCore(elaborate(whole, fn.id, point.sizes).core);
      run = (inputs) => finish(prepared.run(inputs));
      made.set(id, run);
    }
    return run;
  };
}

function finish<T>(steps: Generator<void, T>): T {
  for (;;) {
    const s = steps.next();
    if (s.done) return s.value;
  }
}

/** @throws TenonError when no sizes satisfy the facts; ProgramError's CompileError at odd sizes. */
export function checkProperty(
  program: TProgram,
  fn: TFn,
  options: PropertyOptions,
): PropertyResult {
  const compiled = compiledBySizes(program, fn);
  const arbitrary = arbitraryPoint(fn, { sizes: options.sizes });
  const outcome = fc.check(
    fc.property(arbitrary, (point) => compiled(point)(point.inputs)[0]![0] !== 0),
    { numRuns: options.runs, seed: options.seed },
  );
  if (!outcome.failed) return { ok: true, runs: outcome.numRuns };
  if (outcome.counterexample === null) throw outcome.errorInstance;
  if (outcome.errorInstance !== null && outcome.errorInstance !== undefined) {
    const e = outcome.errorInstance;
    // A property that returns false has no error of its own.
    if (e instanceof Error && !/Property failed by returning false/.test(e.message)) throw e;
  }
  return {
    ok: false,
    runs: outcome.numRuns,
    shrinks: outcome.numShrinks,
    point: outcome.counterexample[0],
  };
}
