/**
 * Asking for a derivative changes no value, and conditions keep dead branches out of gradients: random
 * chains of statements whose values are read where a tangent passes and where none does, in branches,
 * under `stop` and steps, in comparisons and places, by folds, and as results beside the loss.
 */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { checkPoint } from '../../runtime/gradcheck/check-point.ts';
import { prepareProgram } from '../../runtime/gradcheck/point.ts';
import { elaborateSource, runSource } from '../elaborate/run-source.ts';
import { point, program, table } from './readers.ts';

test('a gradient changes no value beside it, in any bit', () => {
  fc.assert(
    fc.property(program, point, (text, [x, y]) => {
      const inputs = [x, y, table];
      const want = runSource(text, 'main', inputs);
      for (const grad of [['x'], ['x', 'y'], ['t']]) {
        const got = runSource(text, 'main', inputs, {}, { grad });
        expect(got.slice(0, want.length)).toEqual(want);
      }
    }),
    { numRuns: 90, seed: 141 },
  );
});

test('derivatives of values with two kinds of readers', () => {
  fc.assert(
    fc.property(program, point, fc.nat(), (text, [x, y], seed) => {
      const { core } = elaborateSource(text, 'main');
      const inputs = [x, y, table].map((v) => Float64Array.from(v));
      const v = checkPoint(
        prepareProgram(core),
        { sizes: new Map(), leaves: [], inputs },
        'all',
        seed,
      );
      expect(v.k === 'wrong' ? v.message : '').toBe('');
    }),
    { numRuns: 60, seed: 142 },
  );
});

describe('a value that is read where a tangent passes and where none does', () => {
  const rows: readonly (readonly [string, string, number, readonly number[]])[] = [
    ['under stop', 'let v = exp(x)\n  if x > 0 then v else 2 * stop(v)', -1, [2 * Math.exp(-1), 0]],
    ['in a step', 'let v = log(x^2 + 1)\n  if x > 0 then v else floor(10 * v)', -2, [16, 0]],
    [
      'in a comparison',
      'let v = exp(x)\n  if x > 0 then v else if v > 0.1 then 3 * x else x',
      -1,
      [-3, 3],
    ],
    [
      'as a place',
      'let v = exp(x)\n  if x > 0 then v else 2 * [x, 7, 9][clamp(i32(v * 4))]',
      -1,
      [14, 0],
    ],
    [
      'under both',
      'let v = sqrt(x^2)\n  if x > 0 then v else x + stop(v) + floor(v + 2)',
      0,
      [2, 1],
    ],
    [
      'by a fold',
      'let v = exp(x)\n  let w = if x > 0 then v else x\n  fold s = w for _: 2. s + stop(v)',
      -1,
      [-1 + 2 * Math.exp(-1), 1],
    ],
  ];
  it.each(rows)('%s', (_, body, x, [value, slope]) => {
    const text = `fn main(x: f32): f32 =\n  ${body}\n`;
    const [[y], [g]] = runSource(text, 'main', [[x]], {}, { grad: ['x'] }) as [[number], [number]];
    expect(y).toBeCloseTo(value!, 12);
    expect(g).toBeCloseTo(slope!, 12);
  });
});
