/**
 * Tokens -> declarations, each with the ends of its `let`s made explicit.
 *
 * A declaration begins at a word in the first column, so that one broken declaration never hides
 * the next. Inside one, the layout rule: a line at exactly the column of an open `let` ends it (not
 * `else`, `then` or a closing bracket); a `$sep` token of width 0 stands there. A `let` inside
 * brackets is closed by lines inside these brackets only.
 *
 * Brackets, unfinished lets and nesting depth are judged here, before ohm sees the text: the
 * messages can name the place that was opened, and ohm's recursion stays small.
 */
import { diagnostic } from './errors.ts';
import {
  neverClosed,
  neverOpened,
  tooDeep,
  tooLong,
  unfinishedLet,
  wrongCloser,
} from './layout-errors.ts';
import type { Lexed, Piece } from './lex.ts';
import type { Diagnostic, Span } from './source.ts';
import { type Kind, REDUCTION_WORDS, type Token } from './tokens.ts';

/**
 * How many brackets, binders, branches and lambdas may stand inside each other: two thirds of what
 * ohm's recursion takes on Node's default stack.
 */
export const MAX_NESTING = 64;

/** Words and signs of one declaration: what is parsed in well under a second. */
export const MAX_TOKENS = 20_000;

export type Chunk = {
  /** The declaration's tokens with `$sep`s, or undefined when `fault` says why not. */
  readonly tokens: readonly Token[];
  readonly docs: readonly Piece[];
  readonly fault?: Diagnostic;
};

const DECLARATIONS: ReadonlySet<Kind> = new Set<Kind>([
  'import',
  'type',
  'fn',
  'let',
  'derivative',
  'check',
]);
const CLOSER: ReadonlyMap<Kind, Kind> = new Map<Kind, Kind>([
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
]);
const CLOSERS: ReadonlySet<Kind> = new Set<Kind>([')', ']', '}']);
const CONTINUES: ReadonlySet<Kind> = new Set<Kind>([...CLOSERS, 'else', 'then']);

/** What a block may follow. */
const BEFORE_BLOCK: ReadonlySet<Kind | undefined> = new Set<Kind>([
  ...(['=', '$dot', '->', 'then', 'else', '$sep'] as const),
  ...(['(', '[', '{', ',', ':', '..'] as const),
]);

export function startsDeclaration(token: Token): boolean {
  return token.first && token.col === 0 && DECLARATIONS.has(token.kind);
}

/** Cuts the tokens of a module into declarations and applies the layout rule to each. */
export function layout(file: string, lexed: Lexed): { chunks: Chunk[]; diagnostics: Diagnostic[] } {
  const { tokens } = lexed;
  const chunks: Chunk[] = [];
  const diagnostics: Diagnostic[] = [];
  let doc = 0;
  let from = 0;
  while (from < tokens.length) {
    const to = endOfChunk(tokens, from);
    const start = tokens[from]!.start;
    const docs: Piece[] = [];
    while (doc < lexed.docs.length && lexed.docs[doc]!.start < start) docs.push(lexed.docs[doc++]!);
    chunks.push({ ...arrange(file, tokens.slice(from, to)), docs });
    from = to;
    // Doc lines inside a declaration document nothing; they do not go to the next one.
    const inside = tokens[to - 1]!.start;
    while (doc < lexed.docs.length && lexed.docs[doc]!.start < inside) {
      diagnostics.push(strayDoc(file, lexed.docs[doc++]!));
    }
  }
  if (doc < lexed.docs.length) diagnostics.push(strayDoc(file, lexed.docs[doc]!));
  return { chunks, diagnostics };
}

function strayDoc(file: string, doc: Piece): Diagnostic {
  const span = { file, start: doc.start, end: doc.end };
  return diagnostic('E0111', span, 'This `///` comment stands before no declaration.', {
    hint: 'Use `#` for other comments.',
  });
}

function endOfChunk(tokens: readonly Token[], from: number): number {
  let depth = 0;
  let at = from;
  do {
    const { kind } = tokens[at]!;
    if (CLOSER.has(kind)) depth++;
    else if (CLOSERS.has(kind)) depth--;
    at++;
  } while (at < tokens.length && !endsChunk(tokens[at]!, depth, startsDeclaration(tokens[from]!)));
  return at;
}

/** A stray text goes on to the next declaration: one error for one mistake. */
function endsChunk(token: Token, depth: number, inDeclaration: boolean): boolean {
  if (!token.first || token.col !== 0) return false;
  if (DECLARATIONS.has(token.kind)) return true;
  return inDeclaration && depth <= 0 && !CONTINUES.has(token.kind);
}

type Open =
  | { readonly k: 'let'; readonly token: Token; readonly depth: number }
  | { readonly k: 'bracket'; readonly token: Token; readonly depth: number };

function arrange(file: string, tokens: readonly Token[]): Omit<Chunk, 'docs'> {
  const out: Token[] = [];
  const open: Open[] = [];
  const span = (t: Token): Span => ({ file, start: t.start, end: t.end });
  const refuse = (fault: Diagnostic) => ({ tokens, fault });
  /** Constructs that are open at this token; a comma or the end of a let closes some. */
  let depth = 0;
  let inBinders = false;
  let brackets = 0;
  const foreign = tokens.some((t) => t.kind === '$bad');

  for (const [i, token] of tokens.entries()) {
    const { kind, col } = token;

    const top = open.at(-1);
    if (token.first && top?.k === 'let' && !CONTINUES.has(kind)) {
      if (top.token.col > col) return refuse(unfinishedLet(span(top.token), span(token), 'left'));
      if (top.token.col === col) {
        out.push({ kind: '$sep', start: token.start, end: token.start, col, first: true });
        depth = top.depth;
        inBinders = false;
        open.pop();
      }
    }

    if (CLOSER.has(kind)) {
      open.push({ k: 'bracket', token, depth });
      depth++;
      brackets++;
      inBinders = false;
    } else if (CLOSERS.has(kind)) {
      const opened = open.pop();
      if (opened === undefined) return refuse(neverOpened(openerOf(kind), kind, span(token)));
      if (opened.k === 'let') {
        return refuse(unfinishedLet(span(opened.token), span(token), 'closer'));
      }
      const wanted = CLOSER.get(opened.token.kind)!;
      if (wanted !== kind) {
        return refuse(
          wrongCloser(opened.token.kind, wanted, kind, span(opened.token), span(token)),
        );
      }
      depth = opened.depth;
      brackets--;
    } else if (kind === 'let') {
      // Elsewhere the parser reports it; so it does a word that is none of the language's.
      if (BEFORE_BLOCK.has(out.at(-1)?.kind) && !foreign) open.push({ k: 'let', token, depth });
      depth++;
    } else if (kind === '$dot') {
      inBinders = false;
    } else if (kind === ',') {
      if (!inBinders) depth = baseDepth(open);
    } else if (isBinder(kind, tokens[i + 1])) {
      inBinders = true;
      depth++;
    } else if (deepens(kind, out.at(-1))) {
      depth++;
    }

    if (depth > MAX_NESTING) return refuse(tooDeep(span(token), brackets, MAX_NESTING));
    out.push(token);
  }

  const bracket = open.findLast((o) => o.k === 'bracket');
  if (bracket !== undefined) {
    const { kind } = bracket.token;
    return refuse(neverClosed(kind, CLOSER.get(kind)!, span(bracket.token)));
  }
  const last = open.at(-1)?.token;
  if (last !== undefined) {
    const deeper = tokens.findLast((t) => t.first && t.start > last.start && t.col > last.col);
    const ml = inAfter(tokens, last);
    if (ml !== undefined) return refuse(unfinishedLet(span(last), span(ml), 'in'));
    return refuse(unfinishedLet(span(last), deeper && span(deeper), 'deeper'));
  }
  if (tokens.length > MAX_TOKENS) {
    return refuse(tooLong(span(tokens[0]!), tokens.length, MAX_TOKENS));
  }
  return { tokens: out };
}

/** The `in` of `let x = a in b`, which belongs to no `each` or reduction. */
function inAfter(tokens: readonly Token[], open: Token): Token | undefined {
  let loops = 0;
  for (const t of tokens) {
    if (t.start <= open.start) continue;
    if (t.kind === 'each' || REDUCTION_WORDS.has(t.kind)) loops++;
    else if (t.kind === 'in' && loops-- === 0) return t;
  }
  return undefined;
}

function openerOf(closer: Kind): Kind {
  return [...CLOSER].find(([, close]) => close === closer)![0];
}

function baseDepth(open: readonly Open[]): number {
  const top = open.at(-1);
  return top === undefined ? 0 : top.depth + 1;
}

function isBinder(kind: Kind, next: Token | undefined): boolean {
  if (kind === 'for' || kind === 'each' || kind === 'fold' || kind === 'scan') return true;
  return REDUCTION_WORDS.has(kind) && (next?.kind === '$id' || next?.kind === '_');
}

function deepens(kind: Kind, previous: Token | undefined): boolean {
  if (kind === '-') return previous === undefined || !endsOperand(previous.kind);
  return kind === 'if' || kind === 'not' || kind === '->' || kind === 'left' || kind === 'right';
}

function endsOperand(kind: Kind): boolean {
  return (
    CLOSERS.has(kind) ||
    kind === 'true' ||
    kind === 'false' ||
    /^(\$(id|up|nat|num|label)|[a-z]+)$/.test(kind)
  );
}
