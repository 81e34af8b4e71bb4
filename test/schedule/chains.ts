/**
 * Programs that become resident groups: a product of matrices with what may stand before and after it
 * (normalisation, bias, gate, activation, softmax, a residual with a second product), at sizes around
 * those of tiles and blocks and at sums that need two passes.
 */
import fc from 'fast-check';
import { sizeOf } from '../../compiler/core/build.ts';
import type { Core } from '../../compiler/core.ts';
import { compile } from '../../runtime/api/program.ts';
import { specialise } from '../../runtime/api/specialise.ts';

export type Chain = {
  readonly before: string;
  readonly turned: boolean;
  readonly after: readonly string[];
  readonly second: boolean;
  readonly n: number;
  readonly t: number;
  readonly d: number;
  readonly f: number;
};

const before: Readonly<Record<string, string>> = {
  none: 'x[n, t]',
  map: 'for i. tanh(x[n, t, i]) + u[i]',
  norm: 'centred(x[n, t])',
};
/** Of a row `r` of F numbers. */
const after: Readonly<Record<string, string>> = {
  bias: 'for o. r[o] + b[o]',
  gate: 'for o. r[o] * sigmoid(g[n, o])',
  act: 'for o. r[o] * tanh(r[o])',
  norm: 'centred(r)',
  weights: 'weights(r)',
  // Of squares: the numbers of a centred row add up to a rounding error.
  twice: 'for o. r[o] * (sum k. r[k]^2) / F',
  mirror: 'for o. r[o] + 2 * r[F - 1 - o]',
};

export const text = (c: Chain): string => `
fn sigmoid(x: f32): f32 = 1 / (1 + exp(-x))
fn centred[D](x: f32[D]): f32[D] where D >= 1 =
  let m = mean i. x[i]
  let v = mean i. (x[i] - m)^2
  for i. (x[i] - m) / sqrt(v + 1)
fn weights[D](x: f32[D]): f32[D] where D >= 1 =
  let top = max i. x[i]
  let e = for i. exp(x[i] - top)
  let z = sum i. e[i]
  for i. e[i] / z
fn main[N, T, D, F](x: f32[N, T, D], w: f32[${c.turned ? 'D, F' : 'F, D'}], u: f32[D], b: f32[F], g: f32[N, F], v: f32[D, F]): f32[N, T, ${c.second ? 'D' : 'F'}] where D >= 1, F >= 1 =
  for n, t.
    let a = ${before[c.before]!}
    let r = for o: F. sum i. ${c.turned ? 'w[i, o]' : 'w[o, i]'} * a[i]
${c.after.map((k) => `    let r = ${after[k]!}\n`).join('')}    ${c.second ? 'for i. x[n, t, i] + (sum o. v[i, o] * r[o])' : 'r'}
`;

export const chains: fc.Arbitrary<Chain> = fc.record({
  before: fc.constantFrom(...Object.keys(before)),
  turned: fc.boolean(),
  after: fc.array(fc.constantFrom(...Object.keys(after)), { maxLength: 3 }),
  second: fc.boolean(),
  n: fc.constantFrom(1, 2),
  t: fc.constantFrom(8, 12, 13, 16, 24, 31, 40, 50, 64),
  // 400 is a sum in two equal passes, 401 in two unequal ones.
  d: fc.constantFrom(8, 17, 32, 48, 400, 401),
  f: fc.constantFrom(8, 16, 33, 48),
});

export function coreOf(
  source: string,
  sizes: Readonly<Record<string, number>>,
  grad: string[] = [],
): Core {
  const program = compile({ 'main.tn': source });
  const fn = program.find('main');
  return specialise(program.typed, program.sources, fn, new Map(Object.entries(sizes)), {
    grad,
    present: new Set(fn.params.map((p) => p.name)),
    donate: new Map(),
  }).core;
}

export const inputsOf = (core: Core): Float64Array[] =>
  core.inputs.map((v, i) =>
    Float64Array.from({ length: sizeOf(v.shape) }, (_, k) =>
      Math.fround((((k + 1) * 7919 + i * 104729) % 2003) / 2003 - 0.5),
    ),
  );

/** Largest error of each output, as a part of its largest value. */
export const errors = (
  got: readonly ArrayLike<number>[],
  want: readonly ArrayLike<number>[],
): number[] =>
  want.map((w, o) => {
    let top = 0;
    let worst = 0;
    for (let i = 0; i < w.length; i++) {
      top = Math.max(top, Math.abs(w[i]!));
      const off = Math.abs(got[o]![i]! - w[i]!);
      worst = Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(worst, off);
    }
    return worst / (top || 1);
  });

export const sizesOf = (c: Chain) => ({ N: c.n, T: c.t, D: c.d, F: c.f });

/** The sum of squares of what a chain gives. */
export const energy = (c: Chain): string => `${text(c).replace('fn main[', 'fn forward[')}
fn main[N, T, D, F](x: f32[N, T, D], w: f32[${c.turned ? 'D, F' : 'F, D'}], u: f32[D], b: f32[F], g: f32[N, F], v: f32[D, F]): f32 where D >= 1, F >= 1 =
  let y = forward(x, w, u, b, g, v)
  sum n, t, i. y[n, t, i] * y[n, t, i]
`;

export const attention = `
fn main[N, A, T, E](x: f32[N, T, 3*A*E]): f32[N, T, A*E] where T >= 1 =
  let w = for n, h: A, t: T.
    let s = for s: T. (sum e. x[n, t, (0, h, e)] * x[n, s, (1, h, e)]) / sqrt(E)
    let top = max i. s[i]
    let e = for i. exp(s[i] - top)
    let z = sum i. e[i]
    for i. e[i] / z
  for n, t, (h, e). sum s. w[n, h, t, s] * x[n, s, (2, h, e)]
`;
