/**
 * A checkout of the project as something that can be measured: its own benchmark worker and its own
 * front end, built by its own compiler from its own sources. Nothing of it is written but bench/dist,
 * which git ignores; building again what is built takes a second, so nobody asks whether it is stale.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

export type Checkout = {
  readonly root: string;
  /** Where its modules are: bench/worker, dsl/index, ... with this ending. */
  readonly built: string;
  readonly ending: 'js' | 'ts';
  /** Its commit, `-dirty` with changes; absent without git. */
  readonly commit?: string;
};

/** One sentence for the user, who asked for what cannot be measured. */
export class UsageError extends Error {}

const run = promisify(execFile);
const config = 'bench/tsconfig.build.json';
const compiler = 'node_modules/typescript/bin/tsc';

export const moduleOf = (c: Checkout, name: string): string => join(c.built, `${name}.${c.ending}`);

function packageName(root: string): unknown {
  try {
    return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).name;
  } catch {
    return undefined;
  }
}

/** What keeps a folder from being measured, from the first thing that can be wrong to the last. */
const faults: readonly (readonly [(root: string) => boolean, (dir: string) => string])[] = [
  [(root) => !existsSync(root), (dir) => `${dir} does not exist.`],
  [(root) => !statSync(root).isDirectory(), (dir) => `${dir} is not a folder.`],
  [
    (root) => packageName(root) !== 'tenon',
    (dir) => `${dir} is not a checkout of tenon: it has no package.json of that name.`,
  ],
  [
    (root) => !existsSync(join(root, config)) || !existsSync(join(root, 'bench/worker.ts')),
    (dir) => `${dir} has no bench/worker.ts to measure with: it is not the sources, or too old.`,
  ],
  [
    (root) => !existsSync(join(root, compiler)),
    (dir) => `${dir} is not installed: run npm install there.`,
  ],
];

/** @throws UsageError when the folder is no installed checkout, or does not compile. */
export async function openCheckout(dir: string): Promise<Checkout> {
  const root = resolve(dir);
  for (const [wrong, text] of faults) if (wrong(root)) throw new UsageError(text(dir));
  try {
    await run(process.execPath, [compiler, '-p', config], { cwd: root });
  } catch {
    throw new UsageError(`${dir} does not compile: run npx tsc -p ${config} there to see why.`);
  }
  return { root, built: join(root, 'bench/dist'), ending: 'js', commit: await commitOf(root) };
}

async function commitOf(root: string): Promise<string | undefined> {
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', ['-C', root, ...args])).stdout.trim();
  try {
    // A folder inside some other repository has no commit of its own.
    if ((await git('rev-parse', '--show-prefix')) !== '') return undefined;
    return await git('describe', '--always', '--dirty', '--exclude=*');
  } catch {
    return undefined;
  }
}
