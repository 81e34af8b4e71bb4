/**
 * Every program gives on Wasm what the f64 reference gives: random programs with every kind of read,
 * reduction, fold and segment sum, at extents around the four lanes of a vector; integers, bools and
 * random bits exactly. And donation, memory reuse, abort and disposal of the device itself.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import type { Plan, Step } from '../../compiler/plan.ts';
import { liveness } from '../../compiler/schedule/memory.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { wasmDevice } from '../../runtime/devices/wasm.ts';
import { TenonError } from '../../runtime/errors.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { foldCore } from '../core/hand.ts';
import { compare, differences, runPlan } from './run-core.ts';

const random = (options: Parameters<typeof arbitraryCore>[0], numRuns: number) =>
  fc.assert(
    fc.asyncProperty(arbitraryCore(options), async (c) => {
      expect(await differences(c.core, c.inputs)).toEqual([]);
    }),
    { numRuns },
  );

describe('random programs on Wasm', () => {
  it('agree with the reference at small extents', () => random({}, 300));
  it('agree around the vector width', () => random({ extents: [1, 3, 4, 5, 8, 17] }, 300));
  it('agree on smooth floats alone', () => random({ smooth: true, extents: [2, 7, 16] }, 100));
  it('agree with custom blocks', () => random({ customs: true }, 100));
});

/** Fills a temp with NaN as soon as the plan says that nobody needs it any more. */
function poisoned(plan: Plan): Plan {
  const live = liveness(plan);
  let at = 0;
  let axis = 1_000_000;
  const steps = plan.steps.flatMap((s): Step[] => {
    const start = at;
    const count = (t: Step): number =>
      t.k === 'kernel' ? 1 : t.steps.reduce((n, u) => n + count(u), 0);
    at += count(s);
    const dead = live.filter(
      (l) => l.last >= start && l.last < at && (s.k === 'kernel' || l.first >= start),
    );
    return [
      s,
      ...dead.map((l): Step => {
        const id = axis++;
        return {
          k: 'kernel',
          id: id,
          name: 'poison',
          grid: [],
          loops: [],
          nests: [
            {
              axes: [{ id, extent: plan.bufs[l.buf]!.words, name: 'i' }],
              red: [],
              op: null,
              body: { k: 'const', t: 'f32', v: Number.NaN },
              store: {
                buf: l.buf,
                at: { ix: { c: 0, terms: [{ m: 1, a: { k: 'axis', id } }] }, dyn: [] },
                guard: [],
                mode: 'set',
              },
              spans: [],
            },
          ],
        };
      }),
    ];
  });
  return {
    ...plan,
    bufs: plan.bufs.map((b) => (b.kind === 'temp' ? { ...b, t: 'f32' } : b)),
    steps,
  };
}

describe('memory', () => {
  it('a freed slot is never read again (programs survive NaN in it)', () =>
    fc.assert(
      fc.asyncProperty(arbitraryCore({ ints: false, vals: false, bits: false }), async (c) => {
        const got = await runPlan(
          c.core,
          poisoned(schedule(c.core, [], { resident: true })),
          c.inputs,
        );
        expect(compare(c.core, got, interpret(c.core, c.inputs))).toEqual([]);
      }),
      { numRuns: 200 },
    ));

  it('temporaries that live together share no word', () =>
    fc.assert(
      fc.property(arbitraryCore(), ({ core }) => {
        const plan = schedule(core, [], { resident: true });
        const live = liveness(plan);
        for (const a of live)
          for (const b of live) {
            if (a.buf >= b.buf || a.last < b.first || b.last < a.first) continue;
            const [x, y] = [plan.offsets.get(a.buf)!, plan.offsets.get(b.buf)!];
            const apart = x + plan.bufs[a.buf]!.words <= y || y + plan.bufs[b.buf]!.words <= x;
            expect(apart).toBe(true);
          }
      }),
    ));
});

describe('donation', () => {
  it('leaves the same outputs, and the new state in the input', () =>
    fc.assert(
      fc.asyncProperty(arbitraryCore(), fc.nat(), async (c, pick) => {
        const pairs = c.core.outputs.flatMap((o, i) =>
          c.core.inputs.flatMap((x, j) =>
            x.t === o.t && x.shape.join() === o.shape.join() ? [[i, j] as const] : [],
          ),
        );
        fc.pre(pairs.length > 0);
        const donate = [pairs[pick % pairs.length]!];
        const plan = schedule(c.core, donate, { resident: true });
        expect(plan.outputs[donate[0]![0]]).toBe(plan.inputs[donate[0]![1]]);
        const got = await runPlan(c.core, plan, c.inputs, donate);
        expect(compare(c.core, got, interpret(c.core, c.inputs))).toEqual([]);
      }),
      { numRuns: 150 },
    ));
});

describe('the device', () => {
  const core = foldCore(false);
  const program = { core, plan: () => schedule(core, [], { resident: true }), donate: [] };

  it('refuses arrays of another length and use after disposal', async () => {
    const exe = await wasmDevice().prepare(program);
    expect(() => exe.write(0, new Float32Array(1))).toThrow(TenonError);
    exe.dispose();
    await expect(exe.run()).rejects.toThrow('disposed');
  });

  it('stops when the signal fires', async () => {
    const exe = await wasmDevice().prepare(program);
    await expect(exe.run(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    exe.dispose();
  });

  it('refuses a plan beyond 4 GiB with its size', async () => {
    const plan = schedule(core, [], { resident: true });
    const big = { ...program, plan: () => ({ ...plan, arenaWords: 2 ** 30 + 2 ** 28 }) };
    await expect(wasmDevice().prepare(big)).rejects.toThrow('5.00 GiB');
  });
});
