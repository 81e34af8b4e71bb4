/**
 * The adjoint of a padded read at places that data decides: a sum into cells under a guard on the
 * data. Where the guard fails nothing is added anywhere, on every target.
 */
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { runPlan } from '../wasm/run-core.ts';
import { coreOf } from './chains.ts';

const source = `
fn main[A, B, C](w: f32[A, C], labels: idx[A][B]): f32 where A >= 1 =
  let before = for i: A, j: C. (w[i - 1, j] ?? 0)
  let picked = for i: B, j: C. before[labels[i], j]
  sum i, j. sin(picked[i, j])
`;

describe('a padded value read at places that data decides', () => {
  it('has the gradient of the reference', async () => {
    const core = coreOf(source, { A: 5, B: 7, C: 3 }, ['w']);
    const w = Float64Array.from({ length: 15 }, (_, i) => Math.fround(Math.sin(i)));
    const labels = Float64Array.from([0, 1, 4, 1, 0, 2, 4]);
    const want = interpret(core, [w, labels]);
    const got = await runPlan(core, schedule(core, [], { resident: true }), [w, labels]);
    // Row 0 is read twice, row 4 never.
    expect([...want[1]!].slice(12)).toEqual([0, 0, 0]);
    got.forEach((y, o) => {
      [...y].forEach((v, i) => {
        expect(v).toBeCloseTo(want[o]![i]!, 5);
      });
    });
  });
});
