/**
 * What goes wrong with a WebGPU device: loss, memory, validation. Everything becomes a TenonError for
 * whoever waits on the device.
 *
 * Invariant: once a device has failed, every later use of it says so.
 */
import { TenonError } from '../errors.ts';

export class Health {
  readonly #gpu: GPUDevice;
  readonly #lost: Promise<never>;
  #fault: TenonError | undefined;

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
    this.#lost = gpu.lost.then((info) => {
      this.#fault ??=
        info.reason === 'destroyed'
          ? new TenonError('usage', 'the WebGPU device was disposed')
          : new TenonError('device', `the WebGPU device was lost: ${info.message}`, {
              hint: 'Open the device again; what it held is gone.',
            });
      throw this.#fault;
    });
    this.#lost.catch(() => undefined);
    gpu.onuncapturederror = (e) => {
      this.#fault ??= deviceError(e.error, 'the device');
    };
  }

  check(): void {
    if (this.#fault) throw this.#fault;
  }

  dispose(): void {
    this.#fault ??= new TenonError('usage', 'the WebGPU device was disposed');
  }

  /** Waits for the device, or for its loss. */
  async wait<T>(work: Promise<T>): Promise<T> {
    const done = await Promise.race([work, this.#lost]);
    this.check();
    return done;
  }

  /** Runs what only queues work, and throws what the device finds wrong with it. */
  async scoped<T>(what: string, f: () => T): Promise<T> {
    for (const filter of ['validation', 'out-of-memory', 'internal'] as const)
      this.#gpu.pushErrorScope(filter);
    let out: T | undefined;
    let thrown: { readonly e: unknown } | undefined;
    try {
      out = f();
    } catch (e) {
      thrown = { e };
    }
    const found = [0, 1, 2].map(() => this.#gpu.popErrorScope());
    if (thrown) {
      await Promise.allSettled(found);
      throw thrown.e;
    }
    const errors = await this.wait(Promise.all(found));
    const error = errors.find((e) => e !== null);
    if (error) throw deviceError(error, what);
    return out as T;
  }
}

function deviceError(error: GPUError, what: string): TenonError {
  if (error.constructor.name === 'GPUOutOfMemoryError')
    return new TenonError('device', 'the WebGPU device is out of memory', {
      hint: 'Use smaller sizes or a smaller batch, or dispose of other programs first.',
      cause: error,
    });
  return new TenonError('device', `WebGPU failed at ${what}: ${error.message}`, { cause: error });
}
