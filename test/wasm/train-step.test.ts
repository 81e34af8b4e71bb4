/**
 * A whole training step (forward, backward, AdamW, average, in place) as one plan: Wasm against the
 * f64 reference, with and without fusion, donation and threads. Random programs are small; this one
 * has folds forward and backward, attention, row kernels and contractions all at once.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { asContraction, contractionIn } from '../../compiler/schedule/contract.ts';
import { peakWords } from '../../compiler/schedule/memory.ts';
import { hasContraction } from '../../compiler/schedule/resident.ts';
import { eachKernel, schedule } from '../../compiler/schedule/schedule.ts';
import type { Compiled } from '../../runtime/devices/device.ts';
import { compare, runPlan } from './run-core.ts';
import { inShares } from './shares.ts';
import { trainStep } from './train-step.ts';

let step: Compiled;
let inputs: readonly Float64Array[];
let want: Float64Array[];

beforeAll(async () => {
  ({ step, inputs } = await trainStep());
  want = interpret(step.core, inputs);
});

describe('a training step', () => {
  it('agrees with the reference, fused or not, with the state in place', async () => {
    for (const fuse of [false, true]) {
      const plan = schedule(step.core, step.donate, { fuse, resident: fuse });
      const got = await runPlan(step.core, plan, inputs, step.donate);
      expect(compare(step.core, got, want, 1e-5)).toEqual([]);
    }
  });

  it('has the same bits in shares', async () => {
    const plan = schedule(step.core, step.donate, { resident: true });
    const whole = await inShares(plan, inputs, 1, false);
    expect(await inShares(plan, inputs, 3, true)).toEqual(whole);
  });

  it('updates its state in place: no output is copied, and the arena is as small as live values', () => {
    const plan = schedule(step.core, step.donate, { resident: true });
    const names: string[] = [];
    eachKernel(plan.steps, (k) => names.push(k.name));
    expect(names.filter((n) => n.endsWith('.copy') && n.startsWith('out.'))).toEqual([]);
    const rounding = 64 * plan.bufs.length;
    expect(plan.arenaWords).toBeLessThanOrEqual(1.1 * peakWords(plan) + rounding);
  });

  it('is mostly contractions and row kernels', () => {
    const plan = schedule(step.core, step.donate, { resident: true });
    const plain = schedule(step.core, step.donate, { fuse: false });
    const count = (p: typeof plan): { kernels: number; rows: number; contractions: number } => {
      const out = { kernels: 0, rows: 0, contractions: 0 };
      eachKernel(p.steps, (k) => {
        out.kernels++;
        if (k.nests.length > 1) out.rows++;
        if (asContraction(k)) out.contractions++;
        else if (hasContraction(k))
          out.contractions += k.nests.filter((n) => contractionIn(k, n)).length;
      });
      return out;
    };
    const [fused, naive] = [count(plan), count(plain)];
    expect(fused.kernels).toBeLessThan(0.75 * naive.kernels);
    // In a group, smaller ones count too.
    expect(fused.contractions).toBeGreaterThanOrEqual(naive.contractions);
    expect(fused.rows).toBeGreaterThan(15);
  });
});
