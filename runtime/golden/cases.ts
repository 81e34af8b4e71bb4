/** Every golden case by name. A case that is not here is unchecked. */
import type { Case } from './call.ts';
import { encoderCases } from './cases/encoders.ts';
import { networkCases } from './cases/networks.ts';
import { samplingCases } from './cases/sampling.ts';
import { trainingCases } from './cases/training.ts';

export const cases: Readonly<Record<string, Case>> = {
  ...networkCases,
  ...trainingCases,
  ...samplingCases,
  ...encoderCases,
};
