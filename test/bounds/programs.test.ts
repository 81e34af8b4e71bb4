/**
 * Ordinary programs pay nothing: what the benchmarks run and whole networks with their gradients is all
 * shown to be in range. (Every function of models/ by itself: test/models/gradients.ts.)
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bounds } from '../../compiler/bounds/index.ts';
import { inspect } from '../../runtime/api/inspect.ts';
import { load } from '../../runtime/index.ts';

const root = join(import.meta.dirname, '../..');

const programs: readonly (readonly [
  file: string,
  fn: string,
  sizes: Readonly<Record<string, number>>,
  grad: boolean,
])[] = [
  ['bench/programs/kernels.tn', 'matmul', { M: 100, K: 130, N: 70 }, false],
  ['bench/programs/kernels.tn', 'geluOfAffine', { N: 1003 }, false],
  ['bench/programs/kernels.tn', 'softmaxRows', { R: 37, C: 100 }, false],
  ['bench/programs/kernels.tn', 'layerNormRows', { R: 37, C: 100 }, false],
  ['bench/programs/block.tn', 'energy', { B: 2, T: 33, A: 3, E: 20 }, true],
  ['bench/programs/block.tn', 'energy', { B: 4, T: 256, A: 6, E: 64 }, true],
  [
    'bench/programs/step.tn',
    'step',
    { B: 4, L: 12, K: 1000, C: 4, R: 8, H: 16, W: 16, P: 2, A: 6, E: 64 },
    false,
  ],
  ['models/conv.tn', 'conv', { I: 3, O: 5, A: 3, B: 3, H: 65, W: 130, S: 2, Z: 1 }, false],
  ['models/vae.tn', 'upsample', { C: 32, H: 67, W: 130 }, false],
];

describe('programs', () => {
  it.each(programs)('%s %s %j', async (file, fn, sizes, grad) => {
    const program = await load(join(root, file));
    const { compiled } = inspect(program, fn, 'test', { sizes, grad: grad || [] });
    for (const resident of [true, false]) {
      const plan = compiled.plan({ resident });
      const { report } = bounds(plan);
      expect(plan.checks).toBeUndefined();
      expect(report.checked).toBe(0);
      expect(report.shown).toBeGreaterThan(0);
      if (fn === 'step') expect(report.shownData).toBeGreaterThan(0);
    }
  });
});
