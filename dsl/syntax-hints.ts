/**
 * Frequent mistakes and what to write instead: habits from other languages (`def`, `return`, `**`,
 * `:=`, braces around blocks) and slips that everyone makes here (a binder's dot, layout).
 *
 * Each hint looks at the token where the parse stopped and at its neighbours, nothing else.
 */
import { type Kind, REDUCTION_WORDS, RESERVED_WORDS, type Token } from './tokens.ts';

export type Failure = {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** Where the parse stopped; tokens.length at the end of the declaration. */
  readonly at: number;
  readonly expected: ReadonlySet<Kind>;
};

const HABITS: ReadonlyMap<string, string> = new Map([
  ['**', 'The power operator is `^`: write `x^2`.'],
  ['&&', 'Write `and`.'],
  ['||', 'Write `or`.'],
  ['!', 'Write `not`, or `!=` for "differs from".'],
  ['&', 'Write `and`.'],
  ['|', 'Write `or`.'],
  [':=', 'Write `let name = value`.'],
  ['=>', 'Functions without a name are written `x -> ...`; "at least" is `>=`.'],
  [';', 'There are no semicolons: put the next `let` or the result on a new line.'],
  ['++', 'Concatenation is `[..a, ..b]`.'],
  ['@', 'A matrix product is a sum: `for i, j. sum k. a[i, k] * b[k, j]`.'],
  ['/*', 'Comments begin with `#` and go to the end of the line.'],
  ['*/', 'Comments begin with `#` and go to the end of the line.'],
  ['?', 'A choice is written `if c then a else b`.'],
  ["'", 'Texts stand in double quotes, and only in imports.'],
  ['`', 'Texts stand in double quotes, and only in imports.'],
  ['\\', 'Functions without a name are written `x -> ...`.'],
  ['λ', 'Functions without a name are written `x -> ...`.'],
  ['×', 'Write `*`.'],
  ['·', 'Write `*`.'],
  ['÷', 'Write `/`.'],
  ['−', 'This is a minus sign of typography; write `-`.'],
  ['–', 'This is a dash; write `-`.'],
  ['≤', 'Write `<=`.'],
  ['≥', 'Write `>=`.'],
  ['≠', 'Write `!=`.'],
  ['→', 'Write `->`.'],
  ['∑', 'Write `sum i. ...`.'],
  ['“', 'Write straight quotes: `"`.'],
  ['”', 'Write straight quotes: `"`.'],
  ['\u00a0', 'This is a no-break space; write a plain one.'],
  ['def', 'Functions are declared `fn name(x: f32): f32 = ...`.'],
  ['function', 'Functions are declared `fn name(x: f32): f32 = ...`.'],
  ['fun', 'Functions are declared `fn name(x: f32): f32 = ...`.'],
  ['func', 'Functions are declared `fn name(x: f32): f32 = ...`.'],
  ['return', 'There is no `return`: the last expression of a block is its value.'],
  ['lambda', 'Functions without a name are written `x -> ...`.'],
  ['var', 'Names are bound with `let name = value`, and never change.'],
  ['const', 'Names are bound with `let name = value`.'],
  ['val', 'Names are bound with `let name = value`.'],
  ['struct', 'Records are types: `type Name = { field: f32 }`.'],
  ['class', 'Records are types: `type Name = { field: f32 }`.'],
  ['record', 'Records are types: `type Name = { field: f32 }`.'],
  ['export', 'Everything a module declares can be imported; leave `export` out.'],
  ['elif', 'Write `else if`.'],
  ['while', 'Loops over steps are `fold state = start for i: N. next`.'],
  ['end', 'Blocks end by indentation; there is no `end`.'],
]);

const WORDS_OF_OTHERS = /^[a-z]+$/;

/** A word or sign that belongs to another language. */
export function habitHint({ text, tokens, at }: Failure): string | undefined {
  const token = tokens[at];
  const word = (t: Token | undefined) => (t === undefined ? '' : text.slice(t.start, t.end));
  const here = word(token);
  if (token?.kind === '$bad') {
    if (here.startsWith('///'))
      return 'Doc comments stand in the first column, before a declaration; use `#` here.';
    if (/^[0-9]/.test(here))
      return 'A product is written with `*`: `2 * x`; names do not begin with a digit.';
    return (
      HABITS.get(here) ??
      (here > '\x7f' ? 'Names consist of the letters a-z, A-Z, digits and `_`.' : undefined)
    );
  }
  // `return x` fails at `x`: the word before it is the culprit.
  const before = word(tokens[at - 1]);
  if (token?.kind === '$id' && HABITS.has(here)) return HABITS.get(here);
  if (token !== undefined && tokens[at - 1]?.kind === '$id' && WORDS_OF_OTHERS.test(before)) {
    return token.first ? undefined : HABITS.get(before);
  }
  return undefined;
}

/** A slip in the language itself, seen from where the parse stopped. */
export function placeHint({ text, tokens, at, expected }: Failure): string | undefined {
  const token = tokens[at];
  const previous = tokens[at - 1];
  const kind = token?.kind;
  const word = token === undefined ? '' : text.slice(token.start, token.end);

  const comment = tokens.findLastIndex((t, i) => i <= at && t.kind === '//');
  if (comment >= 0 && sameLine(text, tokens[comment]!, token ?? tokens.at(-1)!)) {
    if (tokens[comment]!.first || at - comment < 3)
      return 'Comments begin with `#`; `//` divides whole numbers.';
  }
  if (expected.has('$dot')) {
    const head = binderBefore(tokens, at);
    if (kind === '.') return `Put a space after the dot that ends the names of \`${head}\`.`;
    if (kind === 'in' && head === 'for')
      return 'The range of `for` is a size: `for i: N. ...`, or `for i. x[i]`, where it follows from the reads.';
    if (kind === '=')
      return `The range of an index is written with \`:\`, as in \`${head} i: N. ...\`.`;
    if (head !== undefined && kind !== ',')
      return `The names of \`${head}\` end with a dot and a space: \`${head} i. ...\`.`;
  }
  if (kind === '$dot' && previous !== undefined && !expected.has('$dot')) {
    return 'A dot before a space ends the names of `for`, `sum`, ...; for a field, write `a.b` without a space.';
  }
  if (kind === '==' && expected.has('=')) return 'A definition has one `=`; `==` compares.';
  if (kind === '=' && expected.has('==')) return 'To compare, write `==`.';
  if (kind === '=' && expected.has(':') && tokens[0]!.kind === 'let') {
    return 'A `let` at the top of a module says its type: `let name: f32 = ...`.';
  }
  if (expected.has(':') && tokens[0]!.kind === 'fn' && !expected.has('==') && !expected.has('*')) {
    return kind === '->' || kind === '='
      ? 'The result type stands after a colon: `fn name(x: f32): f32 = ...`.'
      : 'Each parameter has a type: `x: f32` or `x: f32[N]`.';
  }
  if (kind === '{' && expected.has('='))
    return 'A body follows `=` and is indented; there are no braces around it.';
  if (expected.has('=') && tokens[0]!.kind === 'fn' && !expected.has(')'))
    return 'The body of a function follows `=`.';
  if (kind === '$up' && expected.has('$id') && !expected.has('$up')) {
    return `Values and functions begin with a lowercase letter; uppercase names are sizes and types: write \`${lower(word)}\`.`;
  }
  if (kind === '$id' && expected.has('$up') && !expected.has('$id')) {
    return `Sizes and types begin with an uppercase letter: write \`${upper(word)}\`.`;
  }
  if (
    kind !== undefined &&
    RESERVED_WORDS.has(kind) &&
    expected.has('$id') &&
    !expected.has('for')
  ) {
    return `\`${kind}\` is a word of the language; choose another name.`;
  }
  if (kind === 'fn') return 'Functions inside functions are lambdas: `let f = x -> ...`.';
  if (kind === 'let')
    return 'A `let` begins a line of a block; inside an expression, put the block in parentheses.';
  if (kind === 'else') return 'Each `else` belongs to one `if c then a`.';
  if (expected.has('else')) return 'Every `if` has an `else`: `if c then a else b`.';
  if (expected.has('then')) return 'A choice is written `if c then a else b`.';
  if (kind === ':' && previous?.kind === '$id')
    return 'Types are given to parameters, lets and record fields only.';
  if (kind === '$sep' || (token?.first === true && expected.has('$sep')))
    return layoutHint(tokens, at);
  if ((kind === '<' || kind === '>') && expected.has('<='))
    return 'Facts about sizes use `<=`, `>=`, `==` and `%`.';
  if (kind === '$str') return 'Texts stand in imports only.';
  if (token === undefined && expected.has('$nat'))
    return 'The declaration ends too early; the lines of a body are indented.';
  if (
    expected.has(',') &&
    previous !== undefined &&
    token !== undefined &&
    startsOperand(token.kind)
  ) {
    return 'Is a comma or an operator missing before this?';
  }
  return undefined;
}

function layoutHint(tokens: readonly Token[], at: number): string {
  const token = tokens[at]!;
  if (token.kind === '$sep') {
    return 'This line begins at the column of an open `let` and so ends it; indent it more to continue the line above.';
  }
  const open = tokens.findLast((t, i) => i < at && i > 0 && t.kind === 'let');
  const column = open === undefined ? '' : ` (column ${open.col + 1})`;
  return `A \`let\` ends at a line that begins at exactly its own column${column}.`;
}

/** The binder word whose names are being read at `at`. */
function binderBefore(tokens: readonly Token[], at: number): string | undefined {
  for (let i = at - 1; i >= 0; i--) {
    const { kind } = tokens[i]!;
    if (kind === '$dot') return undefined;
    if (kind === 'for' || kind === 'each' || REDUCTION_WORDS.has(kind)) return kind;
  }
  return undefined;
}

function startsOperand(kind: Kind): boolean {
  return /^\$(id|up|nat|num)$/.test(kind);
}

function sameLine(text: string, a: Token, b: Token): boolean {
  return !text.slice(a.start, b.start).includes('\n');
}

function lower(word: string): string {
  return word[0]!.toLowerCase() + word.slice(1);
}

function upper(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}
