/** A device that is wrong in places: the check of a device draws what the derivatives were drawn from. */
import { expect, it } from 'vitest';
import { check } from '../../dsl/index.ts';
import type { Device, Executable } from '../../runtime/devices/device.ts';
import { wasmDevice } from '../../runtime/devices/wasm.ts';
import { compareFunction } from '../../runtime/gradcheck/compare-function.ts';

/** wasm, with every result passed through `spoil`. */
function spoiled(spoil: (v: number) => number): Device {
  const wasm = wasmDevice({ threads: 1 });
  return {
    name: 'wasm',
    async prepare(program): Promise<Executable> {
      const exec = await wasm.prepare(program);
      return { ...bound(exec), read: async (o) => (await exec.read(o)).map(spoil) };
    },
    dispose: () => wasm.dispose(),
  };
}

const bound = (e: Executable): Executable => ({
  write: (i, data, at) => e.write(i, data, at),
  run: (signal) => e.run(signal),
  read: (o) => e.read(o),
  bytes: e.bytes,
  dispose: () => e.dispose(),
});

const text = 'fn f[N](x: f32[N]): f32[N] = for i. x[i] * 0.5\n';
const { program } = check(new Map([['t.tn', text]]), 't.tn');
const f = program!.fns.get('t.tn#f')!;
const settings = { runs: 20, seed: 1, domain: { lo: -2, hi: 2 } };

it('agrees where it does', async () => {
  const r = await compareFunction(
    program!,
    f,
    spoiled((v) => v),
    settings,
  );
  expect(r).toMatchObject({ ok: true, error: 0 });
});

it('that is wrong for negative numbers alone is found out, with the element and both values', async () => {
  const r = await compareFunction(
    program!,
    f,
    spoiled((v) => (v < 0 ? v * 1.001 : v)),
    settings,
  );
  expect(r!.ok).toBe(false);
  expect(r!.at).toMatch(/^(out|grad\.x)\[\d\]$/);
  expect(r!.want).toBeLessThan(0);
  expect(r!.got).toBeCloseTo(r!.want * 1.001, 6);
});

it('is not blamed for a root near 0, whose rounding has no bound', async () => {
  const root = 'fn f(x: f32, y: f32): f32 = sqrt(max(x * y - x * y, 0)) * y + x\n';
  const { program: p } = check(new Map([['t.tn', root]]), 't.tn');
  const r = await compareFunction(
    p!,
    p!.fns.get('t.tn#f')!,
    spoiled((v) => v),
    settings,
  );
  expect(r!.cells).toBeGreaterThan(0);
  expect(r!.error).toBeLessThanOrEqual(r!.bound);
});

it('is tried elsewhere where float32 ends, and not blamed for that', async () => {
  const steep = 'fn f(x: f32): f32 = 1 / (1 + exp(-100 * x))\n';
  const { program: p } = check(new Map([['t.tn', steep]]), 't.tn');
  const r = await compareFunction(
    p!,
    p!.fns.get('t.tn#f')!,
    spoiled((v) => v),
    settings,
  );
  expect(r).toMatchObject({ ok: true });
});

it('is judged at negative numbers to a whole power, which are exact', async () => {
  const power = 'fn f(x: f32, n: i32): f32 = x^f32(n % 3)\n';
  const { program: p } = check(new Map([['t.tn', power]]), 't.tn');
  const r = await compareFunction(
    p!,
    p!.fns.get('t.tn#f')!,
    spoiled((v) => v),
    settings,
  );
  expect(r).toMatchObject({ ok: true, unbounded: 0 });
});
