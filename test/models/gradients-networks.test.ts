/** Derivatives of whole networks by every parameter leaf. */
import { describe } from 'vitest';
import { modelFile, verifies } from './gradients.ts';

for (const file of ['sit', 'dit', 'redi', 'separate']) {
  describe(`models/${file}.tn`, async () => {
    await verifies(modelFile(file));
  });
}
