/**
 * Errors as a user reads them. Three kinds: diagnostics of a program (shown at their source lines),
 * TenonErrors (one sentence, a hint), and defects of Tenon itself (one line; the stack only with -v).
 */

import { renderDiagnostic } from '../../dsl/render.ts';
import type { Diagnostic, Sources } from '../../dsl/source.ts';
import { isTenonError, ProgramError } from '../index.ts';
import { exit, type Io } from './io.ts';

/** Prints what went wrong to stderr and gives the exit code. */
export function reportFailure(e: unknown, io: Io, verbose: boolean): number {
  if (e instanceof ProgramError) {
    reportDiagnostics(e.diagnostics, e.sources, io);
    return exit.wrong;
  }
  if (isTenonError(e)) {
    if (e.code === 'aborted') {
      io.err('tenon: interrupted\n');
      return exit.interrupted;
    }
    io.err(`error: ${e.message}\n`);
    if (e.hint !== undefined) io.err(`hint: ${e.hint}\n`);
    if (verbose && e.cause !== undefined) io.err(`cause: ${String(e.cause)}\n`);
    return e.code === 'usage' ? exit.usage : exit.wrong;
  }
  if (isOutOfMemory(e)) {
    io.err('error: not enough memory for this\nhint: Use smaller sizes or a smaller batch.\n');
    return exit.wrong;
  }
  const message = e instanceof Error ? e.message : String(e);
  io.err(`tenon: internal error: ${message.split('\n')[0]}\n`);
  if (verbose) io.err(`${e instanceof Error ? e.stack : String(e)}\n`);
  else io.err('hint: This is a defect of Tenon; run again with -v for details to report.\n');
  return exit.wrong;
}

export function reportDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: Sources,
  io: Io,
): void {
  for (const d of diagnostics) io.err(`${renderDiagnostic(d, sources)}\n`);
}

function isOutOfMemory(e: unknown): boolean {
  return (
    e instanceof RangeError &&
    /allocation failed|could not allocate|invalid (typed )?array length/i.test(e.message)
  );
}
