/** Derivatives of the autoencoder: its pieces, and an encoder put together. */
import { describe } from 'vitest';
import { modelFile, smallVae, verifies } from './gradients.ts';

describe('models/vae.tn', async () => {
  await verifies(modelFile('vae'));
});

describe('models/small-vae.tn', async () => {
  await verifies(modelFile('small-vae'), ['encode'], smallVae);
});
