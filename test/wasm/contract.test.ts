/**
 * Contractions of any orientation: operands and result with their axes in any order, several row,
 * column and summed axes, batches, expressions around the reads, sizes around the edges of tiles,
 * panels and chunks. Each must be recognised, and agree with the reference.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../compiler/core/build.ts';
import { f32, prim } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import type { Axis, Core, Expr } from '../../compiler/core.ts';
import type { Step } from '../../compiler/plan.ts';
import { asContraction } from '../../compiler/schedule/contract.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { at, Hand } from '../core/hand.ts';
import { runWasm } from './run-core.ts';

type Form = {
  readonly batch: readonly number[];
  readonly rows: readonly number[];
  readonly cols: readonly number[];
  readonly red: readonly number[];
  /** Sort keys for the axes of the left operand, the right one and the result. */
  readonly order: readonly number[];
  readonly prologue: number;
};

const sizes = fc.constantFrom(4, 5, 6, 7, 8, 9, 12, 13, 17, 24, 25);
const form: fc.Arbitrary<Form> = fc.record({
  batch: fc.array(fc.constantFrom(2, 3), { maxLength: 1 }),
  rows: sizes.chain((n) => fc.constantFrom([n], [2, n], [n, 3])),
  cols: sizes.chain((n) => fc.constantFrom([n], [n, 2])),
  red: fc.constantFrom([16], [37], [400], [5, 8], [3, 150], [769]),
  order: fc.array(fc.nat(1000), { minLength: 24, maxLength: 24 }),
  prologue: fc.nat(3),
});

function contraction(f: Form): Core {
  const h = new Hand();
  const axes = (l: readonly number[], name: string): Axis[] =>
    l.map((extent, i) => h.supply.axis(extent, `${name}${i}`));
  const batch = axes(f.batch, 'b');
  const rows = axes(f.rows, 'm');
  const cols = axes(f.cols, 'n');
  const red = axes(f.red, 'k');
  let at0 = 0;
  const sorted = (l: Axis[]): Axis[] =>
    l
      .map((a) => ({ a, key: f.order[at0++ % f.order.length]! }))
      .sort((x, y) => x.key - y.key)
      .map((x) => x.a);
  const left = sorted([...batch, ...rows, ...red]);
  const right = sorted([...batch, ...cols, ...red]);
  const out = sorted([...batch, ...rows, ...cols]);
  const a = h.input(
    'a',
    left.map((x) => x.extent),
  );
  const b = h.input(
    'b',
    right.map((x) => x.extent),
  );
  const x: Expr = at(a, ...left);
  const y: Expr = at(b, ...right);
  const factors: Expr[] = [
    f.prologue & 1 ? prim('add', x, f32(0.5)) : x,
    f.prologue & 2 ? prim('exp', y) : y,
  ];
  const body = prim('mul', factors[0]!, factors[1]!);
  return h.core(h.reduce('c', out, 'sum', red, body));
}

const kernels = (steps: readonly Step[]): Step[] =>
  steps.flatMap((s) => (s.k === 'loop' ? kernels(s.steps) : [s]));

const inputsOf = (core: Core): Float64Array[] =>
  core.inputs.map((v, j) =>
    Float64Array.from({ length: sizeOf(v.shape) }, (_, i) =>
      Math.fround(((i * 7919 + j * 31) % 201) / 201 - 0.5),
    ),
  );

describe('contractions', () => {
  it('are recognised and agree with the reference in every orientation', () =>
    fc.assert(
      fc.asyncProperty(form, async (f) => {
        const core = contraction(f);
        const work = sizeOf([...f.rows, ...f.cols, ...f.red]);
        const plan = schedule(core, [], { resident: true });
        const k = kernels(plan.steps)[0]!;
        if (work >= 8192) expect(k.k === 'kernel' && asContraction(k)).toBeTruthy();
        const inputs = inputsOf(core);
        const got = (await runWasm(core, inputs))[0]!;
        const want = interpret(core, inputs)[0]!;
        let worst = 0;
        for (let i = 0; i < want.length; i++) worst = Math.max(worst, Math.abs(want[i]! - got[i]!));
        expect(worst).toBeLessThan(sizeOf(f.red) * 4e-6);
      }),
      { numRuns: 150 },
    ));

  it('a sum whose operand has no axis of its own is a reduction', () => {
    const h = new Hand();
    const [i, k] = [h.supply.axis(64, 'i'), h.supply.axis(256, 'k')];
    const x = h.input('x', [64, 256]);
    const w = h.input('w', [256]);
    const v = h.reduce('y', [i], 'sum', [k], prim('mul', at(x, i, k), at(w, k)));
    const s = schedule(h.core(v)).steps[0]!;
    expect(s.k === 'kernel' && asContraction(s)).toBe(undefined);
  });
});
