/**
 * Serial reductions in WGSL: one row per operation, total by type. `acc` is the result.
 *
 * max and min keep NaN, and argmax and argmin give its place: the first one; of equals the first. An
 * empty reduction gives the identity (or the least value, or index 0).
 */
import type { Dtype, ReduceOp } from '../../core.ts';
import type { Declares } from '../cascade.ts';
import { nanTest, wgslLiteral } from './literal.ts';

/** For cascade.ts. */
export const declares: Declares = {
  real: (name) => `var ${name} = ${wgslLiteral('f32', 0)};`,
  count: (name) => `var ${name} = 0i;`,
  whole: (n) => `${n}i`,
  zero: wgslLiteral('f32', 0),
};

export type Accumulate = {
  readonly start: (t: Dtype) => string[];
  readonly step: (v: string, at: string, t: Dtype) => string[];
};

const least = (t: Dtype): string =>
  t === 'f32' ? wgslLiteral('f32', -Infinity) : wgslLiteral(t, t === 'i32' ? -2147483648 : 0);
const most = (t: Dtype): string =>
  wgslLiteral(t, t === 'f32' ? Infinity : t === 'i32' ? 2147483647 : 4294967295);

export const accumulates = (
  need: (h: string) => string,
): Readonly<Record<ReduceOp, Accumulate>> => {
  const plain = (
    init: (t: Dtype) => string,
    next: (v: string, t: Dtype) => string,
  ): Accumulate => ({
    start: (t) => [`var acc = ${init(t)};`],
    step: (v, _at, t) => [`acc = ${next(v, t)};`],
  });
  const pick = (op: string, worst: (t: Dtype) => string): Accumulate => ({
    start: (t) => ['var acc = 0i;', `var best = ${worst(t)};`],
    step: (v, at, t) => {
      const nan = t === 'f32' ? ` || (${nanTest('c')} && !${nanTest('best')})` : '';
      return [`let c = ${v};`, `if (c ${op} best${nan}) { best = c; acc = ${at}; }`];
    },
  });
  const extreme = (op: 'min' | 'max', worst: (t: Dtype) => string): Accumulate =>
    plain(worst, (v, t) => `${t === 'f32' ? need(`f_${op}`) : op}(acc, ${v})`);
  return {
    sum: plain(
      (t) => wgslLiteral(t, 0),
      (v) => `acc + ${v}`,
    ),
    prod: plain(
      (t) => wgslLiteral(t, 1),
      (v) => `acc * ${v}`,
    ),
    max: extreme('max', least),
    min: extreme('min', most),
    all: plain(
      () => 'true',
      (v) => `acc & ${v}`,
    ),
    any: plain(
      () => 'false',
      (v) => `acc | ${v}`,
    ),
    // The first of equals: later ones must be strictly better.
    argmax: pick('>', least),
    argmin: pick('<', most),
  };
};
