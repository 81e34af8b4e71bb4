/**
 * Joint training of pictures and features. The whole data set stays on the device; a step is one
 * execution of one plan (batch, noise, network, derivative, AdamW and EMA), and every so often the
 * averaged parameters are measured on pictures that no step has seen.
 */
import type { Batch } from '../data/dataset.ts';
import { type Context, stacked } from './context.ts';
import { keyOf } from './keys.ts';
import type { HeldOutLoss } from './progress.ts';
import { initSizes, netSizes } from './shape.ts';
import { restore, type StateDict, save, under } from './state.ts';
import { initialState, type Sizes, train } from './trainer.ts';

/** Pictures and their features. */
export type JointData = Batch & { readonly z: Float32Array };

export function jointSizes({ config, classes }: Context): Sizes & { readonly R: number } {
  return { ...netSizes(config.model, config.data.size, classes), R: config.encoder.rank };
}

/** The initial state, which is also the form of every later one. */
export function initialJoint({ config, programs, device, classes }: Context): Promise<StateDict> {
  const sizes = initSizes(config.model, config.data.size, classes);
  const key = keyOf(config.seed, 'init');
  const all = { ...sizes, R: config.encoder.rank };
  return initialState(programs.joint, 'init', device, all, key);
}

const inputs = ({ config }: Context, { images, z, labels }: JointData) => ({
  x: stacked(images, 3, config.data.size),
  z: stacked(z, config.encoder.rank, config.data.size),
  labels,
});

/** The loss of some parameters on pictures that were held out, with the same noise every time. */
export async function heldOutMeter(
  context: Context,
  data: JointData,
): Promise<AsyncDisposable & { measure(params: StateDict): Promise<HeldOutLoss> }> {
  const { config, programs, device } = context;
  const f = programs.joint.function('heldOut', { device, sizes: jointSizes(context) });
  const meter = await f.prepare({
    inputs: { ...inputs(context, data), k: keyOf(config.seed, 'heldOut') },
  });
  return {
    async measure(params) {
      meter.write({ p: params });
      await meter.run();
      return (await meter.read('out')) as unknown as HeldOutLoss;
    },
    [Symbol.asyncDispose]: () => f.dispose(),
  };
}

export type JointRecord =
  | { readonly step: number; readonly loss: number }
  | { readonly step: number; readonly heldOut: HeldOutLoss };

export type JointFiles = {
  readonly checkpoint: string;
  readonly record: (entry: JointRecord) => void;
};

export type Joint = {
  readonly ema: StateDict;
  readonly initial: StateDict;
  readonly heldOut: HeldOutLoss;
};

/** Trains, or goes on from the checkpoint; gives the averaged parameters and their loss. */
export async function trainJoint(
  context: Context,
  data: JointData,
  heldOut: JointData,
  { checkpoint, record }: JointFiles,
): Promise<Joint> {
  const { config, programs, device, onProgress, signal } = context;
  const { seed } = config;
  const { steps: total, rate, warmup, finalRate, heldOutEvery, batch } = config.train;
  const { labelDrop, featureDrop, emaDecay } = config.train;
  const initial = await initialJoint(context);
  const from = restore(checkpoint, initial) ?? { state: initial, step: 0 };
  await using meter = await heldOutMeter(context, heldOut);
  const measure = async (step: number, params: StateDict): Promise<void> => {
    const loss = await meter.measure(params);
    record({ step, heldOut: loss });
    onProgress?.({ k: 'held-out', step, ...loss });
  };
  onProgress?.({ k: 'stage', stage: 'train', from: from.step, total });
  if (from.step === 0) await measure(0, under(initial, 'ema'));
  const state = await train({
    program: programs.joint,
    step: 'trainStep',
    device,
    sizes: { ...jointSizes(context), B: batch },
    data: { ...inputs(context, data), labelDrop, featureDrop, decay: emaDecay },
    seed,
    stream: 'step',
    steps: total,
    schedule: { rate, warmup, finalRate },
    from,
    saveEvery: config.train.checkpointEvery,
    save: (s, step) => save(checkpoint, s, { stage: 'train', step: `${step}`, seed: `${seed}` }),
    after: async (step, loss, read) => {
      record({ step, loss });
      onProgress?.({ k: 'step', stage: 'train', done: step, total, loss });
      if (step % heldOutEvery === 0 || step === total) await measure(step, await read('ema'));
    },
    signal,
  });
  const ema = under(state, 'ema');
  return { ema, initial: under(initial, 'ema'), heldOut: await meter.measure(ema) };
}
