/**
 * Ranges of expressions, against their values at every point: of all nodes of random expressions, and of
 * the branches of selects where their conditions hold.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BufferRanges, boxOver } from '../../compiler/bounds/buffers.ts';
import { type Context, Values } from '../../compiler/bounds/values.ts';
import { evalIx } from '../../compiler/core/ix.ts';
import { scalarRule } from '../../compiler/core/scalar.ts';
import type { KExpr, Plan } from '../../compiler/plan.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { choices, smallNumbers, wholeCorners, wholeInputs, wholeNumbers } from './whole-numbers.ts';

/** Every nest of a plan at every point; gives how many values were looked at in branches. */
function compareAll(plan: Plan, inputs: readonly Float64Array[]): number {
  const ranges = new BufferRanges(plan).of;
  let inside = 0;
  for (const s of plan.steps) {
    if (s.k !== 'kernel') throw new Error('no loops here');
    for (const n of s.nests) {
      const axes = [...s.grid, ...n.axes, ...n.red];
      const values = new Values(boxOver(axes), ranges);
      const count = axes.reduce((p, a) => p * a.extent, 1);
      for (let p = 0; p < count; p++) {
        let rest = p;
        const at = new Map<number, number>();
        for (const a of axes) {
          at.set(a.id, rest % a.extent);
          rest = Math.floor(rest / a.extent);
        }
        const known = new Map<KExpr, number>();
        const value = (e: KExpr): number => {
          const v = known.get(e) ?? evaluate(e);
          known.set(e, v);
          return v;
        };
        const index = (e: Parameters<typeof evalIx>[0]): number => evalIx(e, (id) => at.get(id)!);
        const evaluate = (e: KExpr): number => {
          switch (e.k) {
            case 'const':
              return e.v;
            case 'index':
              return e.t === 'i32' ? index(e.ix) | 0 : index(e.ix);
            case 'load':
              return inputs[plan.inputs.indexOf(e.buf)]![index(e.at.ix)]!;
            case 'prim':
              return scalarRule[e.op](e.args.map(value), e.t, e.args[0]!.t);
            case 'checked':
              throw new Error('nothing is checked here');
          }
        };
        const visit = (e: KExpr, cx: Context): void => {
          const r = values.of(e, cx);
          const v = value(e);
          if (v < r.lo || v > r.hi) throw new Error(`${v} is not in ${r.lo} to ${r.hi}`);
          if (e.k !== 'prim') return;
          if (e.op !== 'select') {
            for (const a of e.args) visit(a, cx);
            return;
          }
          const [c, a, b] = e.args as [KExpr, KExpr, KExpr];
          const holds = value(c) !== 0;
          inside++;
          visit(c, cx);
          visit(holds ? a : b, values.branch(c, holds, cx));
        };
        if (n.op === null) visit(n.body, values.root);
      }
    }
  }
  return inside;
}

it('ranges hold the values of every node, in every branch', () => {
  let inside = 0;
  fc.assert(
    fc.property(choices, (c) => {
      inside += compareAll(schedule(wholeNumbers(c, 2)), wholeInputs);
    }),
    { numRuns: 12 },
  );
  expect(inside).toBeGreaterThan(200);
  const { core, inputs } = wholeCorners();
  compareAll(schedule(core), inputs);
});

it('also of small numbers, where ends are met', () => {
  let inside = 0;
  fc.assert(
    fc.property(choices, (c) => {
      const { core, inputs } = smallNumbers(c, 3);
      inside += compareAll(schedule(core), inputs);
    }),
    { numRuns: 100 },
  );
  expect(inside).toBeGreaterThan(1000);
});
