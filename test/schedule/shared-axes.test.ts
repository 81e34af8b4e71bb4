/** Loops of one kernel that share axes: what is merged for one of them must be there in the other. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Device } from '../../runtime/devices/device.ts';
import { openDevice } from '../../runtime/devices/registry.ts';
import { onDevice } from '../../runtime/gradcheck/device.ts';
import { coreOf, inputsOf } from './chains.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice('wasm');
});
afterAll(() => device.dispose());

/** By y the cotangent is summed over two of its axes, by x over all five. */
const product = `fn main[M](y: f32[6*(M*M)], x: f32[6]): f32 =
  let v = for i: 6, j: M, k: M, m: 5, n: 3. y[(i, (j, k))] - x[5]
  M * (sum i, j, k, m, n. v[i, j, k, m, n] * f32(i))
`;

it('a sum over all axes and one over some of them', async () => {
  const core = coreOf(product, { M: 2 }, ['y', 'x']);
  const run = await onDevice(device, core);
  expect(await run.compare(inputsOf(core))).toMatchObject({ ok: true });
  run.dispose();
});
