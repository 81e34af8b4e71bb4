/**
 * A worker that dies is an error for whoever waits, at once and ever after, and never a hang: killed in
 * the middle of a run that would take hours, before a program is loaded, and with its device.
 */
import { describe, expect, it } from 'vitest';
import { emitWasm } from '../../compiler/emit/wasm/module.ts';
import { specialise } from '../../runtime/api/specialise.ts';
import { wasmDevice, wasmFeatures } from '../../runtime/devices/wasm.ts';
import { type Handle, type Heard, Pool, startWorker } from '../../runtime/devices/wasm-pool.ts';
import { compile } from '../../runtime/index.ts';

const text = `fn long[S, N](x: f32[N, N]): f32[N, N] =
  fold h = x for s: S. for i, j. 0.5 * (sum k. h[i, k] * x[k, j]) + h[j, i]
`;
/** About 10^13 operations. */
const sizes = { S: 1_000_000, N: 192 };

function longProgram() {
  const program = compile({ 'long.tn': text });
  const fn = program.find('long');
  return specialise(program.typed, program.sources, fn, new Map(Object.entries(sizes)), {
    grad: [],
    present: new Set(['x']),
    donate: new Map(),
  }).compiled;
}

async function pooled(threads: number) {
  const handles: Handle[] = [];
  const answers: { worker: number; error?: string }[] = [];
  const pool = new Pool(threads, async (heard) => {
    const worker = handles.length;
    const answer: Heard['answer'] = (a) => {
      answers.push({ worker, ...a });
      heard.answer(a);
    };
    const h = await startWorker({ ...heard, answer });
    handles.push(h);
    return h;
  });
  const made = emitWasm(longProgram().plan({ resident: true }), {
    fma: wasmFeatures().relaxed,
    threads,
  });
  const { pages } = made;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const module = await WebAssembly.compile(made.bytes);
  return { pool, handles, answers, made, memory, module };
}

const soon = (): Promise<void> => new Promise((done) => setTimeout(done, 50));

describe('a worker that dies', () => {
  it.each([0, 2])(
    'in a run (the one numbered %i) fails the run, and every one after',
    async (n) => {
      const { pool, handles, made, memory, module } = await pooled(3);
      await pool.load(0, module, memory);
      const run = pool.run(0, memory, made.steps);
      const failed = expect(run).rejects.toMatchObject({
        code: 'device',
        message: expect.stringMatching(/^a worker thread of the wasm device ended/),
        hint: expect.stringMatching(/open the device again/),
      });
      await soon();
      handles[n]!.stop();
      await failed;
      await expect(pool.run(0, memory, made.steps)).rejects.toThrow('ended');
      await expect(pool.load(1, module, memory)).rejects.toThrow('ended');
      pool.dispose();
    },
  );

  it('lets the others go: they do not wait at a barrier for ever', async () => {
    const { pool, handles, answers, made, memory, module } = await pooled(2);
    await pool.load(0, module, memory);
    const run = pool.run(0, memory, made.steps).catch(() => {});
    await soon();
    handles[0]!.stop();
    await run;
    // The one that is left answers: it is out of a program that would never have ended.
    while (!answers.some((a) => a.worker === 1 && a.error !== undefined)) await soon();
    pool.dispose();
  });

  it('fails who waits when the device is disposed of in a run', async () => {
    const device = wasmDevice({ threads: 2 });
    const exe = await device.prepare(longProgram());
    exe.write(0, new Float32Array(sizes.N ** 2));
    const failed = expect(exe.run()).rejects.toThrow('disposed of');
    await soon();
    device.dispose();
    await failed;
  });
});
