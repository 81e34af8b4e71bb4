/**
 * What can still go wrong after checking: a program is asked for at sizes that do not fit its facts,
 * that explode when specialised, or that no host could call. Everything else was refused by the
 * checker at its own place.
 *
 * Invariant: the message speaks of the user's functions and sizes and carries the number that is too
 * large; `span` points into the user's text.
 */
import type { Diagnostic, Span } from '../../dsl/source.ts';

export class CompileError extends Error {
  readonly code: string;
  readonly span: Span | undefined;
  readonly hint: string | undefined;

  constructor(code: string, message: string, span?: Span, hint?: string) {
    super(message);
    this.name = 'CompileError';
    this.code = code;
    this.span = span;
    this.hint = hint;
  }
}

/** As data; `span` is shown where the error has none of its own. */
export function asDiagnostic(e: CompileError, span: Span): Diagnostic {
  return {
    code: e.code,
    severity: 'error',
    span: e.span ?? span,
    message: e.message,
    ...(e.hint === undefined ? {} : { hint: e.hint }),
  };
}
