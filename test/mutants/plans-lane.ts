/** Plans of programs of every kind, held against their core after every rewrite of the schedule. */
import fc from 'fast-check';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { PlanFault } from '../../compiler/schedule/verify/index.ts';
import { ProgramFault } from '../gen/run.ts';
import { subjects } from '../schedule/subjects.ts';

const runs: Readonly<Record<keyof typeof subjects, number>> = {
  'core programs': 600,
  rows: 60,
  'carries made of parts': 120,
  'matrices made of parts': 240,
  'sums over some axes': 3,
  'sums where data says': 20,
  products: 30,
  'gradients of products': 12,
  attention: 2,
};

export function plans(): void {
  for (const name of Object.keys(subjects) as (keyof typeof subjects)[]) {
    for (const s of fc.sample(subjects[name], { numRuns: runs[name], seed: 17 })) {
      try {
        schedule(s.core, s.donate, { ...s.options, verify: { most: 100_000 } });
      } catch (e) {
        // What else is thrown is a crash, and kills nothing.
        if (e instanceof PlanFault) throw new ProgramFault(`${name}: ${e.message}`);
        throw e;
      }
    }
  }
}
