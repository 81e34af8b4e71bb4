/**
 * A run that has ended, opened again: its programs, its averaged parameters, its encoder. For
 * sampling and measuring with other settings than those it was trained with.
 */
import { existsSync } from 'node:fs';
import type { LabelledImages } from '../data/dataset.ts';
import { openDevice } from '../devices/registry.ts';
import { TenonError } from '../errors.ts';
import type { Config } from './config.ts';
import { type Context, choosePictures } from './context.ts';
import { encode, initialEncoder } from './encoder.ts';
import { type Distances, measureDistances } from './evaluate.ts';
import { project, readProjection, readShown, type Shown } from './features.ts';
import { heldOutMeter, initialJoint } from './joint.ts';
import { keptPrograms } from './programs.ts';
import type { HeldOutLoss, Watch } from './progress.ts';
import { type RunFolder, readRunConfig } from './run-folder.ts';
import { drawSamples, type Samples } from './sampling.ts';
import { readState, restore, type StateDict, under } from './state.ts';

/** Settings that need not be those of the training. */
export type Changes = Partial<Pick<Config, 'device' | 'seed'>> & {
  readonly sample?: Partial<Config['sample']>;
  readonly evaluate?: Partial<Config['evaluate']>;
};

export type OpenRun = AsyncDisposable & {
  readonly context: Context;
  readonly shown: Shown;
  readonly model: StateDict;
  /** The model as it was before its first step. */
  readonly untrained: StateDict;
};

/** @throws TenonError (`usage`) for a folder without a trained model, `io`, `format`. */
export async function openRun(
  folder: RunFolder,
  changes: Changes,
  watch: Watch = {},
): Promise<OpenRun> {
  const { file } = folder;
  const kept = readRunConfig(folder);
  if (!existsSync(file.model)) {
    throw new TenonError('usage', `${folder.path} has no trained model yet`, {
      hint: 'Let the run end: tenon train with --resume.',
    });
  }
  const shown = readShown(file.features);
  const config: Config = {
    ...kept,
    device: changes.device ?? kept.device,
    sample: { ...kept.sample, ...changes.sample },
    evaluate: { ...kept.evaluate, ...changes.evaluate },
  };
  const device = await openDevice(config.device);
  const context: Context = {
    config,
    programs: keptPrograms(file.programs),
    device,
    classes: shown.classes.length,
    ...watch,
  };
  try {
    const untrained = under(await initialJoint(context), 'ema');
    return {
      context: { ...context, config: { ...config, seed: changes.seed ?? kept.seed } },
      shown,
      model: readState(file.model, untrained),
      untrained,
      [Symbol.asyncDispose]: async () => device.dispose(),
    };
  } catch (e) {
    device.dispose();
    throw e;
  }
}

/** One sample for each label. */
export function sampleRun(
  { context, model }: OpenRun,
  labels: Int32Array,
  onChunk?: (done: number) => void,
): Promise<Samples> {
  return drawSamples(context, { params: model, labels, stream: 'grid', onChunk });
}

export type Evaluation = { readonly heldOut: HeldOutLoss; readonly frechet: Distances };

/** The numbers of the report once more, for instance with another guidance or more samples. */
export async function evaluateRun(
  folder: RunFolder,
  { context, model, untrained }: OpenRun,
  set: LabelledImages,
): Promise<Evaluation> {
  const pictures = choosePictures(set, readRunConfig(folder));
  const saved = restore(folder.file.encoder, await initialEncoder(context));
  if (saved === undefined) {
    throw new TenonError(
      'usage',
      `${folder.path} has no encoder: ${folder.file.encoder} is missing`,
    );
  }
  const encoder = under(saved.state, 'params');
  const projection = readProjection(folder.file.features, context.config);
  const { patches } = await encode(context, encoder, pictures.heldOut);
  const z = await project(context, projection, patches);
  await using meter = await heldOutMeter(context, { ...pictures.heldOut, z });
  const heldOut = await meter.measure(model);
  const models = { encoder, trained: model, untrained };
  return { heldOut, frechet: await measureDistances(context, pictures, models) };
}
