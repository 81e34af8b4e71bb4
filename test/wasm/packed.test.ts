/**
 * Products whose operands are read at quotients and remainders, as repeated rows, block scales and
 * convolutions are: of rows, columns and summed axes alike, at sizes around tiles, vectors, panels and
 * passes. The elements are small whole numbers, so that every sum is exact and every bit must be right,
 * in one share and in several.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../compiler/core/build.ts';
import { prim } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import {
  addIx,
  divIx,
  extentsOf,
  interval,
  ixAxis,
  ixConst,
  modIx,
  scaleIx,
} from '../../compiler/core/ix.ts';
import type { Axis, Core, Expr, Ix } from '../../compiler/core.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { at, Hand } from '../core/hand.ts';
import { coreOf } from '../schedule/chains.ts';
import { runPlan } from './run-core.ts';
import { inShares } from './shares.ts';

/** (m * axis + c) // by, or its remainder. */
type Place = {
  readonly k: 'plain' | 'div' | 'mod';
  readonly by: number;
  readonly m: number;
  readonly c: number;
};

type Operand = {
  /** Of its own axis and of the summed one, in the factors that it is made of. */
  readonly factors: readonly (readonly [own: Place, summed: Place])[];
  /** The summed axis first. */
  readonly turned: boolean;
};

type Form = {
  readonly rows: number;
  readonly cols: number;
  readonly red: readonly number[];
  readonly left: Operand;
  readonly right: Operand;
};

const place: fc.Arbitrary<Place> = fc.record({
  k: fc.constantFrom('plain', 'div', 'mod'),
  by: fc.constantFrom(2, 3, 4, 4, 8, 8, 12, 16, 32),
  m: fc.constantFrom(1, 1, 1, 2, 3),
  c: fc.constantFrom(0, 0, 0, 1, 2, 4, 5),
});
const operand: fc.Arbitrary<Operand> = fc.record({
  factors: fc.array(fc.tuple(place, place), { minLength: 1, maxLength: 2 }),
  turned: fc.boolean(),
});
const sizes = fc.constantFrom(4, 5, 6, 7, 8, 9, 11, 13, 16, 19, 22, 31, 32, 35);
const form: fc.Arbitrary<Form> = fc.record({
  rows: sizes,
  cols: sizes,
  red: fc.constantFrom([18], [30], [32], [37], [387], [391], [5, 6], [7, 9], [3, 130]),
  left: operand,
  right: operand,
});

const indexAt = (a: Axis, { k, by, m, c }: Place): Ix => {
  const e = addIx(scaleIx(ixAxis(a), m), ixConst(c));
  const extents = extentsOf([a]);
  return k === 'plain' ? ixAxis(a) : k === 'div' ? divIx(e, by, extents) : modIx(e, by, extents);
};

function productOf(f: Form): Core {
  const h = new Hand();
  const [i, j] = [h.supply.axis(f.rows, 'i'), h.supply.axis(f.cols, 'j')];
  const red = f.red.map((n, d) => h.supply.axis(n, `k${d}`));
  const extents = extentsOf([i, j], red);
  const read = (own: Axis, { factors, turned }: Operand): Expr[] =>
    factors.map(([mine, summed]) => {
      const places = [indexAt(own, mine), ...red.map((k) => indexAt(k, summed))];
      const ix = turned ? places.reverse() : places;
      const x = h.input(
        'x',
        ix.map((e) => interval(e, extents).hi + 1),
      );
      return at(x, ...ix);
    });
  const factors = [...read(i, f.left), ...read(j, f.right)];
  return h.core(
    h.reduce(
      'c',
      [i, j],
      'sum',
      red,
      factors.reduce((a, b) => prim('mul', a, b)),
    ),
  );
}

/** Whole numbers from -2 to 2: sums of a few hundred products of four are exact. */
const inputsOf = (core: Core): Float64Array[] =>
  core.inputs.map((v, n) =>
    Float64Array.from({ length: sizeOf(v.shape) }, (_, i) => ((i * 7 + n * 3 + (i >> 3)) % 5) - 2),
  );

async function agrees(core: Core): Promise<void> {
  const inputs = inputsOf(core);
  const plan = schedule(core, [], { resident: true });
  const want = interpret(core, inputs).map((x) => [...x]);
  const got = await runPlan(core, plan, inputs);
  expect(got.map((x) => Array.from(x, (v) => v + 0))).toEqual(want.map((x) => x.map((v) => v + 0)));
  for (const wide of [false, true]) {
    const whole = await inShares(plan, inputs, 1, false, { wide });
    expect(await inShares(plan, inputs, 3, true, { wide })).toEqual(whole);
    const first = new Float32Array(whole.buffer, 0, want[0]!.length);
    expect(Array.from(first, (v) => v + 0)).toEqual(want[0]!.map((v) => v + 0));
  }
}

describe('products of operands read at quotients and remainders', () => {
  it(
    'are exact at every size',
    () =>
      fc.assert(
        fc.asyncProperty(form, (f) => agrees(productOf(f))),
        { numRuns: 120 },
      ),
    60_000,
  );

  const repeated = 'fn main[M, N, K](x: f32[M, K], y: f32[N, K]): f32[4*M, N]';
  const programs: readonly [name: string, text: string, sizes: Record<string, number>][] = [
    [
      'scales of blocks of four',
      'fn main[M, K, N](x: f32[M, K], y: f32[N, K], s: f32[K]): f32[M, N] =\n' +
        '  for i, j. sum k. x[i, k] * (y[j, k] * s[k//4])',
      { M: 19, K: 30, N: 32 },
    ],
    [
      'scales that repeat',
      'fn main[M, K, N](x: f32[M, K], y: f32[N, K], s: f32[8]): f32[M, N] =\n' +
        '  for i, j. sum k. x[i, k] * (y[j, k] * s[k%8])',
      { M: 19, K: 391, N: 33 },
    ],
    [
      'repeated rows',
      `${repeated} =\n  for i, j. sum k. x[i//4, k] * y[j, k]`,
      { M: 7, N: 33, K: 31 },
    ],
    [
      'repeated rows of both',
      'fn main[M, N, K](x: f32[K, M], y: f32[K, N]): f32[4*M, 2*N] =\n' +
        '  for i, j. sum k. x[k, i//4] * y[k, j//2]',
      { M: 11, N: 17, K: 29 },
    ],
  ];
  for (const [name, text, sizes] of programs) it(name, () => agrees(coreOf(text, sizes)));
});
