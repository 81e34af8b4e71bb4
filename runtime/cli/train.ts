/** `tenon train CONFIG`: a whole experiment into a run folder. */
import { join } from 'node:path';
import { isTenonError, TenonError } from '../index.ts';
import {
  type Claim,
  claim,
  type Override,
  type Report,
  type RunFolder,
  readConfig,
  readJson,
  runExperiment,
  runFolder,
  standing,
} from '../train/index.ts';
import type { CommandSpec } from './front.ts';
import { collect } from './inputs.ts';
import { type Common, exit, type Io, json, table } from './io.ts';
import { duration, progressReporter } from './progress.ts';

export type TrainOptions = Common & {
  readonly out?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly device?: string;
  readonly seed?: string;
  readonly steps?: string;
  readonly set?: readonly string[];
};

export const trainOptions: NonNullable<CommandSpec['options']> = (command) => {
  command
    .option('--out <DIR>', 'the run folder (default runs/<name>, or a numbered one beside it)')
    .option('--resume', 'go on with a run that was interrupted')
    .option('--force', 'replace the run that is in the folder')
    .option('--device <D>', 'wasm, webgpu, gpujs or reference')
    .option('--seed <N>', 'the seed of everything that is random')
    .option('--steps <N>', 'steps of joint training')
    .option('--set <PATH=VALUE>', 'another value for a setting of the config', collect);
};

export const trainCommand: CommandSpec<TrainOptions> = {
  usage: 'train <config>',
  summary: 'run an experiment: data, encoder, joint training, samples, report',
  options: trainOptions,
  run: (io, args, options) => runTraining(io, args[0]!, options, `npx tenon train ${args[0]}`),
};

/** @param command how a user would start the same thing again. */
export async function runTraining(
  io: Io,
  configFile: string,
  options: TrainOptions,
  command: string,
): Promise<number> {
  if (options.resume && options.force) {
    throw new TenonError(
      'usage',
      '--resume goes on with a run and --force replaces it: choose one',
    );
  }
  const config = readConfig(configFile, overridesOf(options));
  const how: Claim = options.resume ? 'resume' : options.force ? 'force' : 'new';
  const wanted = options.out ?? join('runs', config.name);
  const path = how === 'resume' && options.out === undefined ? lastRun(wanted) : wanted;
  const folder = claim(path, how, options.out === undefined);
  if (how === 'resume' && standing(folder) === 'finished') {
    io.err(`${folder.path} is finished; there is nothing left to do\n`);
    printReport(io, readJson(folder.file.report) as Report, folder, options);
    return exit.ok;
  }
  const reporter = progressReporter(io);
  if (folder.path !== wanted) {
    io.err(`${wanted} holds a finished run; this one goes to ${folder.path}\n`);
  }
  const began = performance.now();
  try {
    const report = await runExperiment({
      config,
      configFile,
      folder,
      resume: how === 'resume',
      cacheDir: '.cache',
      onProgress: reporter.show,
      signal: io.signal,
    });
    reporter.end();
    printReport(io, report, folder, options);
    if (!options.json) {
      io.out(`\nall of it took ${duration((performance.now() - began) / 1000)}\n`);
    }
    return exit.ok;
  } catch (e) {
    reporter.end();
    if (!isTenonError(e) || e.code !== 'aborted') throw e;
    io.err(`${e.message}; what is done is kept in ${folder.path}\n`);
    io.err(`go on with: ${again(command, options)} --resume\n`);
    return exit.interrupted;
  }
}

function overridesOf({ device, seed, steps, set = [] }: TrainOptions): Override[] {
  const named: [string, string | undefined][] = [
    ['device', device],
    ['seed', seed],
    ['train.steps', steps],
  ];
  return [
    ...set.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new TenonError('usage', `--set ${text} should be --set PATH=VALUE`);
      return { path: text.slice(0, at), value: text.slice(at + 1) };
    }),
    ...named.flatMap(([path, value]) => (value === undefined ? [] : [{ path, value }])),
  ];
}

/** The numbered run that was begun last, or the first one. */
function lastRun(path: string): string {
  let last = path;
  for (let n = 2; standing(runFolder(`${path}-${n}`)) !== 'absent'; n++) last = `${path}-${n}`;
  return last;
}

/** The options without which the config would be another one. */
function again(command: string, { out, device, seed, steps, set = [] }: TrainOptions): string {
  const given: [string, string | undefined][] = [
    ['--out', out],
    ['--device', device],
    ['--seed', seed],
    ['--steps', steps],
    ...set.map((s): [string, string] => ['--set', s]),
  ];
  const words = given.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
  return [command, ...words].join(' ');
}

export const fixed = (v: number): string => v.toFixed(3);

export function printReport(io: Io, report: Report, folder: RunFolder, options: Common): void {
  if (options.json) {
    io.out(json({ folder: folder.path, ...report }));
    return;
  }
  const { heldOut: h, frechet: f, encoder } = report;
  io.out(
    `${report.name}: ${report.parameters} parameters, ${report.steps} steps on ${report.device}; ` +
      `encoder: ${Math.round(100 * encoder.heldOutAccuracy)}% of held-out labels\n\n`,
  );
  io.out(
    table([
      ['held-out loss', 'trained', 'best constant'],
      ['x (pictures)', fixed(h.x), fixed(h.constantX)],
      ['z (features)', fixed(h.z), fixed(h.constantZ)],
    ]),
  );
  io.out(`\nFrechet distance in the encoder's features, ${f.samples} samples\n`);
  io.out(
    table([
      ['trained model to real pictures', fixed(f.trained)],
      ['untrained model to real pictures', fixed(f.untrained)],
      ['half of the real pictures to the other half', fixed(f.realHalves)],
      ['trained / untrained', f.ratio.toFixed(4)],
    ]),
  );
  io.out(`\npictures  ${folder.file.samplesPng}\nlosses    ${folder.file.lossPng}\n`);
  io.out(`weights   ${folder.file.model}\nreport    ${folder.file.report}\n`);
}
