/** Every mixture of modes gives the same derivatives (orders.ts). */
import { expect, it } from 'vitest';
import { byMixture, functions } from './orders.ts';

it.each(Object.entries(functions))('derivatives of every order of %s', (_, body) => {
  for (const order of byMixture(body)) {
    const forward = order.at(-1)!;
    expect(Math.abs(forward)).toBeGreaterThan(1e-3);
    for (const v of order) expect(v).toBeCloseTo(forward, 8);
  }
});
