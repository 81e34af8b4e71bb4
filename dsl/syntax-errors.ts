/**
 * Ohm's failure -> a message that a newcomer can act on: what was expected, what was found, and a
 * hint where the mistake is a frequent one.
 *
 * Ohm says how far it came and which tokens would have let it go on (see expectation.ts); where the
 * parse stopped and the tokens around it decide on the hint (see syntax-hints.ts).
 */
import type { FailedMatchResult } from 'ohm-js';
import { diagnostic } from './errors.ts';
import { describeExpectation, expectationOf } from './expectation.ts';
import { describe } from './lex.ts';
import type { Diagnostic, Span } from './source.ts';
import { formHint } from './syntax-forms.ts';
import { type Habit, habitAt } from './syntax-habits.ts';
import { placeHint } from './syntax-hints.ts';
import type { Token } from './tokens.ts';

export function explainSyntax(
  file: string,
  text: string,
  tokens: readonly Token[],
  match: FailedMatchResult,
): Diagnostic {
  const at = match.getRightmostFailurePosition();
  const found = tokens[at];
  const span = spanAt(file, text, tokens, at);
  if (found?.kind === '$bad' && text[found.start] === '"') {
    return diagnostic('E0106', span, 'This text has no closing `"` on its line.');
  }
  const habit = habitAt(text, tokens, at);
  if (habit !== undefined && habit.token !== found) return foreignWord(file, text, habit);

  const expectation = expectationOf(match.getExpectedText());
  const expected = describeExpectation(expectation, tokens[at - 1]?.kind);
  const word = found === undefined ? 'the end of the declaration' : foundText(found, text);
  const { kinds } = expectation;
  const sign = found?.kind === '$bad' ? text.slice(found.start, found.end) : undefined;
  const form = sign === undefined ? undefined : formHint(tokens, at, kinds, sign);
  const hint = form ?? habit?.hint ?? placeHint({ text, tokens, at, expected: kinds });
  const message = `Expected ${expected}, found ${word}.`;
  return diagnostic('E0101', span, message, hint === undefined ? {} : { hint });
}

function foreignWord(file: string, text: string, { token, hint }: Habit): Diagnostic {
  const { start, end } = token;
  const message = `\`${text.slice(start, end)}\` is no word of the language.`;
  return diagnostic('E0101', { file, start, end }, message, { hint });
}

/** Text in the first column that begins no declaration. */
export function explainStray(file: string, text: string, tokens: readonly Token[]): Diagnostic {
  const first = tokens[0]!;
  const span = { file, start: first.start, end: first.end };
  const message = `Expected a declaration, found ${foundText(first, text)}.`;
  const hint = habitAt(text, tokens, 0)?.hint ?? strayHint(first);
  return diagnostic('E0102', span, message, { hint });
}

function strayHint(first: Token): string {
  if (first.col > 0) return 'Declarations begin in the first column.';
  if (first.kind === '//') return 'Comments begin with `#`.';
  if (first.kind === 'from') return 'Imports are written `import { a, B } from "./file.tn"`.';
  return 'Declarations begin with `import`, `type`, `fn`, `let`, `derivative` or `check`; the lines of a body are indented.';
}

function foundText(token: Token, text: string): string {
  const word = text.slice(token.start, token.end);
  return describe(token.kind, word.length > 30 ? `${word.slice(0, 27)}...` : word);
}

/** The token at fault; at the end of a declaration, the place right after its last token. */
function spanAt(file: string, text: string, tokens: readonly Token[], at: number): Span {
  const token = tokens[at];
  if (token === undefined) {
    const end = tokens.at(-1)!.end;
    return { file, start: end, end };
  }
  if (token.kind !== '$sep') return { file, start: token.start, end: token.end };
  const next = tokens[at + 1];
  return { file, start: token.start, end: next?.end ?? Math.min(token.end + 1, text.length) };
}
