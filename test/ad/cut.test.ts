/** The minimum cut against all cuts of small networks. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { minimumCut, type Network } from '../../compiler/ad/cut.ts';

const priceOf = (n: Network, before: readonly boolean[]): number =>
  n.edges.reduce((p, e) => p + (before[e.from]! && !before[e.to]! ? e.capacity : 0), 0);

test('is as cheap as the cheapest of all cuts', () => {
  const nodes = 7;
  const edge = fc.record({
    from: fc.nat(nodes - 1),
    to: fc.nat(nodes - 1),
    capacity: fc.oneof(fc.nat(9), fc.constant(Infinity)),
  });
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 20 }), (edges) => {
      const network: Network = { nodes, edges };
      let best = Infinity;
      for (let set = 0; set < 2 ** nodes; set++) {
        const before = Array.from({ length: nodes }, (_, i) => (set & (1 << i)) !== 0);
        if (before[0]! && !before[1]!) best = Math.min(best, priceOf(network, before));
      }
      if (best === Infinity) {
        expect(() => minimumCut(network, 0, 1)).toThrow();
        return;
      }
      const before = minimumCut(network, 0, 1);
      expect([before[0], before[1]]).toEqual([true, false]);
      expect(priceOf(network, before)).toBe(best);
    }),
    { numRuns: 300, seed: 1 },
  );
});
