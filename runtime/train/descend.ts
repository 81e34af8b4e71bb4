/**
 * The loop around one compiled training step: a key and a rate go in, a loss comes out, the state
 * stays on the device. What a step does is the program's.
 *
 * Invariant: step n gets the key and the rate of n, whoever called for it; a signal is heeded
 * between steps, never inside one, so that the state is always that of a whole number of steps.
 */
import { setImmediate } from 'node:timers/promises';
import type { Instance } from '../api/instance.ts';
import { TenonError } from '../errors.ts';
import { keyOf, type Stream } from './keys.ts';

export type Descent = {
  /** A function with parameters `k` and `lr` and a result with a field `loss`; state is donated. */
  readonly step: Instance;
  readonly from: number;
  readonly seed: number;
  readonly stream: Stream;
  /** The learning rate of every step. */
  readonly rates: ArrayLike<number>;
  /** After step `done` (counted from 1). */
  readonly after: (done: number, loss: number) => Promise<void>;
  readonly signal?: AbortSignal;
};

/**
 * Gives the number of steps that are done: fewer than there are rates when the signal fired.
 * @throws TenonError (`diverged`) when a loss is not finite.
 */
export async function descend(d: Descent): Promise<number> {
  const steps = d.rates.length;
  for (let n = d.from; n < steps; n++) {
    if (d.signal?.aborted) return n;
    d.step.write({ k: keyOf(d.seed, d.stream, n), lr: d.rates[n]! });
    await d.step.run();
    const loss = await d.step.read('out.loss');
    if (typeof loss !== 'number' || !Number.isFinite(loss)) {
      throw new TenonError('diverged', `the loss of step ${n + 1} is ${String(loss)}`, {
        hint: 'Lower the rate; the last checkpoint is unharmed.',
      });
    }
    await d.after(n + 1, loss);
    // A device may compute without giving up the thread; signals arrive in turns of the event loop.
    await setImmediate();
  }
  return steps;
}

/** @throws TenonError (`aborted`) when the signal has fired; otherwise lets the event loop turn. */
export async function heed(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  if (signal?.aborted) {
    throw new TenonError('aborted', 'the run was interrupted', { cause: signal.reason });
  }
}
