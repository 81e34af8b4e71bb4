/** Random programs in surface syntax: sound, the same after every pass, and rightly differentiated. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { checkProgram } from './check-program.ts';
import { constructs } from './constructs.ts';
import { coverageOf } from './coverage.ts';
import { randomProgram } from './program.ts';
import { elaborated, inputsOf } from './run.ts';

const sample = (numRuns: number, seed: number) => fc.sample(randomProgram, { numRuns, seed });
const options = (numRuns: number, seed: number) => ({ numRuns, seed, endOnFailure: false });

describe('random programs', () => {
  it('use every construct often', () => {
    const programs = sample(400, 11);
    const { share, medianLive } = coverageOf(programs);
    for (const name of Object.keys(constructs)) {
      expect(share.get(name) ?? 0, name).toBeGreaterThanOrEqual(0.05);
    }
    expect(medianLive).toBeGreaterThanOrEqual(6);
  });

  it('read nothing out of range', () => {
    fc.assert(
      fc.property(randomProgram, (p) => {
        const e = elaborated(p);
        const out = interpret(e.core, inputsOf(e, p.seed));
        return out.every((y) => y.every(Number.isFinite));
      }),
      options(300, 21),
    );
  });

  it('mean the same after every pass, and have right derivatives', () => {
    let varied = 0;
    let runs = 0;
    fc.assert(
      fc.property(randomProgram, (p) => {
        const { varies } = checkProgram(p, { derivatives: true });
        runs++;
        if (varies) varied++;
      }),
      options(300, 31),
    );
    expect(varied / runs).toBeGreaterThanOrEqual(0.8);
  });

  it('have right second derivatives', () => {
    fc.assert(
      fc.property(randomProgram, (p) => {
        checkProgram(p, { derivatives: true, second: true });
      }),
      options(50, 41),
    );
  });
});
