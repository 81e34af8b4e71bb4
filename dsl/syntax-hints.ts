/**
 * Slips in the language itself and how to put them right: a missing dot after a binder's names, `=`
 * for `==`, a value that begins with an uppercase letter, a line at the wrong column.
 *
 * A rule looks at the token where the parse stopped, at its neighbours and at what was expected, and
 * nothing else; the first rule that applies gives the hint.
 */
import { formHint } from './syntax-forms.ts';
import { type Kind, REDUCTION_WORDS, RESERVED_WORDS, type Token } from './tokens.ts';

export type Failure = {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** Where the parse stopped; tokens.length at the end of the declaration. */
  readonly at: number;
  readonly expected: ReadonlySet<Kind>;
};

type Place = Failure & {
  /** The tokens at and before the fault, with their kinds and texts. */
  readonly token: Token | undefined;
  readonly kind: Kind | undefined;
  readonly word: string;
  readonly previous: Token | undefined;
  /** The word that the declaration begins with. */
  readonly decl: Kind;
};

export function placeHint(failure: Failure): string | undefined {
  const { text, tokens, at } = failure;
  const token = tokens[at];
  const place: Place = {
    ...failure,
    token,
    kind: token?.kind,
    word: token === undefined ? '' : text.slice(token.start, token.end),
    previous: tokens[at - 1],
    decl: tokens[0]!.kind,
  };
  for (const rule of RULES) {
    const hint = rule(place);
    if (hint !== undefined) return hint;
  }
  return undefined;
}

const RULES: readonly ((p: Place) => string | undefined)[] = [
  slashComment,
  tabs,
  binderDot,
  strayDot,
  otherForms,
  checkInputs,
  equals,
  header,
  letterCase,
  reservedWord,
  branches,
  layout,
  missingBetween,
];

/** `x // a comment` */
function slashComment({ tokens, at, text, token }: Place): string | undefined {
  const slash = tokens.findLast((t, i) => i <= at && t.kind === '//');
  if (slash === undefined) return undefined;
  const here = token ?? tokens.at(-1)!;
  if (text.slice(slash.start, here.start).includes('\n')) return undefined;
  return 'Comments begin with `#`; `//` divides whole numbers.';
}

/** `for i x[i]`, `for i in N. ...`, `for i.x[i]` */
function binderDot({ expected, tokens, at, kind, previous }: Place): string | undefined {
  if (REDUCTION_WORDS.has(previous?.kind ?? '') && kind === 'for') {
    return `The names follow the word directly: \`${previous?.kind} i. ...\`.`;
  }
  if (!expected.has('$dot')) return undefined;
  const head = binderBefore(tokens, at);
  if (kind === '.') return `Put a space after the dot that ends the names of \`${head}\`.`;
  if (kind === 'in') {
    return 'The range of an index is a size: `for i: N. ...`, or `for i. x[i]`, where it follows from the reads.';
  }
  if (kind === '=') return `The range of an index follows a colon: \`${head} i: N. ...\`.`;
  return `The names of \`${head}\` end with a dot and a space: \`${head} i. ...\`.`;
}

/** `a. b`, `sum(i. x[i])` */
function strayDot({ kind, tokens, at }: Place): string | undefined {
  if (kind !== '$dot') return undefined;
  const open = tokens.findLast((t, i) => i < at && t.kind === '(');
  const before = open === undefined ? undefined : tokens[tokens.indexOf(open) - 1]?.kind;
  if (before !== undefined && isBinderWord(before)) {
    return `Brackets go around all of it: \`(${before} i. ...)\`.`;
  }
  return 'A dot before a space ends the names of `for`, `sum`, ...; a field is read without a space: `a.b`.';
}

function otherForms({ tokens, at, expected, word }: Place): string | undefined {
  return formHint(tokens, at, expected, word);
}

/** `=` and `==` */
function equals({ kind, expected, decl, previous, at, tokens }: Place): string | undefined {
  if (kind === '==' && expected.has('=')) return 'A definition has one `=`; `==` compares.';
  if (kind === '(' && expected.has('=') && tokens[at - 2]?.kind === 'let') {
    return 'Functions inside functions are lambdas: `let f = x -> ...`.';
  }
  if (kind !== '=') return undefined;
  if (expected.has('==')) return 'To compare, write `==`.';
  if (expected.has(':') && decl === 'let') {
    return 'A `let` at the top of a module says its type: `let name: f32 = ...`.';
  }
  if (expected.has(':')) return undefined;
  if (previous?.kind === '$up') return 'Sizes are given in brackets: `f[N = 4](x)`.';
  return 'Names are bound with `let name = value`; to compare, write `==`.';
}

/** `check t = ...` */
function checkInputs({ kind, expected, decl, at }: Place): string | undefined {
  return decl === 'check' && kind === '=' && expected.has('(') && at <= 2
    ? 'Inputs stand in brackets, also when there are none: `check name() = condition`.'
    : undefined;
}

/** A line indented with tabs, whose column is not the one that an editor shows. */
function tabs({ text, token, previous }: Place): string | undefined {
  const line = token?.first ? token : previous?.kind === '$sep' ? previous : undefined;
  if (line === undefined) return undefined;
  const indent = text.slice(text.lastIndexOf('\n', line.start - 1) + 1, line.start);
  return indent.includes('\t')
    ? 'This line is indented with a tab, which goes to the next multiple of 8 columns; indent with spaces.'
    : undefined;
}

/** What stands before the body of a declaration. */
function header({ kind, expected, decl, previous, tokens, at, word }: Place): string | undefined {
  if (decl === 'import' && word === 'as')
    return 'Imported names stay as they are; there is no `as`.';
  if (decl === 'import') return 'Imports are written `import { a, B } from "./file.tn"`.';
  if (decl === 'check' && expected.has('of')) {
    return 'Checks are written `check gradient of f` or `check name(x: f32) = condition`.';
  }
  if ((decl === 'fn' || decl === 'check') && expected.has(':')) {
    return previous?.kind === ')'
      ? 'The type of the result follows a colon: `fn name(x: f32): f32 = ...`.'
      : 'Each parameter has a type: `x: f32` or `x: f32[N]`.';
  }
  if (decl === 'fn' && expected.has('(') && at <= 2) {
    return 'Parameters stand in brackets, also when there are none: `fn name(): f32 = ...`.';
  }
  if (kind === '{' && expected.has('=')) {
    return 'A body follows `=` and is indented; there are no braces around it.';
  }
  if (expected.has('=') && !tokens.slice(0, at).some((t) => t.kind === '=')) {
    return 'The body of a declaration follows `=`.';
  }
  if (kind === '[' && (previous?.kind === ':' || decl === 'type')) {
    return 'Sizes follow the type of the elements: `f32[N]`.';
  }
  if ((kind === '<' || kind === '>' || kind === '!=') && expected.has('<=')) {
    return 'Facts about sizes use `<=`, `>=`, `==` and `%`: that there is something is `N >= 1`.';
  }
  if (kind === ':' && previous?.kind === '$id') {
    return 'Types are given to parameters, lets and the fields of types only.';
  }
  return kind === '$str' ? 'Texts stand in imports only.' : undefined;
}

function letterCase({ kind, expected, word }: Place): string | undefined {
  if (kind === '$up' && expected.has('$id') && !expected.has('$up')) {
    const name = word[0]!.toLowerCase() + word.slice(1);
    return `Uppercase names are sizes and types; values and functions begin with a lowercase letter: \`${name}\`.`;
  }
  if (kind === '$id' && expected.has('$up') && !expected.has('$id')) {
    const name = word[0]!.toUpperCase() + word.slice(1);
    return `Sizes and types begin with an uppercase letter: \`${name}\`.`;
  }
  return undefined;
}

function reservedWord({ kind, expected, previous }: Place): string | undefined {
  if (kind === 'fn') return 'Functions inside functions are lambdas: `let f = x -> ...`.';
  if (kind === undefined || !RESERVED_WORDS.has(kind)) return undefined;
  const listed = (previous?.kind === ',' || previous?.kind === '(') && !expected.has('true');
  if ((expected.has('$id') && !expected.has('true')) || listed) {
    return `\`${kind}\` is a word of the language; choose another name.`;
  }
  if (kind === 'let') {
    return 'A `let` begins a line of a block; inside an expression, put the block in brackets.';
  }
  return undefined;
}

function branches({ kind, expected }: Place): string | undefined {
  if (expected.has('else')) return 'Every `if` has an `else`: `if c then a else b`.';
  if (expected.has('then')) return 'A choice is written `if c then a else b`.';
  return kind === 'else' ? 'Each `else` belongs to one `if c then a`.' : undefined;
}

function layout({ kind, token, expected, tokens, at, previous }: Place): string | undefined {
  if (kind === '$sep' || (previous?.kind === '$sep' && expected.has('true'))) {
    return 'This line begins at the column of an open `let` and so ends it; indent it more to go on with the line above.';
  }
  if (token === undefined) {
    return expected.has('true')
      ? 'The declaration ends too early; the lines of a body are indented.'
      : undefined;
  }
  if (!token.first) return undefined;
  if (expected.has('$sep')) {
    const open = tokens.findLast((t, i) => i < at && i > 0 && t.kind === 'let');
    const column = open === undefined ? '' : ` (column ${open.col + 1})`;
    return `A \`let\` ends at a line that begins at exactly its own column${column}.`;
  }
  return startsOperand(token.kind)
    ? 'A block has one result, its last line; the lines before it are `let name = value`.'
    : undefined;
}

function missingBetween({ kind, previous }: Place): string | undefined {
  if (kind === undefined || previous === undefined) return undefined;
  if (kind === ']' && previous.kind === '[') return 'An index or a size stands in the brackets.';
  if (!startsOperand(kind) || !endsOperand(previous.kind)) return undefined;
  return previous.kind === '$id'
    ? 'Is an operator or a comma missing before this? Functions are called with brackets: `f(x)`.'
    : 'Is an operator or a comma missing before this?';
}

// ---------------------------------------------------------------- kinds of tokens

/** The binder word whose names are being read at `at`. */
function binderBefore(tokens: readonly Token[], at: number): Kind {
  for (let i = at - 1; i >= 0; i--) {
    const { kind } = tokens[i]!;
    if (isBinderWord(kind)) return kind;
  }
  return 'for';
}

function isBinderWord(kind: Kind): boolean {
  return kind === 'for' || kind === 'each' || REDUCTION_WORDS.has(kind);
}

function startsOperand(kind: Kind): boolean {
  return /^\$(id|up|nat|num)$/.test(kind);
}

function endsOperand(kind: Kind): boolean {
  return /^([)\]}]|\$(id|up|nat|num|label))$/.test(kind);
}
