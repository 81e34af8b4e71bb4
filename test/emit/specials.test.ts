/**
 * Every primitive, cast and literal at every special number on every target, bit for bit: infinities,
 * NaN, zeros of either sign, subnormals, the ends of 32 bits, divisors of either sign and zero.
 */
import { expect, it } from 'vitest';
import { describeOn } from '../gpu/devices.ts';
import { wrongValues } from './special-cases.ts';
import { forms } from './special-programs.ts';

for (const name of ['reference', 'wasm', 'webgpu', 'gpujs'] as const) {
  describeOn(name, (device) => {
    it.each(Object.keys(forms))('%s', async (form) => {
      const wrong = await wrongValues(await device(), form);
      expect({ wrong: wrong.length, some: wrong.slice(0, 40) }).toEqual({ wrong: 0, some: [] });
    });
  });
}
