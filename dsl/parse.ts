/**
 * parseModule: text -> AST and diagnostics; the front door of the parser.
 *
 *   text --lex--> tokens --layout--> declarations --ohm--> parse trees --build--> AST
 *
 * Invariant: never throws, whatever the text. A broken declaration is left out and gives exactly one
 * diagnostic; all the others are there.
 */
import type { Decl, Module } from './ast.ts';
import { buildDecl } from './build.ts';
import { grammar } from './compiled-grammar.ts';
import { MAX_DEPTH, tooDeepAt } from './depth.ts';
import { diagnostic } from './errors.ts';
import { type Chunk, layout, MAX_NESTING, startsDeclaration } from './layout.ts';
import { lex, type Piece } from './lex.ts';
import { SyntaxFault } from './precedence.ts';
import type { Diagnostic, Span } from './source.ts';
import { explainStray, explainSyntax } from './syntax-errors.ts';
import { charOf, type Token } from './tokens.ts';

export type Parsed = { readonly module: Module; readonly diagnostics: readonly Diagnostic[] };

export function parseModule(file: string, text: string): Parsed {
  const lexed = lex(text);
  const { chunks, diagnostics } = layout(file, lexed);
  const decls: Decl[] = [];
  let previousFailed = false;
  for (const chunk of chunks) {
    const stray = !startsDeclaration(chunk.tokens[0]!);
    // What follows a broken declaration at the margin is most likely the rest of it.
    if (stray && previousFailed) continue;
    const result = stray ? explainStray(file, text, chunk.tokens) : parseDecl(file, text, chunk);
    previousFailed = 'code' in result;
    if ('code' in result) diagnostics.push(result);
    else decls.push(result);
  }
  diagnostics.sort((a, b) => a.span.start - b.span.start);
  const comments = lexed.comments.map(({ text: t, start, end }) => ({
    text: t,
    span: { file, start, end },
  }));
  return { module: { file, decls, comments }, diagnostics };
}

/** The files that a text imports, as it names them; nothing else of it is parsed. */
export function importsOf(file: string, text: string): readonly string[] {
  const { chunks } = layout(file, lex(text));
  return chunks.flatMap((chunk) => {
    if (chunk.tokens[0]!.kind !== 'import') return [];
    const decl = parseDecl(file, text, chunk);
    return 'k' in decl && decl.k === 'import' ? [decl.from] : [];
  });
}

function parseDecl(file: string, text: string, chunk: Chunk): Decl | Diagnostic {
  if (chunk.fault !== undefined) return chunk.fault;
  const { tokens } = chunk;
  const encoded = tokens.map((t) => charOf(t.kind)).join('');
  try {
    const match = grammar.match(encoded, 'decl');
    if (match.failed()) return explainSyntax(file, text, tokens, match);
    const decl = buildDecl(match, { file, text, tokens });
    const deep = tooDeepAt(decl);
    if (deep !== undefined) {
      const lets = 'k' in deep && deep.k === 'let';
      return tooDeep('span' in deep ? (deep.span as Span) : decl.span, lets);
    }
    return { ...decl, doc: docText(chunk.docs) };
  } catch (e) {
    if (e instanceof SyntaxFault) return e.diagnostic;
    // The stack of the host was nearly used up already; our own limits are far below it.
    if (e instanceof RangeError) return tooDeep(spanOf(file, tokens));
    throw e;
  }
}

function spanOf(file: string, tokens: readonly Token[]): Span {
  return { file, start: tokens[0]!.start, end: tokens[0]!.end };
}

function docText(docs: readonly Piece[]): string {
  return docs.map((d) => (d.text.startsWith(' ') ? d.text.slice(1) : d.text)).join('\n');
}

function tooDeep(span: Span, lets = false): Diagnostic {
  return lets
    ? diagnostic('E0105', span, `More than ${MAX_DEPTH} \`let\`s stand below each other here.`, {
        hint: 'Make functions of parts of this block.',
      })
    : diagnostic(
        'E0105',
        span,
        `This is nested too deeply (at most ${MAX_NESTING} constructs and ${MAX_DEPTH} tree levels).`,
        { hint: 'Name the inner parts with `let`, or make them functions.' },
      );
}
