/**
 * What of the language a random program uses, read off its text: one row for each construct of
 * docs/language.md. The rows of constructs.ts say how bindings are made; these say what a reader of
 * the reference would look for.
 */
import type { RandomProgram } from './program.ts';

const word = (w: string): RegExp => new RegExp(`\\b${w}\\b`);
const call = (f: string): RegExp => new RegExp(`\\b${f}\\(`);
const reduction = (op: string): RegExp => new RegExp(`\\b${op} [\\w(][^.(]*\\. `);

export const features: Readonly<Record<string, RegExp>> = {
  // sizes
  'product of sizes': /: \w+, \w+: \w+\)\./,
  'sum of sizes': /\[\.\.\w+, \.\.\w+\]/,
  'numeric size': /: 2[.,)]/,
  'size as a value': /\/ [A-C]\b|^.*if [A-C] > 2/m,
  'size by name': /\w\[[A-Z] = /,
  'size by position': /heads\[[A-C]\]/,
  'default size': /window\(/,
  'default argument': /scaled\(\w+\)/,
  'named argument': /, by = 0/,
  'where D % 2 == 0': /evens\(/,
  'where D % H == 0': /rowsOf\[/,
  'where K <= N': /firstOf\[/,
  'where N == P*Q': /gridOf\[/,
  'generic over types': /apply\(/,
  // indices
  'tuple binder': /\b(for|sum|mean) \(/,
  'tuple index': /\w\[\(/,
  'tuple in a tuple': /unnested\[/,
  'left and right': /\[(left|right) /,
  'affine index': /\[[A-C][^\]]* - 1 - /,
  'strided read': /\[[24]\*i/,
  'padded read': /\?\? /,
  'quotient and remainder': /i \/\/ 2/,
  'circular read': /\) % \([A-C]/,
  'partial index': /in \(?v?\w+\[\w+( - 1)?\]/,
  'index from data': /labels\[/,
  'clamp and wrap': /\b(clamp|wrap)\(/,
  'argmax and argmin': reduction('argm(ax|in)'),
  // loops
  for: word('for'),
  sum: reduction('sum'),
  prod: reduction('prod'),
  mean: reduction('mean'),
  'max of a range': reduction('max'),
  'min of a range': reduction('min'),
  'all and any': /\((all|any) /,
  fold: /\bfold \w+ =/,
  'fold of a record': /\bfold \{/,
  scan: /\bscan \w+ =/,
  'scan of a record': /\bscan \{/,
  // trees and records
  each: /\beach \w+ in/,
  'each of two trees': /\beach \w+, \w+ in/,
  'reduction over a tree': /\b(sum|mean|max) \w+ in /,
  record: /\{ \w+: /,
  'numeric label': /\{ 0: /,
  'array of records': /rs\[i\]|ps\[l\]/,
  fixed: /\bfixed scale/,
  pattern: /let \{/,
  'array literal': /= \[[^.]/,
  concatenation: /\[(0\.25, )?\.\.\w/,
  // functions
  'let with a type': /let h: /,
  'let-bound function': /let g = \(/,
  lambda: /->/,
  'function as an argument': /apply\(\w+ ->/,
  'choice of functions': /f32 -> f32 = if/,
  'top-level let': /^let /m,
  'custom derivative': /^derivative /m,
  'doc comment': /^\/\/\/ /m,
  if: word('if'),
  'and, or, not': /\b(and|or|not)\b/,
  'comparison of indices': /\bi (<|==|!=) j\b|j <= i/,
  // derivatives
  grad: call('grad'),
  'second derivative': /grad\(x -> grad\(/,
  valueGrad: call('valueGrad'),
  vjp: call('vjp'),
  jvp: call('jvp'),
  stop: call('stop'),
  checkpoint: call('checkpoint'),
  // numbers
  power: /\^2/,
  'real power': /\^(0\.3|\(0\.4)/,
  negation: /-\(|-[a-z]/,
  'i32 arithmetic': /f32\((3 \* i|\(i \+ 2\)|\(5 - i\)|abs|min)/,
  u32: call('u32'),
  'cast of an index': /f32\(i\)/,
  'cast of a bool': /f32\(\w+ <= /,
  'rounding to f16, bf16': /\bb?f16\(/,
  'floor and sign': /\b(floor|sign)\(/,
  'min and max of two': /\b(min|max)\(/,
  'exp, log, sqrt': /\b(exp|log|sqrt)\(/,
  'sin, cos, tanh, erf': /\b(sin|cos|tanh|erf)\(/,
  // keys
  split: call('split'),
  'comparison of keys': / [=!]= split\(/,
  normal: call('normal'),
  uniform: call('uniform'),
  randint: call('randint'),
  'normalLike and zerosLike': /\b(normal|zeros)Like\(/,
};

/** The body and what it needs of the prelude; the head is the same for all programs. */
const written = (p: RandomProgram): string => p.text.replace(/^fn f\[A, B, C\].*\n.*\n/m, '');

export function featureShares(programs: readonly RandomProgram[]): ReadonlyMap<string, number> {
  const texts = programs.map(written);
  return new Map(
    Object.entries(features).map(([name, pattern]) => [
      name,
      texts.filter((t) => pattern.test(t)).length / programs.length,
    ]),
  );
}
