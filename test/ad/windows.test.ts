/**
 * A function of the cells of a window becomes a statement over the cells that are read, and over no others:
 * where nothing reads it may have no derivative, and 0 times that is NaN. Strides, offsets, paddings, steps
 * of folds that move the window, and extrema, of which one cell counts.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runSource } from '../elaborate/run-source.ts';
import { due, window, windows } from './windows.ts';

test.each(['sum', 'max'] as const)('windows that folds move: %s', (op) => {
  fc.assert(
    fc.property(window, (w) => {
      const { x, want } = due(w, op);
      const got = runSource(windows(w, op), 'main', [x], {}, { grad: ['x'] })[1]!;
      for (const [i, v] of want.entries()) expect(got[i], `cell ${i}`).toBeCloseTo(v, 9);
    }),
    { numRuns: 120, seed: 143 },
  );
});

test('of an extremum one cell counts, and the others may have no derivative', () => {
  const text = `fn main(x: f32[9]): f32 = max i: 6, k: 4. sqrt(x[i + k])
`;
  const x = [0, 0, 4, 0, 0, 1, 0, 0, 0];
  const [y, g] = runSource(text, 'main', [x], {}, { grad: ['x'] });
  expect(y).toEqual([2]);
  expect(g!.map((v) => v + 0)).toEqual(x.map((v) => (v === 4 ? 0.25 : 0)));
});
