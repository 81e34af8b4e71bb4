import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchAt, halves, permutation, splitHeldOut } from '../../runtime/data/shuffle.ts';

const seeds = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const sorted = (a: Iterable<number>) => [...a].sort((x, y) => x - y);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('permutation', () => {
  it('has every index once, and is the same for the same seed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 200 }), seeds, fc.nat(), (n, seed, stream) => {
        const p = permutation(n, seed, stream);
        expect(sorted(p)).toEqual(range(n));
        expect(permutation(n, seed, stream)).toEqual(p);
      }),
    );
  });

  it('is uniform: every element is equally often in every place', () => {
    const [n, draws] = [5, 20_000];
    const counts = range(n).map(() => new Array<number>(n).fill(0));
    for (let seed = 0; seed < draws; seed++) {
      permutation(n, seed).forEach((v, at) => {
        counts[at]![v]! += 1;
      });
    }
    // Five standard deviations of a binomial count.
    const slack = 5 * Math.sqrt(draws * (1 / n) * (1 - 1 / n));
    for (const c of counts.flat()) expect(Math.abs(c - draws / n)).toBeLessThan(slack);
  });

  it('differs between seeds, streams and the upper half of a large seed', () => {
    const orders = [
      [1, 0],
      [2, 0],
      [1, 1],
      [2 ** 32 + 1, 0],
    ].map(([s, t]) => permutation(50, s!, t!).join());
    expect(new Set(orders).size).toBe(4);
  });
});

it('a held-out split is disjoint and complete, of the size asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 300 }), seeds, (n, seed) => {
      const { train, heldOut } = splitHeldOut(n, 0.1, seed);
      expect(heldOut.length).toBe(Math.round(n / 10));
      expect(sorted([...train, ...heldOut])).toEqual(range(n));
    }),
  );
  expect(() => splitHeldOut(4, 0.1, 0)).toThrow('cannot hold out 0.1 of 4 examples');
});

it('two halves are disjoint, equal and within the given indices', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 100 }), seeds, (n, seed) => {
      const from = Int32Array.from(range(n), (i) => 3 * i);
      const [a, b] = halves(from, seed);
      expect(a.length).toBe(n >> 1);
      expect(b.length).toBe(n >> 1);
      expect(new Set([...a, ...b]).size).toBe(2 * (n >> 1));
      expect([...a, ...b].every((i) => from.includes(i))).toBe(true);
    }),
  );
});

it('batches are consecutive pieces of one permutation after another, wherever one starts', () => {
  const sizes = fc.integer({ min: 1, max: 30 });
  fc.assert(
    fc.property(sizes, sizes, seeds, (n, batch, seed) => {
      const from = Int32Array.from(range(n), (i) => i + 7);
      const steps = Math.ceil((2 * n) / batch);
      // Backwards, since a resumed run must not depend on what was asked before.
      const all = range(steps)
        .reverse()
        .map((s) => [...batchAt(from, batch, s, seed)]);
      const sequence = all.reverse().flat();
      for (const epoch of [sequence.slice(0, n), sequence.slice(n, 2 * n)]) {
        expect(sorted(epoch)).toEqual([...from]);
      }
    }),
  );
});
