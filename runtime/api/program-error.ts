/**
 * What is wrong with a program, as one error that holds every diagnostic as data.
 */
import { asDiagnostic, CompileError } from '../../compiler/elaborate/errors.ts';
import { placeOf } from '../../dsl/render.ts';
import type { Diagnostic, Sources } from '../../dsl/source.ts';
import type { TFn } from '../../dsl/typed.ts';

/** The text of a program is wrong, or cannot be had at the sizes asked for. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly diagnostics: readonly Diagnostic[];
  /** For showing the diagnostics at their source lines. */
  readonly sources: Sources;

  constructor(diagnostics: readonly Diagnostic[], sources: Sources) {
    const errors = diagnostics.filter((d) => d.severity === 'error');
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    super(
      errors[0] === undefined ? 'the program is wrong' : `${oneLine(errors[0], sources)}${more}`,
    );
    this.diagnostics = diagnostics;
    this.sources = sources;
  }
}

/** `file:line:col: error[E0123]: message` */
export function oneLine(d: Diagnostic, sources: Sources): string {
  const { line, column } = placeOf(sources.get(d.span.file) ?? '', d.span.start);
  return `${d.span.file}:${line}:${column}: ${d.severity}[${d.code}]: ${d.message}`;
}

/** Faults of the user's program that show only with numbers, as diagnostics at their place. */
export function asProgramErrors<T>(sources: Sources, fn: TFn, f: () => T): T {
  try {
    return f();
  } catch (e) {
    if (!(e instanceof CompileError)) throw e;
    throw new ProgramError([asDiagnostic(e, fn.span)], sources);
  }
}
