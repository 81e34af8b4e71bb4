/**
 * Ranges of numbers and of indices, against every point of small spaces: each value lies in its range,
 * and the range of a number in a mixed radix is met at both ends.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactIx, isExact } from '../../compiler/bounds/exact.ts';
import {
  boundForm,
  boxOf,
  formOfIx,
  narrowed,
  plainly,
  rangeOfIx,
} from '../../compiler/bounds/form.ts';
import * as R from '../../compiler/bounds/range.ts';
import { addIx, eachAtom, evalIx, ixAxis, ixConst, scaleIx } from '../../compiler/core/ix.ts';
import { scalarRule } from '../../compiler/core/scalar.ts';
import type { Atom, Ix, Prim } from '../../compiler/core.ts';

const points = (r: R.Range): number[] =>
  Array.from({ length: r.hi - r.lo + 1 }, (_, i) => r.lo + i);
/** In so many comparisons, expect would take most of the time. */
function holds(r: R.Range, v: number): void {
  if (v < r.lo || v > r.hi) throw new Error(`${v} is not in ${r.lo} to ${r.hi}`);
}
const small = fc
  .tuple(fc.integer({ min: -7, max: 7 }), fc.nat(6))
  .map(([lo, n]): R.Range => ({ lo, hi: lo + n }));

describe('arithmetic on ranges', () => {
  const binary = {
    add: R.add,
    sub: R.sub,
    mul: R.mul,
    min: R.min,
    max: R.max,
    idiv: R.idiv,
    mod: R.mod,
  };
  it.each(Object.entries(binary))('%s holds every value', (op, f) => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        const r = f(a, b);
        for (const x of points(a))
          for (const y of points(b)) {
            const v = scalarRule[op as Prim]([x, y], 'int', 'int');
            holds(r, v);
          }
      }),
    );
  });

  it.each(Object.entries({ neg: R.neg, abs: R.abs, sign: R.sign }))('%s is met', (op, f) => {
    fc.assert(
      fc.property(small, (a) => {
        const all = points(a).map((x) => scalarRule[op as Prim]([x], 'int', 'int'));
        expect(f(a)).toEqual({ lo: Math.min(...all) + 0, hi: Math.max(...all) + 0 });
      }),
    );
  });

  it('claims nothing beyond 2^53', () => {
    const far = R.only(2 ** 53 - 1);
    expect(R.isExact(R.add(far, R.only(0)))).toBe(true);
    expect(R.isExact(R.add(far, R.only(1)))).toBe(false);
    expect(R.add(R.add(far, R.only(1)), R.only(-1))).toEqual({ lo: 2 ** 53 - 2, hi: Infinity });
    expect(R.isExact(R.mul(R.only(2 ** 30), R.only(2 ** 24)))).toBe(false);
    expect(R.idiv(R.anything, R.only(2 ** 60))).toEqual(R.anything);
    expect(R.idiv({ lo: -3, hi: 5 }, { lo: 2, hi: Infinity })).toEqual({ lo: -2, hi: 2 });
    expect(R.mod(R.anything, { lo: 1, hi: Infinity })).toEqual({ lo: 0, hi: Infinity });
  });
});

// ---------------------------------------------------------------- indices

const extents = [4, 3, 6];
const box = boxOf((id) => ({ lo: 0, hi: extents[id]! - 1 }));
const one = (m: number, a: Atom): Ix => ({ c: 0, terms: [{ m, a }] });

/** Sums of axes, quotients and remainders, nested; as they are, without simplification. */
const { ix: anyIx } = fc.letrec<{ ix: Ix; atom: Atom }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 2, depthSize: 'small', withCrossShrink: true },
    fc.nat(2).map((id): Atom => ({ k: 'axis', id })),
    fc
      .tuple(
        fc.constantFrom('div' as const, 'mod' as const),
        tie('ix'),
        fc.integer({ min: 2, max: 6 }),
      )
      .map(([k, e, by]): Atom => ({ k, e, by })),
  ),
  ix: fc
    .tuple(
      fc.integer({ min: -9, max: 9 }),
      fc.array(fc.tuple(fc.integer({ min: -6, max: 6 }), tie('atom')), {
        minLength: 1,
        maxLength: 3,
      }),
    )
    .map(([c, terms]) => addIx(ixConst(c), ...terms.map(([m, a]) => scaleIx(one(1, a), m)))),
}));

function* everywhere(): Generator<(id: number) => number> {
  const [a, b, c] = extents as [number, number, number];
  for (let p = 0; p < a * b * c; p++) {
    const at = [p % a, Math.floor(p / a) % b, Math.floor(p / a / b)];
    yield (id) => at[id]!;
  }
}

describe('ranges of indices', () => {
  it('hold every value', () => {
    fc.assert(
      fc.property(anyIx, (ix) => {
        const r = rangeOfIx(ix, box);
        for (const at of everywhere()) {
          const v = evalIx(ix, at);
          holds(r, v);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('are met by sums of digits of one number', () => {
    const digits = fc.tuple(
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 1, maxLength: 3 }),
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 4, maxLength: 4 }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(digits, ([extent, radices, coefs, nested]) => {
        // The digits of a in these radices, the first for the lowest, each with a multiplier.
        const a = ixAxis(0);
        let below = 1;
        let ix = ixConst(0);
        let rest = a;
        radices.forEach((r, i) => {
          const over =
            below === 1
              ? a
              : one(1, { k: 'div', e: nested ? rest : a, by: nested ? radices[i - 1]! : below });
          rest = over;
          ix = addIx(ix, scaleIx(one(1, { k: 'mod', e: over, by: r }), coefs[i]!));
          below *= r;
        });
        ix = addIx(
          ix,
          scaleIx(one(1, { k: 'div', e: a, by: below }), coefs[3]!),
          scaleIx(a, coefs[0]!),
        );
        const all = Array.from({ length: extent }, (_, v) => evalIx(ix, () => v));
        const r = rangeOfIx(
          ix,
          boxOf(() => ({ lo: 0, hi: extent - 1 })),
        );
        expect(r).toEqual({ lo: Math.min(...all), hi: Math.max(...all) });
      }),
      { numRuns: 500 },
    );
  });

  it('hold every value of quotients and remainders of one number, whatever they are by', () => {
    const step = fc.tuple(
      fc.constantFrom('div' as const, 'mod' as const),
      fc.integer({ min: 2, max: 7 }),
    );
    const part = fc.tuple(fc.integer({ min: -9, max: 9 }), fc.array(step, { maxLength: 3 }));
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 90 }),
        (parts, n) => {
          const ix = addIx(
            ...parts.map(([m, steps]) => {
              const nested = steps.reduce((e, [k, by]) => one(1, { k, e, by }), ixAxis(0));
              return scaleIx(nested, m);
            }),
          );
          const r = rangeOfIx(
            ix,
            boxOf(() => ({ lo: 0, hi: n - 1 })),
          );
          for (let v = 0; v < n; v++) {
            holds(
              r,
              evalIx(ix, () => v),
            );
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('hold every value that guards let through', () => {
    const guard = fc
      .tuple(anyIx, fc.integer({ min: -12, max: 12 }), fc.nat(9))
      .map(([e, lo, n]) => ({ e, lo, hi: lo + n }));
    fc.assert(
      fc.property(anyIx, fc.array(guard, { minLength: 1, maxLength: 3 }), (ix, guards) => {
        const conditions = guards.map(({ e, lo, hi }) => ({ form: formOfIx(e), lo, hi }));
        const known = narrowed(plainly(box), conditions);
        const r = boundForm(formOfIx(ix), known, conditions);
        for (const at of everywhere()) {
          const inside = guards.every(
            ({ e, lo, hi }) => lo <= evalIx(e, at) && evalIx(e, at) <= hi,
          );
          if (!inside) continue;
          holds(r, evalIx(ix, at));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('follow the guards of a strided, padded window into its offset', () => {
    // x[n, 2*y + k - 1, 2*q + l - 1] of [2, 8, 10], with its guards.
    const extent = [2, 4, 3, 5, 3];
    const at = boxOf((id) => ({ lo: 0, hi: extent[id]! - 1 }));
    const [n, y, k, q, l] = [0, 1, 2, 3, 4].map((id) => ixAxis(id)) as [Ix, Ix, Ix, Ix, Ix];
    const row = addIx(scaleIx(y, 2), k, ixConst(-1));
    const col = addIx(scaleIx(q, 2), l, ixConst(-1));
    const conditions = [
      { form: formOfIx(row), lo: 0, hi: 7 },
      { form: formOfIx(col), lo: 0, hi: 9 },
    ];
    const offset = formOfIx(addIx(scaleIx(n, 80), scaleIx(row, 10), col));
    const known = narrowed(plainly(at), conditions);
    expect(boundForm(offset, known, conditions)).toEqual({ lo: 0, hi: 159 });
  });

  it('follow a guard on the dividend into a quotient, also one that stands outside of it', () => {
    // The gradient of 9-wide patches: 9 * ((i + 3*b + 8) // 9) + 9*a - 9 is 9 * ((i + 3*b + 9*a - 1) // 9).
    const extent = [3, 3, 3];
    const at = boxOf((id) => ({ lo: 0, hi: extent[id]! - 1 }));
    const [i, a, b] = [0, 1, 2].map((id) => ixAxis(id)) as [Ix, Ix, Ix];
    const dividend = addIx(i, scaleIx(b, 3), ixConst(8));
    const offset = addIx(
      scaleIx(one(1, { k: 'div', e: dividend, by: 9 }), 9),
      scaleIx(a, 9),
      ixConst(-9),
    );
    const conditions = [{ form: formOfIx(addIx(i, scaleIx(a, 9), scaleIx(b, 3))), lo: 1, hi: 26 }];
    const known = narrowed(plainly(at), conditions);
    expect(boundForm(formOfIx(offset), known, conditions)).toEqual({ lo: 0, hi: 18 });
    const inner = one(1, {
      k: 'div',
      e: addIx(i, scaleIx(a, 9), scaleIx(b, 3), ixConst(1)),
      by: 2,
    });
    expect(boundForm(formOfIx(inner), known, conditions)).toEqual({ lo: 1, hi: 13 });
  });
});

// ---------------------------------------------------------------- 32 bits

/** Axes and multipliers so large that products leave 32 bits. */
const wideIx = fc
  .tuple(
    fc.array(fc.tuple(fc.integer({ min: -3_000_000, max: 3_000_000 }), fc.nat(2)), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.integer({ min: -(2 ** 33), max: 2 ** 33 }),
    fc.integer({ min: 2, max: 100_000 }),
    fc.constantFrom('div' as const, 'mod' as const),
    fc.option(fc.integer({ min: 2, max: 300 }), { nil: undefined }),
  )
  .map(([terms, c, by, k, again]) => {
    const e = addIx(ixConst(c), ...terms.map(([m, id]) => scaleIx(ixAxis(id), m)));
    const quotient = one(1, { k, e, by });
    return again === undefined
      ? addIx(quotient, ixAxis(0))
      : one(1, { k: 'div', e: addIx(scaleIx(quotient, 1000), ixAxis(1)), by: again });
  });

describe('indices that 32 bits compute', () => {
  const large = [1_000_000, 70_000, 2_000];
  const wide = boxOf((id) => ({ lo: 0, hi: large[id]! - 1 }));
  const places = fc.array(fc.tuple(...large.map((n) => fc.nat(n - 1))), {
    minLength: 20,
    maxLength: 20,
  });
  let found = 0;

  it('have the same value, and dividends that fit', () => {
    fc.assert(
      fc.property(wideIx, places, (ix, at) => {
        const out = exactIx(ix, wide);
        if (out === undefined) return;
        if (out !== ix) found++;
        expect(isExact(out, wide)).toBe(true);
        const ends = large.map((n) => n - 1);
        for (const p of [...at, ends, [0, 0, 0]]) {
          const axis = (id: number): number => p[id]!;
          expect(evalIx(out, axis)).toBe(evalIx(ix, axis));
          eachAtom(out, (a) => {
            if (a.k !== 'div' && a.k !== 'mod') return;
            const v = evalIx(a.e, axis);
            expect(v).toBe(v | 0);
          });
        }
      }),
      { numRuns: 600 },
    );
    expect(found).toBeGreaterThan(100);
  });

  it('take a sample of sound at 147/160 of the rate', () => {
    const sound = boxOf(() => ({ lo: 0, hi: 15_000_000 - 1 }));
    const at: Ix = one(1, { k: 'div', e: scaleIx(ixAxis(0), 147), by: 160 });
    const out = exactIx(at, sound)!;
    expect(isExact(at, sound)).toBe(false);
    // i + (-13*i) // 160
    expect(out.terms.map((t) => t.m)).toEqual([1, 1]);
    for (const i of [0, 1, 159, 160, 14_608_729, 14_999_999])
      expect(evalIx(out, () => i)).toBe(Math.floor((147 * i) / 160));
  });
});
