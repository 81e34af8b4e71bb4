/** The reductions of the exact interpreter. */
import type { ReduceOp } from './tree.ts';
import { bad, type Int, intOp, type Meter, type Real, real, type Value, whole } from './value.ts';

/** Of nothing; undefined where there is no such thing. */
export function neutral(op: ReduceOp, of: 'f32' | 'i32'): Value | undefined {
  const number = (n: number): Value => (of === 'f32' ? real(n) : whole(BigInt(n)));
  switch (op) {
    case 'sum':
      return number(0);
    case 'prod':
      return number(1);
    case 'all':
      return { k: 'bool', v: true };
    case 'any':
      return { k: 'bool', v: false };
    case 'max':
    case 'min':
    case 'mean':
    case 'argmax':
    case 'argmin':
      return undefined;
  }
}

/** Of one value or more. */
export function reduced(op: ReduceOp, values: readonly Value[], meter: Meter): Value {
  const first = values[0]!;
  switch (op) {
    case 'all':
    case 'any': {
      const truths = values.map((v) => (v.k === 'bool' ? v.v : bad(`${op} of ${v.k}`)));
      return { k: 'bool', v: op === 'all' ? truths.every(Boolean) : truths.some(Boolean) };
    }
    case 'sum':
    case 'prod':
      return first.k === 'int'
        ? total(op, ints(values))
        : meter.note(totalReal(op, reals(values), meter));
    case 'mean': {
      const sum = totalReal('sum', reals(values), meter);
      return meter.note(real(sum.v / values.length, sum.d / values.length));
    }
    case 'max':
    case 'min':
      return values[bestOf(op, values, meter)]!;
    case 'argmax':
    case 'argmin':
      return whole(BigInt(bestOf(op === 'argmax' ? 'max' : 'min', values)));
  }
}

const ints = (values: readonly Value[]): readonly Int[] =>
  values.map((v) => (v.k === 'int' ? v : bad(`${v.k} among integers`)));
const reals = (values: readonly Value[]): readonly Real[] =>
  values.map((v) => (v.k === 'real' ? v : bad(`${v.k} among f32`)));

function total(op: 'sum' | 'prod', values: readonly Int[]): Int {
  const all = values.reduce((a, b) => intOp(op === 'sum' ? '+' : '*', a, b));
  return { ...all, x: all.w };
}

/** In any order: what counts is the sum of magnitudes, or the largest product of some. */
function totalReal(op: 'sum' | 'prod', values: readonly Real[], meter: Meter): Real {
  const sizes = values.map((x) => Math.abs(x.v));
  meter.size(
    op === 'sum' ? sizes.reduce((a, b) => a + b, 0) : sizes.reduce((a, b) => a * Math.max(1, b), 1),
  );
  return values.reduce((a, b) =>
    op === 'sum' ? real(a.v + b.v, a.d + b.d) : real(a.v * b.v, a.v * b.d + a.d * b.v),
  );
}

/** The first of the largest, or of the smallest. */
function bestOf(op: 'max' | 'min', values: readonly Value[], meter?: Meter): number {
  const number = (v: Value) => (v.k === 'int' ? v.w : v.k === 'real' ? v.v : bad('no number'));
  const all = values.map(number);
  let best = 0;
  all.forEach((x, i) => {
    if (op === 'max' ? x > all[best]! : x < all[best]!) best = i;
  });
  if (meter !== undefined && all.filter((x) => x === all[best]).length > 1) meter.tied = true;
  return best;
}
