/**
 * The formatter: text -> canonical text, or the reasons why it has none.
 *
 * Invariant: idempotent, keeps every comment, and changes nothing that the parser sees. A text with a
 * syntax error is left alone: what was not understood must not be moved.
 */
import { parseModule } from './parse.ts';
import { printModule } from './print.ts';
import type { Diagnostic } from './source.ts';

export type Formatted =
  | { readonly text: string; readonly diagnostics?: undefined }
  | { readonly text?: undefined; readonly diagnostics: readonly Diagnostic[] };

export function formatText(file: string, text: string): Formatted {
  const { module, diagnostics } = parseModule(file, text);
  if (diagnostics.some((d) => d.severity === 'error')) return { diagnostics };
  return { text: printModule(module, text) };
}
