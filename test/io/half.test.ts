import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bf16Bits,
  bf16Value,
  e4m3Value,
  e5m2Value,
  e8m0Value,
  f16Bits,
  f16Value,
} from '../../runtime/io/half.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const formats = [
  { name: 'f16', bits: f16Bits, value: f16Value, infinity: 0x7c00 },
  { name: 'bf16', bits: bf16Bits, value: bf16Value, infinity: 0x7f80 },
] as const;

for (const { name, bits, value, infinity } of formats) {
  describe(name, () => {
    it('widening then narrowing is the identity on every pattern that is not NaN', () => {
      for (let b = 0; b < 65536; b++) {
        if (Number.isNaN(value(b))) expect(bits(value(b)) & infinity).toBe(infinity);
        else if (bits(value(b)) !== b) expect.fail(`${b} became ${bits(value(b))}`);
      }
    });

    it('narrowing gives the nearest value, the even one of two', () => {
      // Neighbours by pattern are neighbours by value for one sign.
      const midpoint = fc.nat({ max: infinity - 2 }).map((b) => (value(b) + value(b + 1)) / 2);
      const around = fc.oneof(finite, fc.double({ min: 1e-9, max: 70000, noNaN: true }), midpoint);
      fc.assert(
        fc.property(around, (x) => {
          const b = bits(Math.abs(x));
          if (b === infinity) return;
          const here = Math.abs(value(b) - Math.abs(x));
          for (const n of [b - 1, b + 1]) {
            if (n < 0 || n >= infinity) continue;
            const there = Math.abs(value(n) - Math.abs(x));
            expect(here < there || (here === there && b % 2 === 0)).toBe(true);
          }
        }),
      );
    });

    it('a sign is a bit, and what is too large is infinite', () => {
      fc.assert(
        fc.property(finite, (x) => {
          expect(bits(-x)).toBe(bits(x) ^ 0x8000);
        }),
      );
      expect(value(bits(1e300))).toBe(Number.POSITIVE_INFINITY);
      expect(value(bits(Number.NEGATIVE_INFINITY))).toBe(Number.NEGATIVE_INFINITY);
    });
  });
}

it('known values', () => {
  expect(f16Bits(65519.999)).toBe(0x7bff);
  expect(f16Bits(65520)).toBe(0x7c00);
  expect(f16Bits(2 ** -24)).toBe(1);
  expect(f16Bits(2 ** -25)).toBe(0);
  expect(bf16Bits(1)).toBe(0x3f80);
  expect(bf16Bits(1 + 2 ** -8)).toBe(0x3f80);
  expect(bf16Bits(1 + 3 * 2 ** -8)).toBe(0x3f82);
});

/** As ml_dtypes has them. */
it('known values of eight bits', () => {
  const codes = [0, 1, 7, 8, 56, 120, 126, 127, 128, 200, 254, 255];
  expect(codes.map(e4m3Value)).toEqual([
    ...[0, 2 ** -9, 7 * 2 ** -9, 2 ** -6, 1, 256, 448],
    ...[Number.NaN, -0, -4, -448, Number.NaN],
  ]);
  expect(codes.map(e5m2Value)).toEqual([
    ...[0, 2 ** -16, 7 * 2 ** -16, 2 ** -13, 0.5, 32768],
    ...[Number.NaN, Number.NaN, -0, -8, Number.NaN, Number.NaN],
  ]);
  expect([124, 252].map(e5m2Value)).toEqual([Infinity, -Infinity]);
  expect([0, 126, 127, 128, 254, 255].map(e8m0Value)).toEqual([
    ...[2 ** -127, 0.5, 1, 2, 2 ** 127, Number.NaN],
  ]);
});
