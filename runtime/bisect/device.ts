/**
 * The search behind the common device interface, so that inputs get there as they do to any device: a
 * run is a search on the device inside.
 *
 * Invariant: there are no results to read; who asked was told.
 */
import { sizeOf } from '../../compiler/core/build.ts';
import type { Device, Executable, HostArray } from '../devices/device.ts';
import { TenonError } from '../errors.ts';
import { type Bisection, bisect } from './bisect.ts';

export function bisectingDevice(inner: Device, told: (found: Bisection) => void): Device {
  return {
    name: inner.name,
    async prepare(program): Promise<Executable> {
      const { core } = program;
      const inputs = core.inputs.map((x) => hostArray(x.t, sizeOf(x.shape)));
      return {
        write: (i, data, at = 0) => inputs[i]!.set(data, at),
        run: async (signal) => told(await bisect(inner, program, inputs, signal)),
        read: () => Promise.reject(new TenonError('usage', 'a search has no results')),
        bytes: 0,
        dispose: () => {},
      };
    },
    dispose: () => inner.dispose(),
  };
}

function hostArray(t: string, length: number): HostArray {
  if (t === 'f32') return new Float32Array(length);
  return t === 'u32' ? new Uint32Array(length) : new Int32Array(length);
}
