/**
 * Inputs of random programs: numbers near one as float32 holds them, whole numbers with those at the
 * ends among them.
 *
 * Invariant: two seeds of the numbers with one of the whole numbers give points that differ in f32 only.
 */
import { sizeOf } from '../../compiler/core/build.ts';
import type { Elaborated } from '../../compiler/elaborate/interface.ts';
import { numbers } from '../../runtime/gradcheck/check-point.ts';

const ends = [0, 1, -1, 2, -2, 3, -3, 4, 5, 7, 8, -8, 100, 46341, 65536];
const extremes = [2 ** 31 - 1, -(2 ** 31), -(2 ** 31) + 1, 2 ** 30];

function wholeNumber(next: () => number): number {
  const among = next();
  if (among < 0.6) return ends[Math.floor(next() * ends.length)]!;
  if (among < 0.8) return extremes[Math.floor(next() * extremes.length)]!;
  return Math.floor(next() * 2 ** 32) - 2 ** 31;
}

export function inputsAt(e: Elaborated, seed: number, whole: number): Float64Array[] {
  const [real, int] = [numbers(seed), numbers(whole)];
  return e.params.flatMap((p) =>
    p.leaves.map((leaf) => {
      const length = sizeOf(leaf.shape);
      return Float64Array.from({ length }, () => {
        switch (leaf.scalar) {
          case 'idx':
            return Math.floor(int() * (leaf.bound ?? 1));
          case 'key':
          case 'u32':
            return Math.floor(int() * 2 ** 32);
          case 'i32':
            return wholeNumber(int);
          case 'bool':
            return Math.floor(int() * 2);
          case 'f32':
            return Math.fround(Math.round((real() * 4 - 2) * 1000) / 1000);
        }
      });
    }),
  );
}
