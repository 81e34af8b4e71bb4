/**
 * The size algebra is a commutative ring with exact division: its laws on random polynomials, each
 * also against plain integers by evaluation, and what happens near 2^53.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as S from '../../dsl/size.ts';
import type { Size } from '../../dsl/typed.ts';

const NAMES = ['A', 'B', 'C', 'D'];

const monomial = fc.record({
  c: fc.integer({ min: -9, max: 9 }),
  v: fc.array(fc.constantFrom(...NAMES), { maxLength: 3 }),
});

/** Built by the operations themselves, so in normal form whenever they keep it. */
const size: fc.Arbitrary<Size> = fc
  .array(monomial, { maxLength: 4 })
  .map((ms) =>
    ms.reduce<Size>(
      (s, m) => S.add(s, S.product([S.num(m.c), ...m.v.map((n) => S.variable(n))])),
      S.ZERO,
    ),
  );

const values = fc.record({
  A: fc.nat(20),
  B: fc.nat(20),
  C: fc.nat(20),
  D: fc.nat(20),
});

function at(s: Size, env: Record<string, number>): number {
  const n = S.evaluate(s, (v) => env[v]);
  if (n === undefined) throw new Error('not evaluated');
  return n;
}

function isNormal(s: Size): boolean {
  const keys = s.map((m) => m.v.join('*'));
  return (
    s.every((m) => m.c !== 0 && [...m.v].sort().join() === m.v.join()) &&
    new Set(keys).size === keys.length
  );
}

describe('laws', () => {
  test('operations keep the normal form and mean what they say', () => {
    fc.assert(
      fc.property(size, size, values, (a, b, env) => {
        expect([S.add(a, b), S.sub(a, b), S.mul(a, b)].every(isNormal)).toBe(true);
        expect(at(S.add(a, b), env)).toBe(at(a, env) + at(b, env));
        expect(at(S.sub(a, b), env)).toBe(at(a, env) - at(b, env));
        expect(at(S.mul(a, b), env) - at(a, env) * at(b, env)).toBe(0);
      }),
    );
  });

  test('a commutative ring, decided by normal forms', () => {
    fc.assert(
      fc.property(size, size, size, (a, b, c) => {
        expect(S.equal(S.add(a, b), S.add(b, a))).toBe(true);
        expect(S.equal(S.mul(a, b), S.mul(b, a))).toBe(true);
        expect(S.equal(S.mul(S.mul(a, b), c), S.mul(a, S.mul(b, c)))).toBe(true);
        expect(S.equal(S.mul(a, S.add(b, c)), S.add(S.mul(a, b), S.mul(a, c)))).toBe(true);
        expect(S.equal(S.sub(a, a), S.ZERO)).toBe(true);
        expect(S.equal(S.mul(a, S.ONE), a)).toBe(true);
      }),
    );
  });

  test('equal exactly when equal everywhere (on a grid larger than the degree)', () => {
    fc.assert(
      fc.property(size, size, (a, b) => {
        const d = S.sub(a, b);
        const grid = [0, 1, 2, 3, 5, 7, 11];
        const zero = grid.every((x) =>
          grid.every((y) => at(d, { A: x, B: y, C: x + 2 * y + 1, D: 3 * x + y * y + 2 }) === 0),
        );
        if (S.equal(a, b)) expect(zero).toBe(true);
        else if (zero) expect(S.equal(a, b)).toBe(zero && d.length === 0);
      }),
    );
  });

  test('division undoes multiplication, and a quotient times the divisor is the dividend', () => {
    fc.assert(
      fc.property(size, size, (a, b) => {
        if (b.length > 0) expect(S.divide(S.mul(a, b), b)).toEqual(a);
        const q = S.divide(a, b);
        if (q !== undefined) expect(S.mul(q, b)).toEqual(a);
      }),
    );
  });

  test('substitution is evaluation in two steps', () => {
    fc.assert(
      fc.property(size, size, values, (a, b, env) => {
        const inner = at(b, env);
        const direct = at(a, { ...env, A: inner });
        expect(
          at(
            S.substitute(a, (v) => (v === 'A' ? b : undefined)),
            env,
          ),
        ).toBe(direct);
      }),
    );
  });

  test('coefficient and rest of a linear variable give the polynomial back', () => {
    fc.assert(
      fc.property(size, (a) => {
        const parts = S.linearIn(a, 'A');
        if (parts === undefined) return;
        expect([parts.coefficient, parts.rest].every(isNormal)).toBe(true);
        expect(S.add(S.mul(parts.coefficient, S.variable('A')), parts.rest)).toEqual(a);
        expect(S.variables(parts.coefficient)).not.toContain('A');
      }),
    );
  });
});

describe('printing', () => {
  const v = S.variable;
  test.each([
    [S.add(v('A'), v('B')), 'A + B'],
    [S.mul(S.num(3), v('D')), '3*D'],
    [S.sub(v('N'), S.ONE), 'N - 1'],
    [S.sub(S.ONE, v('N')), '1 - N'],
    [S.pow(v('N'), 2), 'N^2'],
    [S.sub(S.ZERO, v('N')), '-N'],
    [S.ZERO, '0'],
    [S.mul(S.add(v('A'), S.ONE), S.sub(v('A'), S.ONE)), 'A^2 - 1'],
  ])('%j is %s', (s, text) => {
    expect(S.print(s)).toBe(text);
  });
});

describe('near 2^53', () => {
  const big = S.num(2 ** 53 - 1);
  test('what cannot be exact is too large, and stays so', () => {
    expect(S.isTooLarge(S.num(2 ** 53))).toBe(true);
    expect(S.isTooLarge(S.add(big, S.ONE))).toBe(true);
    expect(S.isTooLarge(S.mul(big, S.num(2)))).toBe(true);
    expect(S.isTooLarge(S.mul(S.mul(big, S.num(2)), S.ZERO))).toBe(true);
    expect(S.isTooLarge(S.pow(S.variable('N'), 1000))).toBe(true);
    expect(S.isTooLarge(big)).toBe(false);
  });

  test('a polynomial with too many terms is too large instead of slow', () => {
    const many = Array.from({ length: 40 }, (_, i) => S.variable(`V${i}`)).reduce(S.add);
    expect(S.isTooLarge(S.pow(many, 6))).toBe(true);
  });

  test('evaluation beyond 2^53 has no value', () => {
    const n = S.pow(S.variable('N'), 6);
    expect(S.evaluate(n, () => 1000)).toBeUndefined();
    expect(S.evaluate(n, () => 100)).toBe(1e12);
    // Nor of what is no number.
    expect(S.evaluate(n, () => Number.NaN)).toBeUndefined();
    expect(S.evaluate(n, () => Number.POSITIVE_INFINITY)).toBeUndefined();
  });
});
