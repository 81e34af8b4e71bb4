/** The index algebra against plain arithmetic on every value of the axes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constE, freeAxesIx, indexE, prim, substAxes } from '../../compiler/core/expr.ts';
import {
  addIx,
  divIx,
  type Extents,
  evalIx,
  flatIx,
  interval,
  ixAxis,
  ixConst,
  ixVal,
  mapIx,
  modIx,
  noExtents,
  scaleIx,
  shiftIx,
  subIx,
  tidyIx,
} from '../../compiler/core/ix.ts';
import { hashIx, Keys, sameIx } from '../../compiler/core/key.ts';
import type { Ix } from '../../compiler/core.ts';

const sizes = [1, 2, 3, 4, 6];
const extents: Extents = (id) => sizes[id];
const [x, y, z] = [ixAxis(1), ixAxis(2), ixAxis(4)];

/** A recipe for an index: built with simplification, and evaluated without any. */
type Tree =
  | { k: 'axis'; id: number }
  | { k: 'const'; c: number }
  | { k: 'add' | 'sub'; a: Tree; b: Tree }
  | { k: 'scale' | 'div' | 'mod'; a: Tree; m: number };

const tree: fc.Arbitrary<Tree> = fc.letrec<{ t: Tree }>((tie) => ({
  t: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.record({ k: fc.constant('axis' as const), id: fc.nat(4) }),
    fc.record({ k: fc.constant('const' as const), c: fc.integer({ min: -9, max: 9 }) }),
    fc.record({ k: fc.constantFrom('add' as const, 'sub' as const), a: tie('t'), b: tie('t') }),
    fc.record({
      k: fc.constant('scale' as const),
      a: tie('t'),
      m: fc.integer({ min: -4, max: 6 }),
    }),
    fc.record({
      k: fc.constantFrom('div' as const, 'mod' as const),
      a: tie('t'),
      m: fc.constantFrom(1, 2, 3, 4, 6, 12),
    }),
  ),
})).t;

function build(t: Tree, e: Extents): Ix {
  switch (t.k) {
    case 'axis':
      return ixAxis(t.id);
    case 'const':
      return ixConst(t.c);
    case 'add':
      return addIx(build(t.a, e), build(t.b, e));
    case 'sub':
      return subIx(build(t.a, e), build(t.b, e));
    case 'scale':
      return scaleIx(build(t.a, e), t.m);
    case 'div':
      return divIx(build(t.a, e), t.m, e);
    case 'mod':
      return modIx(build(t.a, e), t.m, e);
  }
}

function value(t: Tree, at: readonly number[]): number {
  switch (t.k) {
    case 'axis':
      return at[t.id]!;
    case 'const':
      return t.c;
    case 'add':
      return value(t.a, at) + value(t.b, at);
    case 'sub':
      return value(t.a, at) - value(t.b, at);
    case 'scale':
      return value(t.a, at) * t.m;
    case 'div':
      return Math.floor(value(t.a, at) / t.m);
    case 'mod': {
      const v = value(t.a, at);
      return v - t.m * Math.floor(v / t.m);
    }
  }
}

/** One expectation for all points: an expectation each would take most of the time. */
function meansAtAllPoints(ixs: readonly Ix[], want: (at: readonly number[]) => number): void {
  for (const p of points) {
    const wanted = want(p);
    for (const ix of ixs) {
      const got = evalIx(ix, (id) => p[id]!);
      if (got !== wanted) expect({ at: p, got, ix }).toEqual({ at: p, got: wanted, ix });
    }
  }
}

const points = sizes.reduce<number[][]>(
  (ps, n) => ps.flatMap((p) => Array.from({ length: n }, (_, i) => [...p, i])),
  [[]],
);

describe('indices', () => {
  it('mean what arithmetic says, with and without known extents', () => {
    fc.assert(
      fc.property(tree, (t) => {
        const known = build(t, extents);
        const unknown = build(t, noExtents);
        meansAtAllPoints([known, unknown], (p) => value(t, p));
      }),
      { numRuns: 400 },
    );
  });

  it('mean what arithmetic says when div and mod split sums of axes, again and again', () => {
    const coef = fc.constantFrom(1, 2, 3, 4, 6, 8, 12, -1, -2, -3);
    const split = fc.record({
      k: fc.constantFrom('div' as const, 'mod' as const),
      m: fc.constantFrom(2, 3, 4, 6, 8, 12, 24),
      plus: fc.integer({ min: -5, max: 5 }),
    });
    const sum = fc.array(fc.tuple(coef, fc.nat(4)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        sum,
        fc.integer({ min: -3, max: 12 }),
        fc.array(split, { minLength: 1, maxLength: 3 }),
        (terms, c, splits) => {
          let t: Tree = { k: 'const', c };
          for (const [m, id] of terms)
            t = { k: 'add', a: t, b: { k: 'scale', a: { k: 'axis', id }, m } };
          for (const { k, m, plus } of splits) {
            t = { k, a: { k: 'add', a: t, b: { k: 'const', c: plus } }, m };
          }
          const known = build(t, extents);
          const unknown = build(t, noExtents);
          const tidied = tidyIx(unknown, extents);
          meansAtAllPoints([known, unknown, tidied], (p) => value(t, p));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('lie in their interval', () => {
    fc.assert(
      fc.property(tree, (t) => {
        const ix = build(t, extents);
        const { lo, hi } = interval(ix, extents);
        const values = points.map((p) => evalIx(ix, (id) => p[id]!));
        expect(values.filter((v) => v < lo || v > hi)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('have a normal form: sorted, merged, no zero term; sums commute to the same structure', () => {
    fc.assert(
      fc.property(tree, tree, (s, t) => {
        const [a, b] = [build(s, extents), build(t, extents)];
        const ab = addIx(a, b);
        expect(sameIx(ab, addIx(b, a))).toBe(true);
        expect(hashIx(ab)).toBe(hashIx(addIx(b, a)));
        const keys = new Keys();
        expect(keys.ix(ab)).toBe(keys.ix(addIx(b, a)));
        expect(ab.terms.every((u) => u.m !== 0)).toBe(true);
        expect(sameIx(subIx(ab, b), a) || a.terms.some((u) => u.a.k !== 'axis')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('substitute as functions compose', () => {
    fc.assert(
      fc.property(tree, fc.array(tree, { minLength: 5, maxLength: 5 }), (t, into) => {
        // Each axis becomes the given index modulo its extent, so values stay in range.
        const map = into.map((s, i) => modIx(build(s, extents), sizes[i]!, extents));
        const out = mapIx(
          build(t, extents),
          (id) => map[id],
          (e) => e,
          extents,
        );
        meansAtAllPoints([out], (p) =>
          value(
            t,
            map.map((ix) => evalIx(ix, (id) => p[id]!)),
          ),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('split and merge of an axis cancel', () => {
    // x: 2, y: 3, z: 6
    expect(divIx(addIx(scaleIx(x, 3), y), 3, extents)).toEqual(x);
    expect(modIx(addIx(scaleIx(x, 3), y), 3, extents)).toEqual(y);
    const [h, e] = [divIx(z, 3, extents), modIx(z, 3, extents)];
    expect(addIx(scaleIx(h, 3), e)).toEqual(z);
    // (0, h, e) of a 3 x 2 x 3 axis, read back by its components
    const flat = flatIx([ixConst(2), x, y], [3, 2, 3]);
    expect(divIx(flat, 6, extents)).toEqual(ixConst(2));
    expect(modIx(divIx(flat, 3, extents), 2, extents)).toEqual(x);
    expect(divIx(modIx(flat, 6, extents), 3, extents)).toEqual(x);
    // nested splits of an axis of unknown extent merge
    const u = ixAxis(99);
    expect(sameIx(divIx(divIx(u, 4, extents), 3, extents), divIx(u, 12, extents))).toBe(true);
    expect(sameIx(modIx(modIx(u, 12, extents), 4, extents), modIx(u, 4, extents))).toBe(true);
    expect(tidyIx(divIx(u, 7, noExtents), (id) => (id === 99 ? 7 : undefined))).toEqual(ixConst(0));
  });

  it('reach through data-dependent atoms', () => {
    const v = ixVal(prim('add', indexE(x), constE('i32', 1)), 3);
    const s = substAxes(new Map([[1, shiftIx(y, 4)]]), extents);
    expect([...freeAxesIx(v)]).toEqual([1]);
    expect([...freeAxesIx(s.ix(divIx(v, 2, extents)))]).toEqual([2]);
    expect(ixVal(indexE(z), 6)).toEqual(z);
    expect(ixVal(constE('i32', 2), 6)).toEqual(ixConst(2));
  });
});
