/**
 * No input breaks the checker: random edits of valid programs, random streams of tokens and of
 * larger pieces, and programs made to explode give a program or at least one error, with spans inside
 * the text and no internal name in a message.
 */
import { describe, expect, test } from 'vitest';
import { check } from '../../dsl/index.ts';
import { generate, Rng } from './arbitrary-program.ts';
import { LANGUAGE } from './language-sample.ts';

/** Checks a text; fails when the outcome is neither a program nor a proper diagnostic. */
function survives(text: string): { ok: boolean; codes: string[] } {
  const { program, diagnostics } = check(new Map([['a.tn', text]]), 'a.tn');
  const errors = diagnostics.filter((d) => d.severity === 'error');
  expect(program === undefined).toBe(errors.length > 0);
  for (const d of diagnostics) {
    const inside = 0 <= d.span.start && d.span.start <= d.span.end && d.span.end <= text.length;
    if (d.span.file !== 'a.tn' || !inside) throw new Error(`span of ${d.code} outside the text`);
    const words = [d.message, d.hint ?? '', ...(d.related ?? []).map((r) => r.message)].join(' ');
    if (/[?#]\d|undefined|\[object|NaN/.test(words)) throw new Error(`${d.code}: ${words}`);
  }
  return { ok: program !== undefined, codes: errors.map((d) => d.code) };
}

const TOKEN = /\s+|\w+|\.\.|->|\/\/|\?\?|<=|>=|==|!=|./g;

function edit(text: string, pool: readonly string[], rng: Rng): string {
  const tokens = text.match(TOKEN)!;
  for (let n = 1 + rng.below(3); n > 0; n--) {
    const at = rng.below(tokens.length);
    switch (rng.below(4)) {
      case 0:
        tokens.splice(at, 1);
        break;
      case 1:
        tokens[at] = rng.pick(pool);
        break;
      case 2:
        tokens.splice(at, 0, rng.pick(pool));
        break;
      default: {
        const other = rng.below(tokens.length);
        [tokens[at], tokens[other]] = [tokens[other]!, tokens[at]!];
      }
    }
  }
  return tokens.join('');
}

const PIECES =
  'fn f[N](x: f32[N], y: f32): f32 =|\n  let a = |for i. x[i]|sum i, j. |x[(i, j)]|{ a: x, b: y }|f(x, y)|f[N = 3](x)|\nfn g(x: f32): f32 = |each a, b in x, y. |fold h = x for l. |grad(y -> y, x)| + |(|)|[..x, y]|if x > 0 then x else y| where N >= 1, D % 2 == 0|\ntype P[N, S] = { a: S, fixed b: f32[N] }\n|x[left i]|x[i + 1] ?? 0|\n| |N|i|a|1|, |h|.a|P[N, f32]|idx[N]|key|normal(k, i)|a -> |max i. |N*D|D/2|derivative f(x, dx) = |check gradient of f|vjp(f, x, x)|scan | - |inf|clamp(|stop'.split(
    '|',
  );

describe('whatever the text', () => {
  test('1,200 random edits of valid programs', () => {
    const rng = new Rng(1);
    const decls = LANGUAGE.split(/\n(?=\S)/);
    let ok = 0;
    for (let i = 0; i < 1200; i++) {
      const from = rng.chance(50)
        ? generate(i).text
        : decls.slice(rng.below(decls.length)).join('\n');
      const pool = from.match(TOKEN)!;
      if (survives(edit(from, pool, rng)).ok) ok += 1;
    }
    expect(ok).toBeGreaterThan(20);
  });

  test('800 random streams', () => {
    const rng = new Rng(2);
    const words = LANGUAGE.match(TOKEN)!;
    for (let i = 0; i < 800; i++) {
      const pool = rng.chance(40) ? words : PIECES;
      let text = rng.chance(70) ? 'fn f[N, D](x: f32[N], y: f32): f32 = ' : '';
      for (let n = rng.below(40); n > 0; n--) text += rng.pick(pool);
      survives(text);
    }
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
    expect(survives(text).codes).toEqual(codes);
  });
});
