/**
 * Devices by name. Each is loaded when it is asked for and not before, so that a program on
 * WebAssembly never loads Dawn or gpu.js, and a missing optional package is no error until then.
 */
import { TenonError } from '../errors.ts';
import type { Availability, Device, DeviceName } from './device.ts';

type Entry = {
  readonly open: () => Promise<Device>;
  readonly available: () => Promise<Availability>;
};

const entries: Readonly<Record<DeviceName, Entry>> = {
  wasm: {
    open: async () => (await import('./wasm.ts')).wasmDevice(),
    available: async () => (await import('./wasm.ts')).wasmAvailability(),
  },
  webgpu: {
    open: async () => (await import('./webgpu.ts')).webgpuDevice(),
    available: async () => (await import('./webgpu.ts')).webgpuAvailability(),
  },
  gpujs: {
    open: async () => (await import('./gpujs.ts')).gpujsDevice(),
    available: async () => (await import('./gpujs.ts')).gpujsAvailability(),
  },
  reference: {
    open: async () => (await import('./reference.ts')).referenceDevice(),
    available: async () => ({ ok: true, detail: 'f64 interpreter' }),
  },
};

/** In the order in which they are shown. */
export const deviceNames = Object.keys(entries) as readonly DeviceName[];

/** @throws TenonError `usage` for an unknown name, `device` or `missing-package` with the reason. */
export async function openDevice(name: DeviceName): Promise<Device> {
  if (!Object.hasOwn(entries, name))
    throw new TenonError('usage', `there is no device ${name}`, {
      hint: `Devices are ${deviceNames.join(', ')}.`,
    });
  return entries[name].open();
}

/** What works here, and why the rest does not. Never throws. */
export async function availableDevices(): Promise<ReadonlyMap<DeviceName, Availability>> {
  const out = new Map<DeviceName, Availability>();
  for (const name of deviceNames) {
    try {
      out.set(name, await entries[name].available());
    } catch (e) {
      out.set(name, { ok: false, reason: e instanceof Error ? e.message : String(e) });
    }
  }
  return out;
}
