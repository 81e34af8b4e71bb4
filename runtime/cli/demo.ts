/** `tenon demo`: the experiment that comes with Tenon. */
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TenonError } from '../index.ts';
import type { CommandSpec } from './front.ts';
import { runTraining, type TrainOptions, trainOptions } from './train.ts';

const config = 'examples/emoji/demo.json';

export const demoCommand: CommandSpec<TrainOptions> = {
  usage: 'demo',
  summary: `train ${config}: a small ReDi learns emoji, about five minutes`,
  options: trainOptions,
  run: (io, _args, options) => runTraining(io, findConfig(), options, 'npx tenon demo'),
};

/** runtime/cli and dist/runtime/cli are both below the package's root, at different depths. */
function findConfig(): string {
  const places = ['../../', '../../../'].map((up) =>
    fileURLToPath(new URL(`${up}${config}`, import.meta.url)),
  );
  const found = places.find((path) => existsSync(path));
  if (found === undefined)
    throw new TenonError('io', `${config} is missing from this installation`);
  const shorter = relative('', found);
  return shorter.startsWith('..') ? found : shorter;
}
