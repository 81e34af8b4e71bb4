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

export type Schedule = {
  readonly rate: number;
  readonly warmup: number;
  readonly steps: number;
  /** Fraction of the rate at the last step. */
  readonly finalRate: number;
};

/** Linear warm-up, then half a cosine (Loshchilov & Hutter 2017) down to the final rate. */
export function rateAt(step: number, { rate, warmup, steps, finalRate }: Schedule): number {
  if (step < warmup) return (rate * (step + 1)) / warmup;
  const done = (step - warmup) / Math.max(1, steps - warmup);
  return rate * (finalRate + (1 - finalRate) * 0.5 * (1 + Math.cos(Math.PI * done)));
}

export type Descent = {
  /** A function with parameters `k` and `lr` and a result with a field `loss`; state is donated. */
  readonly step: Instance;
  readonly from: number;
  readonly seed: number;
  readonly stream: Stream;
  readonly schedule: Schedule;
  /** After step `done` (counted from 1). */
  readonly after: (done: number, loss: number) => Promise<void>;
  readonly signal?: AbortSignal;
};

/**
 * Gives the number of steps that are done: fewer than the schedule's when the signal fired.
 * @throws TenonError (`diverged`) when a loss is not finite.
 */
export async function descend(d: Descent): Promise<number> {
  for (let n = d.from; n < d.schedule.steps; n++) {
    if (d.signal?.aborted) return n;
    d.step.write({ k: keyOf(d.seed, d.stream, n), lr: rateAt(n, d.schedule) });
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
  return d.schedule.steps;
}

/** @throws TenonError (`aborted`) when the signal has fired; otherwise lets the event loop turn. */
export async function heed(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  if (signal?.aborted) {
    throw new TenonError('aborted', 'the run was interrupted', { cause: signal.reason });
  }
}
