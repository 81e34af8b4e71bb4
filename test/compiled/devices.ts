/** The devices of the lane by name: those of the runtime, and wasm on two threads whatever the work. */
import type { Device, DeviceName } from '../../runtime/devices/device.ts';
import { openDevice } from '../../runtime/devices/registry.ts';
import { wasmDevice } from '../../runtime/devices/wasm.ts';

export const laneDevices = ['reference', 'wasm', 'wasm2', 'webgpu', 'gpujs'] as const;
export type LaneDevice = (typeof laneDevices)[number];

export type Named = { readonly name: LaneDevice; readonly device: Device };

/** What has to be there for it. */
export const needed = (name: LaneDevice): DeviceName => (name === 'wasm2' ? 'wasm' : name);

async function open(name: LaneDevice): Promise<Device> {
  switch (name) {
    case 'wasm':
      return wasmDevice({ threads: 1 });
    case 'wasm2':
      return wasmDevice({ threads: 2, worth: { threads: 0, share: 0 } });
    default:
      return openDevice(name);
  }
}

export const openNamed = (names: readonly LaneDevice[]): Promise<Named[]> =>
  Promise.all(names.map(async (name) => ({ name, device: await open(name) })));
