/**
 * A merged tensor read from its end at places that data decides: the row is a quotient of the data that
 * may be negative, in a sum that is not.
 */
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { runPlan } from '../wasm/run-core.ts';
import { coreOf } from './chains.ts';

const source = `
fn main[B, C, N](m: f32[B, C], at: idx[B*C][N]): f32 where B >= 1, C >= 1 =
  let flat = for (i: B, j: C). m[i, j]
  let mirrored = for i: B*C. flat[B*C - 1 - i]
  sum n. sin(mirrored[at[n]])
`;

describe('a quotient of data in a place', () => {
  it('may be negative, value and gradient', async () => {
    const core = coreOf(source, { B: 4, C: 6, N: 9 }, ['m']);
    const m = Float64Array.from({ length: 24 }, (_, i) => Math.fround(Math.sin(i)));
    const at = Float64Array.from([0, 23, 5, 6, 7, 17, 18, 5, 12]);
    const want = interpret(core, [m, at]);
    const got = await runPlan(core, schedule(core, [], { resident: true }), [m, at]);
    expect(want[0]![0]).not.toBe(0);
    got.forEach((y, o) => {
      [...y].forEach((v, i) => {
        expect(v).toBeCloseTo(want[o]![i]!, 5);
      });
    });
  });
});
