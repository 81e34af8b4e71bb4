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
const shared: Readonly<Record<string, readonly [value: string, use: string]>> = {
  'a value that is stopped elsewhere': ['exp(x[i])', 'if x[i] > 0 then w else 2 * stop(w)'],
  'a value that is rounded elsewhere': ['log(x[i]^2 + 1)', 'if x[i] > 0 then w else floor(10 * w)'],
  'a value that is compared elsewhere': [
    'log(x[i]^2 + 1)',
    'if x[i] > 0 then w else if w > 0.5 then 3 else 4',
  ],
  'a value that is the condition and the branch': [
    'log(x[i]^2 + 1)',
    'if w > 0.5 then w * x[i] else 1',
  ],
  'a value that says where to read': [
    'log(x[i]^2 + 1)',
    'if x[i] > 0 then w else x[clamp(i32(10 * w))]',
  ],
  'a value in one branch with what stops it': [
    'log(x[i]^2 + 1)',
    'if x[i] > 0 then w * sin(w) else stop(w) * x[i]',
  ],
  'a sum in both branches, of which one stops it': [
    'sum j. log(x[j]^2 + 1) * x[i]',
    'if x[i] > 0 then w^2 else x[i] * stop(w)',
  ],
  'a value under two conditions, in one of them rounded': [
    'log(x[i]^2 + 1)',
    'if x[i] > 0 then (if x[i] > 0.5 then w else 0) else if x[i] < -1 then floor(9 * w) else 2',
  ],
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
  test.each(Object.entries(shared))('%s', (_, [value, use]) => {
    const text = `fn f(x: f32[3]): f32[3] =
  let v = for i. ${value}
  for i.
    let w = v[i]
    ${use}
`;
    for (const x of points) checked(text, {}, x);
  });

  test('a chain, whose middle is rounded as well', () => {
    const text = `fn f(x: f32[3]): f32[3] =
  let a = for i. log(x[i]^2 + 1)
  let b = for i. exp(a[i]) / a[i]
  for i. (if x[i] > 0 then b[i] else 1) + floor(3 * a[i])
`;
    for (const x of points) checked(text, {}, x);
  });

  test('results beside a loss', () => {
    const text = `fn f(x: f32[3]): { loss: f32, b: f32[3] } =
  let r = for i. log(x[i]^2 + 1)
  let b = for i. cos(r[i]) * sin(x[i])
  { loss: sum i. if x[i] > 0 then b[i] else x[i], b }
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
