/**
 * Experiments as a library: `runExperiment` does the whole of a config, `openRun` and what takes its
 * result look at a run that has ended. Progress comes through a callback, an interrupt through an
 * AbortSignal; nothing is printed.
 */
export { type Config, checkConfig, type Override, readConfig } from './config.ts';
export { type Curves, lossSvg, readCurves, samplesSvg } from './drawings.ts';
export { type Experiment, type Report, readPictures, runExperiment } from './experiment.ts';
export {
  type Changes,
  type Evaluation,
  evaluateRun,
  type OpenRun,
  openRun,
  sampleRun,
} from './open-run.ts';
export type { HeldOutLoss, Progress, Stage, Watch } from './progress.ts';
export {
  type Claim,
  claim,
  type RunFolder,
  readJson,
  readRunConfig,
  runFolder,
  type Standing,
  standing,
} from './run-folder.ts';
export { everyCategory, type Samples } from './sampling.ts';
