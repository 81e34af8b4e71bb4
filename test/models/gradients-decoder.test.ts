/** Derivatives of a decoder put together. */
import { describe } from 'vitest';
import { modelFile, smallVae, verifies } from './gradients.ts';

describe('models/small-vae.tn', async () => {
  await verifies(modelFile('small-vae'), ['decode'], smallVae);
});
