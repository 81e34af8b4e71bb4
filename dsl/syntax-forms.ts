/**
 * Forms of other languages that a parse stops in, and what to write here: slices, comprehensions,
 * conditional expressions, methods applied to arrays, tuples of results.
 *
 * A rule looks at the token where the parse stopped, the bracket it stands in and the tokens around
 * it; the first rule that applies gives the hint.
 */
import type { Kind, Token } from './tokens.ts';

type Form = {
  readonly tokens: readonly Token[];
  readonly at: number;
  readonly kind: Kind | undefined;
  readonly previous: Kind | undefined;
  /** The innermost bracket that is open here, and whether the body of the declaration has begun. */
  readonly bracket: Kind | undefined;
  readonly inBody: boolean;
  readonly decl: Kind;
};

export function formHint(
  tokens: readonly Token[],
  at: number,
  expected: ReadonlySet<Kind>,
  word: string,
): string | undefined {
  const before = tokens.slice(0, at);
  const form: Form = {
    tokens,
    at,
    kind: tokens[at]?.kind,
    previous: before.at(-1)?.kind,
    bracket: openBracket(before),
    inBody: hasBody(before),
    decl: tokens[0]!.kind,
  };
  for (const rule of RULES) {
    const hint = rule(form, expected, word);
    if (hint !== undefined) return hint;
  }
  return undefined;
}

type Rule = (f: Form, expected: ReadonlySet<Kind>, word: string) => string | undefined;

const RULES: readonly Rule[] = [
  slice,
  sizeWithType,
  comprehension,
  conditional,
  dotCall,
  lambdaTypes,
  resultTuple,
  starParameter,
  typeParameters,
  fieldDefault,
  fieldSeparator,
  fieldOfText,
  braces,
  recordWithEquals,
  rangeOfBody,
  loopInBrackets,
  steps,
  union,
  factOfData,
  moreDots,
  recordUpdate,
  tuplePattern,
];

/** `x[:, 0]`, `x[0:3]` */
function slice({ kind, bracket, inBody, previous }: Form): string | undefined {
  if (kind !== ':' || bracket !== '[' || !inBody) return undefined;
  return previous === '[' || previous === ','
    ? 'All of a dimension needs no colon: `x[n]` is row n, and `for i. x[i, n]` is column n.'
    : 'A slice is a loop: `for i: 3. x[i]`, or `for i: 3. x[2 + i]`.';
}

/** `fn f[N: int](...)` */
function sizeWithType({ kind, bracket, inBody, decl, previous }: Form): string | undefined {
  return kind === ':' && bracket === '[' && !inBody && decl === 'fn' && previous === '$up'
    ? 'The brackets hold names of sizes: `[N, D]`, or `[N = 4]` with a default.'
    : undefined;
}

/** `[x[i] + 1 for i in N]` */
function comprehension({ kind, bracket }: Form): string | undefined {
  return kind === 'for' && (bracket === '[' || bracket === '(')
    ? 'The loop comes first, without brackets: `for i. x[i] + 1`.'
    : undefined;
}

/** `x if c else y` */
function conditional({ kind, tokens, at }: Form, expected: ReadonlySet<Kind>): string | undefined {
  const rest = tokens.slice(at).map((t) => t.kind);
  return kind === 'if' && !expected.has('true') && rest.includes('else')
    ? 'A choice is written `if c then a else b`.'
    : undefined;
}

/** `exp.(x)` */
function dotCall({ kind, previous }: Form): string | undefined {
  return kind === '(' && previous === '.'
    ? 'Functions do not lift: write `each v in x. f(v)`.'
    : undefined;
}

/** `(a: f32) -> a` */
function lambdaTypes({ kind, tokens, at, inBody }: Form): string | undefined {
  return kind === ':' &&
    inBody &&
    tokens[at - 2]?.kind === '(' &&
    tokens.some((t, i) => i > at && t.kind === '->')
    ? 'The parameters of a lambda have no types of their own; the whole of it can have one: `let f: f32 -> f32 = x -> ...`.'
    : undefined;
}

/** `fn f(x: f32): (f32, f32) = ...` */
function resultTuple({ kind, previous, decl }: Form, expected: ReadonlySet<Kind>) {
  const ended = (kind === '=' && decl === 'fn') || (kind === undefined && decl === 'type');
  return ended && previous === ')' && expected.has('->')
    ? 'Results of several parts are records: `{ a: f32, b: f32 }`.'
    : undefined;
}

/** `fn f(x: f32, *, eps: f32)` */
function starParameter({ kind, bracket, inBody, decl }: Form): string | undefined {
  return kind === '*' && bracket === '(' && !inBody && decl === 'fn'
    ? 'Every argument can be given by name; nothing marks it.'
    : undefined;
}

/** `type Linear(I, O) = ...`, `fn f<N>(...)` */
function typeParameters({ kind, at, decl }: Form): string | undefined {
  if (at !== 2 || (decl !== 'type' && decl !== 'fn')) return undefined;
  const wrong = kind === '<' || (kind === '(' && decl === 'type');
  return wrong
    ? `Sizes stand in brackets: \`${decl} ${decl === 'type' ? 'A' : 'f'}[N, D]\`.`
    : undefined;
}

/** `type Options = { rate: f32 = 0.1 }` */
function fieldDefault({ kind, bracket, decl }: Form): string | undefined {
  return kind === '=' && bracket === '{' && decl === 'type'
    ? 'Fields have no defaults: a function gives a record its first values.'
    : undefined;
}

/** `{ a: f32; b: f32 }` */
function fieldSeparator({ bracket }: Form, _: ReadonlySet<Kind>, word: string): string | undefined {
  return word === ';' && bracket === '{' ? 'Fields are separated by commas.' : undefined;
}

/** `p['bias']` */
function fieldOfText({ previous, kind }: Form, _: ReadonlySet<Kind>, word: string) {
  return previous === '[' && (kind === '$str' || word === "'")
    ? 'A field is read with a dot: `p.bias`.'
    : undefined;
}

/** `{ 1, 2, 3 }` */
function braces({ kind, bracket, inBody, previous }: Form): string | undefined {
  const value = previous === '$nat' || previous === '$num' || kind === '$num' || kind === '$nat';
  return bracket === '{' && inBody && value && kind !== ':'
    ? 'Arrays are written in square brackets: `[1, 2, 3]`.'
    : undefined;
}

/** `{ a = x }` */
function recordWithEquals({ kind, bracket, inBody }: Form): string | undefined {
  return kind === '=' && bracket === '{' && inBody
    ? 'Fields are written with a colon: `{ a: x }`.'
    : undefined;
}

/** `for i: x[i]` */
function rangeOfBody({ kind, previous, tokens, at, inBody }: Form): string | undefined {
  const bound = tokens[at - 2]?.kind;
  return inBody && previous === ':' && kind === '$id' && (bound === '$id' || bound === '_')
    ? 'After the colon stands a size; a dot ends the names: `for i. x[i]`, `for i: N. x[i]`.'
    : undefined;
}

/** `for (i in N) x[i]` */
function loopInBrackets({ kind, bracket, tokens, at }: Form): string | undefined {
  if (kind !== 'in' || bracket !== '(') return undefined;
  const open = tokens.findLastIndex((t, i) => i < at && t.kind === '(');
  return tokens[open - 1]?.kind === 'for'
    ? 'There are no brackets around the names of a loop, and a range is a size: `for i: N. x[i]`.'
    : undefined;
}

/** `fold h = x for 10. ...`, `fold s = 0, i in N. ...` */
function steps({ kind, tokens, at, previous }: Form, expected: ReadonlySet<Kind>) {
  const fold = tokens.slice(0, at).some((t) => t.kind === 'fold' || t.kind === 'scan');
  if (!fold) return undefined;
  if (previous === 'for' && (kind === '$nat' || kind === '$up')) {
    return 'The number of steps is the range of an index: `for _: 10. ...`.';
  }
  return expected.has('for') && kind !== undefined
    ? 'Steps are written `fold s = start for i: N. next`.'
    : undefined;
}

/** `type Number = f32 | i32` */
function union({ decl, inBody }: Form, _: ReadonlySet<Kind>, word: string): string | undefined {
  return word === '|' && (decl === 'type' || !inBody)
    ? 'A type is one thing: a leaf that may be missing makes two types.'
    : undefined;
}

/** `where x >= 0` */
function factOfData({ kind, inBody, tokens, at }: Form): string | undefined {
  const facts = tokens.slice(0, at).some((t) => t.kind === 'where');
  return facts && !inBody && kind === '$id'
    ? 'Facts are about sizes: `where N >= 1`; of data nothing is assumed.'
    : undefined;
}

/** `[...x, 0]` */
function moreDots({ kind, previous }: Form): string | undefined {
  return kind === '.' && previous === '..'
    ? 'Two dots put the elements of x here: `..x`.'
    : undefined;
}

/** `{ ...p, a: 2 }` */
function recordUpdate({ kind, bracket, inBody }: Form): string | undefined {
  return kind === '..' && bracket === '{' && inBody
    ? 'All fields are written: `{ a: 2, b: p.b }`.'
    : undefined;
}

/** `let (a, b) = p` */
function tuplePattern({ kind, previous }: Form): string | undefined {
  return kind === '(' && previous === 'let'
    ? 'A record is taken apart by its labels: `let { a, b } = p`.'
    : undefined;
}

// ---------------------------------------------------------------- where the parse stopped

const CLOSES: ReadonlyMap<Kind, Kind> = new Map<Kind, Kind>([
  [')', '('],
  [']', '['],
  ['}', '{'],
]);
const OPENS: ReadonlySet<Kind> = new Set(CLOSES.values());

function openBracket(before: readonly Token[]): Kind | undefined {
  const open: Kind[] = [];
  for (const { kind } of before) {
    if (OPENS.has(kind)) open.push(kind);
    else if (CLOSES.has(kind)) open.pop();
  }
  return open.at(-1);
}

/** A `=` outside of all brackets. */
function hasBody(before: readonly Token[]): boolean {
  let depth = 0;
  for (const { kind } of before) {
    if (OPENS.has(kind)) depth++;
    else if (CLOSES.has(kind)) depth--;
    else if (kind === '=' && depth === 0) return true;
  }
  return false;
}
