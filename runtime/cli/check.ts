/** `tenon check FILE...`: parse and type-check. */
import { placeOf } from '../../dsl/render.ts';
import type { Diagnostic, Sources, Span } from '../../dsl/source.ts';
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
      reports.push(...fresh.map((d) => placed(d, sources)));
      if (!options.json) reportDiagnostics(fresh, sources, io);
    }
    if (options.json) io.out(json({ errors, diagnostics: reports }));
    else if (options.verbose) io.err(`${files.length} files checked, ${errors} errors\n`);
    return errors > 0 ? exit.wrong : exit.ok;
  },
};

/** Spans with the line and column of their start, both from 1, beside the offsets. */
function placed(d: Diagnostic, sources: Sources) {
  const at = (span: Span) => ({ ...span, ...placeOf(sources.get(span.file) ?? '', span.start) });
  const related = d.related?.map((r) => ({ ...r, span: at(r.span) }));
  return { ...d, span: at(d.span), ...(related && { related }) };
}
