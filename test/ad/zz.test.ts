import fc from 'fast-check';
import { test } from 'vitest';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { checkPoint, isReal, numbers, randomLike } from './check.ts';
test('smooth', () => {
  let n = 0, kinks = 0;
  fc.assert(fc.property(arbitraryCore({ smooth: true, customs: true, statements: 6 }), fc.nat(), (c, seed) => {
    const next = numbers(seed);
    n++;
    const v = checkPoint(c.core, c.inputs, { dx: randomLike(c.core.inputs.filter(isReal), next), ct: randomLike(c.core.outputs.filter(isReal), next) });
    if (v === 'kink') kinks++;
  }), { numRuns: Number(process.env.N ?? 300), seed: Number(process.env.SEED ?? 1) });
  console.log(n, kinks);
});
