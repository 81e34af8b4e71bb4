/**
 * The alphabet of the language: every keyword, sign and token class, and for each the one
 * character that stands for it in the text that ohm parses.
 *
 * Why: layout, comments, nesting limits and error messages need tokens anyway, and ohm over one
 * character per token parses several times faster, in less memory and less stack, than over the
 * raw text (no white space to skip, no keyword to exclude, no character loops). The grammar
 * is still written with readable terminals ("fn", "->"): grammar.ts encodes them with `charOf`.
 */

/** Words that begin an operand whose body goes on to the right, or its side. */
const HEADS = ['for', 'each', 'fold', 'scan', 'if', 'left', 'right'] as const;

/** The reductions: binders before names and a dot, else names of functions (`max(a, b)`). */
export const REDUCTIONS = [
  'sum',
  'prod',
  'max',
  'min',
  'mean',
  'argmax',
  'argmin',
  'all',
  'any',
] as const;

/** Words with a meaning in some places only; elsewhere they are names. */
const CONTEXTUAL = ['check', 'derivative', 'gradient', 'of', 'from', 'fixed'] as const;

const OPERATOR_SIGNS = [
  ...(['+', '-', '*', '/', '//', '%', '^'] as const),
  ...(['==', '!=', '<', '<=', '>', '>='] as const),
] as const;
const OPERATOR_WORDS = ['and', 'or'] as const;

const OTHER_WORDS = [
  ...(['import', 'type', 'fn', 'let', 'where'] as const),
  ...(['then', 'else', 'in', 'not', 'true', 'false'] as const),
] as const;

const OTHER_SIGNS = [
  ...(['(', '[', '.'] as const),
  ...(['->', '??', '..', '=', ':', ',', ')', ']', '{', '}'] as const),
] as const;

export const SIGNS: readonly string[] = [...OPERATOR_SIGNS, ...OTHER_SIGNS];
/** Words that cannot be names of values. */
export const RESERVED = [...HEADS, ...OPERATOR_WORDS, ...OTHER_WORDS] as const;

/**
 * Token classes. `$dot` is a dot before white space (it ends binders), `$label` the word or number
 * right after a field's dot, `$sep` the end of a `let` found by the layout rule, `$bad` anything
 * that is no token of the language.
 */
const NAMES = ['$id', '_'] as const;
const OTHER_CLASSES = ['$up', '$nat', '$num', '$str', '$label', '$dot', '$sep', '$bad'] as const;
export const CLASSES = [...NAMES, ...OTHER_CLASSES] as const;

export type Kind =
  | (typeof HEADS)[number]
  | (typeof REDUCTIONS)[number]
  | (typeof NAMES)[number]
  | (typeof CONTEXTUAL)[number]
  | (typeof OPERATOR_SIGNS)[number]
  | (typeof OPERATOR_WORDS)[number]
  | (typeof OTHER_WORDS)[number]
  | (typeof OTHER_SIGNS)[number]
  | (typeof OTHER_CLASSES)[number];

/**
 * The order matters: the grammar names groups as ranges of it ("for".."any" are the words that may
 * begin a binder, "sum".."$id" the lowercase names, "+".."or" the operators, "(".."." the suffixes).
 */
const KINDS: readonly Kind[] = [
  ...HEADS,
  ...REDUCTIONS,
  ...CONTEXTUAL,
  ...NAMES,
  ...OPERATOR_SIGNS,
  ...OPERATOR_WORDS,
  ...OTHER_WORDS,
  ...OTHER_SIGNS,
  ...OTHER_CLASSES,
];

const FIRST = 0xe000;
const CHARS: ReadonlyMap<string, string> = new Map(
  KINDS.map((kind, n) => [kind, String.fromCharCode(FIRST + n)]),
);

export const WORDS: ReadonlyMap<string, Kind> = new Map(
  [...RESERVED, ...CONTEXTUAL, ...REDUCTIONS].map((w): [string, Kind] => [w, w]),
);
export const RESERVED_WORDS: ReadonlySet<string> = new Set(RESERVED);
export const REDUCTION_WORDS: ReadonlySet<string> = new Set(REDUCTIONS);

/** The character that stands for tokens of this kind; throws on a kind that does not exist. */
export function charOf(kind: string): string {
  const c = CHARS.get(kind);
  if (c === undefined) throw new Error(`no token kind ${kind}`);
  return c;
}

/** The kinds from one character to another, both included. */
export function kindsBetween(from: string, to: string): readonly Kind[] {
  return KINDS.slice(from.charCodeAt(0) - FIRST, to.charCodeAt(0) - FIRST + 1);
}

export type Token = {
  readonly kind: Kind;
  readonly start: number;
  readonly end: number;
  /** Column for the layout rule, from 0; a tab goes on to the next multiple of 8. */
  readonly col: number;
  /** First token of its line. */
  readonly first: boolean;
};
