/**
 * `check name[N](x: f32[N]) where ... = condition`: the condition must hold for generated inputs; a
 * counter-example is shrunk to small sizes and round numbers.
 *
 * Invariant: the result depends on the program, the seed and the number of runs only.
 */
import fc from 'fast-check';
import { prepareCore } from '../../compiler/core/interpret.ts';
import { asDiagnostic, CompileError } from '../../compiler/elaborate/errors.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import type { Diagnostic } from '../../dsl/source.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { type Domain, type Point, pointAt } from './generate.ts';
import { allowedSizes, noSizes } from './sizes.ts';

export type PropertyOptions = {
  readonly runs: number;
  readonly seed: number;
  readonly sizes?: Readonly<Record<string, number>>;
};

export type PropertyResult =
  | { readonly ok: true; readonly runs: number }
  /** The shrunk input that it does not hold for. */
  | { readonly ok: false; readonly runs: number; readonly point: Point }
  /** It was tried on nothing. */
  | { readonly ok: false; readonly runs: 0; readonly problem: string }
  /** It cannot be compiled at the sizes that were drawn. */
  | { readonly ok: false; readonly runs: 0; readonly fault: Diagnostic };

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

const domain: Domain = { lo: -2, hi: 2 };

export function checkProperty(
  program: TProgram,
  fn: TFn,
  options: PropertyOptions,
): PropertyResult {
  try {
    return tryProperty(program, fn, options);
  } catch (e) {
    if (!(e instanceof CompileError)) throw e;
    return { ok: false, runs: 0, fault: asDiagnostic(e, fn.span) };
  }
}

function tryProperty(program: TProgram, fn: TFn, options: PropertyOptions): PropertyResult {
  const { runs, seed, sizes } = options;
  const all = allowedSizes(fn, { sizes });
  if (all.length === 0) return { ok: false, runs: 0, problem: noSizes(fn) };
  const compiled = compiledBySizes(program, fn);
  const holds = (point: Point) => compiled(point)(point.inputs)[0]![0] !== 0;
  const attempt = (points: fc.Arbitrary<Point>, numRuns: number) => {
    const outcome = fc.check(fc.property(points, holds), { numRuns, seed });
    return { runs: outcome.numRuns, point: counterExample(outcome) };
  };
  const points = fc.nat(all.length - 1).chain((n) => pointAt(fn, all[n]!, domain));
  const found = attempt(points, runs);
  if (found.point === undefined) return { ok: true, runs: found.runs };
  // Shrinking a size draws all values again; whether it fails at smaller ones is asked directly.
  for (const smaller of all.slice(0, smallest)) {
    if (smaller === found.point.sizes) break;
    const { point } = attempt(pointAt(fn, smaller, domain), Math.min(runs, 50));
    if (point !== undefined) return { ok: false, runs: found.runs, point };
  }
  return { ok: false, runs: found.runs, point: found.point };
}

/** How many of the smallest choices of sizes are tried for a counter-example. */
const smallest = 6;

function counterExample(outcome: fc.RunDetails<[Point]>): Point | undefined {
  if (!outcome.failed) return undefined;
  const e = outcome.errorInstance;
  // A property that returns false has no error of its own.
  if (e instanceof Error && !/Property failed by returning false/.test(e.message)) throw e;
  if (outcome.counterexample === null) throw e;
  return outcome.counterexample[0];
}
