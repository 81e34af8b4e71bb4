/**
 * Evidence that an error was reported: what the checker hands on where a value is missing.
 *
 * A size, a type or an expression that could not be made is replaced by one that agrees with
 * everything, so that one cause gives one message. That is sound only if the message was really
 * issued, so each of them is made from a `Reported`, and a `Reported` comes from nowhere but the list
 * of diagnostics itself. Invariant: while one exists, the program has an error and is not handed out.
 */
import type { Diagnostic, ErrorDiagnostic, WarningDiagnostic } from './source.ts';

declare const evidence: unique symbol;
export type Reported = { readonly k: 'reported'; readonly [evidence]: true };

/** Issues a diagnostic; of an error there is evidence. */
export type Report = {
  (d: ErrorDiagnostic): Reported;
  (d: WarningDiagnostic): void;
};

export function isReported(x: unknown): x is Reported {
  return x === REPORTED;
}

const REPORTED = { k: 'reported' } as Reported;

/** The diagnostics of one program; what says the same at the same place is listed once. */
export class Reports {
  readonly #list: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  readonly report: Report;

  /** Those of the files that were read: they are errors of the program as well. */
  constructor(before: readonly Diagnostic[] = []) {
    this.#list.push(...before);
    this.report = ((d: Diagnostic) => {
      const id = `${d.code} ${d.span.file} ${d.span.start} ${d.span.end} ${d.message}`;
      if (!this.#seen.has(id)) {
        this.#seen.add(id);
        this.#list.push(d);
      }
      return d.severity === 'error' ? REPORTED : undefined;
    }) as Report;
  }

  get list(): readonly Diagnostic[] {
    return this.#list;
  }

  /** Evidence of an error in this file, if there is one so far. */
  errorIn(file: string): Reported | undefined {
    const found = this.#list.some((d) => d.severity === 'error' && d.span.file === file);
    return found ? REPORTED : undefined;
  }
}

/** `report` that also tells of each error, and keeps warnings to itself where they would be noise. */
export function watched(
  report: Report,
  onError: (by: Reported) => void,
  warnings: () => boolean = () => true,
): Report {
  return ((d: ErrorDiagnostic | WarningDiagnostic) => {
    if (d.severity === 'error') {
      const by = report(d as ErrorDiagnostic);
      onError(by);
      return by;
    }
    if (warnings()) report(d as WarningDiagnostic);
    return undefined;
  }) as Report;
}
