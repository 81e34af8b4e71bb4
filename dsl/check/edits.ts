/**
 * Hints that are edits of an expression: what to put around it or behind it.
 *
 * Invariant: the text that the edits give parses, and the fault they are given for is gone.
 */
import type { Expr } from '../ast.ts';
import { type Hint, head } from '../solver.ts';
import type { Edit, Span } from '../source.ts';
import type { Type } from '../typed.ts';
import type { Env } from './context.ts';

const before = (span: Span, text: string): Edit => ({ span: { ...span, end: span.start }, text });
const after = (span: Span, text: string): Edit => ({ span: { ...span, start: span.end }, text });

/** `x[i - 1]` -> `x[i - 1] ?? 0`; what is read further is put in parentheses. */
export function fallback(env: Env, read: Expr, elem: Type, partial: boolean): readonly Edit[] {
  const t = head(env.fn.solver, elem);
  const nothing = t.k === 'scalar' && t.s === 'bool' ? 'false' : '0';
  return partial
    ? [before(read.span, '('), after(read.span, ` ?? ${nothing})`)]
    : [after(read.span, ` ?? ${nothing}`)];
}

/** `u` -> `clamp(u)`. */
export function clamped(span: Span): Hint {
  return {
    hint: 'write `clamp(...)` or `wrap(...)`',
    fix: [before(span, 'clamp('), after(span, ')')],
  };
}

/** `i` -> `i: N`, where the index is bound; N is a size of this function, if it has one. */
export function withRange(env: Env, name: string, at: Span): Hint {
  const [size] = env.fn.facts.sizes.keys();
  const shown = size ?? '10';
  return {
    hint: `write the range${size === undefined ? ', such as' : ':'} \`${name}: ${shown}\``,
    fix: [after(at, `: ${shown}`)],
  };
}
