/** What `--trace-nan` says: the operation at its source line, and the numbers that went into it. */
import { renderDiagnostic } from '../../dsl/render.ts';
import type { Sources } from '../../dsl/source.ts';
import type { Found } from '../devices/trace.ts';
import type { Io } from './io.ts';

export function reportNonFinite(io: Io, sources: Sources, f: Found): void {
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
