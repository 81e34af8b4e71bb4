/**
 * Text -> tokens. Comments (`# ...`) and doc lines (`/// ...` in the first column) are set aside
 * for the formatter; nothing is dropped but white space.
 *
 * Invariant: never fails. What is no token becomes a `$bad` token, so that the parser reports it
 * where it stands, once, with the hint for that mistake. Offsets are those of the original text:
 * a byte order mark, tabs and CRLF move nothing.
 */
import { CLASSES, type Kind, SIGNS, type Token, WORDS } from './tokens.ts';

export type Piece = { readonly text: string; readonly start: number; readonly end: number };

export type Lexed = {
  readonly tokens: readonly Token[];
  readonly comments: readonly Piece[];
  readonly docs: readonly Piece[];
};

const TAB = 8;
const WORD = /[A-Za-z0-9_]+/y;
const NUMBER = /\d+(\.\d+)?([eE][+-]?\d+)?/y;
/** Runs of signs that people type from habit; taken whole so that the message can name them. */
const FOREIGN = /&&|\|\||./suy;
const PAIRS: ReadonlySet<string> = new Set(SIGNS.filter((s) => s.length === 2));
const SINGLE: ReadonlySet<string> = new Set(SIGNS.filter((s) => s.length === 1));
const NOT_HERE: ReadonlySet<string> = new Set(['**', '/*', '*/', '++', '=>', ':=', '|>']);

export function lex(text: string): Lexed {
  const tokens: Token[] = [];
  const comments: Piece[] = [];
  const docs: Piece[] = [];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let col = 0;
  let first = true;
  let previous: Kind | undefined;

  const push = (kind: Kind, end: number) => {
    tokens.push({ kind, start: at, end, col, first });
    previous = kind;
    first = false;
    col += end - at;
    at = end;
  };

  while (at < text.length) {
    const c = text[at]!;
    if (c === '\n') {
      at++;
      col = 0;
      first = true;
    } else if (c === ' ' || c === '\r') {
      at++;
      col++;
    } else if (c === '\t') {
      at++;
      col += TAB - (col % TAB);
    } else if (c === '#') {
      const end = endOfLine(text, at);
      comments.push({ text: text.slice(at, end).trimEnd(), start: at, end });
      at = end;
    } else if (c === '/' && text.startsWith('///', at)) {
      const end = endOfLine(text, at);
      if (first && col === 0) {
        docs.push({ text: text.slice(at + 3, end).trimEnd(), start: at, end });
        at = end;
      } else push('$bad', end);
    } else if (c === '"') {
      const end = endOfString(text, at);
      push(end.closed ? '$str' : '$bad', end.at);
    } else if (isLabel(text, at, previous, tokens)) {
      push('$label', matchAt(WORD, text, at));
    } else if (c >= '0' && c <= '9') {
      const end = matchAt(NUMBER, text, at);
      const joined = matchAt(WORD, text, end);
      if (joined > end) push('$bad', joined);
      else push(isNat(text, at, end) ? '$nat' : '$num', end);
    } else if (isWordChar(c)) {
      const end = matchAt(WORD, text, at);
      push(wordKind(text.slice(at, end)), end);
    } else push(...sign(text, at));
  }
  return { tokens, comments, docs };
}

function wordKind(word: string): Kind {
  if (word === '_') return '_';
  const known = WORDS.get(word);
  if (known !== undefined) return known;
  return word[0]! >= 'A' && word[0]! <= 'Z' ? '$up' : '$id';
}

function sign(text: string, at: number): [Kind, number] {
  const two = text.slice(at, at + 2);
  if (NOT_HERE.has(two)) return ['$bad', at + 2];
  if (PAIRS.has(two)) return [two as Kind, at + 2];
  const one = two[0]!;
  if (one === '.') return [isSpace(text[at + 1]) ? '$dot' : '.', at + 1];
  if (SINGLE.has(one)) return [one as Kind, at + 1];
  return ['$bad', matchAt(FOREIGN, text, at)];
}

/** Right after a field's dot, digits are a label (`mlp.0.weight`) and so is any word. */
function isLabel(
  text: string,
  at: number,
  previous: Kind | undefined,
  tokens: readonly Token[],
): boolean {
  if (previous !== '.' || tokens.at(-1)!.end !== at) return false;
  return isWordChar(text[at]!);
}

function isWordChar(c: string): boolean {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c === '_';
}

/** A `#` counts: a comment may follow the dot of a binder directly. */
function isSpace(c: string | undefined): boolean {
  return c === undefined || c === ' ' || c === '\n' || c === '\r' || c === '\t' || c === '#';
}

function isNat(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (text[i]! < '0' || text[i]! > '9') return false;
  return true;
}

function matchAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  const stop = end < 0 ? text.length : end;
  return text[stop - 1] === '\r' ? stop - 1 : stop;
}

function endOfString(text: string, at: number): { at: number; closed: boolean } {
  const stop = endOfLine(text, at);
  const quote = text.indexOf('"', at + 1);
  return quote < 0 || quote >= stop ? { at: stop, closed: false } : { at: quote + 1, closed: true };
}

/** Human name of a token, for messages. */
export function describe(kind: Kind, text: string): string {
  switch (kind) {
    case '$sep':
      return 'the end of the let';
    case '$dot':
      return '`.`';
    case '$str':
      return `the text ${text}`;
    default:
      return CLASSES.includes(kind as never) ? `\`${text}\`` : `\`${kind}\``;
  }
}
