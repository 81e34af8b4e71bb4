/** What the layout pass says about brackets, unfinished lets, depth and length. */
import { diagnostic } from './errors.ts';
import type { Diagnostic, Span } from './source.ts';
import type { Kind } from './tokens.ts';

export function neverClosed(opener: Kind, closer: Kind, span: Span): Diagnostic {
  return diagnostic('E0103', span, `This \`${opener}\` is never closed.`, {
    hint: `Add the \`${closer}\` that belongs to it.`,
  });
}

export function neverOpened(opener: Kind, closer: Kind, span: Span): Diagnostic {
  return diagnostic('E0104', span, `This \`${closer}\` closes nothing.`, {
    hint: `Remove it, or add the \`${opener}\` that belongs to it.`,
  });
}

export function wrongCloser(
  opener: Kind,
  wanted: Kind,
  found: Kind,
  open: Span,
  close: Span,
): Diagnostic {
  const message = `Expected \`${wanted}\` to close \`${opener}\`, found \`${found}\`.`;
  return diagnostic('E0104', close, message, {
    related: [{ span: open, message: `this \`${opener}\` was opened here` }],
  });
}

const WHY_UNFINISHED = {
  left: 'this line stands to the left of the `let`',
  deeper: 'this line is indented more than the `let`, so it is part of its value',
  closer: 'the block ends here',
  in: 'there is no `in` between a `let` and the result',
} as const;

export function unfinishedLet(
  letSpan: Span,
  at: Span | undefined,
  why: keyof typeof WHY_UNFINISHED,
): Diagnostic {
  return diagnostic('E0107', letSpan, 'No expression follows this `let`.', {
    hint: 'Begin the next line, with the next `let` or the result, at exactly the column of this `let`.',
    related: at === undefined ? [] : [{ span: at, message: WHY_UNFINISHED[why] }],
  });
}

export function tooLong(span: Span, count: number, limit: number): Diagnostic {
  const message = `This declaration has ${count} words and signs; at most ${limit} are allowed.`;
  return diagnostic('E0112', span, message, {
    hint: 'Split it into several; data in bulk is a parameter that the host fills.',
  });
}

export function tooDeep(span: Span, brackets: number, limit: number): Diagnostic {
  const what = brackets > limit / 2 ? 'brackets' : 'expressions';
  return diagnostic('E0105', span, `More than ${limit} ${what} stand inside each other here.`, {
    hint: 'Name the inner parts with `let`, or make them functions.',
  });
}
