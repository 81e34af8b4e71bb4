/**
 * Asking for a derivative changes no value: reads that a branch and something without a tangent share,
 * results beside a loss, and windows that do not reach every cell. The derivatives are those that
 * differences say.
 */
import { describe, expect, test } from 'vitest';
import { checkPoint } from '../../runtime/gradcheck/check-point.ts';
import { prepareProgram } from '../../runtime/gradcheck/point.ts';
import { elaborateSource, runSource } from '../elaborate/run-source.ts';

/** Each is a function of x: f32[3], tried at the values below, of which some are in each branch. */
const shared: Readonly<Record<string, string>> = {
  'a value that is stopped elsewhere':
    'let v = for i. exp(x[i])\n  for i. if x[i] > 0 then v[i] else 2 * stop(v[i])',
  'a value that is rounded elsewhere':
    'let v = for i. log(x[i]^2 + 1)\n  for i. if x[i] > 0 then v[i] else floor(10 * v[i])',
  'a value that is compared elsewhere':
    'let v = for i. log(x[i]^2 + 1)\n  for i. if x[i] > 0 then v[i] else if v[i] > 0.5 then 3 else 4',
  'a value that is the condition and the branch':
    'let v = for i. log(x[i]^2 + 1)\n  for i. if v[i] > 0.5 then v[i] * x[i] else 1',
  'a value that says where to read':
    'let v = for i. log(x[i]^2 + 1)\n  for i. if x[i] > 0 then v[i] else x[clamp(i32(10 * v[i]))]',
  'a value in one body with what stops it':
    'let v = for i. log(x[i]^2 + 1)\n  for i. if x[i] > 0 then v[i] * sin(v[i]) else stop(v[i]) * x[i]',
  'a value in both branches, of which one stops it':
    'let v = for i. sum j. log(x[j]^2 + 1) * x[i]\n  for i. if x[i] > 0 then v[i]^2 else x[i] * stop(v[i])',
  'a chain, whose middle is rounded as well':
    'let a = for i. log(x[i]^2 + 1)\n  let b = for i. exp(a[i]) / a[i]\n  for i. (if x[i] > 0 then b[i] else 1) + floor(3 * a[i])',
  'a value that a fold starts from':
    'let v = for i. log(x[i]^2 + 1)\n  let s = fold c = v for l: 2. for i. c[i] * x[i]\n  for i. s[i] + (if x[i] > 0 then v[i] else 0)',
};
const points = [
  [1, -2, -0.5],
  [0.3, 2.5, -1.25],
];

function checked(text: string, sizes: Record<string, number>, x: readonly number[]): void {
  const { core } = elaborateSource(text, 'f', sizes);
  const point = { sizes: new Map(), leaves: [], inputs: [Float64Array.from(x)] };
  expect(checkPoint(prepareProgram(core), point, 'all', 7)).toMatchObject({ k: 'ok' });
}

describe('values and derivatives of', () => {
  test.each(Object.entries(shared))('%s', (_, body) => {
    for (const x of points) checked(`fn f(x: f32[3]): f32[3] =\n  ${body}\n`, {}, x);
  });

  test('results beside a loss', () => {
    const text = `fn f(x: f32[3]): { loss: f32, b: f32[3], r: f32[3], most: f32 } =
  let r = for i. log(x[i]^2 + 1)
  let b = for i. cos(r[i]) * sin(x[i])
  { loss: sum i. if x[i] > 0 then b[i] else x[i], b, r, most: max i. b[i] }
`;
    for (const x of points) checked(text, {}, x);
  });
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
test.each([
  [
    'the place moves with the step',
    'fold s = 0.0 for l: 4. s + sum i: 8, k: 8. sqrt(x[i + k + l])',
    18,
  ],
  ['it moves by two', 'fold s = 0.0 for l: 3. s + sum i: 4, k: 4. sqrt(x[i + k + 2 * l])', 11],
  ['it moves back', 'fold s = 0.0 for l: 4. s + sum i: 8, k: 8. sqrt(x[i + k - l + 3])', 18],
  ['it does not move', 'fold s = 0.0 for l: 4. s + sum i: 8, k: 8. sqrt(x[i + k]) * f32(l)', 15],
  [
    'two folds around it',
    'fold s = 0.0 for l: 2. s + fold t = 0.0 for m: 3. t + sum i: 6, k: 6. sqrt(x[i + k + l + m])',
    14,
  ],
])('a window in a fold: %s', (_, body, read) => {
  const x = Array.from({ length: 20 }, (_, i) => (i < read ? 1 : 0));
  const text = `fn f(x: f32[20]): f32 = ${body}\nfn main(x: f32[20]): f32[20] = grad(f, x)\n`;
  const [got] = runSource(text, 'main', [x]);
  expect(got!.slice(read).map((v) => v + 0)).toEqual(new Array(20 - read).fill(0));
  expect(got!.slice(0, read).every((v) => v >= 0 && Number.isFinite(v))).toBe(true);
});
