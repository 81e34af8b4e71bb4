/** All programs that JAX has run give what it gave (test/jax/still.ts). */
import { expect, it } from 'vitest';
import { wasmDevice } from '../../runtime/devices/wasm.ts';
import { compared, recorded } from '../jax/still.ts';

it('programs that JAX has run', async () => {
  const device = wasmDevice({ threads: 1 });
  const { faults } = await compared(device, recorded);
  device.dispose();
  expect(faults).toEqual([]);
});
