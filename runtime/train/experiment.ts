/**
 * The whole of an experiment in order: pictures, encoder, features, joint training, samples, report.
 * Every stage is a function of the config, the seed and the stage before, so a run that is resumed
 * recomputes what is quick, restores what is not, and ends with the bits it would have ended with.
 *
 * Invariant: nothing is printed; every file is replaced as a whole; report.json comes last.
 */
import { existsSync } from 'node:fs';
import type { LabelledImages } from '../data/dataset.ts';
import { loadEmoji } from '../data/emoji.ts';
import { openDevice } from '../devices/registry.ts';
import { TenonError } from '../errors.ts';
import { writeFileAtomic } from '../io/atomic-write.ts';
import { appendJsonl, type JsonRecord, readJsonl, writeJsonl } from '../io/jsonl.ts';
import { writeDrawing } from '../plot/rasterise.ts';
import type { Config } from './config.ts';
import { type Context, choosePictures, type Pictures } from './context.ts';
import { lossSvg, readCurves, samplesSvg } from './drawings.ts';
import { encode, trainEncoder } from './encoder.ts';
import { type Distances, measureDistances } from './evaluate.ts';
import { fitProjection, keepProjection, project } from './features.ts';
import { trainJoint } from './joint.ts';
import { keepPrograms, keptPrograms, loadPrograms, type Programs } from './programs.ts';
import type { HeldOutLoss, Stage, Watch } from './progress.ts';
import { checkSameConfig, type RunFolder, writeConfig } from './run-folder.ts';
import { drawSamples, everyCategory } from './sampling.ts';
import { save, stepOf } from './state.ts';

export type Report = {
  readonly name: string;
  readonly device: string;
  readonly seed: number;
  readonly steps: number;
  readonly parameters: number;
  readonly pictures: { readonly train: number; readonly heldOut: number };
  readonly encoder: { readonly parameters: number; readonly heldOutAccuracy: number };
  readonly heldOut: HeldOutLoss;
  readonly frechet: Distances;
  /** Seconds of this process, by stage; what an earlier, interrupted one spent is not in it. */
  readonly seconds: Readonly<Partial<Record<Stage, number>>>;
};

export type Experiment = Watch & {
  readonly config: Config;
  /** Where the config's program paths start; not needed to resume. */
  readonly configFile: string;
  readonly folder: RunFolder;
  readonly resume: boolean;
  /** Pictures to use instead of the config's set. */
  readonly pictures?: LabelledImages;
  /** Where prepared pictures are cached. */
  readonly cacheDir?: string;
};

/** @throws TenonError (`aborted` after an interrupt, with a checkpoint to resume from), ProgramError. */
export async function runExperiment(experiment: Experiment): Promise<Report> {
  const { config, folder } = experiment;
  const { file } = folder;
  const clock = stopwatch(experiment);
  if (experiment.resume) checkSameConfig(folder, config);
  const programs = experiment.resume
    ? keptPrograms(file.programs)
    : await loadPrograms(config, experiment.configFile);
  const set = experiment.pictures ?? readPictures(config, experiment.cacheDir, clock.watch);
  const pictures = choosePictures(set, config);
  const device = await openDevice(config.device);
  try {
    const context: Context = {
      config,
      programs,
      device,
      classes: pictures.classes.length,
      ...clock.watch,
    };
    // Whatever can be wrong with the programs, the pictures or the device has been seen by now.
    if (experiment.resume) trimMetrics(folder, config);
    else begin(folder, config, programs);
    const metrics = metricsFile(file.metrics);
    const encoder = await trainEncoder(context, pictures.train, {
      checkpoint: file.encoder,
      record: metrics('encoder'),
    });
    context.onProgress?.({ k: 'stage', stage: 'features', from: 0, total: 1 });
    const { train, heldOut, accuracy, shown } = await prepareFeatures(
      context,
      pictures,
      encoder,
      file.features,
    );
    const joint = await trainJoint(context, train, heldOut, {
      checkpoint: file.checkpoint,
      record: metrics('train'),
    });
    save(file.model, joint.ema, { program: config.model.program, step: `${config.train.steps}` });
    await writeDrawing(file.loss, lossSvg(readCurves(file.metrics)));
    const labels = everyCategory(context.classes, config.sample.perCategory);
    context.onProgress?.({ k: 'stage', stage: 'sample', from: 0, total: labels.length });
    const grid = await drawSamples(context, {
      params: joint.ema,
      labels,
      stream: 'grid',
      onChunk: (done) =>
        context.onProgress?.({ k: 'step', stage: 'sample', done, total: labels.length }),
    });
    await writeDrawing(file.samples, samplesSvg(context, grid, shown));
    const frechet = await measureDistances(context, pictures, {
      encoder,
      trained: joint.ema,
      untrained: joint.initial,
    });
    const count = (state: ReadonlyMap<string, { data: { length: number } }>): number =>
      [...state.values()].reduce((n, t) => n + t.data.length, 0);
    const report: Report = {
      name: config.name,
      device: config.device,
      seed: config.seed,
      steps: config.train.steps,
      parameters: count(joint.ema),
      pictures: { train: pictures.train.labels.length, heldOut: pictures.heldOut.labels.length },
      encoder: { parameters: count(encoder), heldOutAccuracy: accuracy },
      heldOut: joint.heldOut,
      frechet,
      seconds: clock.seconds(),
    };
    writeFileAtomic(file.report, `${JSON.stringify(report, null, 2)}\n`);
    return report;
  } finally {
    device.dispose();
  }
}

/** The pictures that a config names. @throws TenonError (`missing-package`, `io`, `format`). */
export function readPictures(
  config: Config,
  cacheDir: string | undefined,
  { onProgress, signal }: Watch = {},
): LabelledImages {
  onProgress?.({ k: 'stage', stage: 'data', from: 0, total: 1 });
  switch (config.data.set) {
    case 'emoji':
      return loadEmoji({
        size: config.data.size,
        cacheDir,
        signal,
        onProgress: (done, total) => onProgress?.({ k: 'step', stage: 'data', done, total }),
      });
    default:
      return config.data.set satisfies never;
  }
}

/** The folder becomes a run's: it holds the config and the texts of the programs. */
function begin(folder: RunFolder, config: Config, programs: Programs): void {
  writeConfig(folder, config);
  keepPrograms(folder.file.programs, programs);
}

/** z of all pictures, from a projection that only the training pictures decide. */
async function prepareFeatures(
  context: Context,
  pictures: Pictures,
  encoder: Parameters<typeof encode>[1],
  file: string,
) {
  const train = await encode(context, encoder, pictures.train);
  const heldOut = await encode(context, encoder, pictures.heldOut);
  const projection = await fitProjection(context, train.patches);
  const z = await project(context, projection, train.patches);
  return {
    train: { ...pictures.train, z },
    heldOut: { ...pictures.heldOut, z: await project(context, projection, heldOut.patches) },
    accuracy: heldOut.accuracy,
    shown: keepProjection(file, context, projection, z, pictures.classes),
  };
}

const metricsFile =
  (path: string) =>
  (stage: Stage) =>
  (entry: object): void =>
    appendJsonl(path, { stage, ...entry });

/**
 * Forgets what was recorded after the last checkpoints: those steps will be done again.
 * @throws TenonError (`io`) when a checkpoint is gone that must have been there.
 */
function trimMetrics({ file }: RunFolder, { train }: Config): void {
  if (!existsSync(file.metrics)) return;
  const records = readJsonl(file.metrics);
  const stepIn = (r: JsonRecord, stage: string): number =>
    r['stage'] === stage && typeof r['step'] === 'number' ? r['step'] : -1;
  const reached = { encoder: stepOf(file.encoder), train: stepOf(file.checkpoint) };
  for (const [stage, path] of [
    ['encoder', file.encoder],
    ['train', file.checkpoint],
  ] as const) {
    const gone =
      reached[stage] < 0 && records.some((r) => stepIn(r, stage) > train.checkpointEvery);
    if (!gone) continue;
    throw new TenonError('io', `${path} is missing, and the run was further than that`, {
      hint: 'Put a copy of it back, or start the run again with --force.',
      place: { file: path },
    });
  }
  const kept = (r: JsonRecord): boolean =>
    Object.entries(reached).some(([stage, step]) => {
      const at = stepIn(r, stage);
      return at >= 0 && at <= step;
    });
  writeJsonl(file.metrics, records.filter(kept));
}

/** Marks when stages begin; time goes to the one that is on. */
function stopwatch({ onProgress, signal }: Watch) {
  const seconds: Partial<Record<Stage, number>> = {};
  let on: Stage = 'data';
  let since = performance.now();
  const stop = (): void => {
    const now = performance.now();
    seconds[on] = Math.round(10 * ((seconds[on] ?? 0) + (now - since) / 1000)) / 10;
    since = now;
  };
  const watch: Watch = {
    onProgress: (event) => {
      if (event.k === 'stage') {
        stop();
        on = event.stage;
      }
      onProgress?.(event);
    },
    signal,
  };
  return {
    watch,
    seconds: () => {
      stop();
      return { ...seconds };
    },
  };
}
