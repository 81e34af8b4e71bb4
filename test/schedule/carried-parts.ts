/**
 * Programs with values that are put together of two parts: the carry of a fold that steps read or do
 * not, for any number of steps; and matrices, along either axis.
 */
import fc from 'fast-check';
import type { Core } from '../../compiler/core.ts';
import { coreOf } from './chains.ts';

/** What each of two parts is made from: reductions, maps and products. */
const left = {
  maxima: 'for a. sum b. max(k[a], z[b])',
  products: 'for a. sum b. k[a] * z[b]',
  carried: 'for a: A. sum b: B. y[a] * z[b]',
};
const right = {
  distances: 'for b. sum a. abs(k[a] - z[b])',
  least: 'for b. min a. k[a] + z[b]',
  carried: 'for b: B. sum a: A. y[A + b] + k[a]',
};
const inits = {
  ones: 'for i: A + B. 1.0',
  read: 'v',
  parts: 'for i: A + B. (x[i] ?? 0) + (z[i - A] ?? 0)',
  made: 'for i: A + B. (p0[i] ?? 0) + (q0[i - A] ?? 0)',
};
const among = <T extends string>(o: Readonly<Record<T, string>>) =>
  fc.constantFrom(...(Object.keys(o) as T[]));

const choices = fc.record({
  left: among(left),
  right: among(right),
  init: among(inits),
  N: fc.integer({ min: 0, max: 6 }),
  A: fc.integer({ min: 1, max: 4 }),
  B: fc.integer({ min: 1, max: 4 }),
});

type Carried = typeof choices extends fc.Arbitrary<infer T> ? T : never;

const text = (c: Carried): string => `
fn main[A, B, N](x: f32[A], z: f32[B], w: f32[N], v: f32[A + B]): { r: f32[A + B], q: f32[A], s: f32[A] } where A >= 1, B >= 1 =
  let p0 = for a. max b: B. x[a] - z[b]
  let q0 = for b. sum a. abs(x[a] - z[b])
  let s = fold { y, k } = { y: ${inits[c.init]}, k: x } for n: N.
    let p = ${left[c.left]}
    let q = ${right[c.right]}
    { y: for i: A + B. (p[i] ?? 0) + (q[i - A] ?? 0), k: for a. 0.5 * k[a] + w[n] }
  { r: s.y, q: for a. sin(s.k[a]), s: for a. max b: B. z[b] - s.k[a] }
`;

/** Parts along either axis of a matrix, one of them read elsewhere too, with their gradient or without. */
const joined = fc.record({
  across: fc.boolean(),
  other: fc.constantFrom('0', 'sum r, a. p[r, a] * p[r, a]', 'sum r. q[r, 0]'),
  R: fc.integer({ min: 1, max: 5 }),
  A: fc.integer({ min: 1, max: 4 }),
  gradient: fc.boolean(),
});
type Joined = typeof joined extends fc.Arbitrary<infer T> ? T : never;

const matrix = (c: Joined): string => {
  const [shape, value] = c.across
    ? ['R, 2*A', 'for r, i. (p[r, i] ?? 0) + (q[r, i - A] ?? 0)']
    : ['2*R, A', 'for i, a. (p[i, a] ?? 0) + (q[i - R, a] ?? 0)'];
  return `
fn parts[R, A](x: f32[R, A], z: f32[R, A]): { y: f32[${shape}], n: f32 } where R >= 1, A >= 1 =
  let p = for r, a. sum b: A. x[r, b] * z[r, a] + f32(b)
  let q = for r, a. max b: A. z[r, b] - x[r, a]
  { y: ${value}, n: ${c.other} }
fn main[R, A](x: f32[R, A], z: f32[R, A]): ${c.gradient ? 'f32' : `{ y: f32[${shape}], n: f32 }`} where R >= 1, A >= 1 =
  let v = parts(x, z)
  ${c.gradient ? 'v.n + (sum i, j. exp(v.y[i, j]))' : 'v'}
`;
};

export const joinedParts: fc.Arbitrary<Core> = joined.map((c) =>
  coreOf(matrix(c), { R: c.R, A: c.A }, c.gradient ? ['x', 'z'] : []),
);

/**
 * No step reads the carry, and what is computed after the fold could be joined to what makes the first
 * value before it: not so, or the last value is the first one.
 */
const blind = `
fn main[A, B, N](x: f32[A], z: f32[B], w: f32[N], v: f32[A, A]): { r: f32[A + B], q: f32[A] } where A >= 1, B >= 1 =
  let p0 = for a. max b: B. x[a] - z[b]
  let q0 = for b. sum a. abs(x[a] - z[b])
  let r = fold y = (for i: A + B. (p0[i] ?? 0) + (q0[i - A] ?? 0)) for n: N.
    let p = for a. max b: B. x[a] * w[n] - z[b]
    let q = for b. sum a. abs(x[a] - w[n] * z[b])
    for i: A + B. (p[i] ?? 0) + (q[i - A] ?? 0)
  let m = for a, c. sum d. v[a, d] * v[d, c]
  { r, q: for c. max a: A. m[a, c] }
`;

const carried = choices.map((c) => coreOf(text(c), { A: c.A, B: c.B, N: c.N }));
const notRead = fc
  .record({ A: fc.integer({ min: 21, max: 24 }), B: fc.integer({ min: 1, max: 4 }), N: fc.nat(4) })
  .map((sizes) => coreOf(blind, sizes));

export const carriedParts: fc.Arbitrary<Core> = fc.oneof(
  { weight: 5, arbitrary: carried },
  { weight: 1, arbitrary: notRead },
);
