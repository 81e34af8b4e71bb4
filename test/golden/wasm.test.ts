/** Every tensor of every golden case of the public ReDi code, on wasm. */
import { expect, it } from 'vitest';
import { everyCase, expected, passes } from './rows.ts';

it.each(everyCase)('%s: every tensor within its tolerance', async (name) => {
  await passes(name, 'wasm');
});

it('the cases hold 344 tensors', () => {
  expect(everyCase.flatMap(expected)).toHaveLength(344);
});
