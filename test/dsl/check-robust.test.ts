/**
 * No input breaks the checker: random edits of valid programs, random streams of tokens and of
 * larger pieces, and programs made to explode give a program or at least one error, with spans inside
 * the text and no internal name in a message. `npm run robust` does the same for longer.
 */
import { describe, expect, test } from 'vitest';
import { assertSurvives, editedPrograms, tokenStreams } from './hostile.ts';

describe('whatever the text', () => {
  test('400 random edits of valid programs', () => {
    let ok = 0;
    for (const text of editedPrograms(400, 1)) if (assertSurvives(text).ok) ok += 1;
    expect(ok).toBeGreaterThan(10);
    expect(ok).toBeLessThan(390);
  });

  test('800 random streams', () => {
    for (const text of tokenStreams(800, 2)) assertSurvives(text);
  });
});

const times = (n: number, f: (i: number) => string, separator = '\n') =>
  Array.from({ length: n }, (_, i) => f(i)).join(separator);

describe('programs made to explode are refused with the number, or are no harm', () => {
  test.each<[string, string, readonly string[]]>([
    [
      'lambdas that call the last one twice',
      `fn f(x: f32): f32 =\n  let a0 = y -> y\n${times(30, (i) => `  let a${i + 1} = y -> a${i}(a${i}(y))`)}\n  a30(x)`,
      ['E0415'],
    ],
    [
      'functions that call the last one twice',
      `fn a0(y: f32): f32 = y\n${times(30, (i) => `fn a${i + 1}(y: f32): f32 = a${i}(a${i}(y))`)}`,
      [],
    ],
    [
      'types that hold the last one twice',
      `type A0 = { x: f32, y: f32 }\n${times(30, (i) => `type A${i + 1} = { x: A${i}, y: A${i} }`)}\nfn f(x: A30): A30 = x`,
      ['E0415', 'E0415'],
    ],
    [
      'a generic function on its own result',
      `type P[S] = { a: S, b: S }\nfn d[S](s: S): P[S] = { a: s, b: s }\nfn f(x: f32): f32 = (${'d('.repeat(25)}x${')'.repeat(25)})${'.a'.repeat(25)}`,
      ['E0415'],
    ],
    [
      'a power of a long sum',
      `fn f[${times(30, (i) => `V${i}`, ', ')}](x: f32[(${times(30, (i) => `V${i}`, ' + ')})^8]): f32 = sum i. x[i]`,
      ['E0506'],
    ],
    [
      'a size beyond 2^53 that only a call makes',
      'fn g[N](_x: f32[3*N]): f32[4503599627370496*N] = for _. 0\nfn f(x: f32[9007199254740990]): f32 = sum i. g(x)[i]',
      ['E0506'],
    ],
    [
      'two hundred sizes in one call',
      `fn f[${times(150, (i) => `V${i}`, ', ')}](${times(150, (i) => `x${i}: f32[V${i}]`, ', ')}): f32 = ${times(150, (i) => `(sum i. x${i}[i])`, ' + ')}\nfn g[N](x: f32[N]): f32 = f(${times(150, () => 'x', ', ')})`,
      [],
    ],
    [
      'a long chain of facts',
      `fn f[${times(40, (i) => `V${i}`, ', ')}](x: f32[V0]): f32[V39] where ${times(39, (i) => `V${i + 1} <= V${i}`, ', ')} = for i: V39. x[i]`,
      [],
    ],
    [
      'facts that no size solves',
      'fn f[A, B, C](x: f32[A]): f32 where A*B <= C, B*C <= A, A + B <= C, A*A <= B, B*B <= A, C*C <= A*B, A <= B*C = x[A*B]',
      ['E0601'],
    ],
  ])('%s', (_, text, codes) => {
    expect(assertSurvives(text).codes).toEqual(codes);
  });
});
