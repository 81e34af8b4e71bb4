/**
 * What looks at a program behind the common device interface, so that inputs get there as they do to
 * any device: a run is a look at the program and its inputs.
 *
 * Invariant: there are no results to read; who asked was told.
 */
import { sizeOf } from '../../compiler/core/build.ts';
import type { Compiled, Device, Executable, HostArray } from '../devices/device.ts';
import { TenonError } from '../errors.ts';

export type Look = (
  program: Compiled,
  inputs: readonly HostArray[],
  signal: AbortSignal | undefined,
) => Promise<void>;

export function lookingDevice(inner: Pick<Device, 'name' | 'dispose'>, look: Look): Device {
  return {
    name: inner.name,
    async prepare(program): Promise<Executable> {
      const { core } = program;
      const inputs = core.inputs.map((x) => hostArray(x.t, sizeOf(x.shape)));
      return {
        write: (i, data, at = 0) => inputs[i]!.set(data, at),
        run: (signal) => look(program, inputs, signal),
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
