/**
 * The two programs of an experiment: the encoder, whose features become z, and the joint model. A
 * run keeps their texts, so that it can be resumed and sampled as it was after the files have
 * changed.
 */
import { dirname, join } from 'node:path';
import { load } from '../api/load.ts';
import { compile, type Program } from '../api/program.ts';
import { TenonError } from '../errors.ts';
import { writeFileAtomic } from '../io/atomic-write.ts';
import type { Config } from './config.ts';
import { readJson } from './run-folder.ts';

export type Programs = { readonly encoder: Program; readonly joint: Program };

/** @throws TenonError (`io`), ProgramError. */
export async function loadPrograms(config: Config, configFile: string): Promise<Programs> {
  const beside = (path: string): string => join(dirname(configFile), path);
  return {
    encoder: await load(beside(config.encoder.program)),
    joint: await load(beside(config.model.program)),
  };
}

export function keepPrograms(file: string, { encoder, joint }: Programs): void {
  const texts = (p: Program) => ({ root: p.root, sources: Object.fromEntries(p.sources) });
  const value = { encoder: texts(encoder), joint: texts(joint) };
  writeFileAtomic(file, `${JSON.stringify(value, null, 1)}\n`);
}

/** @throws TenonError (`io`, `format`), ProgramError. */
export function keptPrograms(file: string): Programs {
  const value = readJson(file) as Record<string, unknown> | null;
  const program = (name: string): Program => {
    const kept = value?.[name] as { root?: unknown; sources?: unknown } | undefined;
    const { root, sources } = kept ?? {};
    const fits =
      typeof root === 'string' &&
      typeof sources === 'object' &&
      sources !== null &&
      Object.values(sources).every((text) => typeof text === 'string');
    if (!fits) {
      throw new TenonError('format', `${file} does not hold the program ${name}`, {
        place: { file },
      });
    }
    return compile(sources as Record<string, string>, root);
  };
  return { encoder: program('encoder'), joint: program('joint') };
}
