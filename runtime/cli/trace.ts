/** What `--trace-nan` says: the operation at its source line, and the numbers that went into it. */
import { placeOf, renderDiagnostic } from '../../dsl/render.ts';
import type { Sources } from '../../dsl/source.ts';
import type { Found } from '../devices/trace.ts';
import type { Io } from './io.ts';

export function reportNonFinite(io: Io, sources: Sources, f: Found): void {
  if (f.input !== undefined) {
    const element = f.index.length > 0 ? `[${f.index.join(', ')}]` : '';
    io.err(`The input \`${f.input}${element}\` is not finite: ${f.value}.\n`);
    return;
  }
  const at = f.index.length > 0 ? ` at element [${f.index.join(', ')}]` : '';
  const term = f.term.length > 0 ? `, term [${f.term.join(', ')}]` : '';
  const steps = f.steps.length > 0 ? `, step ${f.steps.join(', ')}` : '';
  const message = `The first value that is not finite, ${f.value}, is made here${at}${term}${steps}.`;
  if (f.span === undefined) io.err(`${message}\n`);
  else {
    const d = { code: 'E0903', severity: 'error', span: f.span, message } as const;
    io.err(`${renderDiagnostic(d, sources)}\n`);
  }
  for (const o of f.operands) {
    const ix = o.index.length > 0 ? `[${o.index.map((i) => (i < 0 ? '?' : i)).join(', ')}]` : '';
    io.err(`    ${o.name}${ix} = ${o.value}\n`);
  }
}

/** The same for scripts. */
export function nonFiniteData(sources: Sources, { span, value, ...f }: Found) {
  const text = span === undefined ? undefined : sources.get(span.file);
  const place =
    span === undefined || text === undefined
      ? {}
      : { place: { file: span.file, ...placeOf(text, span.start) } };
  // JSON has no numbers that are not finite.
  const operands = f.operands.map((o) => ({ ...o, value: String(o.value) }));
  return { ...f, value: String(value), operands, ...place };
}
