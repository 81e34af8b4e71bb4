/**
 * Programs at the borders of f32 and at kinks, with the numbers that they give on every device: no
 * rearrangement of the compiler leaves the range, ties are shared, and special numbers follow one rule.
 */

export type Row = {
  readonly what: string;
  /** The body of `fn main(x: f32): f32[...]`, whose elements are compared. */
  readonly text: string;
  readonly x: number;
  readonly want: readonly number[];
  /** Relative to the largest of `want`; default 1e-5. */
  readonly within?: number;
};

const logistic = `fn bce(x: f32, y: f32): f32 = max(x, 0) - x * y + log(1 + exp(-abs(x)))
fn mirrored(x: f32, y: f32): f32 = max(0, x) - x * y + log(1 + exp(-abs(-x)))
fn logaddexp(a: f32, b: f32): f32 = max(a, b) + log(1 + exp(-abs(a - b)))
`;

export const rows: readonly Row[] = [
  {
    what: 'constants below 1 keep the terms of a sum in range',
    text: `fn main(x: f32): f32[2] =
  let big = for i: 64. x - f32(i)
  [sum i. big[i] * 0.015625, sum i. -big[i] / 64]
`,
    x: 1e38,
    want: [1e38, -1e38],
  },
  {
    what: 'a factor that over- and underflows before it is multiplied',
    text: `fn dot(a: f32, x: f32[100], y: f32[100]): f32 = sum i. (a * x[i]) * (a * y[i])
fn main(x: f32): f32[1] =
  let v = for i: 100. 1e30 * (1 + f32(i) / 100)
  [dot(x, v, v)]
`,
    x: 1e-30,
    want: [231.835],
  },
  {
    what: 'the gradient of a scaled norm is a unit vector',
    text: `fn norm[N](x: f32[N]): f32 where N >= 1 =
  let m = stop(max i. abs(x[i]))
  m * sqrt(sum i. (x[i] / m) * (x[i] / m))
fn main(x: f32): f32[1] =
  let g = grad(norm, for i: 40. x * (1 + f32(i) / 10))
  [sum i. g[i]^2]
`,
    x: 1e25,
    want: [1],
  },
  {
    what: 'powers and signs of zero',
    text: `fn main(x: f32): f32[5] =
  let zero = x - 1
  [1 / (0 - zero), x^(1 / zero), (-x)^(-1 / zero), (x * 6e-20)^-2, x / (0 * zero)]
`,
    x: 1,
    want: [Infinity, 1, 1, 2.7777778e38, Infinity],
  },
  {
    what: 'integers to any power wrap',
    text: `fn main(x: f32): f32[3] =
  let n = i32(x)
  [f32(n^65 % 1000), f32((n^66 + n^1000) % 1000), f32(u32(n)^129 % 1000)]
`,
    x: 3,
    want: [875, 562, 299],
    within: 0,
  },
  {
    what: 'ties share the derivative, in either order',
    text: `${logistic}fn main(x: f32): f32[7] =
  [ grad(v -> bce(v, 1), x), grad(v -> mirrored(v, 0), x), grad(v -> logaddexp(v, 1 + x), x + 1)
  , grad(v -> logaddexp(x, v), x), grad(v -> max(v, v), x), grad(v -> min(v, x) + min(x, v), x)
  , jvp(v -> max(v, x), x, 1.0).tangent ]
`,
    x: 0,
    want: [-0.5, 0.5, 0.5, 0.5, 1, 1, 0.5],
  },
  {
    what: 'a tie to the second order',
    text: `${logistic}fn main(x: f32): f32[2] =
  [grad(w -> grad(v -> bce(v, 1), w), x), grad(w -> grad(v -> v * max(v, x), w), x)]
`,
    x: 0,
    want: [0, 1],
  },
];
