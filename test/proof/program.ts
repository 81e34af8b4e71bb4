/**
 * Random programs of the proof lane: up to three functions, and one that is run, each read off a list of
 * small numbers. Program n of a seed is the same however many are drawn.
 *
 * Invariant: at most one place deviates from what is right.
 */
import fc from 'fast-check';
import { drawFn } from './functions.ts';
import { picksOf } from './picks.ts';
import { printProgram } from './print.ts';
import { settled } from './settle.ts';
import type { Fn, Program } from './tree.ts';
import { visit } from './walk.ts';

export type Random = {
  readonly program: Program;
  readonly text: string;
  /** Rows of the tables that were used, of functions that the last one reaches. */
  readonly used: ReadonlySet<string>;
  /** For the inputs and sizes. */
  readonly seed: number;
};

type Spec = {
  readonly seed: number;
  /** The place that deviates, of those that could: none where it is 0. */
  readonly deviation: number;
  readonly fns: readonly (readonly number[])[];
};

const spec: fc.Arbitrary<Spec> = fc.record({
  seed: fc.nat(1_000_000),
  deviation: fc.nat(45),
  fns: fc.array(fc.array(fc.nat(65_535), { minLength: 40, maxLength: 160 }), {
    ...{ minLength: 1, maxLength: 4, size: 'max' },
  }),
});

/** So many of 46 are right everywhere, as far as their rows know; of the others most. */
const rightAnyway = 10;
const places = 18;

export const randomProgram: fc.Arbitrary<Random> = spec.map(programOf);

function programOf({ seed, deviation, fns: lists }: Spec): Random {
  let place = 0;
  const wrong = deviation < rightAnyway ? 0 : 1 + ((deviation - rightAnyway) % places);
  const deviates = (): boolean => ++place === wrong;
  const fns: Fn[] = [];
  const used = new Map<string, ReadonlySet<string>>();
  lists.forEach((numbers, i) => {
    const root = i === lists.length - 1;
    const name = root ? 'main' : ['f', 'g', 'h'][i]!;
    const helpers = [...fns];
    const drawn = drawFn(picksOf(numbers), name, { root, helpers, deviates });
    fns.push(drawn.fn);
    used.set(name, drawn.used);
  });
  const program = settled({ fns: reached(fns) });
  const rows = new Set(program.fns.flatMap((f) => [...used.get(f.name)!]));
  return { program, text: printProgram(program), used: rows, seed };
}

/** What is not called is not judged, so it is left out. */
function reached(fns: readonly Fn[]): readonly Fn[] {
  const seen = new Set<string>();
  const follow = (f: Fn): void => {
    if (seen.has(f.name)) return;
    seen.add(f.name);
    const inits = f.params.flatMap((p) => p.init ?? []);
    for (const e of [f.body, ...inits]) {
      visit(e, (x) => {
        if (x.k === 'call') follow(fns.find((g) => g.name === x.fn)!);
      });
    }
  };
  follow(fns.at(-1)!);
  return fns.filter((f) => seen.has(f.name));
}

/** The seed of program `n`: fast-check mixes it well. */
const seedOf = (seed: number, n: number): number => (seed * 1_000_003 + n * 7919) | 0;

export const parameters = (seed: number, n: number) => ({
  ...{ seed: seedOf(seed, n), numRuns: 1, unbiased: true },
});

export const programAt = (seed: number, n: number): Random =>
  fc.sample(randomProgram, parameters(seed, n))[0]!;
