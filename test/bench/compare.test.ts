import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compare } from '../../bench/compare.ts';

const named = (a: readonly number[]) => new Map([['out', Float32Array.from(a)]]);

test('one wrong element is found, and its size is told relative to the largest', () => {
  const values = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.nat(), (a, at) => {
      const wrong = a.map((v, i) => (i === at % a.length ? v + 1 : v));
      const scale = Math.max(...a.map(Math.abs));
      expect(compare(named(wrong), named(a), ['out'])).toBe(1 / (scale || 1));
      expect(compare(named(a), named(a), ['out'])).toBe(0);
    }),
  );
});

test.each([
  ['a missing tensor', new Map(), named([1])],
  ['another length', named([1, 2]), named([1])],
  ['NaN', named([1, Number.NaN, 1]), named([1, 1, 1])],
  ['NaN where NaN is', named([Number.NaN]), named([Number.NaN])],
  ['an infinity', named([Number.POSITIVE_INFINITY, 1]), named([1, 1])],
])('%s is no agreement', (_, got, reference) => {
  expect(compare(got, reference, ['out'])).toBe(Number.POSITIVE_INFINITY);
});
