import { describe, expect, test } from 'vitest';
import { compare } from '../../bench/compare.ts';
import { open, programOf } from '../../bench/peers/tenon.ts';
import { named, odd, tiny, type Workload } from '../../bench/workloads.ts';
import { referenceDevice } from '../../runtime/devices/reference.ts';
import { wasmDevice } from '../../runtime/devices/wasm.ts';

async function results(w: Workload, device: 'wasm' | 'reference', renamed: boolean) {
  const opened = device === 'wasm' ? wasmDevice({ threads: 2 }) : referenceDevice();
  const run = await open(w, opened, renamed);
  await run.run();
  const out = await run.read();
  opened.dispose();
  return out;
}

describe.each(tiny.map((w) => [w.id, w] as const))('%s', (_, w) => {
  test('the device agrees with the reference, under its own names and under none', async () => {
    const reference = await results(w, 'reference', false);
    expect(compare(await results(w, 'wasm', false), reference, w.compared)).toBeLessThan(1e-4);
    expect(compare(await results(w, 'wasm', true), reference, w.compared)).toBeLessThan(1e-4);
  });

  test('the compared results are numbers that depend on the inputs', async () => {
    const got = await results(w, 'wasm', false);
    const other = await results(
      { ...w, inputs: w.inputs.map((i) => (i.spread > 0 ? { ...i, seed: i.seed + 9999 } : i)) },
      'wasm',
      false,
    );
    for (const name of w.compared) expect(compare(got, other, [name])).toBeGreaterThan(1e-3);
  });
});

test.each([...named, ...odd].map((w) => [w.id, w] as const))(
  '%s: the program has the function, and the inputs are its parameters',
  async (_, w) => {
    const { program, fn } = await programOf(w, false);
    const names = program.find(fn).params.map((p) => p.name);
    expect(new Set(w.inputs.map((i) => i.name.split('.')[0]))).toEqual(new Set(names));
  },
);

test('with odd sizes no function keeps its name', async () => {
  for (const w of odd) {
    const before = await programOf(w, false);
    const after = await programOf(w, true);
    const kept = after.program.functions.filter((f) =>
      before.program.functions.some((g) => g.name === f.name),
    );
    expect(kept.map((f) => f.name)).toEqual([]);
  }
});
