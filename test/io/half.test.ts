import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bf16Bits, bf16Value, f16Bits, f16Value } from '../../runtime/io/half.ts';

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
