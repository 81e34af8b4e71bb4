/**
 * Random plans on a plain machine of 32 bits: as they come from the compiler, and damaged, so that some
 * of their accesses really leave their buffers. Whatever is not checked must stay inside.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bounds, type Report } from '../../compiler/bounds/index.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { shiftIx } from '../../compiler/core/ix.ts';
import type { Guard } from '../../compiler/core.ts';
import type { Buf, KExpr, KIx, KNest, Plan, Step } from '../../compiler/plan.ts';
import { mapKExpr } from '../../compiler/schedule/flat.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { compare } from '../gpu/run-core.ts';
import { runPlan } from './run-plan.ts';
import { choices, wholeCorners, wholeInputs, wholeNumbers } from './whole-numbers.ts';

/** A small number for each thing that may be damaged, in order; mostly 0. */
type Damage = () => number;

/** Buffers a little shorter, offsets moved, guards lost. */
function damaged(plan: Plan, damage: Damage): Plan {
  const bufs = plan.bufs.map((b): Buf => {
    const less = b.kind === 'scratch' ? 0 : Math.max(0, damage());
    return less === 0 ? b : { ...b, words: Math.max(0, b.words - less) };
  });
  const place = (at: KIx): KIx => ({ ...at, ix: shiftIx(at.ix, damage()) });
  const guards = (g: readonly Guard[]): readonly Guard[] => (damage() > 0 ? g.slice(1) : g);
  const nest = (n: KNest): KNest => ({
    ...n,
    body: mapKExpr(
      n.body,
      (ix) => ix,
      (e): KExpr => (e.k === 'load' ? { ...e, at: place(e.at), guard: guards(e.guard) } : e),
    ),
    store: { ...n.store, at: place(n.store.at), guard: guards(n.store.guard) },
  });
  const step = (s: Step): Step =>
    s.k === 'loop' ? { ...s, steps: s.steps.map(step) } : { ...s, nests: s.nests.map(nest) };
  return { ...plan, bufs, steps: plan.steps.map(step) };
}

const add = (a: Report, b: Report): Report => ({
  shown: a.shown + b.shown,
  shownData: a.shownData + b.shownData,
  checked: a.checked + b.checked,
  checkedData: a.checkedData + b.checkedData,
});
const none: Report = { shown: 0, shownData: 0, checked: 0, checkedData: 0 };

describe('random plans', () => {
  it('stay inside their buffers and give the values of the reference', () => {
    let all = none;
    fc.assert(
      fc.property(arbitraryCore({}), fc.boolean(), ({ core, inputs }, resident) => {
        const plan = schedule(core, [], { resident });
        const { outputs, fault } = runPlan(plan, inputs);
        all = add(all, bounds(plan).report);
        expect(fault).toBe(0);
        expect(compare(core, outputs, interpret(core, inputs))).toEqual([]);
      }),
      { numRuns: 80 },
    );
    // Only places from data without a bound are checked.
    expect(all.checked).toBe(all.checkedData);
    expect(all.shown).toBeGreaterThan(700);
    expect(all.shownData + all.checkedData).toBeGreaterThan(10);
  });

  it('that are damaged leave their buffers nowhere: what does is checked', () => {
    let [faults, runs] = [0, 0];
    const numbers = fc.array(
      fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.integer({ min: -2, max: 3 })),
      { minLength: 30, maxLength: 30 },
    );
    fc.assert(
      fc.property(arbitraryCore({}), numbers, ({ core, inputs }, hits) => {
        let i = 0;
        const plan = bounds(damaged(schedule(core), () => hits[i++ % hits.length]!)).plan;
        runs++;
        if (runPlan(plan, inputs).fault > 0) faults++;
      }),
      { numRuns: 150 },
    );
    expect(faults).toBeGreaterThan(runs / 5);
  });

  it('of whole numbers are exact', () => {
    const { core, inputs } = wholeCorners();
    expect(compare(core, runPlan(schedule(core), inputs).outputs, interpret(core, inputs))).toEqual(
      [],
    );
    fc.assert(
      fc.property(choices, (c) => {
        const random = wholeNumbers(c, 3);
        const { outputs } = runPlan(schedule(random), wholeInputs);
        expect(compare(random, outputs, interpret(random, wholeInputs))).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });
});
