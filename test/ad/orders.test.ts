/** Every mixture of modes gives the same derivatives (orders.ts). */
import { expect, it } from 'vitest';
import { byHand, byMixture, functions } from './orders.ts';

it.each(byHand)('derivatives of %s are those of its rule', (body, slopes) => {
  const got = byMixture(body);
  for (const [n, want] of slopes.entries())
    for (const v of got[n]!) expect(v).toBeCloseTo(want, 10);
});

it.each(Object.entries(functions))('derivatives of every order of %s', (_, body) => {
  for (const order of byMixture(body)) {
    const forward = order.at(-1)!;
    expect(Math.abs(forward)).toBeGreaterThan(1e-3);
    for (const v of order) expect(v).toBeCloseTo(forward, 8);
  }
});
