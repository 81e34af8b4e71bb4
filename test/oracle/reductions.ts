/** The reductions on all their terms in order: an extreme is the first of equals and NaN where it meets one. */
import type { ReduceOp } from '../../dsl/ast.ts';
import { add, f32Op, mul, type Num, primal } from './dual.ts';
import { type Dtype, scalarOp } from './numbers.ts';

const sum = (xs: readonly Num[]): Num => xs.reduce(add, 0);
/** Where the first of the best is, or the first NaN. */
function place(xs: readonly Num[], better: (a: number, b: number) => boolean): number {
  const all = xs.map(primal);
  const nan = all.findIndex(Number.isNaN);
  return nan >= 0 ? nan : all.reduce((at, v, i) => (better(v, all[at]!) ? i : at), 0);
}
/** The first of the best, and NaN where there is one. */
const best = (xs: readonly Num[], better: (a: number, b: number) => boolean, worst: number): Num =>
  xs[place(xs, better)] ?? worst;

export const reduced: Record<ReduceOp, (xs: readonly Num[]) => Num> = {
  sum,
  prod: (xs) => xs.reduce(mul, 1),
  mean: (xs) => f32Op('div', 'f32', [sum(xs), xs.length]),
  max: (xs) => best(xs, (a, b) => a > b, -Infinity),
  min: (xs) => best(xs, (a, b) => a < b, Infinity),
  all: (xs) => (xs.every((v) => primal(v) !== 0) ? 1 : 0),
  any: (xs) => (xs.some((v) => primal(v) !== 0) ? 1 : 0),
  argmax: (xs) => place(xs, (a, b) => a > b),
  argmin: (xs) => place(xs, (a, b) => a < b),
};

/** Of whole numbers, wrapped at every step: the product of all of them may be beyond f64. */
export const wholeReduced = (op: 'sum' | 'prod', t: Dtype, xs: readonly number[]): number =>
  xs.reduce((a, b) => scalarOp(op === 'sum' ? 'add' : 'mul', t, t, [a, b]), neutral[op]);

export const neutral: Record<ReduceOp, number> = {
  sum: 0,
  prod: 1,
  mean: Number.NaN,
  max: -Infinity,
  min: Infinity,
  all: 1,
  any: 0,
  argmax: 0,
  argmin: 0,
};
