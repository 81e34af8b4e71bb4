/** What no target can count: refused when the program is planned, at the place it comes from. */

import type { Span } from '../../dsl/source.ts';
import type { Axis } from '../core.ts';
import { CompileError } from '../elaborate/errors.ts';
import type { Range } from './range.ts';

/** Counters of loops are i32. */
const MOST_STEPS = 2 ** 31;
/** Offsets are i32. */
export const MOST_WORDS = 2 ** 31;

const over = (axes: readonly Axis[]): string => {
  const named = axes.map((a) => `${a.name || 'i'}: ${a.extent}`);
  return named.length === 0 ? '' : ` (over ${named.join(', ')})`;
};

/** @throws CompileError for a loop whose steps are too many. */
export function refuseLongLoops(axes: readonly Axis[], span: Span | undefined): void {
  const long = axes.find((a) => a.extent >= MOST_STEPS);
  if (long === undefined) return;
  const most = `a loop has fewer than ${MOST_STEPS}`;
  throw new CompileError(
    'E0802',
    `\`${long.name || 'i'}\` takes ${long.extent} steps here; ${most}.`,
    span,
  );
}

/** For a number in the arithmetic of an index that may be too large to be exact. */
export function tooLarge(r: Range, axes: readonly Axis[], span: Span | undefined): CompileError {
  const far = Math.max(-r.lo, r.hi);
  const how = Number.isFinite(far) ? ` (${far})` : '';
  return new CompileError(
    'E0802',
    `A number in an index here may pass 2^53${how}, beyond what can be counted${over(axes)}.`,
    span,
  );
}

/** For a buffer whose words 32-bit offsets do not reach. */
export function tooManyWords(name: string, words: number): CompileError {
  return new CompileError(
    'E0806',
    `\`${name}\` needs ${words} elements, more than the ${MOST_WORDS} that a plan can hold.`,
  );
}
