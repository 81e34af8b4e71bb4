/** Derivatives of layers, resizes, statistics, optimisers, guidance and steps. */
import { describe } from 'vitest';
import { modelFile, verifies } from './gradients.ts';

const files = [
  'nn',
  'attention',
  'transformer',
  'conv',
  'resize',
  'pca',
  'optim',
  'init',
  'guidance',
  'objectives',
  'paths',
  'samplers',
  'sde',
  'ddpm',
  'dopri5',
];

for (const file of files) {
  describe(`models/${file}.tn`, async () => {
    await verifies(modelFile(file));
  });
}
