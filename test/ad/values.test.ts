/**
 * Asking for a derivative changes no value: reads that a branch and something without a tangent share,
 * results beside a loss, and windows that do not reach every cell. The derivatives are those that
 * differences say.
 */
import { expect, test } from 'vitest';
import { runSource } from '../elaborate/run-source.ts';
import { sharing, verdicts, windowGradient, windows } from './values.ts';

test.each(sharing)('values and derivatives of %s', (_, text) => {
  expect(verdicts(text)).toMatchObject([{ k: 'ok' }, { k: 'ok' }]);
});

test('a value keeps its infinite partials out of branches where something else reads it', () => {
  const text = `fn f(x: f32[3]): f32[3] =
  let v = for i. log(x[i])
  let w = for i. sin(v[i])
  for i. if x[i] > 0 then w[i] + v[i] else floor(v[i]) + stop(w[i])
fn main(x: f32[3]): f32[3] = vjp(f, x, for i: 3. 1.0).gradient
`;
  const [got] = runSource(text, 'main', [[0, 2, 1]]);
  expect(got![0]! + 0).toBe(0);
  expect(got![1]).toBeCloseTo((Math.cos(Math.log(2)) + 1) / 2, 12);
  expect(got![2]).toBeCloseTo(2, 12);
});

/** Cells that no step reads have no part in a derivative, whatever the slope at them is. */
test.each(windows)('a window in a fold: %s', (_, body, read) => {
  const got = windowGradient(body, read);
  expect(got.slice(read)).toEqual(new Array(20 - read).fill(0));
  expect(got.slice(0, read).every((v) => v >= 0 && Number.isFinite(v))).toBe(true);
});
