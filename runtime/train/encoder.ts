/**
 * The encoder: a small vision transformer trained on the labels of the pictures. What it makes of a
 * picture serves twice: its patch features become z, its pooled ones are what the Frechet distance
 * is measured in.
 */
import type { Tensor } from '../api/tensor.ts';
import type { Batch } from '../data/dataset.ts';
import { type Context, stacked } from './context.ts';
import { heed } from './descend.ts';
import { keyOf } from './keys.ts';
import { initSizes, netSizes } from './shape.ts';
import { restore, type StateDict, save, under } from './state.ts';
import { initialState, train } from './trainer.ts';

/** The initial state, which is also the form of every later one. */
export function initialEncoder({ config, programs, device, classes }: Context): Promise<StateDict> {
  const sizes = initSizes(config.encoder, config.data.size, classes);
  const key = keyOf(config.seed, 'encoderInit');
  return initialState(programs.encoder, 'initEncoder', device, sizes, key);
}

export type EncoderFiles = {
  readonly checkpoint: string;
  readonly record: (entry: { readonly step: number; readonly loss: number }) => void;
};

/** Trains, or goes on from the checkpoint; gives the parameters. */
export async function trainEncoder(
  context: Context,
  pictures: Batch,
  { checkpoint, record }: EncoderFiles,
): Promise<StateDict> {
  const { config, programs, device, classes, onProgress, signal } = context;
  const { encoder, seed, data } = config;
  const initial = await initialEncoder(context);
  const from = restore(checkpoint, initial) ?? { state: initial, step: 0 };
  const total = encoder.steps;
  onProgress?.({ k: 'stage', stage: 'encoder', from: from.step, total });
  const state = await train({
    program: programs.encoder,
    step: 'encoderStep',
    device,
    sizes: { ...netSizes(encoder, data.size, classes), B: encoder.batch },
    data: { images: stacked(pictures.images, 3, data.size), labels: pictures.labels },
    seed,
    stream: 'encoderStep',
    steps: total,
    schedule: { rate: encoder.rate, warmup: encoder.warmup },
    from,
    saveEvery: config.train.checkpointEvery,
    save: (s, step) => save(checkpoint, s, { stage: 'encoder', step: `${step}`, seed: `${seed}` }),
    after: async (step, loss) => {
      record({ step, loss });
      onProgress?.({ k: 'step', stage: 'encoder', done: step, total, loss });
    },
    signal,
  });
  return under(state, 'params');
}

export type Encoded = {
  /** [count, patches, width] */
  readonly patches: Float32Array;
  /** [count, width] */
  readonly pooled: Float32Array;
  /** Fraction of the labels that the encoder names. */
  readonly accuracy: number;
};

/** Features of all pictures, a chunk at a time; the last chunk is filled up with its first picture. */
export async function encode(
  context: Context,
  params: StateDict,
  { images, labels }: Batch,
): Promise<Encoded> {
  const { config, programs, device, classes, signal } = context;
  const { encoder, data, sample } = config;
  const sizes = netSizes(encoder, data.size, classes);
  const count = labels.length;
  const chunk = Math.min(sample.chunk, count);
  const row = 3 * data.size ** 2;
  const patchRow = sizes.H * sizes.W * encoder.width;
  const patches = new Float32Array(count * patchRow);
  const pooled = new Float32Array(count * encoder.width);
  let right = 0;
  await using f = programs.encoder.function('encode', { device, sizes: { ...sizes, M: chunk } });
  const run = await f.prepare({ inputs: { p: params } });
  for (let at = 0; at < count; at += chunk) {
    await heed(signal);
    const n = Math.min(chunk, count - at);
    const part = new Float32Array(chunk * row);
    part.set(images.subarray(at * row, (at + n) * row));
    run.write({ images: part });
    await run.run();
    const out = (await run.read('out')) as Record<'patches' | 'pooled' | 'logits', Tensor>;
    patches.set(out.patches.data.subarray(0, n * patchRow), at * patchRow);
    pooled.set(out.pooled.data.subarray(0, n * encoder.width), at * encoder.width);
    for (let i = 0; i < n; i++) {
      const logits = out.logits.data.subarray(i * classes, (i + 1) * classes);
      if (logits.indexOf(Math.max(...logits)) === labels[at + i]) right++;
    }
  }
  return { patches, pooled, accuracy: right / count };
}
