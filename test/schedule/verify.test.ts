/**
 * The verifier for plans: programs of every kind have plans without a breach, after every rewrite.
 * That it finds breaches, the seeded faults of test/mutants/plans.ts show.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { Verifier } from '../../compiler/schedule/verify/index.ts';
import { subjects } from './subjects.ts';

const verify = { most: 2_000_000 };
const runs: Readonly<Record<keyof typeof subjects, number>> = {
  'core programs': 200,
  rows: 20,
  'carries made of parts': 60,
  'matrices made of parts': 60,
  'sums over some axes': 3,
  'sums where data says': 10,
  products: 8,
  'gradients of products': 4,
  attention: 2,
};

describe.each(Object.keys(subjects) as (keyof typeof subjects)[])('plans of %s', (name) => {
  it('are without a breach after every rewrite, and were run', () => {
    let held = 0;
    fc.assert(
      fc.property(subjects[name], ({ core, donate, options }) => {
        const plan = schedule(core, donate, { ...options, verify });
        if (new Verifier(core, donate, verify).plan(plan).k === 'holds') held++;
      }),
      { numRuns: runs[name] },
    );
    expect(held).toBeGreaterThan(0.8 * runs[name]);
  });
});
