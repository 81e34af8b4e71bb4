/** Integers on every target: random chains of kernels, and the least of them all. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeOn } from '../gpu/devices.ts';
import { runOn } from '../gpu/run-core.ts';
import { coreOf } from '../schedule/chains.ts';
import { built, chain, meant, x, y } from './integer-chains.ts';
import { meaning } from './specials.ts';

const targets = [
  { name: 'wasm', runs: 150 },
  { name: 'gpujs', runs: 400 },
  { name: 'webgpu', runs: 20 },
] as const;

for (const { name, runs } of targets) {
  describeOn(name, (device) => {
    it('chains of integers are exact', async () => {
      const opened = await device();
      await fc.assert(
        fc.asyncProperty(chain, async (steps) => {
          const got = await runOn(opened, built(steps), [x, y]);
          expect(got.map((v) => [...v])).toEqual(meant(steps, [x, y]));
        }),
        { numRuns: runs },
      );
    });

    it('a quotient by what is given, and what is taken from it', async () => {
      const core = coreOf('fn main(c: i32): i32[4] = for i. 2147483647 // c - i32(i)', {});
      for (const [c, want] of [
        [8, 268435455],
        [-8, -268435456],
        [1, 2147483647],
        [-1, -2147483647],
        [0, 2147483647],
      ] as const) {
        const got = await runOn(await device(), core, [[c]]);
        expect([...got[0]!]).toEqual([0, 1, 2, 3].map((i) => (want - i) | 0));
      }
    });

    it('the least integer as an operand, a divisor and a bound', async () => {
      const core = coreOf(
        'fn main(x: i32): { a: i32, b: i32[3], c: i32[3], d: bool[3], e: i32 } =\n' +
          '  { a: -2147483648 + x, b: for i. (-2147483648) // (i32(i) - 1) + x,\n' +
          '    c: for i. (x // -2147483648) * i32(i),\n' +
          '    d: for i. i32(i) - 2147483647 - 1 <= x + -2147483648, e: x % -2147483648 }',
        {},
      );
      const least = -2147483648;
      for (const x of [5, 0, -5, 2147483647, least]) {
        const got = await runOn(await device(), core, [[x]]);
        const idiv = meaning('idiv', 'i32')!;
        const is = [0, 1, 2];
        expect(got.map((v) => [...v])).toEqual([
          [(least + x) | 0],
          is.map((i) => (idiv(least, i - 1) + x) | 0),
          is.map((i) => idiv(x, least) * i + 0),
          is.map((i) => Number(((i - 2147483648) | 0) <= ((x + least) | 0))),
          [meaning('mod', 'i32')!(x, least)],
        ]);
      }
    });

    it('the least integer as a literal, and beside an index', async () => {
      const core = coreOf(
        'fn main[N](_n: i32): { a: i32[N], b: i32[N], c: i32 } where N >= 1 =\n' +
          '  let least = -2147483647 - 1\n' +
          '  { a: for i: N. i32(i) + least, b: for i: N. max(least, i32(i) - 5), c: least }',
        { N: 3 },
      );
      const got = await runOn(await device(), core, [[0]]);
      expect(got.map((v) => [...v])).toEqual([
        [-2147483648, -2147483647, -2147483646],
        [-5, -4, -3],
        [-2147483648],
      ]);
    });
  });
}
