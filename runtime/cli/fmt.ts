/** `tenon fmt [--check] FILE...`: canonical formatting, in place. */
import { readFile } from 'node:fs/promises';
import { formatText, ProgramError } from '../index.ts';
import { writeFileAtomic } from '../io/atomic-write.ts';
import { systemError } from '../io/system-error.ts';
import type { CommandSpec } from './front.ts';
import { exit, json } from './io.ts';
import { reportFailure } from './report.ts';

export const fmtCommand: CommandSpec<{ readonly check?: boolean }> = {
  usage: 'fmt <file...>',
  summary: 'format programs in place',
  options(command) {
    command.option('--check', 'change nothing; exit 1 when a file is not formatted');
  },
  async run(io, files, options) {
    const changed: string[] = [];
    let failed = false;
    for (const file of files) {
      const text = await readFile(file, 'utf8').catch((e: unknown) => {
        throw systemError(e, 'read', file);
      });
      const result = formatText(file, text);
      if (result.text === undefined) {
        failed = true;
        reportFailure(new ProgramError(result.diagnostics, new Map([[file, text]])), io, false);
        continue;
      }
      if (result.text === text) continue;
      changed.push(file);
      if (!options.check) writeFileAtomic(file, result.text);
    }
    if (options.json) io.out(json({ changed }));
    else for (const file of changed) io.out(`${file}\n`);
    return failed || (options.check && changed.length > 0) ? exit.wrong : exit.ok;
  },
};
