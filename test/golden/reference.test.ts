/**
 * The golden cases on the reference interpreter, in f64; sampling of the SiT is left to wasm, for it
 * takes hundreds of evaluations, and thousands where it is exact.
 */
import { it } from 'vitest';
import { everyCase, passes } from './rows.ts';

it.each(everyCase.filter((c) => !c.startsWith('redi-sample')))(
  '%s: every tensor within its tolerance',
  async (name) => {
    await passes(name, 'reference');
  },
);
