/**
 * AST -> canonical text. parse(print(m)) equals m up to spans, and print(parse(text)) is a fixed
 * point: printing again changes nothing.
 *
 * Lines are at most WIDTH wide where the grammar allows a break. A short body stands on the line of
 * its declaration, any other on lines of its own. The layout takes nothing from how the author broke
 * lines, only comments and single blank lines (see comments.ts).
 */
import type { Arg, Decl, Module } from './ast.ts';
import { type Comments, commentsOf, NO_COMMENTS } from './comments.ts';
import { cat, type Doc, fill, group, indent, isHard, line, list, newline, print } from './doc.ts';
import { block, body } from './print-expr.ts';
import { params, type, where } from './print-types.ts';

export const WIDTH = 100;

/** With the source text, comments and blank lines are kept where they were. */
export function printModule(module: Module, text?: string): string {
  const comments = text === undefined ? NO_COMMENTS : commentsOf(module, text);
  const out: string[] = [];
  let before: Decl | undefined;
  for (const decl of module.decls) {
    if (before !== undefined) {
      const blank = text === undefined ? decl.k !== 'import' : comments.afterBlank(decl);
      out.push(!blank && staysClose(before, decl, comments) ? '\n' : '\n\n');
    }
    out.push(printDecl(decl, comments));
    before = decl;
  }
  if (comments.rest.length > 0) {
    if (before !== undefined) out.push('\n\n');
    out.push(comments.rest.join('\n'));
  }
  return out.length === 0 ? '' : `${out.join('')}\n`;
}

export function printDecl(decl: Decl, comments: Comments = NO_COMMENTS): string {
  const doc = decl.doc === '' ? [] : decl.doc.split('\n').map(docLine);
  return print(comments.around(decl, cat(...doc, declaration(decl, comments)), false), WIDTH);
}

function docLine(text: string): Doc {
  return cat(`/// ${text}`.trimEnd(), newline);
}

/** Imports, and one-line declarations of one kind, may stand without blank lines between them. */
function staysClose(before: Decl, decl: Decl, comments: Comments): boolean {
  const kind = (d: Decl) => (d.k === 'checkGradient' ? 'check' : d.k);
  const lines = (d: Decl) => print(declaration(d, comments), WIDTH).includes('\n');
  if (kind(before) !== kind(decl)) return false;
  return decl.k === 'import' || !(lines(before) || lines(decl));
}

function declaration(d: Decl, c: Comments): Doc {
  switch (d.k) {
    case 'import': {
      const names = d.names.map((n) => n.text);
      const from = group(indent(indent(cat(line, `from "${d.from}"`))));
      return cat('import { ', fill(names), ' }', from);
    }
    case 'type':
      return cat(`type ${d.name.text}`, params(d.params), ' = ', type(d.body, c));
    case 'fn': {
      const head = cat(`fn ${d.name.text}`, params(d.params), signature(d.args, c), ':');
      const result = group(indent(indent(cat(line, type(d.result, c)))));
      return withBody(cat(head, result, where(d.where), ' ='), d.body, c);
    }
    case 'let':
      return withBody(cat(`let ${d.name.text}: `, type(d.type, c), ' ='), d.body, c);
    case 'derivative': {
      const names = list(
        '(',
        d.args.map((n) => n.text),
        ')',
      );
      return withBody(cat(`derivative ${d.of.text}`, names, ' ='), d.body, c);
    }
    case 'checkGradient':
      return cat(`check gradient of ${d.of.text}`, where(d.where));
    case 'check': {
      const head = cat(`check ${d.name.text}`, params(d.params), signature(d.args, c));
      return withBody(cat(head, where(d.where), ' ='), d.body, c);
    }
    default:
      return d satisfies never;
  }
}

function signature(args: readonly Arg[], c: Comments): Doc {
  const one = (a: Arg): Doc => {
    const head = cat(`${a.name.text}: `, type(a.type, c));
    return c.around(a, a.init === undefined ? head : cat(head, ' =', body(a.init, c)), false);
  };
  const docs = args.map(one);
  return docs.some(isHard) ? list('(', docs, ')') : cat('(', fill(docs), ')');
}

function withBody(head: Doc, of: Parameters<typeof block>[0], c: Comments): Doc {
  const value = block(of, c);
  const short = cat(head, ' ', value);
  if (of.k !== 'let' && !c.has(of)) {
    const text = print(short, WIDTH);
    if (!text.includes('\n') && text.length <= WIDTH) return short;
  }
  return cat(head, indent(cat(newline, value)));
}
