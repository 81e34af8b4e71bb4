/**
 * Contractions joined with what stands around them: the same values as without, the same bits in any
 * number of shares, and the number of kernels that the chains of a transformer should become.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import type { Core } from '../../compiler/core.ts';
import { hasContraction } from '../../compiler/schedule/resident.ts';
import { eachKernel, schedule } from '../../compiler/schedule/schedule.ts';
import { compare, runPlan } from '../wasm/run-core.ts';
import { inShares } from '../wasm/shares.ts';
import { attention, chains, coreOf, energy, errors, inputsOf, sizesOf, text } from './chains.ts';

/** As near to the f64 values as the plan without groups, which rounds in another order. */
async function agrees(core: Core): Promise<void> {
  const inputs = inputsOf(core);
  const want = interpret(core, inputs);
  const plain = errors(await runPlan(core, schedule(core), inputs), want);
  const got = errors(await runPlan(core, schedule(core, [], { resident: true }), inputs), want);
  got.forEach((e, o) => {
    expect(e, core.outputs[o]!.name).toBeLessThanOrEqual(4 * plain[o]! + 2e-6);
  });
}

describe('resident groups', () => {
  let grouped = 0;
  let all = 0;

  it('mean what the program means', () =>
    fc.assert(
      fc.asyncProperty(chains, async (c) => {
        const core = coreOf(text(c), sizesOf(c));
        const plan = schedule(core, [], { resident: true });
        eachKernel(plan.steps, (k) => {
          if (hasContraction(k)) grouped++;
        });
        all++;
        await agrees(core);
      }),
      { numRuns: 100 },
    ));

  it('are formed in most of these programs', () => {
    expect(grouped / all).toBeGreaterThan(0.5);
  });

  it('give the same bits in any number of shares', () =>
    fc.assert(
      fc.asyncProperty(chains, fc.constantFrom(2, 3, 5), async (c, threads) => {
        const core = coreOf(text(c), sizesOf(c));
        const plan = schedule(core, [], { resident: true });
        const inputs = inputsOf(core);
        const whole = await inShares(plan, inputs, 1, false);
        expect(await inShares(plan, inputs, threads, false)).toEqual(whole);
        expect(await inShares(plan, inputs, threads, true)).toEqual(whole);
      }),
      { numRuns: 40 },
    ));

  it('hold with derivatives too', () =>
    fc.assert(
      fc.asyncProperty(chains, async (c) => {
        const core = coreOf(energy(c), sizesOf(c), ['x', 'w', 'b']);
        await agrees(core);
      }),
      { numRuns: 50 },
    ));
});

describe('attention', () => {
  let core: Core;
  beforeAll(() => {
    core = coreOf(attention, { N: 2, A: 3, T: 40, E: 16 });
  });

  it('is one kernel: scores, softmax and weighted sum', async () => {
    const plan = schedule(core, [], { resident: true });
    expect(plan.steps.length).toBe(1);
    expect(plan.arenaWords).toBe(0);
    const inputs = inputsOf(core);
    const want = interpret(core, inputs);
    expect(compare(core, await runPlan(core, plan, inputs), want, 1e-5)).toEqual([]);
    const whole = await inShares(plan, inputs, 1, false);
    for (const threads of [2, 3, 4])
      expect(await inShares(plan, inputs, threads, true)).toEqual(whole);
  });
});
