/** Derivatives of the encoder of features and of what aligns with it, by every parameter leaf. */
import { describe } from 'vitest';
import { modelFile, verifies } from './gradients.ts';

for (const file of ['repa', 'dinov2']) {
  describe(`models/${file}.tn`, async () => {
    await verifies(modelFile(file));
  });
}
