/**
 * The folder of a run: which files it has, and who may write there. A finished run is never written
 * over unless asked; a run that was interrupted goes on only with the config it began with.
 *
 * Invariant: `config.json` is written when a run begins and `report.json` last of all, so a folder
 * with the one and without the other is a run that did not end.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TenonError } from '../errors.ts';
import { writeFileAtomic } from '../io/atomic-write.ts';
import { systemError } from '../io/system-error.ts';
import { type Config, checkConfig, differences } from './config.ts';

const names = {
  config: 'config.json',
  programs: 'programs.json',
  encoder: 'encoder.safetensors',
  features: 'features.safetensors',
  checkpoint: 'checkpoint.safetensors',
  model: 'model.safetensors',
  metrics: 'metrics.jsonl',
  loss: 'loss.svg',
  lossPng: 'loss.png',
  samples: 'samples.svg',
  samplesPng: 'samples.png',
  report: 'report.json',
} as const;

export type RunFolder = {
  readonly path: string;
  readonly file: Record<keyof typeof names, string>;
};

export const runFolder = (path: string): RunFolder => ({
  path,
  file: Object.fromEntries(Object.entries(names).map(([k, n]) => [k, join(path, n)])) as Record<
    keyof typeof names,
    string
  >,
});

export type Standing = 'absent' | 'unfinished' | 'finished' | 'foreign';

export function standing({ path, file }: RunFolder): Standing {
  if (existsSync(file.config)) return existsSync(file.report) ? 'finished' : 'unfinished';
  if (!existsSync(path)) return 'absent';
  try {
    return readdirSync(path).length === 0 ? 'absent' : 'foreign';
  } catch (e) {
    throw systemError(e, 'read', path);
  }
}

export type Claim = 'new' | 'resume' | 'force';

/**
 * The folder to work in. `new` takes the path, or, where a finished run is and `numbered` allows it,
 * the path with the next free number.
 * @throws TenonError (`usage`) when the folder is not to be had in this way.
 */
export function claim(path: string, how: Claim, numbered: boolean): RunFolder {
  const folder = runFolder(path);
  const is = standing(folder);
  switch (how) {
    case 'resume':
      if (is === 'unfinished' || is === 'finished') return folder;
      throw new TenonError('usage', `there is no run in ${path} to go on with`, {
        hint: 'Leave --resume away to begin one.',
      });
    case 'force':
      if (is === 'foreign') throw foreign(path);
      clear(folder);
      return folder;
    case 'new':
      if (is === 'absent') return folder;
      if (is === 'foreign') throw foreign(path);
      if (is === 'finished' && numbered) return nextFree(path);
      throw new TenonError(
        'usage',
        is === 'finished'
          ? `${path} holds a finished run`
          : `${path} holds a run that was interrupted`,
        {
          hint:
            is === 'finished'
              ? 'Name another folder with --out, or replace the run with --force.'
              : 'Go on with --resume, or begin again with --force.',
        },
      );
    default:
      return how satisfies never;
  }
}

function nextFree(path: string): RunFolder {
  for (let n = 2; ; n++) {
    const folder = runFolder(`${path}-${n}`);
    if (standing(folder) === 'absent') return folder;
  }
}

function foreign(path: string): TenonError {
  return new TenonError('usage', `${path} holds other files than a run's`, {
    hint: 'Name another folder with --out.',
  });
}

/** Removes what a run wrote, and nothing else; the config first, so that no half is left to resume. */
function clear({ file }: RunFolder): void {
  for (const path of Object.values(file)) {
    try {
      rmSync(path, { force: true });
    } catch (e) {
      throw systemError(e, 'write', path);
    }
  }
}

export function writeConfig({ path, file }: RunFolder, config: Config): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (e) {
    throw systemError(e, 'write', path);
  }
  writeFileAtomic(file.config, `${JSON.stringify(config, null, 2)}\n`);
}

/** @throws TenonError (`usage`) when there is no run, `format` when its config is broken. */
export function readRunConfig({ path, file }: RunFolder): Config {
  if (!existsSync(file.config)) {
    throw new TenonError('usage', `${path} is no folder of a run: it has no config.json`);
  }
  return checkConfig(readJson(file.config), file.config);
}

/** @throws TenonError (`usage`) that names the settings which differ; the device may. */
export function checkSameConfig(folder: RunFolder, asked: Config): void {
  const other = differences(readRunConfig(folder), asked).filter((p) => p !== 'device');
  if (other.length === 0) return;
  throw new TenonError('usage', `${folder.path} began with another ${other.join(', ')}`, {
    hint: 'A run goes on as it began; leave --set, --seed and --steps as they were, or --force.',
  });
}

/** @throws TenonError (`io`, `format`). */
export function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (e) {
    throw systemError(e, 'read', file);
  }
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new TenonError('format', `${file} is not JSON: ${(e as Error).message}`, {
      place: { file },
    });
  }
}
