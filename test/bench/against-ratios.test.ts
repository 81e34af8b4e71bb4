import fc from 'fast-check';
import { expect, test } from 'vitest';
import { geometricMean, quantile, summary, turns } from '../../bench/against/ratios.ts';

const time = fc.double({ min: 0.01, max: 1e4, noNaN: true });
const rounds = fc.array(fc.record({ this: time, that: time, machine: time }), {
  minLength: 1,
  maxLength: 20,
});

test('a ratio is of one round: how slow the machine is in a round is in no ratio', () => {
  fc.assert(
    fc.property(rounds, (all) => {
      const { ratio, low, high } = summary({
        this: all.map((r) => r.this),
        that: all.map((r) => r.that),
      });
      const slowed = summary({
        this: all.map((r) => r.this * r.machine),
        that: all.map((r) => r.that * r.machine),
      });
      expect(slowed.ratio / ratio).toBeCloseTo(1);
      expect(slowed.low / low).toBeCloseTo(1);
      expect(slowed.high / high).toBeCloseTo(1);
    }),
  );
});

test('one disturbed round moves neither the ratio nor the times', () => {
  const even = { this: [2, 2, 2, 2, 2], that: [4, 4, 4, 4, 4] };
  const expected = { this: 2, that: 4, ratio: 0.5, low: 0.5, high: 0.5 };
  expect(summary(even)).toEqual(expected);
  expect(summary({ ...even, this: [2, 2, 900, 2, 2] })).toEqual(expected);
});

test('the spread is the quartiles of the ratios', () => {
  const { low, ratio, high } = summary({ this: [5, 1, 4, 2, 3], that: [1, 1, 1, 1, 1] });
  expect([low, ratio, high]).toEqual([2, 3, 4]);
  expect([0, 0.25, 0.5, 1].map((q) => quantile([30, 10], q))).toEqual([10, 15, 20, 30]);
});

test('who goes first alternates', () => {
  expect([0, 1, 2].map(turns)).toEqual([
    ['this', 'that'],
    ['that', 'this'],
    ['this', 'that'],
  ]);
});

test('twice as fast in one row and twice as slow in another is as fast', () => {
  expect(geometricMean([0.5, 2])).toBeCloseTo(1);
  expect(geometricMean([2, 8, 4])).toBeCloseTo(4);
  expect(geometricMean([])).toBeNaN();
});
