/**
 * Pointwise nests of a kernel that share a loop: what one stores is handed on, what only the kernel
 * reads is not stored; reads of other cells and writes over what is still to be read keep loops apart.
 */
import { describe, expect, it } from 'vitest';
import { ixAxis, shiftIx } from '../../compiler/core/ix.ts';
import type { Axis, Ix } from '../../compiler/core.ts';
import { runsOf } from '../../compiler/emit/wasm/runs.ts';
import type { BufId, KExpr, KNest } from '../../compiler/plan.ts';

const axis = (id: number, extent = 8): Axis => ({ id, extent, name: `a${id}` });
const load = (buf: BufId, ix: Ix): KExpr => ({
  k: 'load',
  t: 'f32',
  buf,
  at: { ix, dyn: [] },
  guard: [],
});
const exp = (x: KExpr): KExpr => ({ k: 'prim', t: 'f32', op: 'exp', args: [x] });

/** to[a] = exp(from[read(a)]) */
const map = (a: Axis, to: BufId, from: BufId, read: (ix: Ix) => Ix = (ix) => ix): KNest => ({
  axes: [a],
  red: [],
  op: null,
  body: exp(load(from, read(ixAxis(a)))),
  store: { buf: to, at: { ix: ixAxis(a), dyn: [] }, guard: [], mode: 'set' },
  spans: [],
});
const [x, y, z] = [0, 1, 2];
const none = (): boolean => false;
const next = (ix: Ix): Ix => shiftIx(ix, 1);

describe('two nests over as many cells', () => {
  it('share a loop, and the second takes the value that the first has stored', () => {
    const runs = runsOf([map(axis(1), y, x), map(axis(2), z, y)], none);
    expect(runs.map((r) => r.nests.map((n) => n.store.buf))).toEqual([[y, z]]);
    const [first, second] = runs[0]!.nests;
    expect(second!.body).toEqual(exp(first!.body));
  });

  it('store nothing that only they read', () => {
    const runs = runsOf([map(axis(1), y, x), map(axis(2), z, y)], (b) => b === y);
    expect(runs.map((r) => r.nests.map((n) => n.store.buf))).toEqual([[z]]);
  });

  it('store what a later loop of the kernel reads', () => {
    const sum: KNest = { ...map(axis(3), 3, y), axes: [], red: [axis(3)], op: 'sum' };
    const runs = runsOf([map(axis(1), y, x), map(axis(2), z, y), sum], (b) => b === y);
    expect(runs.map((r) => r.nests.map((n) => n.store.buf))).toEqual([[y, z], [3]]);
  });

  it('stay apart when the second reads another cell of what the first writes', () => {
    expect(runsOf([map(axis(1), y, x), map(axis(2), z, y, next)], none)).toHaveLength(2);
  });

  it('stay apart when the second writes what the first reads at another cell', () => {
    expect(runsOf([map(axis(1), y, x, next), map(axis(2), x, z)], none)).toHaveLength(2);
    expect(runsOf([map(axis(1), y, x), map(axis(2), x, z)], none)).toHaveLength(1);
  });

  it('stay apart when they walk different extents', () => {
    expect(runsOf([map(axis(1), y, x), map(axis(2, 4), z, y)], none)).toHaveLength(2);
  });
});
