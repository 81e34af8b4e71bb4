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
import type { Lexed, Piece } from './lex.ts';
import type { Diagnostic, Span } from './source.ts';
import { type Kind, REDUCTION_WORDS, type Token } from './tokens.ts';

/** How many brackets, binders, branches and lambdas may stand inside each other. */
export const MAX_NESTING = 100;

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

function arrange(
  file: string,
  tokens: readonly Token[],
): { tokens: readonly Token[]; fault?: Diagnostic } {
  const out: Token[] = [];
  const open: Open[] = [];
  const span = (t: Token): Span => ({ file, start: t.start, end: t.end });
  /** Constructs that are open at this token; a comma or the end of a let closes some. */
  let depth = 0;
  let inBinders = false;
  let brackets = 0;

  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const { kind } = token;

    if (token.first && i > 0 && !CONTINUES.has(kind)) {
      let top = open.at(-1);
      if (top?.k === 'let' && top.token.col > token.col) {
        return { tokens, fault: unfinishedLet(span(top.token), span(token)) };
      }
      if (top?.k === 'let' && top.token.col === token.col) {
        out.push({
          kind: '$sep',
          start: token.start,
          end: token.start,
          col: token.col,
          first: true,
        });
        depth = top.depth;
        inBinders = false;
        open.pop();
        top = open.at(-1);
      }
    }

    if (CLOSER.has(kind)) {
      open.push({ k: 'bracket', token, depth });
      depth++;
      brackets++;
      inBinders = false;
    } else if (CLOSERS.has(kind)) {
      let top = open.pop();
      if (top?.k === 'let') return { tokens, fault: unfinishedLet(span(top.token), span(token)) };
      if (top === undefined) return { tokens, fault: neverOpened(kind, span(token)) };
      const wanted = CLOSER.get(top.token.kind)!;
      if (wanted !== kind) {
        return {
          tokens,
          fault: wrongCloser(top.token.kind, wanted, kind, span(top.token), span(token)),
        };
      }
      depth = top.depth;
      brackets--;
      top = undefined;
    } else if (kind === 'let') {
      if (i > 0) open.push({ k: 'let', token, depth });
      depth++;
    } else if (kind === '$dot') inBinders = false;
    else if (kind === ',') {
      if (!inBinders) depth = baseDepth(open);
    } else if (isBinder(kind, tokens[i + 1])) {
      inBinders = true;
      depth++;
    } else if (deepens(kind, out.at(-1))) depth++;

    if (depth > MAX_NESTING) return { tokens, fault: tooDeep(span(token), brackets) };
    out.push(token);
  }

  const last = open.findLast((o) => o.k === 'bracket') ?? open.at(-1);
  const end = tokens.at(-1)!;
  if (last?.k === 'bracket')
    return { tokens, fault: neverClosed(last.token.kind, span(last.token)) };
  if (last?.k === 'let') return { tokens, fault: unfinishedLet(span(last.token), span(end)) };
  return { tokens: out };
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

// ---------------------------------------------------------------- messages

function neverClosed(kind: Kind, span: Span): Diagnostic {
  return diagnostic('E0103', span, `This \`${kind}\` is never closed.`, {
    hint: `Add the \`${CLOSER.get(kind)}\` that belongs to it.`,
  });
}

function neverOpened(kind: Kind, span: Span): Diagnostic {
  const opener = [...CLOSER].find(([, close]) => close === kind)![0];
  return diagnostic('E0104', span, `This \`${kind}\` closes nothing.`, {
    hint: `Remove it, or add the \`${opener}\` that belongs to it.`,
  });
}

function wrongCloser(opener: Kind, wanted: Kind, found: Kind, open: Span, close: Span): Diagnostic {
  return diagnostic(
    'E0104',
    close,
    `Expected \`${wanted}\` to close \`${opener}\`, found \`${found}\`.`,
    {
      related: [{ span: open, message: `this \`${opener}\` was opened here` }],
    },
  );
}

function unfinishedLet(letSpan: Span, at: Span): Diagnostic {
  return diagnostic('E0107', letSpan, 'No expression follows this `let`.', {
    hint: 'After a `let`, a line that begins at exactly its column goes on with the next `let` or the result.',
    related: [{ span: at, message: 'the block ends here' }],
  });
}

function tooDeep(span: Span, brackets: number): Diagnostic {
  const what = brackets > MAX_NESTING / 2 ? 'brackets' : 'expressions';
  return diagnostic(
    'E0105',
    span,
    `More than ${MAX_NESTING} ${what} stand inside each other here.`,
    { hint: 'Name the inner parts with `let`, or make them functions.' },
  );
}
