/**
 * The gpu.js device beyond values: what its kernels look like, what runs on the host and why, its
 * other modes, abort and disposal.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { emitGpuJs, gpujsProgram, type Item } from '../../compiler/emit/gpujs/index.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { type GpuJsMode, gpujsDevice } from '../../runtime/devices/gpujs.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { denseSilu, foldCore, gatherScatter } from '../core/hand.ts';
import { handCases } from './cases.ts';
import { describeOn } from './devices.ts';
import { compare, runOn } from './run-core.ts';

const all = { maxArrays: Infinity };

describe('kernels', () => {
  it('of a dense layer with a gate', () => {
    expect(emitGpuJs(schedule(denseSilu(7, 9)))).toMatchInlineSnapshot(`
      "// pipeline: takes b0 b1, gives b2 b3
      // b2: 7 words
      function (b0, b1) {
        const t = this.thread.x;
        let out = 0;
        const r0 = t - 0;
        const d0 = r0;
        const a0 = d0;
        let acc = 0;
        for (let n1 = 0; n1 < 9; n1++) {
          const a1 = n1;
          acc = acc + (b0[(a0 * 9 + a1)] * b1[a1]);
        }
        out = acc;
        return out;
      }
      // b3: 7 words
      function (b2) {
        const t = this.thread.x;
        let out = 0;
        const r0 = t - 0;
        const d0 = r0;
        const a0 = d0;
        const v0 = Math.exp((-b2[a0]));
        const v1 = (1 + v0);
        out = ((b2[a0] / v1) - (v0 * v1));
        return out;
      }
      "
    `);
  });

  it('of a fold: slices of one array, the step in an array of one word', () => {
    expect(emitGpuJs(schedule(foldCore(true)))).toMatchInlineSnapshot(`
      "// pipeline: takes b4 b0 b2 b3 b1, gives b4 b5 b6 b8 b9
      // b4: 16 words
      function (old, b0) {
        const t = this.thread.x;
        let out = old[t];
        const r0 = t - 12;
        const d0 = r0;
        const a2 = d0;
        if (d0 >= 0 && d0 < 4) {
          out = b0[a2];
        }
        return out;
      }
      // b5: 3 words
      function (b2) {
        const t = this.thread.x;
        let out = 0;
        const r0 = t - 0;
        const d0 = r0;
        const a3 = d0;
        out = b2[a3];
        return out;
      }
      // b6: 1 words
      function (b3) {
        const t = this.thread.x;
        let out = 0;
        const r0 = t - 0;
        out = b3[0];
        return out;
      }
      // loop a0: 3, down
        // b4: 16 words
        function (old, b4, b1, l0) {
          const t = this.thread.x;
          const a0 = l0[0];
          let out = old[t];
          const r0 = t - (a0 * 4);
          const d0 = r0;
          const a1 = d0;
          if (d0 >= 0 && d0 < 4) {
            const v0 = (((1 + a1) >= 0 && (1 + a1) < 4 ? b4[(5 + a0 * 4 + a1)] : 0) + (((-3) + a1) >= 0 && ((-3) + a1) < 4 ? b4[(1 + a0 * 4 + a1)] : 0));
            out = (b4[(4 + a0 * 4 + a1)] + (b1[(a0 * 4 + a1)] * v0));
          }
          return out;
        }
        // b7: 1 words
        function (b4, l0) {
          const t = this.thread.x;
          const a0 = l0[0];
          let out = 0;
          const r0 = t - 0;
          let acc = 0;
          for (let n1 = 0; n1 < 4; n1++) {
            const a1 = n1;
            acc = acc + b4[(a0 * 4 + a1)];
          }
          out = acc;
          return out;
        }
        // b5: 3 words
        function (old, b7, l0) {
          const t = this.thread.x;
          const a0 = l0[0];
          let out = old[t];
          const r0 = t - a0;
          if (r0 == 0) {
            out = out + b7[0];
          }
          return out;
        }
        // b6: 1 words
        function (old, b7, l0) {
          const t = this.thread.x;
          const a0 = l0[0];
          let out = old[t];
          const r0 = t - 0;
          if (r0 == 0) {
            out = out + b7[0];
          }
          return out;
        }
      // b8: 4 words
      function (b4) {
        const t = this.thread.x;
        let out = 0;
        const r0 = t - 0;
        const d0 = r0;
        const a4 = d0;
        out = b4[a4];
        return out;
      }
      // b9: 12 words
      function (b4) {
        const t = this.thread.x;
        let out = 0;
        const r0 = t - 0;
        const d0 = r0;
        const a6 = d0;
        out = b4[a6];
        return out;
      }
      "
    `);
  });

  it('of a segment sum: each cell gathers what falls into it', () => {
    expect(emitGpuJs(schedule(gatherScatter()))).toMatchInlineSnapshot(`
      "// pipeline: takes b0 b1, gives b2 b3
      // b2: 4 words
      function (b0, b1) {
        const t = this.thread.x;
        let out = 0;
        const r0 = t - 0;
        const d0 = r0;
        const a0 = d0;
        out = b0[b1[a0]];
        return out;
      }
      // b3: 5 words
      function () {
        const t = this.thread.x;
        let out = 0;
        const r0 = t - 0;
        const d0 = r0;
        const a1 = d0;
        out = 0;
        return out;
      }
      // b3: 5 words
      function (old, b1, b2) {
        const t = this.thread.x;
        let out = old[t];
        const r0 = t - 0;
        const d0 = r0;
        if (d0 >= 0 && d0 < 5) {
          for (let n0 = 0; n0 < 4; n0++) {
            const a0 = n0;
            if (b1[a0] == d0) {
              out = out + b2[a0];
            }
          }
        }
        return out;
      }
      "
    `);
  });

  it('hold no name of the user', () =>
    fc.assert(
      fc.property(arbitraryCore(), ({ core }) => {
        const plan = schedule(core);
        const named = { ...plan, bufs: plan.bufs.map((b) => ({ ...b, name: '"; evil(); //' })) };
        expect(emitGpuJs(named)).toBe(emitGpuJs(plan));
      }),
      { numRuns: 20 },
    ));
});

describe('what runs on the host', () => {
  const reasons = (name: string): string[] => {
    const { core } = handCases.find((c) => c.name === name)!.make();
    const walk = (items: readonly Item[]): string[] =>
      items.flatMap((i) => (i.k === 'loop' ? walk(i.items) : i.k === 'host' ? [i.why] : []));
    return [...new Set(walk(gpujsProgram(schedule(core), all).items))].sort();
  };

  it('is nothing of attention, layer norm, contractions, convolution, argmax', () => {
    for (const name of [
      'attention',
      'layer norm',
      'contractions in every orientation',
      'strided padded convolution',
      'logic, argmax and empty reductions',
    ])
      expect(reasons(name)).toEqual([]);
  });

  it('is what works on bits, and integers that may leave the exact floats', () => {
    expect(reasons('random bits')).toEqual(['words of 32 bits']);
    expect(reasons('integer corners')).toEqual([
      'integer division by what is no positive constant',
      'integers of unknown size',
      'words of 32 bits',
    ]);
  });

  it('is a kernel that reads more arrays than can be bound', () => {
    const { items } = gpujsProgram(schedule(denseSilu(7, 9)), { maxArrays: 1 });
    expect(items.map((i) => (i.k === 'host' ? i.why : i.k))).toEqual(['it reads 2 arrays', 'pipe']);
  });
});

describeOn('gpujs', (open) => {
  it('stops when the signal fires, and refuses use after disposal', async () => {
    const core = foldCore(false);
    const exe = await (await open()).prepare({ core, plan: () => schedule(core), donate: [] });
    await expect(exe.run(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    expect(() => exe.write(0, new Float32Array(1))).toThrow('has 4 elements, got 1');
    exe.dispose();
    await expect(exe.run()).rejects.toThrow('disposed');
  });

  it('keeps donated state for the next run', async () => {
    const core = denseSilu(3, 3);
    const donate = [[0, 1]] as const;
    const plan = () => schedule(core, donate);
    const exe = await (await open()).prepare({ core, plan, donate });
    exe.write(0, Float32Array.of(2, 0, 0, 0, 2, 0, 0, 0, 2));
    exe.write(1, Float32Array.of(1, 2, 3));
    await exe.run();
    await exe.run();
    expect([...(await exe.read(0))]).toEqual([4, 8, 12]);
    exe.dispose();
  });
});

/** NaN does not survive WGSL as gpu.js writes it: values only. */
const mode = (name: GpuJsMode, without: readonly string[]) => (): void => {
  const device = gpujsDevice(name);
  it.each(handCases.filter((c) => !without.includes(c.name)))('$name', async ({ make }) => {
    const { core, inputs } = make();
    const got = await runOn(await device, core, inputs);
    expect(compare(core, got, interpret(core, inputs), 1e-5)).toEqual([]);
  });
};

describeOn('gpujs', mode('cpu', []), 'in mode cpu');
describeOn(
  'webgpu',
  mode('webgpu', ['float corners', 'long reductions over NaN']),
  'gpu.js in mode webgpu',
);
