/**
 * Programs whose values a derivative could change, and windows of which a fold reads a part in each
 * step: one table for the tests and for the mutants.
 */
import { checkPoint, type Verdict } from '../../runtime/gradcheck/check-point.ts';
import { prepareProgram } from '../../runtime/gradcheck/point.ts';
import { elaborateSource, runSource } from '../elaborate/run-source.ts';

/** Each is a function of x: f32[3], tried at the values below, of which some are in each branch. */
const shared: Readonly<Record<string, readonly [value: string, use: string]>> = {
  'a value that is stopped elsewhere': ['exp(x[i])', 'if x[i] > 0 then w else 2 * stop(w)'],
  'a value that is rounded elsewhere': ['log(x[i]^2 + 1)', 'if x[i] > 0 then w else floor(10 * w)'],
  'a value of the other branch, rounded in the first': [
    'log(x[i]^2 + 1)',
    'if x[i] > 0 then floor(10 * w) else w',
  ],
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

const chain = `fn f(x: f32[3]): f32[3] =
  let a = for i. log(x[i]^2 + 1)
  let b = for i. exp(a[i]) / a[i]
  for i. (if x[i] > 0 then b[i] else 1) + floor(3 * a[i])
`;

const readers = `fn f(x: f32[3]): { a: f32[3], b: f32[3] } =
  let v = for i. log(x[i]^2 + 1)
  { a: for i. if x[i] > 0 then v[i] else 0, b: for i. if x[i] < -1 then v[i] * x[i] else 0 }
`;

const beside = `fn f(x: f32[3]): { loss: f32, b: f32[3] } =
  let r = for i. log(x[i]^2 + 1)
  let b = for i. cos(r[i]) * sin(x[i])
  { loss: sum i. if x[i] > 0 then b[i] else x[i], b }
`;

const inLoop = (value: string, use: string): string => `fn f(x: f32[3]): f32[3] =
  let v = for i. ${value}
  for i.
    let w = v[i]
    ${use}
`;

/** Name -> a program whose `f` takes x: f32[3]. */
export const sharing: readonly (readonly [name: string, text: string])[] = [
  ...Object.entries(shared).map(([name, [value, use]]) => [name, inLoop(value, use)] as const),
  ['a chain, whose middle is rounded as well', chain],
  ['two readers under two conditions', readers],
  ['results beside a loss', beside],
];

const points = [
  [1, -2, -0.5],
  [0.3, 2.5, -1.25],
];

/** The values beside derivatives, and the derivatives. */
export function verdicts(text: string): readonly Verdict[] {
  const program = prepareProgram(elaborateSource(text, 'f').core);
  return points.map((x) => {
    const point = { sizes: new Map(), leaves: [], inputs: [Float64Array.from(x)] };
    return checkPoint(program, point, 'all', 7);
  });
}

/** Name -> a function of x: f32[20], and how many cells it reads. */
export const windows: readonly (readonly [name: string, body: string, read: number])[] = [
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
];

/** The gradient of a window at ones, and at zeros where nothing reads. */
export function windowGradient(body: string, read: number): readonly number[] {
  const x = Array.from({ length: 20 }, (_, i) => (i < read ? 1 : 0));
  const text = `fn f(x: f32[20]): f32 = ${body}\nfn main(x: f32[20]): f32[20] = grad(f, x)\n`;
  return runSource(text, 'main', [x])[0]!.map((v) => v + 0);
}
