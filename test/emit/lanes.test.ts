/**
 * Strides over the lanes of a vector, against the index itself: wherever the analysis says how far an
 * index moves, it moves so between any two lanes, from every start that the loop may have.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divIx, evalIx, ixAxis, modIx, noExtents, normalIx } from '../../compiler/core/ix.ts';
import type { Ix, IxTerm } from '../../compiler/core.ts';
import { congruence, exactly, plus, times } from '../../compiler/emit/wasm/congruence.ts';
import { advance, laneStride } from '../../compiler/emit/wasm/lanes.ts';

const vec = 0;
const other = 1;

/** Sums of multiples of two axes and of quotients and remainders of such sums. */
const index: fc.Arbitrary<Ix> = fc.letrec<{ ix: Ix; term: IxTerm }>((tie) => ({
  ix: fc
    .record({
      c: fc.integer({ min: -9, max: 9 }),
      terms: fc.array(tie('term'), { minLength: 1, maxLength: 3, depthIdentifier: 'ix' }),
    })
    .map(({ c, terms }) => normalIx(c, terms)),
  term: fc.oneof(
    { depthIdentifier: 'ix', maxDepth: 2 },
    fc.record({
      m: fc.constantFrom(-8, -4, -3, -1, 1, 1, 2, 4, 6, 8),
      a: fc.constantFrom({ k: 'axis', id: vec } as const, { k: 'axis', id: other } as const),
    }),
    fc
      .record({
        m: fc.constantFrom(-4, -1, 1, 1, 2, 8),
        k: fc.constantFrom('div' as const, 'mod' as const),
        e: tie('ix'),
        by: fc.constantFrom(2, 3, 4, 5, 6, 8, 12, 16),
      })
      .map(({ m, k, e, by }) => ({ m, a: { k, e, by } })),
  ),
})).ix;

const start = fc
  .tuple(fc.constantFrom(0, 1, 2, 3, 4, 6, 8, 12, 16), fc.integer({ min: -20, max: 20 }))
  .map(([m, r]) => congruence(m, r));

const valueAt = (e: Ix, v: number, w: number): number => evalIx(e, (id) => (id === vec ? v : w));

describe('congruences', () => {
  const any = fc
    .tuple(start, fc.integer({ min: -50, max: 50 }))
    .map(([c, k]) => ({ c, v: c.r + c.m * k }));
  const holds = (c: { m: number; r: number }, v: number): boolean =>
    c.m === 0 ? v === c.r : (((v - c.r) % c.m) + c.m) % c.m === 0;

  it('of sums and multiples hold', () =>
    fc.assert(
      fc.property(any, any, fc.integer({ min: -12, max: 12 }), (a, b, k) => {
        expect(holds(plus(a.c, b.c), a.v + b.v)).toBe(true);
        expect(holds(times(a.c, k), a.v * k)).toBe(true);
      }),
    ));

  it('are not claimed beyond exact numbers', () => {
    expect(times(exactly(2 ** 40), 2 ** 20)).toEqual({ m: 1, r: 0 });
    expect(times(congruence(2 ** 40, 1), 2 ** 20)).toEqual({ m: 1, r: 0 });
  });
});

describe('strides over lanes', () => {
  it('are those of the index, from every start', () => {
    let found = 0;
    fc.assert(
      fc.property(index, start, fc.nat(7), (e, from, shift) => {
        const moved = advance(e, vec, shift);
        const s = laneStride(moved, { axis: vec, start: from });
        if (s === undefined) return;
        found++;
        const wrong: number[][] = [];
        for (let k = -12; k <= 12; k++) {
          for (let w = 0; w < 13; w++) {
            const v = from.r + from.m * k;
            const first = valueAt(e, v + shift, w);
            for (const lane of [1, 2, 3])
              if (valueAt(moved, v + lane, w) !== first + lane * s) wrong.push([v, w, lane]);
          }
        }
        expect(wrong).toEqual([]);
      }),
      { numRuns: 3000 },
    );
    expect(found).toBeGreaterThan(500);
  });

  it('are found where vectors start at multiples of four', () => {
    const fours = { axis: vec, start: congruence(4, 0) };
    const v = ixAxis(vec);
    const stride = (e: Ix): number | undefined => laneStride(e, fours);
    expect(stride(divIx(v, 4, noExtents))).toBe(0);
    expect(stride(modIx(v, 8, noExtents))).toBe(1);
    expect(
      stride(divIx(normalIx(12, [...v.terms, { m: 8, a: { k: 'axis', id: 1 } }]), 16, noExtents)),
    ).toBe(0);
    expect(stride(divIx(v, 6, noExtents))).toBe(undefined);
    expect(stride(divIx(normalIx(2, v.terms), 4, noExtents))).toBe(undefined);
    // From a known number more can be said.
    expect(laneStride(divIx(v, 6, noExtents), { axis: vec, start: exactly(8) })).toBe(0);
    expect(laneStride(divIx(v, 4, noExtents), { axis: vec, start: congruence(6, 0) })).toBe(
      undefined,
    );
  });
});
