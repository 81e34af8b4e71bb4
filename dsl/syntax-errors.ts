/**
 * Ohm's failure -> a message that a newcomer can act on: what was expected, what was found, and a
 * hint where the mistake is a frequent one.
 *
 * Ohm says how far it came and which terminals would have let it go on; terminals are grouped into
 * a few words here ("an expression", "an operator"), because a list of thirty signs teaches nothing.
 */
import type { FailedMatchResult } from 'ohm-js';
import { diagnostic } from './errors.ts';
import { describe } from './lex.ts';
import type { Diagnostic, Span } from './source.ts';
import { habitHint, placeHint } from './syntax-hints.ts';
import { type Kind, kindsBetween, type Token } from './tokens.ts';

export function explainSyntax(
  file: string,
  text: string,
  tokens: readonly Token[],
  match: FailedMatchResult,
): Diagnostic {
  const at = match.getRightmostFailurePosition();
  const found = tokens[at];
  const kinds = expectedKinds(match.getExpectedText());
  const context = { text, tokens, at, expected: kinds };
  const expected = summarise(kinds);
  const span = spanAt(file, text, tokens, at);
  const word = found === undefined ? 'the end of the declaration' : foundText(found, text);
  if (found?.kind === '$bad' && text[found.start] === '"') {
    return diagnostic('E0106', span, 'This text has no closing `"` on its line.');
  }
  const hint = habitHint(context) ?? placeHint(context);
  const message = expected === '' ? `Unexpected ${word}.` : `Expected ${expected}, found ${word}.`;
  return diagnostic('E0101', span, message, hint === undefined ? {} : { hint });
}

/** Text in the first column that begins no declaration. */
export function explainStray(file: string, text: string, tokens: readonly Token[]): Diagnostic {
  const first = tokens[0]!;
  const span = { file, start: first.start, end: first.end };
  const message = `Expected a declaration, found ${foundText(first, text)}.`;
  const hint =
    habitHint({ text, tokens, at: 0, expected: new Set() }) ??
    (first.col > 0
      ? 'Declarations begin in the first column.'
      : 'Declarations begin with `import`, `type`, `fn`, `let`, `derivative` or `check`; the lines of a body are indented.');
  return diagnostic('E0102', span, message, { hint });
}

/** Ohm lists terminals as `"x"`, ranges as `"x".."y"`, and what must not follow as `not "x"`. */
function expectedKinds(list: string): Set<Kind> {
  const kinds = new Set<Kind>();
  for (const [, not, from, to] of list.matchAll(/(not )?"(.)"(?:\.\."(.)")?/g)) {
    if (not === undefined) for (const k of kindsBetween(from!, to ?? from!)) kinds.add(k);
  }
  if (list.includes('end of input')) kinds.add('$sep');
  return kinds;
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

// ---------------------------------------------------------------- what was expected

const EXPRESSION: readonly Kind[] = ['$num', '$nat', '$id', '(', '[', '{', 'for', 'if'];
const OPERATORS: readonly Kind[] = ['*', '//', '<=', 'and', 'or', '^', '%'];
const NOISE: ReadonlySet<Kind> = new Set<Kind>(['(', '[', '{', '.', '??', '->']);

/** `a name, `:` or an operator` */
function summarise(kinds: ReadonlySet<Kind>): string {
  const left = new Set(kinds);
  const out: string[] = [];
  const has = (group: readonly Kind[]) => group.every((k) => left.has(k));
  if (has(EXPRESSION)) {
    out.push('an expression');
    for (const k of left) if (!CLOSERS.has(k)) left.delete(k);
  } else if (has(['$id', '$up', '{', '('])) {
    out.push('a type');
    for (const k of left) if (!CLOSERS.has(k)) left.delete(k);
  } else if (has(['$nat', '$up', '('])) {
    out.push('a size');
    for (const k of left) if (!CLOSERS.has(k)) left.delete(k);
  }
  const operators = has(OPERATORS);
  const sizeOperators = has(['+', '*', '/']);
  if (operators || sizeOperators) {
    for (const k of [...left]) if (isOperator(k) || NOISE.has(k)) left.delete(k);
  }
  if (left.has('$nat') && left.has('if')) {
    out.push('a label');
    left.clear();
  }
  if (left.has('$id')) {
    out.push(left.has('$up') ? 'a name' : 'a lowercase name');
    for (const k of [...left])
      if (/^[a-z_]+$/.test(k) || k === '$id' || k === '$up') left.delete(k);
  }
  const rest = [...left].sort((a, b) => rank(a) - rank(b));
  for (const k of rest) out.push(NAMES.get(k) ?? `\`${k}\``);
  if (operators && out.length < 3) out.push('an operator');
  return orList(out.slice(0, 5));
}

const CLOSERS: ReadonlySet<Kind> = new Set<Kind>([')', ']', '}']);
const NAMES: ReadonlyMap<Kind, string> = new Map<Kind, string>([
  ['$up', 'an uppercase name'],
  ['$str', 'a file name in quotes'],
  ['$label', 'a label'],
  ['$dot', '`.` and a space'],
  ['$nat', 'a number'],
  ['$sep', 'a new line'],
]);

function isOperator(k: Kind): boolean {
  return /^([-+*/%^<>]|\/\/|[=!<>]=|and|or)$/.test(k);
}

/** Closing signs last: the missing word comes first. */
function rank(k: Kind): number {
  return k === '$sep' ? 2 : CLOSERS.has(k) || k === ',' ? 1 : 0;
}

function orList(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} or ${items.at(-1)}`;
}
