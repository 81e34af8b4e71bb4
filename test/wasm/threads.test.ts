/**
 * Threads change no bit: shares of every kernel together are the kernel (tried one after another, for
 * random programs and contractions, so that a cell computed twice or never shows), and whole runs on
 * 1, 2 and 4 workers are equal. A worker that fails is an error for the caller, never a hang.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../compiler/core/build.ts';
import { prim, readE } from '../../compiler/core/expr.ts';
import { ixAxis, ixVal } from '../../compiler/core/ix.ts';
import type { Core } from '../../compiler/core.ts';
import { emitWasm } from '../../compiler/emit/wasm/index.ts';
import { Hazards } from '../../compiler/emit/wasm/threads.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { wasmDevice, wasmFeatures } from '../../runtime/devices/wasm.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { at, Hand } from '../core/hand.ts';
import { inShares } from './shares.ts';

describe('shares of kernels', () => {
  it('together are the kernel, in any order', () =>
    fc.assert(
      fc.asyncProperty(
        arbitraryCore({ extents: [1, 2, 5, 8, 17] }),
        fc.constantFrom(2, 3, 5),
        async (c, threads) => {
          const plan = schedule(c.core, [], { resident: true });
          const whole = await inShares(plan, c.inputs, 1, false);
          expect(await inShares(plan, c.inputs, threads, false)).toEqual(whole);
          expect(await inShares(plan, c.inputs, threads, true)).toEqual(whole);
        },
      ),
      { numRuns: 150 },
    ));

  it('are taken from a thread that does not come', async () => {
    const h = new Hand();
    const [i, j, k] = [70, 50, 40].map((n) => h.supply.axis(n, 'a')) as [never, never, never];
    const x = h.input('x', [70, 40]);
    const w = h.input('w', [40, 50]);
    const core = h.core(h.reduce('s', [i, j], 'sum', [k], prim('mul', at(x, i, k), at(w, k, j))));
    const plan = schedule(core, [], { resident: true });
    const inputs = inputsOf(core);
    const whole = await inShares(plan, inputs, 1, false);
    // A single kernel, so that nobody waits at a barrier.
    expect(plan.steps).toHaveLength(1);
    const made = emitWasm(plan, { fma: wasmFeatures().relaxed, threads: 2, shareFrom: 0 });
    expect(made.chunks.size).toBeGreaterThan(0);
    const memory = new WebAssembly.Memory({
      initial: made.pages,
      maximum: made.pages,
      shared: true,
    });
    const { instance } = await WebAssembly.instantiate(made.bytes, { env: { memory } });
    const run = instance.exports['run'] as (from: number, to: number, t: number, n: number) => void;
    plan.inputs.forEach((id, i) => {
      new Float32Array(memory.buffer, made.address.get(id)!, inputs[i]!.length).set(inputs[i]!);
    });
    run(0, made.steps, 1, 2);
    const bytes = plan.outputs.flatMap((id) => {
      const { words } = plan.bufs[id]!;
      return [...new Uint8Array(memory.buffer, made.address.get(id)!, words * 4)];
    });
    expect(Uint8Array.from(bytes)).toEqual(whole);
  });

  it('of contractions too: by batch, by rows, by columns, with a copied operand', async () => {
    for (const [batch, m, n, k] of [
      [9, 13, 17, 40],
      [1, 61, 17, 40],
      [1, 13, 61, 40],
      [1, 40, 24, 900],
      [1, 24, 40, 900],
      [2, 25, 30, 401],
    ] as const) {
      for (const copied of [false, true]) {
        const h = new Hand();
        const [b, i, j, r] = [batch, m, n, k].map((e) => h.supply.axis(e, 'a')) as [
          never,
          never,
          never,
          never,
        ];
        const x = h.input('x', [batch, m, k]);
        const y = h.input('y', [batch, n, k]);
        const left = at(x, b, i, r);
        const body = prim('mul', copied ? prim('abs', left) : left, at(y, b, j, r));
        const core = h.core(h.reduce('c', [b, i, j], 'sum', [r], body));
        const inputs = inputsOf(core);
        const plan = schedule(core, [], { resident: true });
        const whole = await inShares(plan, inputs, 1, false);
        for (const threads of [2, 3, 4])
          expect(await inShares(plan, inputs, threads, true)).toEqual(whole);
      }
    }
  });
});

const inputsOf = (core: Core): Float64Array[] =>
  core.inputs.map((v, i) =>
    Float64Array.from({ length: sizeOf(v.shape) }, (_, k) => Math.fround(Math.sin(k * 7 + i))),
  );

/** softmax(x w) w: enough work for threads. */
function attentionLike(n: number): Core {
  const h = new Hand();
  const [i, j, k] = ['i', 'j', 'k'].map((name) => h.supply.axis(n, name)) as [never, never, never];
  const x = h.input('x', [n, n]);
  const w = h.input('w', [n, n]);
  const s = h.reduce('s', [i, j], 'sum', [k], prim('mul', at(x, i, k), at(w, k, j)));
  const top = h.reduce('top', [i], 'max', [j], at(s, i, j));
  const e = h.map('e', [i, j], prim('exp', prim('sub', at(s, i, j), at(top, i))));
  const z = h.reduce('z', [i], 'sum', [j], at(e, i, j));
  const a = h.map('a', [i, j], prim('div', at(e, i, j), at(z, i)));
  return h.core(h.reduce('y', [i, j], 'sum', [k], prim('mul', at(a, i, k), at(w, k, j))), z);
}

describe('workers', () => {
  const core = attentionLike(160);
  const program = { core, plan: () => schedule(core, [], { resident: true }), donate: [] };
  const inputs = inputsOf(core).map((x) => Float32Array.from(x));

  it('give the same bits on 1, 2 and 4 threads, run after run', async () => {
    const seen: Uint8Array[] = [];
    for (const threads of [1, 2, 4]) {
      const device = wasmDevice({ threads });
      const exe = await device.prepare(program);
      inputs.forEach((x, i) => {
        exe.write(i, x);
      });
      for (let r = 0; r < 3; r++) {
        await exe.run();
        seen.push(new Uint8Array((await exe.read(0)).buffer as ArrayBuffer));
      }
      exe.dispose();
      device.dispose();
    }
    for (const s of seen) expect(s).toEqual(seen[0]);
  });

  it('several programs share one pool', async () => {
    const device = wasmDevice({ threads: 2 });
    const two = await Promise.all([device.prepare(program), device.prepare(program)]);
    for (const exe of two)
      inputs.forEach((x, i) => {
        exe.write(i, x);
      });
    await Promise.all(two.map((exe) => exe.run()));
    expect(await two[0]!.read(0)).toEqual(await two[1]!.read(0));
    device.dispose();
    await expect(two[0]!.run()).rejects.toThrow('disposed');
  });

  it('stop at an abort', async () => {
    const device = wasmDevice({ threads: 2 });
    const exe = await device.prepare(program);
    const stop = new AbortController();
    const run = exe.run(stop.signal);
    stop.abort();
    await expect(run).rejects.toMatchObject({ code: 'aborted' });
    // The executable is as good as new.
    inputs.forEach((x, i) => {
      exe.write(i, x);
    });
    await exe.run();
    device.dispose();
  });

  it('report a trap instead of waiting for the one that trapped', async () => {
    const h = new Hand();
    const n = 160;
    const [i, j, k] = ['i', 'j', 'k'].map((name) => h.supply.axis(n, name)) as [
      never,
      never,
      never,
    ];
    const x = h.input('x', [n, n]);
    const pick = h.input('pick', [n], 'i32', n);
    const s = h.reduce('s', [i, j], 'sum', [k], prim('mul', at(x, i, k), at(x, k, j)));
    const row = ixVal(at(pick, i), n);
    const y = h.map('y', [i, j], prim('exp', readE(s, [row, ixAxis(j)])));
    const bad = h.core(h.reduce('z', [j], 'sum', [i], at(y, i, j)), y);
    const device = wasmDevice({ threads: 2 });
    const exe = await device.prepare({
      core: bad,
      plan: () => schedule(bad, [], { resident: true }),
      donate: [],
    });
    exe.write(0, new Float32Array(n * n));
    // A host that breaks its promise: an index far outside, in the first thread's share only.
    exe.write(
      1,
      Int32Array.from({ length: n }, (_, r) => (r === 3 ? 100_000 : 0)),
    );
    await expect(exe.run()).rejects.toThrow('worker thread failed');
    exe.write(1, new Int32Array(n));
    exe.write(0, new Float32Array(n * n));
    await exe.run();
    device.dispose();
  });
});

describe('barriers', () => {
  const touch = (reads: [number, number][], writes: [number, number][], serial = false) => ({
    reads,
    writes,
    serial,
  });

  it('stand before a read of what was written, a write of what was read or written', () => {
    const first = touch([[0, 8]], [[8, 16]]);
    for (const [next, due] of [
      [touch([[8, 12]], [[20, 24]]), true],
      [touch([[30, 34]], [[4, 6]]), true],
      [touch([[30, 34]], [[15, 20]]), true],
      [touch([[0, 8]], [[16, 24]]), false],
    ] as const) {
      const h = new Hazards();
      expect(h.needsBarrier(first)).toBe(false);
      expect(h.needsBarrier(next)).toBe(due);
    }
  });

  it('are not needed between kernels that one thread runs in order', () => {
    const h = new Hazards();
    h.needsBarrier(touch([[0, 8]], [[8, 16]], true));
    expect(h.needsBarrier(touch([[8, 16]], [[0, 8]], true))).toBe(false);
    expect(h.needsBarrier(touch([[0, 8]], [[32, 40]]))).toBe(true);
    expect(h.flush()).toBe(true);
    expect(h.flush()).toBe(false);
  });
});
