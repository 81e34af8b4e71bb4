/**
 * Programs that take the scheduler through all it does, small enough to be run many times: random core
 * programs (with donated inputs), rows, products in groups with their gradients, attention, carries made
 * of parts.
 */
import fc from 'fast-check';
import type { Core } from '../../compiler/core.ts';
import type { Donate, ScheduleOptions } from '../../compiler/schedule/schedule.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { carriedParts, joinedParts } from './carried-parts.ts';
import { attention, type Chain, chains, coreOf, energy, sizesOf, text } from './chains.ts';
import { arbitraryRows } from './rows.ts';
import { scattered, someAxes } from './some-axes.ts';

export type Subject = {
  readonly core: Core;
  readonly donate: Donate;
  readonly options: ScheduleOptions;
};

/** Each output takes the first input of its kind that is left, among those that are picked. */
function donations(core: Core, pick: number): Donate {
  const free = new Set(core.inputs.keys());
  return core.outputs.flatMap((o, i) => {
    if (((pick >> i) & 1) === 0) return [];
    const same = [...free].find((j) => {
      const x = core.inputs[j]!;
      return x.t === o.t && x.shape.join() === o.shape.join();
    });
    if (same === undefined) return [];
    free.delete(same);
    return [[i, same] as const];
  });
}

const planned = (core: fc.Arbitrary<Core>, numbers = fc.nat(255)): fc.Arbitrary<Subject> =>
  fc
    .tuple(
      core,
      numbers,
      fc.constantFrom(true, true, false),
      fc.constantFrom(true, true, true, false),
    )
    .map(([c, pick, resident, fuse]) => ({
      core: c,
      donate: donations(c, pick),
      options: { resident, fuse },
    }));

const small = (c: Chain): Chain => ({ ...c, t: Math.min(c.t, 24), d: Math.min(c.d, 17) });

/** By one input the cotangent is summed over some axes, by another over all of them. */
const sums = fc.integer({ min: 1, max: 3 }).map((M) => coreOf(someAxes, { M }, ['y', 'x']));

const places = fc
  .record({ N: fc.integer({ min: 1, max: 5 }), M: fc.integer({ min: 1, max: 4 }) })
  .map((sizes) => coreOf(scattered, { ...sizes, K: 3 }, ['x', 'v']));

export const subjects = {
  'core programs': planned(arbitraryCore().map((c) => c.core)),
  rows: planned(arbitraryRows),
  'carries made of parts': planned(carriedParts),
  'matrices made of parts': planned(joinedParts),
  'sums over some axes': planned(sums),
  'sums where data says': planned(places),
  products: planned(chains.map(small).map((c) => coreOf(text(c), sizesOf(c)))),
  'gradients of products': planned(
    chains.map(small).map((c) => coreOf(energy(c), sizesOf(c), ['x', 'w', 'b'])),
  ),
  attention: planned(fc.constant(coreOf(attention, { N: 2, A: 2, T: 16, E: 8 }))),
} satisfies Readonly<Record<string, fc.Arbitrary<Subject>>>;
