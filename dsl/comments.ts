/**
 * Where comments go when a module is printed. Each comment belongs to an anchor: a declaration, a
 * `let`, the result of a block, or an item of a list. A comment at the end of a line stays behind
 * what ends there; any other goes on lines of its own before what begins after it, or else before the
 * anchor that it stands in.
 *
 * Invariant: no comment is lost, and a printed module attaches the same way again. Single blank lines
 * before lets, results and comments are kept: they are the author's paragraphs.
 */

import { type Anchor, anchorsOf } from './anchors.ts';
import type { Module } from './ast.ts';
import { blankLine, cat, type Doc, newline, suffix } from './doc.ts';
import { lex } from './lex.ts';
import type { Token } from './tokens.ts';

/** What the printer of a node needs to know about its place. */
export type Comments = {
  /** Inside the brackets of an index, where products are written close. */
  readonly inIndex: boolean;
  readonly has: (node: object) => boolean;
  /** The document with the comments of its node; `inBlock` where a blank line may precede it. */
  readonly around: (node: object, doc: Doc, inBlock: boolean) => Doc;
  /** Is there an empty line before the node (and its comments) in the source? */
  readonly afterBlank: (node: object) => boolean;
  /** Those after the last declaration. */
  readonly rest: readonly string[];
};

export const NO_COMMENTS: Comments = {
  has: () => false,
  around: (_, doc) => doc,
  afterBlank: () => false,
  rest: [],
  inIndex: false,
};

export function inIndex(c: Comments, yes: boolean): Comments {
  return c.inIndex === yes ? c : { ...c, inIndex: yes };
}

type Lead = { readonly text: string; readonly start: number; readonly blankAfter: boolean };

export function commentsOf(module: Module, text: string): Comments {
  const { tokens } = lex(text);
  const anchors = anchorsOf(module, text);
  const leads = new Map<object, Lead[]>();
  const trails = new Map<object, string[]>();
  const rest: string[] = [];
  for (const { text: comment, span } of module.comments) {
    const place = placeFor(span.start, anchors, tokens, text);
    if (place === undefined) rest.push(comment);
    else if (place.k === 'after') push(trails, place.node, comment);
    else {
      const blankAfter = blankAt(text, span.end);
      push(leads, place.node, { text: comment, start: span.start, blankAfter });
    }
  }

  const starts = new Map(anchors.map((a) => [a.node, a.start]));
  const afterBlank = (node: object): boolean => {
    const own = starts.get(node);
    const lead = leads.get(node)?.[0]?.start ?? own;
    return own !== undefined && blankBefore(text, Math.min(beforeDocs(text, own), lead!));
  };
  return {
    rest,
    inIndex: false,
    afterBlank,
    has: (node) => leads.has(node) || trails.has(node),
    around: (node, doc, inBlock) => {
      const before = (leads.get(node) ?? []).map((l) =>
        cat(l.text, l.blankAfter ? blankLine : newline),
      );
      const after = (trails.get(node) ?? []).map(suffix);
      const blank = inBlock && afterBlank(node) ? [newline] : [];
      return blank.length + before.length + after.length === 0
        ? doc
        : cat(...blank, ...before, doc, ...after);
    },
  };
}

function push<T>(map: Map<object, T[]>, key: object, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

type Placed = { readonly k: 'before' | 'after'; readonly node: object };

function placeFor(
  at: number,
  anchors: readonly Anchor[],
  tokens: readonly Token[],
  text: string,
): Placed | undefined {
  const n = firstAfter(tokens, at);
  const next = tokens[n];
  let previous = tokens[n - 1];
  if (previous !== undefined && !text.slice(previous.end, at).includes('\n')) {
    if (previous.kind === ',') previous = tokens[n - 2]!;
    const { end } = previous;
    const ended = outermost(anchors.filter((a) => a.end === end));
    if (ended !== undefined) return { k: 'after', node: ended.node };
  }
  const begun = next && outermost(anchors.filter((a) => a.start === next.start));
  if (begun !== undefined) return { k: 'before', node: begun.node };
  const around = innermost(anchors.filter((a) => a.start <= at && at < a.end));
  if (around !== undefined) return { k: 'before', node: around.node };
  return undefined;
}

function outermost(anchors: readonly Anchor[]): Anchor | undefined {
  return best(anchors, (a, b) => a.end - a.start > b.end - b.start);
}

function innermost(anchors: readonly Anchor[]): Anchor | undefined {
  return best(anchors, (a, b) => a.end - a.start < b.end - b.start);
}

function best(
  anchors: readonly Anchor[],
  better: (a: Anchor, b: Anchor) => boolean,
): Anchor | undefined {
  let out = anchors[0];
  for (const a of anchors) if (out !== undefined && better(a, out)) out = a;
  return out;
}

function firstAfter(tokens: readonly Token[], at: number): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (tokens[mid]!.start < at) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** The start of the doc lines right before a declaration. */
function beforeDocs(text: string, start: number): number {
  let at = start;
  for (;;) {
    const line = text.lastIndexOf('\n', at - 2) + 1;
    if (at === 0 || text[at - 1] !== '\n' || !text.startsWith('///', line)) return at;
    at = line;
  }
}

function blankBefore(text: string, at: number): boolean {
  return /\n[ \t\r]*\n[ \t\r]*$/.test(text.slice(Math.max(0, at - 200), at));
}

function blankAt(text: string, at: number): boolean {
  return /^[ \t\r]*\n[ \t\r]*\n/.test(text.slice(at, at + 200));
}
