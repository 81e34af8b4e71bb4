/**
 * Words and signs of other languages, and what to write here instead. The message names the habit
 * itself: `return x` stops the parse at `x`, but `return` is the mistake.
 */
import type { Token } from './tokens.ts';

const HABITS: ReadonlyMap<string, string> = new Map([
  ['**', 'The power operator is `^`: write `x^2`.'],
  ['&&', 'Write `and`.'],
  ['||', 'Write `or`.'],
  ['!', 'Write `not`, or `!=` for "differs from".'],
  ['&', 'Write `and`.'],
  ['|', 'Write `or`.'],
  ['|>', 'Functions stand before what they take: `log(exp(x))`.'],
  [':=', 'Write `let name = value`.'],
  ['=>', 'Functions without a name are written `x -> ...`; "at least" is `>=`.'],
  [';', 'There are no semicolons: put the next `let` or the result on a new line.'],
  ['++', 'Concatenation is `[..a, ..b]`; nothing is counted up in place.'],
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
  ['Σ', 'Write `sum i. ...`.'],
  ['∏', 'Write `prod i. ...`.'],
  ['Π', 'Write `prod i. ...`.'],
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
  ['is', 'Write `==`.'],
  ['elif', 'Write `else if`.'],
  ['while', 'Loops over steps are `fold state = start for i: N. next`.'],
  ['end', 'Blocks end by indentation; there is no `end`.'],
]);

export type Habit = { readonly token: Token; readonly hint: string };

/** The word or sign of another language at, or right before, the place where the parse stopped. */
export function habitAt(text: string, tokens: readonly Token[], at: number): Habit | undefined {
  const here = tokens[at];
  if (here !== undefined && (here.kind === '$bad' || here.kind === '$id')) {
    const hint = HABITS.get(text.slice(here.start, here.end)) ?? badHint(here, text);
    if (hint !== undefined) return { token: here, hint };
  }
  const before = tokens[at - 1];
  if (before?.kind !== '$id' || here === undefined || here.first) return undefined;
  const hint = HABITS.get(text.slice(before.start, before.end));
  return hint === undefined ? undefined : { token: before, hint };
}

function badHint(token: Token, text: string): string | undefined {
  if (token.kind !== '$bad') return undefined;
  const word = text.slice(token.start, token.end);
  if (word.startsWith('///')) {
    return 'Doc comments stand in the first column, before a declaration; use `#` here.';
  }
  if (/^[0-9.e-]+(f|f32|f64|i32|u32|L|_f32)$/.test(word)) {
    return 'Numbers have no suffix: they take the type of what they meet.';
  }
  if (/^[0-9]/.test(word)) {
    return 'A product is written with `*`: `2 * x`; names do not begin with a digit.';
  }
  if (word > '\x7f') return 'Names consist of the letters a-z, A-Z, digits and `_`.';
  return undefined;
}
