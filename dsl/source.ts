/**
 * Source texts, spans and diagnostics: what every other part of the front end points into.
 *
 * Invariant: a span is a half-open range of UTF-16 offsets into the text of one file, so that a
 * node of any later stage (core, kernel) can be shown at the user's own line. Diagnostics are data;
 * only the command line turns them into text for a terminal (see render.ts).
 */

export type Span = { readonly file: string; readonly start: number; readonly end: number };

export type Severity = 'error' | 'warning';

export type Diagnostic = {
  /** `E` or `W` and four digits, documented in docs/errors.md. */
  readonly code: string;
  readonly severity: Severity;
  readonly span: Span;
  /** One sentence in the user's own names; no compiler internals. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The edits that the hint speaks of, in the order of the text, where it speaks of some. */
  readonly fix?: readonly Edit[];
  /** Other places that matter, e.g. where the other size comes from. */
  readonly related?: readonly { readonly span: Span; readonly message: string }[];
};

/** Text to put in place of a span; an empty span is a place to insert at. */
export type Edit = { readonly span: Span; readonly text: string };

export type ErrorDiagnostic = Diagnostic & { readonly severity: 'error' };
export type WarningDiagnostic = Diagnostic & { readonly severity: 'warning' };

/** File name -> text, as given by the host. The compiler never touches the file system. */
export type Sources = ReadonlyMap<string, string>;
