/**
 * Soundness of the checker, against the reference interpreter with checked indexing: a program that
 * is accepted has no access out of range and no shape error, at any sizes that satisfy its facts.
 *
 * Random well-typed programs (test/gen) are accepted, so inference is complete on them, and run in
 * test/gen/random.test.ts; here are the constructs they use, and their mutants, most of them wrong:
 * those that are still accepted run as well, at several sizes. `npm run robust` does it for longer.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { featureShares, features } from '../gen/features.ts';
import { randomProgram } from '../gen/program.ts';
import { choices } from './hostile.ts';
import { mutate, runIfAccepted } from './mutants.ts';

describe('random programs', () => {
  test('use every construct of the language, none of them rarely', () => {
    const programs = fc.sample(randomProgram, { numRuns: 2000, seed: 61 });
    const rare = [...featureShares(programs)].filter(([, share]) => share < 0.05);
    expect(rare).toEqual([]);
    expect(Object.keys(features).length).toBeGreaterThanOrEqual(75);
  });

  test('mutants that are accepted run at every size their facts allow', () => {
    const c = choices(62);
    let accepted = 0;
    let refused = 0;
    for (const p of fc.sample(randomProgram, { numRuns: 100, seed: 62 })) {
      if (runIfAccepted(mutate(p.text, c), p)) accepted += 1;
      else refused += 1;
    }
    expect(accepted).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(10);
  });
});
