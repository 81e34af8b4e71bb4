/**
 * Whether a program keeps the promise of the language, found by the exact interpreter: each of its
 * functions that data can be given to, by itself, at every size of 0 to 6 that its facts allow.
 */
import { trials } from './draws.ts';
import { type Budget, evaluate, type Result } from './exact.ts';
import type { Sizes } from './exact-sizes.ts';
import { inputsOf, NoValue, TooMany } from './inputs.ts';
import { Outside, TooLong, Unclear } from './outside.ts';
import type { Fn, Program, Type } from './tree.ts';
import { largeSizes, smallSizes } from './tuples.ts';
import type { Value } from './value.ts';
import { visit } from './walk.ts';

export type Run = {
  readonly sizes: Sizes;
  readonly inputs: readonly (Value | undefined)[];
  /** One for each way to draw whole numbers. */
  readonly results: readonly Result[];
};
export type Ran =
  | { readonly k: 'fine'; readonly run: Run }
  | { readonly k: 'outside'; readonly fn: string; readonly sizes: Sizes; readonly why: Outside }
  /** Nothing can be said at these sizes: too much work, or no inputs. */
  | { readonly k: 'skipped' };

/** One function at one set of sizes. */
export function runAt(program: Program, fn: Fn, sizes: Sizes, seed: number, budget?: Budget): Ran {
  try {
    const inputs = inputsOf(fn, sizes, seed);
    const ways = draws(program) ? trials : trials.slice(0, 1);
    const results = ways.map((below) => evaluate(program, fn, sizes, inputs, { below, budget }));
    return { k: 'fine', run: { sizes, inputs, results } };
  } catch (e) {
    if (e instanceof Outside) return { k: 'outside', fn: fn.name, sizes, why: e };
    if ([TooLong, TooMany, NoValue, Unclear].some((c) => e instanceof c)) return { k: 'skipped' };
    throw e;
  }
}

function draws(p: Program): boolean {
  let found = false;
  for (const f of p.fns) {
    visit(f.body, (e) => {
      if (e.k === 'draw' && e.what === 'randint') found = true;
    });
  }
  return found;
}

const holdsFunction = (t: Type): boolean =>
  t.k === 'fn' || t.k === 'var' || (t.k === 'tensor' && holdsFunction(t.of));

/** What can be called with data alone. */
export const takesData = (fn: Fn): boolean => !fn.params.some((p) => holdsFunction(p.type));

export type Truth =
  | { readonly k: 'fine'; readonly runs: number }
  | { readonly k: 'outside'; readonly at: Extract<Ran, { k: 'outside' }> }
  /** No sizes satisfy the facts, or none could be tried. */
  | { readonly k: 'vacuous' };

/** Steps of the interpreter for one program. */
const affordable = 40_000;

/** Every function at so many sizes at most; ends at the first place that is outside. */
export function truthOf(program: Program, seed: number, most: number): Truth {
  let runs = 0;
  const budget = { left: affordable };
  for (const fn of [...program.fns].reverse().filter(takesData)) {
    for (const sizes of smallSizes(fn, seed, most)) {
      if (budget.left <= 0) break;
      const ran = runAt(program, fn, sizes, seed + runs, budget);
      if (ran.k === 'outside') return { k: 'outside', at: ran };
      if (ran.k === 'fine') runs++;
    }
    for (const sizes of largeSizes(fn, seed, 4)) {
      const ran = runAt(program, fn, sizes, seed, budget);
      if (ran.k === 'outside') return { k: 'outside', at: ran };
    }
  }
  return runs === 0 ? { k: 'vacuous' } : { k: 'fine', runs };
}
