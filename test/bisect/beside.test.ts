/** Values beside derivatives against those without: a change is found, the order of a sum is none. */
import { expect, test } from 'vitest';
import { changedValues } from '../../runtime/bisect/beside.ts';
import { elaborateSource } from '../elaborate/run-source.ts';

const core = (body: string) =>
  elaborateSource(`fn f(x: f32[3]): { a: f32, b: f32[3], n: i32[3] } =\n  ${body}\n`, 'f').core;
const plain = core('{ a: sum i. exp(x[i]), b: for i. x[i]^2, n: for i. i32(i) }');
const inputs = [Float64Array.of(0.25, -1.5, 3)];

test.each([
  ['nothing', '{ a: sum i. exp(x[i]), b: for i. x[i]^2, n: for i. i32(i) }', []],
  ['an order', '{ a: exp(x[2]) + exp(x[1]) + exp(x[0]), b: for i. x[i]^2, n: for i. i32(i) }', []],
  [
    'a value by little',
    '{ a: sum i. exp(x[i]), b: for i. x[i]^2 * (if i == 1 then 1.0000001 else 1), n: for i. i32(i) }',
    [{ output: 1, cell: { index: 1, want: 2.25 } }],
  ],
  [
    'a whole number',
    '{ a: sum i. exp(x[i]), b: for i. x[i]^2, n: for i. i32(i) + (if i == 2 then 1 else 0) }',
    [{ output: 2, cell: { index: 2, got: 3, want: 2 } }],
  ],
])('%s is changed', (_, body, want) => {
  expect(changedValues(plain, core(body), inputs)).toMatchObject(want);
});
