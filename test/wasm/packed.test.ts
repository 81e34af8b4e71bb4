/** Operands at quotients and remainders: random products and loops, and those that models have. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Core } from '../../compiler/core.ts';
import { coreOf } from '../schedule/chains.ts';
import { form, inexact, loops, loopsOf, productOf } from './packed.ts';

const exact = async (core: Core): Promise<void> => {
  expect(await inexact(core)).toEqual([]);
};

describe('loops over quotients and remainders', () => {
  it('are exact at every size', () =>
    fc.assert(
      fc.asyncProperty(loops, (f) => exact(loopsOf(f))),
      { numRuns: 150 },
    ));
});

describe('products of operands read at quotients and remainders', () => {
  it('are exact at every size', () =>
    fc.assert(
      fc.asyncProperty(form, (f) => exact(productOf(f))),
      { numRuns: 120 },
    ));

  const repeated = 'fn main[M, N, K](x: f32[M, K], y: f32[N, K]): f32[4*M, N]';
  const programs: readonly [name: string, text: string, sizes: Record<string, number>][] = [
    [
      'scales of blocks of four',
      'fn main[M, K, N](x: f32[M, K], y: f32[N, K], s: f32[K]): f32[M, N] =\n' +
        '  for i, j. sum k. x[i, k] * (y[j, k] * s[k//4])',
      { M: 19, K: 30, N: 32 },
    ],
    [
      'scales that repeat',
      'fn main[M, K, N](x: f32[M, K], y: f32[N, K], s: f32[8]): f32[M, N] =\n' +
        '  for i, j. sum k. x[i, k] * (y[j, k] * s[k%8])',
      { M: 19, K: 391, N: 33 },
    ],
    [
      'repeated rows',
      `${repeated} =\n  for i, j. sum k. x[i//4, k] * y[j, k]`,
      { M: 7, N: 33, K: 31 },
    ],
    [
      'repeated rows of both',
      'fn main[M, N, K](x: f32[K, M], y: f32[K, N]): f32[4*M, 2*N] =\n' +
        '  for i, j. sum k. x[k, i//4] * y[k, j//2]',
      { M: 11, N: 17, K: 29 },
    ],
  ];
  for (const [name, text, sizes] of programs) it(name, () => exact(coreOf(text, sizes)));
});
