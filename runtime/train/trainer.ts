/**
 * Training of one program from its initial state, or from a saved one, to its last step. Encoder and
 * joint model are trained by the same loop; they differ in names, sizes and data.
 *
 * Invariant: the state that `save` gets is complete and belongs to the step it gets; a run that is
 * interrupted has saved its last step.
 */
import type { Program } from '../api/program.ts';
import type { Inputs, Tensor } from '../api/tensor.ts';
import type { Device } from '../devices/device.ts';
import { TenonError } from '../errors.ts';
import { descend } from './descend.ts';
import { keyOf, type Stream } from './keys.ts';
import type { Saved, StateDict } from './state.ts';

export type Sizes = Readonly<Record<string, number>>;

/** The state that an initialiser draws from a key. */
export async function initialState(
  program: Program,
  name: string,
  device: Device,
  sizes: Sizes,
  key: Uint32Array,
): Promise<StateDict> {
  await using f = program.function(name, { device, sizes });
  const init = await f.prepare({ inputs: { k: key } });
  await init.run();
  return init.stateDict('out');
}

export type Training = {
  readonly program: Program;
  /** A function of `state`, `k`, `lr` and data, with a result `{ loss, state }`. */
  readonly step: string;
  readonly device: Device;
  readonly sizes: Sizes;
  /** Everything but state, key and rate; stays on the device. */
  readonly data: Inputs;
  readonly seed: number;
  readonly stream: Stream;
  readonly steps: number;
  /** What the program's `rates` makes the learning rates of. */
  readonly schedule: Inputs;
  readonly from: Saved;
  readonly saveEvery: number;
  readonly save: (state: StateDict, step: number) => void;
  /** After every step; `state` reads a part of the state, such as `ema`. */
  readonly after: (
    done: number,
    loss: number,
    state: (part: string) => Promise<StateDict>,
  ) => Promise<void>;
  readonly signal?: AbortSignal;
};

/**
 * Gives the last state.
 * @throws TenonError (`aborted`) after an interrupt, with the state saved; `diverged`.
 */
export async function train(t: Training): Promise<StateDict> {
  const { device, sizes, steps } = t;
  if (t.from.step >= steps) return t.from.state;
  await using schedule = t.program.function('rates', { device, sizes: { N: steps } });
  const rates = ((await schedule.call(t.schedule)).out as Tensor).data;
  await using f = t.program.function(t.step, { device, sizes, donate: ['state'] });
  const step = await f.prepare({
    inputs: { ...(t.data as object), state: t.from.state, k: keyOf(t.seed, t.stream), lr: 0 },
  });
  const state = (part?: string): Promise<StateDict> =>
    step.stateDict(part === undefined ? 'out.state' : `out.state.${part}`);
  let saved = t.from.step;
  const done = await descend({
    step,
    from: t.from.step,
    seed: t.seed,
    stream: t.stream,
    rates,
    signal: t.signal,
    after: async (n, loss) => {
      await t.after(n, loss, state);
      if (n % t.saveEvery !== 0 && n !== steps) return;
      t.save(await state(), n);
      saved = n;
    },
  });
  if (done > saved) t.save(await state(), done);
  if (done < steps) {
    throw new TenonError('aborted', `interrupted after step ${done} of ${steps}`);
  }
  return state();
}
