/**
 * Loops cut where guards change: the boxes hold every cell once, with the value it had; what the cuts
 * are for has no guards left. And extremes of rows that hold a NaN anywhere.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evalIx, extentsOf, normalIx } from '../../compiler/core/ix.ts';
import type { Axis, AxisId, Ix } from '../../compiler/core.ts';
import { tangled } from '../../compiler/emit/wasm/paths.ts';
import { regions } from '../../compiler/emit/wasm/regions.ts';
import type { KExpr, KNest } from '../../compiler/plan.ts';
import { axesOf } from '../../compiler/schedule/flat.ts';
import { at, Hand } from '../core/hand.ts';
import { differences } from './run-core.ts';

const affine = (c: number, m: readonly number[]): Ix =>
  normalIx(
    c,
    m.map((m, id) => ({ m, a: { k: 'axis' as const, id } })),
  );

/** Cells by address: the sum of the indices of the loads whose guards hold. */
function cells(nests: readonly KNest[], own: readonly Axis[]): Map<number, number> {
  const out = new Map<number, number>();
  const value = (e: KExpr, env: (id: AxisId) => number): number => {
    const ix = (i: Ix): number => evalIx(i, env, () => 0);
    if (e.k === 'prim') return e.args.reduce((n, a) => n * 3 + value(a, env), 0);
    if (e.k !== 'load') return e.k === 'const' ? e.v : 0;
    const ok = e.guard.every((g) => ix(g.e) >= g.lo && ix(g.e) < g.hi);
    return ok ? ix(e.at.ix) + 1000 : 0;
  };
  const walk = (left: readonly Axis[], at: ReadonlyMap<AxisId, number>): void => {
    const [a, ...rest] = left;
    if (a) {
      for (let v = 0; v < a.extent; v++) walk(rest, new Map(at).set(a.id, v));
      return;
    }
    for (const n of nests) {
      const env = (id: AxisId): number => at.get(id)!;
      const ok = n.store.guard.every((g) => {
        const v = evalIx(g.e, env, () => 0);
        return v >= g.lo && v < g.hi;
      });
      const cell = evalIx(n.store.at.ix, env, () => 0);
      if (!ok) continue;
      expect(out.has(cell)).toBe(false);
      out.set(cell, value(n.body, env));
    }
  };
  walk(own, new Map());
  return out;
}

const spread = fc.integer({ min: -3, max: 3 });
const guard = fc
  .tuple(spread, fc.array(spread, { minLength: 3, maxLength: 3 }), spread, fc.nat(9))
  .map(([c, m, lo, n]) => ({ e: affine(c, m), lo, hi: lo + n }));
const load = fc.array(guard, { maxLength: 2 }).map(
  (guard): KExpr => ({
    k: 'load',
    t: 'f32',
    buf: 0,
    at: { ix: affine(3, [49, 7, 1]), dyn: [] },
    guard,
  }),
);
const nestOf = (axes: readonly Axis[], loads: readonly KExpr[], guards: KNest['store']['guard']) =>
  ({
    axes,
    red: [],
    op: null,
    body: loads.reduce((a, b): KExpr => ({ k: 'prim', t: 'f32', op: 'add', args: [a, b] })),
    store: {
      buf: 1,
      at: { ix: affine(0, [100, 10, 1]), dyn: [] },
      guard: guards,
      mode: 'set',
    },
    spans: [],
  }) satisfies KNest;
const axesOfSize = (sizes: readonly number[]): Axis[] =>
  sizes.map((extent, id) => ({ id, extent, name: `a${id}` }));

describe('boxes', () => {
  it('hold every cell once, with its value', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 3, maxLength: 3 });
    const loads = fc.array(load, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(sizes, loads, fc.array(guard, { maxLength: 1 }), (sizes, loads, guards) => {
        const axes = axesOfSize(sizes);
        const n = nestOf(axes, loads, guards);
        const got = new Map<number, number>();
        for (const r of regions([n], axes, extentsOf(axes)))
          for (const [cell, v] of cells(r.nests, r.own)) {
            expect(got.has(cell)).toBe(false);
            got.set(cell, v);
          }
        expect([...got].sort((a, b) => a[0] - b[0])).toEqual(
          [...cells([n], axes)].sort((a, b) => a[0] - b[0]),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('of three parts side by side have no guards', () => {
    const axes = axesOfSize([10, 18, 64]);
    const part = (k: number): KExpr => ({
      k: 'load',
      t: 'f32',
      buf: 0,
      at: { ix: affine(-384 * k, [384, 64, 1]), dyn: [] },
      guard: [{ e: affine(0, [0, 64, 1]), lo: 384 * k, hi: 384 * (k + 1) }],
    });
    const cut = regions([nestOf(axes, [part(0), part(1), part(2)], [])], axes, extentsOf(axes));
    expect(cut.map((r) => r.own.map((a) => a.extent))).toEqual([
      [10, 6, 64],
      [10, 6, 64],
      [10, 6, 64],
    ]);
    expect(JSON.stringify(cut)).not.toContain('"lo":384');
    for (const r of cut) expect([...axesOf(r.nests[0]!.store.at.ix)]).toEqual([0, 1, 2]);
  });

  it('of a padded read: an interior without guards, and borders', () => {
    const axes = axesOfSize([8, 16]);
    const read = (shift: number): KExpr => ({
      k: 'load',
      t: 'f32',
      buf: 0,
      at: { ix: affine(shift, [16, 1]), dyn: [] },
      guard: [{ e: affine(shift, [0, 1]), lo: 0, hi: 16 }],
    });
    const cut = regions([nestOf(axes, [read(-1), read(1)], [])], axes, extentsOf(axes));
    expect(cut.map((r) => r.own[1]!.extent)).toEqual([1, 14, 1]);
  });
});

describe('extremes', () => {
  it('of rows with a NaN anywhere are NaN, of others exact', async () => {
    for (const length of [5, 16, 67]) {
      const h = new Hand();
      const [i, j] = [h.supply.axis(length + 1, 'i'), h.supply.axis(length, 'j')];
      const x = h.input('x', [length + 1, length]);
      const core = h.core(
        h.reduce('top', [i], 'max', [j], at(x, i, j)),
        h.reduce('low', [i], 'min', [j], at(x, i, j)),
      );
      // Row r has a NaN in column r; the last one has none.
      const data = Float64Array.from({ length: (length + 1) * length }, (_, k) =>
        k % length === Math.floor(k / length) ? Number.NaN : ((k * 37) % 101) - 50,
      );
      expect(await differences(core, [data])).toEqual([]);
    }
  });
});

describe('ways to the leaves', () => {
  const param: KExpr = { k: 'index', t: 'i32', ix: affine(0, [1]) };
  const prim = (op: 'idiv' | 'exp' | 'bits0', args: KExpr[]): KExpr => ({
    k: 'prim',
    t: 'i32',
    op,
    args,
  });
  it('are too many where lanes are put together from random bits, and nowhere near it in exp', () => {
    const bits = prim('bits0', [param, param, param, param]);
    expect(tangled([bits])).toBe(false);
    expect(tangled([prim('idiv', [bits, param])])).toBe(true);
    expect(tangled([prim('idiv', [prim('exp', [param]), param])])).toBe(false);
  });
});
