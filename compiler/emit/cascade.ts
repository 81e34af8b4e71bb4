/**
 * Long sums in text: a running result is handed on to the next level after every eight
 * terms, as a carry is, so that no number is added to one that is more than eight times as large (cascade
 * or pairwise summation: Higham 1993). The error grows with the logarithm of the number of terms. Nothing
 * in it rests on (x + c) - c, which compilers of shaders may fold.
 *
 * Invariant: the order is fixed by the number of terms alone.
 */
import type { Dtype, ReduceOp } from '../core.ts';

export type Cascade = {
  /** Stand beside the first value of `acc`, after each step of it, and after the last one. */
  readonly start: readonly string[];
  readonly step: readonly string[];
  readonly end: readonly string[];
};

/** How a language declares a variable of f32 and a counter. */
export type Declares = {
  readonly real: (name: string) => string;
  readonly count: (name: string) => string;
  readonly zero: string;
  readonly whole: (n: number) => string;
};

const radix = 8;
const none: Cascade = { start: [], step: [], end: [] };

export function cascade(op: ReduceOp, t: Dtype, terms: number, d: Declares): Cascade {
  if (t !== 'f32' || op !== 'sum' || terms <= radix * radix) return none;
  const levels = Math.ceil(Math.log(terms) / Math.log(radix)) - 1;
  const all = Array.from({ length: levels }, (_, i) => i + 1);
  const from = (i: number): string => (i === 1 ? 'acc' : `part${i - 1}`);
  const carry = (i: number): string[] =>
    i > levels
      ? []
      : [
          `count${i} = count${i} + ${d.whole(1)};`,
          `if (count${i} == ${d.whole(radix)}) {`,
          `part${i} = part${i} + ${from(i)};`,
          `${from(i)} = ${d.zero};`,
          `count${i} = ${d.whole(0)};`,
          ...carry(i + 1),
          '}',
        ];
  return {
    start: all.flatMap((i) => [d.real(`part${i}`), d.count(`count${i}`)]),
    step: carry(1),
    end: all.map((i) => `acc = acc + part${i};`),
  };
}
