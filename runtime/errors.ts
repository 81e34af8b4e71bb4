/**
 * The one class of error that a user of the runtime is meant to see: data that cannot be read, a
 * file that cannot be written, inputs that do not fit a program. It carries what a front end needs
 * to print a clear message without a stack trace. Anything else that is thrown is a defect of
 * Tenon. Faults in a program's text are diagnostics (data, see dsl/), not exceptions.
 */

/** Where something went wrong: a file, a tensor inside it, a leaf of a parameter tree, a line. */
export type Place = {
  readonly file?: string;
  readonly tensor?: string;
  readonly leaf?: string;
  readonly line?: number;
};

/**
 * Stable identifiers, by what the user can do about them. Front ends may switch on them.
 * - `io`: the system refused to read or write (missing file, full disk, no permission)
 * - `format`: a file is there but is not what it should be
 * - `input`: a value handed to a program does not fit (shape, dtype, missing leaf, NaN, range)
 * - `usage`: called in a way that cannot work (an unknown function, a bad option)
 * - `device`: a device is absent, lost or lacks a feature
 * - `missing-package`: an optional npm package is not installed
 * - `diverged`: training produced a value that is not finite
 * - `range`: a run would have read or written outside of a tensor, and gave nothing
 * - `aborted`: the caller's AbortSignal fired
 */
export type ErrorCode =
  | 'io'
  | 'format'
  | 'input'
  | 'usage'
  | 'device'
  | 'missing-package'
  | 'diverged'
  | 'range'
  | 'aborted';

export class TenonError extends Error {
  override readonly name = 'TenonError';
  readonly code: ErrorCode;
  /** What to do about it, one sentence. */
  readonly hint?: string;
  readonly place?: Place;

  constructor(
    code: ErrorCode,
    message: string,
    more: { hint?: string; place?: Place; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.hint = more.hint;
    this.place = more.place;
  }
}

/** True for an error that is meant for users; narrows the type. */
export function isTenonError(e: unknown): e is TenonError {
  return e instanceof TenonError;
}
