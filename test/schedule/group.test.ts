/**
 * Kernels of several nests: what becomes of softmax, layernorm and an optimiser (shown), and that
 * random programs over rows mean the same when their nests are grouped, also in shares and with
 * donated inputs.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { castE, f32, prim, readE } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { ixAxis } from '../../compiler/core/ix.ts';
import type { Axis, Core, Expr, Var } from '../../compiler/core.ts';
import type { Plan } from '../../compiler/plan.ts';
import { outline, printPlan } from '../../compiler/schedule/print.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { at, Hand } from '../core/hand.ts';
import { compare, runPlan } from '../wasm/run-core.ts';
import { inShares } from '../wasm/shares.ts';
import { arbitraryRows } from './rows.ts';

/** The kernels as printed, without the buffers. */
const kernels = (plan: Plan): string =>
  printPlan(plan)
    .split('\n')
    .filter((l) => !/^(input|output|const|temp|arena)/.test(l))
    .join('\n');

describe('what becomes of', () => {
  it('softmax: one kernel over rows, with the exponentials kept in scratch', () => {
    const h = new Hand();
    const [i, j] = [h.supply.axis(64, 'i'), h.supply.axis(48, 'j')];
    const x = h.input('x', [64, 48]);
    const top = h.reduce('top', [i], 'max', [j], at(x, i, j));
    const e = h.map('e', [i, j], prim('exp', prim('sub', at(x, i, j), at(top, i))));
    const z = h.reduce('z', [i], 'sum', [j], at(e, i, j));
    const y = h.map('y', [i, j], prim('div', at(e, i, j), at(z, i)));
    expect(kernels(schedule(h.core(y)))).toMatchInlineSnapshot(`
      "scratch top#1: f32[1]
      scratch e#2: f32[48]
      scratch z#3: f32[1]
      kernel 0 top [i:64]
        top#1[0] = max j:48. x#0[48*i + j]
        for j_2:48. e#2[j_2] = exp(sub(x#0[48*i + j_2], top#1[0]))
        z#3[0] = sum j_3:48. e#2[j_3]
        for j_4:48. y#4[48*i + j_4] = div(e#2[j_4], z#3[0])"
    `);
  });

  it('layernorm: one kernel over rows', () => {
    const h = new Hand();
    const [i, j] = [h.supply.axis(64, 'i'), h.supply.axis(48, 'j')];
    const x = h.input('x', [64, 48]);
    const mean = h.map(
      'mean',
      [i],
      prim('mul', at(h.reduce('sum', [i], 'sum', [j], at(x, i, j)), i), f32(1 / 48)),
    );
    const d = h.map('d', [i, j], prim('sub', at(x, i, j), at(mean, i)));
    const v = h.reduce('v', [i], 'sum', [j], prim('mul', at(d, i, j), at(d, i, j)));
    const y = h.map('y', [i, j], prim('div', at(d, i, j), prim('sqrt', at(v, i))));
    expect(outline(schedule(h.core(y)))).toMatchInlineSnapshot(`
      [
        "sum: sum set sum set",
      ]
    `);
  });

  it('an optimiser on donated state: one pass that updates everything in place', () => {
    const h = new Hand();
    const [i, j] = [h.supply.axis(40, 'i'), h.supply.axis(24, 'j')];
    const [p, m, e, g] = ['p', 'm', 'e', 'g'].map((n) => h.input(n, [40, 24])) as [
      Var,
      Var,
      Var,
      Var,
    ];
    const mix = (a: Expr, b: Expr, t: number): Expr =>
      prim('add', prim('mul', f32(t), a), prim('mul', f32(1 - t), b));
    const m1 = h.map('m1', [i, j], mix(at(m, i, j), at(g, i, j), 0.75));
    const p1 = h.map('p1', [i, j], prim('sub', at(p, i, j), prim('sqrt', at(m1, i, j))));
    const e1 = h.map('e1', [i, j], mix(at(e, i, j), at(p1, i, j), 0.5));
    const donate = [
      [0, 0],
      [1, 1],
      [2, 2],
    ] as const;
    expect(kernels(schedule(h.core(p1, m1, e1), donate))).toMatchInlineSnapshot(`
      "kernel 0 m1 [j:960]
        m#1[j] = add(mul(0.75, m#1[j]), mul(0.25, g#3[j]))
        p#0[j] = sub(p#0[j], sqrt(m#1[j]))
        e#2[j] = add(mul(0.5, e#2[j]), mul(0.5, p#0[j]))"
    `);
  });

  it('columns of a matrix: not a row kernel, because nothing in it would be contiguous', () => {
    const h = new Hand();
    const [i, j] = [h.supply.axis(48, 'i'), h.supply.axis(64, 'j')];
    const x = h.input('x', [48, 64]);
    const top = h.reduce('top', [j], 'max', [i], at(x, i, j));
    const y = h.map('y', [j, i], prim('sub', at(x, i, j), at(top, j)));
    expect(outline(schedule(h.core(y)))).toHaveLength(2);
  });
});

const inputsOf = (core: Core): Float64Array[] =>
  core.inputs.map((v, k) =>
    Float64Array.from({ length: v.shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      Math.fround(Math.sin(i * 1.7 + k)),
    ),
  );

describe('random programs over rows', () => {
  it('mean the same when grouped, donated inputs included', async () => {
    let grouped = 0;
    await fc.assert(
      fc.asyncProperty(
        arbitraryRows,
        fc.constantFrom([], [[0, 0]] as const),
        async (core, donate) => {
          const plan = schedule(core, donate);
          if (plan.steps.some((s) => s.k === 'kernel' && s.nests.length > 1)) grouped++;
          const inputs = inputsOf(core);
          const got = await runPlan(core, plan, inputs, donate);
          expect(compare(core, got, interpret(core, inputs), 1e-5)).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
    expect(grouped).toBeGreaterThan(50);
  });

  it('give the same bits in shares, each thread with scratch of its own', () =>
    fc.assert(
      fc.asyncProperty(arbitraryRows, fc.constantFrom(2, 3), async (core, threads) => {
        const plan = schedule(core);
        const inputs = inputsOf(core);
        const whole = await inShares(plan, inputs, 1, false);
        expect(await inShares(plan, inputs, threads, true)).toEqual(whole);
      }),
      { numRuns: 60 },
    ));
});

describe('a value handed on within a group', () => {
  const sine = (h: Hand, i: Axis) => {
    const x = h.input('x', [4]);
    return { x, y: h.map('y', [i], prim('sin', at(x, i))) };
  };
  const check = async (core: Core): Promise<void> => {
    const inputs = core.inputs.map((v) => Float64Array.from({ length: v.shape[0]! }, (_, k) => k));
    const got = await runPlan(core, schedule(core), inputs);
    expect(compare(core, got, interpret(core, inputs))).toEqual([]);
  };

  it('is 0 outside the guard of the read', async () => {
    const h = new Hand();
    const i = h.supply.axis(4, 'i');
    const { y } = sine(h, i);
    const read = readE(y, [ixAxis(i)], [{ e: ixAxis(i), lo: 1, hi: 3 }]);
    await check(h.core(h.map('v', [i], prim('add', read, f32(1)))));
  });

  it('is handed on inside the address of another read', async () => {
    const h = new Hand();
    const i = h.supply.axis(4, 'i');
    const { x } = sine(h, i);
    const k = h.map('k', [i], castE('i32', prim('mul', at(x, i), f32(0.5))));
    const where = { c: 0, terms: [{ m: 1, a: { k: 'val' as const, e: at(k, i), extent: 4 } }] };
    const read = readE(x, [where]);
    await check(h.core(h.map('v', [i], prim('add', read, f32(1)))));
  });
});
