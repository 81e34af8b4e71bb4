/**
 * The one table of diagnostic codes. Every diagnostic of the front end has a row here, and
 * docs/errors.md has an example and the fix for every row (the idea is Futhark's error index).
 *
 * Ranges: E01xx syntax, E02xx modules, E03xx names, E04xx types, E05xx sizes, E06xx index ranges,
 * E07xx derivatives, W0xxx warnings. A code, once published, never changes its meaning.
 */
import type { Diagnostic, ErrorDiagnostic, Span, WarningDiagnostic } from './source.ts';

export const CODES = {
  // ------------------------------------------------------------ syntax
  E0101: 'unexpected word or sign',
  E0102: 'not a declaration',
  E0103: 'bracket never closed',
  E0104: 'closing bracket without its opening one',
  E0105: 'nested too deeply',
  E0106: 'text without a closing quote',
  E0107: 'let without an expression after it',
  E0108: 'comparisons do not chain',
  E0109: 'operator needs parentheses here',
  E0110: 'number too large',
  E0111: 'doc comment that documents nothing',
  E0112: 'declaration too long',
  // ------------------------------------------------------------ modules
  E0201: 'module not found',
  E0202: 'modules import each other in a circle',
  E0203: 'module has no such name',
  // ------------------------------------------------------------ names
  E0301: 'unknown name',
  E0302: 'unknown type',
  E0303: 'name is taken',
  E0304: 'function calls itself',
  E0305: 'unknown size',
  E0306: 'type contains itself',
  // ------------------------------------------------------------ types
  E0401: 'wrong type',
  E0402: 'scalar needed',
  E0403: 'missing field',
  E0404: 'unknown field',
  E0405: 'not a function',
  E0406: 'wrong arguments',
  E0407: 'cannot be indexed like this',
  E0408: 'type not known here',
  E0409: 'operator not defined on these types',
  E0410: 'number out of range',
  E0411: 'not a record',
  E0412: 'wrong size or type arguments',
  E0413: 'trees that do not go together',
  E0414: 'value not allowed here',
  E0415: 'program too large when specialised',
  // ------------------------------------------------------------ sizes
  E0501: 'sizes differ',
  E0502: 'size cannot be inferred',
  E0503: 'fact not shown',
  E0504: 'size may be negative',
  E0505: 'size does not divide',
  E0506: 'size too large',
  E0507: 'fact that cannot be used',
  // ------------------------------------------------------------ index ranges
  E0601: 'index may leave its range',
  E0602: 'index not proved in range',
  E0603: 'range may be empty',
  E0604: 'no such part of this dimension',
  // ------------------------------------------------------------ derivatives
  E0701: 'derivative of something that is no scalar',
  E0702: 'derivative with respect to something that is no f32',
  E0703: 'derivative declaration does not fit',
  // ------------------------------------------------------------ warnings
  W0001: 'unused name',
  W0002: 'shadowed name',
  W0003: 'key used twice',
  W0004: 'same size in another order',
  W0005: 'trailing term ignores the binder',
  W0006: 'size named like another one',
} as const satisfies Record<string, string>;

export type Code = keyof typeof CODES;
export type ErrorCode = Extract<Code, `E${string}`>;
export type WarningCode = Extract<Code, `W${string}`>;

type Extra = Pick<Diagnostic, 'hint' | 'related' | 'fix'>;

/** A diagnostic; the first letter of its code says whether it is an error or a warning. */
export function diagnostic(
  code: ErrorCode,
  span: Span,
  message: string,
  extra?: Extra,
): ErrorDiagnostic;
export function diagnostic(
  code: WarningCode,
  span: Span,
  message: string,
  extra?: Extra,
): WarningDiagnostic;
export function diagnostic(
  code: Code,
  span: Span,
  message: string,
  extra: Extra = {},
): ErrorDiagnostic | WarningDiagnostic {
  const severity = code.startsWith('E') ? 'error' : 'warning';
  return { code, severity, span, message, ...extra };
}
