/**
 * The cost model against counting: for random plans the sums are exact, and no kernel is said to move
 * less than the distinct cells that it touches when its addresses are enumerated.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floorMod } from '../../compiler/core/ix.ts';
import type { AxisId, Guard, Ix } from '../../compiler/core.ts';
import type { KExpr, Kernel, KIx, Plan } from '../../compiler/plan.ts';
import { costOf } from '../../compiler/schedule/cost.ts';
import { eachKExpr } from '../../compiler/schedule/flat.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { trainStep } from '../wasm/train-step.ts';

type At = ReadonlyMap<AxisId, number>;

function value(ix: Ix, at: At): number {
  return ix.terms.reduce((n, t) => {
    if (t.a.k === 'axis') return n + t.m * (at.get(t.a.id) ?? 0);
    if (t.a.k === 'val') throw new Error('data-dependent');
    const e = value(t.a.e, at);
    return n + t.m * (t.a.k === 'div' ? Math.floor(e / t.a.by) : floorMod(e, t.a.by));
  }, ix.c);
}

/** Distinct words that a kernel reads from outside and writes, with every loop at its first step. */
function touched(plan: Plan, k: Kernel): { read: number; written: number } | undefined {
  const reads = new Set<string>();
  const writes = new Set<string>();
  let affine = true;
  const touch = (to: Set<string>, buf: number, ix: KIx, guards: readonly Guard[], at: At) => {
    if (ix.dyn.length > 0) affine = false;
    if (plan.bufs[buf]!.kind === 'scratch' || !affine) return;
    if (guards.some((g) => value(g.e, at) < g.lo || value(g.e, at) >= g.hi)) return;
    const cell = `${buf}:${value(ix.ix, at)}`;
    if (to === writes || !writes.has(cell)) to.add(cell);
  };
  for (const n of k.nests) {
    const axes = [...k.grid, ...n.axes, ...n.red];
    const loads: (KExpr & { k: 'load' })[] = [];
    eachKExpr(n.body, (e) => void (e.k === 'load' && loads.push(e)));
    const stores: At[] = [];
    const walk = (d: number, at: At): void => {
      if (d < axes.length) {
        const a = axes[d]!;
        for (let i = 0; i < a.extent; i++) walk(d + 1, new Map(at).set(a.id, i));
        return;
      }
      for (const l of loads) touch(reads, l.buf, l.at, l.guard, at);
      stores.push(at);
    };
    walk(0, new Map());
    for (const at of stores) {
      if (n.store.mode === 'add') touch(reads, n.store.buf, n.store.at, n.store.guard, at);
      touch(writes, n.store.buf, n.store.at, n.store.guard, at);
    }
  }
  return affine ? { read: 4 * reads.size, written: 4 * writes.size } : undefined;
}

const bufsRead = (k: Kernel): boolean => k.nests.some((n) => n.body.k !== 'const');

describe('the cost of a plan', () => {
  it('is the sum of its kernels, and covers every cell that is touched', () =>
    fc.assert(
      fc.property(arbitraryCore({ extents: [1, 2, 3, 5] }), ({ core }) => {
        const plan = schedule(core);
        const cost = costOf(plan);
        for (const key of ['flops', 'read', 'written'] as const) {
          expect(cost.kernels.reduce((n, k) => n + k[key], 0)).toBe(cost[key]);
          for (const k of cost.kernels) {
            expect(k.nests.reduce((n, x) => n + x[key], 0)).toBe(k[key]);
            expect(Number.isSafeInteger(k[key])).toBe(true);
          }
        }
        for (const k of cost.kernels) {
          const t = touched(plan, k.kernel);
          if (t === undefined) continue;
          expect(k.read / k.runs).toBeGreaterThanOrEqual(t.read);
          expect(k.written / k.runs).toBeGreaterThanOrEqual(t.written);
        }
      }),
      { numRuns: 200 },
    ));

  it('of a training step is close to the cells that are touched', async () => {
    const { step } = await trainStep({
      ...{ B: 2, N: 3, L: 2, K: 3, C: 2, R: 2, H: 2, W: 2, P: 1, A: 2, E: 2 },
    });
    const plan = schedule(step.core, step.donate);
    let [model, counted] = [0, 0];
    for (const k of costOf(plan).kernels) {
      const t = touched(plan, k.kernel);
      if (t === undefined || !bufsRead(k.kernel)) continue;
      model += (k.read + k.written) / k.runs;
      counted += t.read + t.written;
    }
    expect(model).toBeGreaterThanOrEqual(counted);
    expect(model).toBeLessThan(1.1 * counted);
  });
});
