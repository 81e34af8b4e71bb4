/** `tenon check FILE...`: parse and type-check. */
import { check, readProgram } from '../index.ts';
import type { CommandSpec } from './front.ts';
import { exit, json } from './io.ts';
import { reportDiagnostics } from './report.ts';

export const checkCommand: CommandSpec = {
  usage: 'check <file...>',
  summary: 'parse and type-check programs',
  async run(io, files, options) {
    const seen = new Set<string>();
    const reports = [];
    let errors = 0;
    for (const file of files) {
      const { sources, root } = await readProgram(file);
      const all = check(sources, root).diagnostics;
      // A module that several files import is reported once.
      const fresh = all.filter((d) => {
        const id = `${d.span.file}:${d.span.start}:${d.code}:${d.message}`;
        return !seen.has(id) && seen.add(id);
      });
      errors += fresh.filter((d) => d.severity === 'error').length;
      reports.push(...fresh);
      if (!options.json) reportDiagnostics(fresh, sources, io);
    }
    if (options.json) io.out(json({ errors, diagnostics: reports }));
    else if (options.verbose) io.err(`${files.length} files checked, ${errors} errors\n`);
    return errors > 0 ? exit.wrong : exit.ok;
  },
};
