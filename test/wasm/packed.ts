/**
 * Products and loops whose operands are read at quotients and remainders, as repeated rows, block scales and
 * convolutions are: of rows, columns and summed axes alike, at sizes around tiles, vectors, panels and
 * passes. The elements are small whole numbers, so that every sum is exact and every bit must be right,
 * in one share and in several.
 */
import fc from 'fast-check';
import { sizeOf } from '../../compiler/core/build.ts';
import { castE, indexE, prim } from '../../compiler/core/expr.ts';
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
  /** How often its own axis is added to what the summed one is read at. */
  readonly mixed: number;
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
  mixed: fc.constantFrom(0, 0, 0, 1, 3, 4, 8),
  turned: fc.boolean(),
});
const sizes = fc.constantFrom(4, 5, 6, 7, 8, 9, 11, 13, 16, 19, 22, 31, 32, 35);
export const form: fc.Arbitrary<Form> = fc.record({
  rows: sizes,
  cols: sizes,
  red: fc.constantFrom([18], [30], [32], [37], [387], [391], [770], [5, 6], [7, 9], [3, 130]),
  left: operand,
  right: operand,
});

/** Of some axes, each so many times, as one number. */
function indexAt(of: readonly (readonly [Axis, number])[], { k, by, m, c }: Place): Ix {
  const extents = extentsOf(of.map(([a]) => a));
  const sum = addIx(...of.map(([a, n]) => scaleIx(ixAxis(a), n)));
  if (k === 'plain') return sum;
  const e = addIx(scaleIx(sum, m), ixConst(c));
  return k === 'div' ? divIx(e, by, extents) : modIx(e, by, extents);
}

export function productOf(f: Form): Core {
  const h = new Hand();
  const [i, j] = [h.supply.axis(f.rows, 'i'), h.supply.axis(f.cols, 'j')];
  const red = f.red.map((n, d) => h.supply.axis(n, `k${d}`));
  const extents = extentsOf([i, j], red);
  const read = (own: Axis, { factors, mixed, turned }: Operand): Expr[] =>
    factors.map(([mine, summed]) => {
      // Each summed axis by itself, or all of them as one number.
      const strides = red.map((k, d) => [k, sizeOf(f.red.slice(d + 1))] as const);
      const whole = mixed > 0 ? [indexAt([[own, mixed], ...strides], summed)] : undefined;
      const places = [
        indexAt([[own, 1]], mine),
        ...(whole ?? red.map((k) => indexAt([[k, 1]], summed))),
      ];
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

/** What is not exactly as it should be, in words; empty when all is. */
export async function inexact(core: Core): Promise<string[]> {
  const inputs = inputsOf(core);
  const plan = schedule(core, [], { resident: true });
  const want = interpret(core, inputs)[0]!;
  const out: string[] = [];
  const compare = (got: ArrayLike<number>, how: string): void => {
    const wrong = want.findIndex((w, i) => w !== got[i]);
    if (wrong >= 0) out.push(`${how}: element ${wrong} is ${got[wrong]}, not ${want[wrong]}`);
  };
  compare((await runPlan(core, plan, inputs))[0]!, 'as it runs');
  for (const wide of [false, true]) {
    const whole = await inShares(plan, inputs, 1, false, { wide });
    compare(new Float32Array(whole.buffer, 0, want.length), wide ? 'wide' : 'narrow');
    const shared = await inShares(plan, inputs, 3, true, { wide });
    compare(new Float32Array(shared.buffer, 0, want.length), 'in three shares');
  }
  return out;
}

type Loops = {
  readonly rows: number;
  readonly cols: number;
  /** Of the two axes, for each read. */
  readonly reads: readonly (readonly [Place, Place])[];
  readonly reduced: 'none' | 'rows' | 'cols';
  readonly mixed: number;
  readonly turned: boolean;
};

export const loops: fc.Arbitrary<Loops> = fc.record({
  rows: fc.constantFrom(1, 3, 5, 9, 33),
  cols: fc.constantFrom(3, 4, 5, 7, 16, 23, 31, 64, 67, 130),
  reads: fc.array(fc.tuple(place, place), { minLength: 1, maxLength: 3 }),
  reduced: fc.constantFrom('none', 'rows', 'cols'),
  mixed: fc.constantFrom(0, 0, 1, 3, 4, 8),
  turned: fc.boolean(),
});

/** A map, or a sum over one of its axes; the result and the places of reads in either order of axes. */
export function loopsOf(f: Loops): Core {
  const h = new Hand();
  const [i, j] = [h.supply.axis(f.rows, 'i'), h.supply.axis(f.cols, 'j')];
  const extents = extentsOf([i, j]);
  const body = f.reads
    .map(([p, q], n): Expr => {
      const places = [
        indexAt([[i, 1]], p),
        indexAt(
          f.mixed
            ? [
                [j, 1],
                [i, f.mixed],
              ]
            : [[j, 1]],
          q,
        ),
      ];
      const ix = n % 2 ? places.reverse() : places;
      const shape = ix.map((e) => interval(e, extents).hi + 1);
      // Indices are values too.
      return prim('add', at(h.input('x', shape), ...ix), castE('f32', indexE(places[0]!)));
    })
    .reduce((a, b) => prim('add', a, b));
  const axes = f.turned ? [j, i] : [i, j];
  if (f.reduced === 'none') return h.core(h.map('v', axes, body));
  const [kept, red] = f.reduced === 'rows' ? [j, i] : [i, j];
  return h.core(h.reduce('v', [kept], 'sum', [red], body));
}
