/** The reference device keeps the contract of device.ts: slots, donation, errors, abort. */
import { describe, expect, it } from 'vitest';
import { prim } from '../../compiler/core/expr.ts';
import type { Core } from '../../compiler/core.ts';
import type { Compiled } from '../../runtime/devices/device.ts';
import { referenceDevice } from '../../runtime/devices/reference.ts';
import { at, denseSilu, Hand } from '../core/hand.ts';

const compiled = (core: Core, donate: Compiled['donate'] = []): Compiled => ({
  core,
  donate,
  plan: () => {
    throw new Error('the reference needs no plan');
  },
});

/** y = x + 1, with y donated to x's slot. */
function counter(): Compiled {
  const h = new Hand();
  const x = h.input('x', [2]);
  const one = h.input('one', []);
  const i = h.supply.axis(2, 'i');
  const y = h.map('y', [i], prim('add', at(x, i), at(one)));
  return compiled(h.core(y), [[0, 0]]);
}

describe('reference device', () => {
  it('keeps inputs between runs and takes any host array', async () => {
    const exe = await referenceDevice().prepare(compiled(denseSilu(2, 3)));
    exe.write(0, Float32Array.of(1, 2, 3, 4, 5, 6));
    exe.write(1, Float64Array.of(1, 0, -1));
    await exe.run();
    expect(await exe.read(0)).toEqual(Float64Array.of(-2, -2));
    exe.write(1, Int32Array.of(0, 0, 1));
    await exe.run();
    expect(await exe.read(0)).toEqual(Float64Array.of(3, 6));
    expect(exe.bytes).toBe(8 * (6 + 3 + 2 + 2));
    exe.dispose();
  });

  it('puts donated outputs into their input slots', async () => {
    const exe = await referenceDevice().prepare(counter());
    exe.write(0, Float64Array.of(5, 7));
    exe.write(1, Float64Array.of(1));
    for (let step = 0; step < 3; step++) await exe.run();
    expect(await exe.read(0)).toEqual(Float64Array.of(8, 10));
  });

  it('does not let a caller change what it holds', async () => {
    const exe = await referenceDevice().prepare(counter());
    const given = Float64Array.of(5, 7);
    exe.write(0, given);
    exe.write(1, Float64Array.of(1));
    given.fill(100);
    await exe.run();
    (await exe.read(0)).fill(100);
    expect(await exe.read(0)).toEqual(Float64Array.of(6, 8));
  });

  it('tells misuse as errors for users', async () => {
    const exe = await referenceDevice().prepare(counter());
    await expect(exe.run()).rejects.toMatchObject({ code: 'usage' });
    expect(() => exe.write(2, Float64Array.of(1))).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
    expect(() => exe.write(0, Float64Array.of(1))).toThrow(
      expect.objectContaining({ code: 'input', message: 'x has 2 elements, got 1' }),
    );
    await expect(exe.read(0)).rejects.toMatchObject({ code: 'usage' });
  });

  it('an aborted run loses its inputs, as the contract says', async () => {
    const exe = await referenceDevice().prepare(counter());
    exe.write(0, Float64Array.of(5, 7));
    exe.write(1, Float64Array.of(1));
    await expect(exe.run(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    await expect(exe.run()).rejects.toMatchObject({ code: 'usage' });
  });
});
