/**
 * Texts that nobody would write, from a seed: valid programs with tokens changed, and streams of
 * tokens and of larger pieces. `assertSurvives` says what must hold of each one.
 */
import fc from 'fast-check';
import { check } from '../../dsl/index.ts';
import { numbers } from '../../runtime/gradcheck/check-point.ts';
import { randomProgram } from '../gen/program.ts';
import { LANGUAGE } from './language-sample.ts';

export type Choices = {
  readonly below: (n: number) => number;
  readonly pick: <T>(xs: readonly T[]) => T;
  readonly chance: (percent: number) => boolean;
};

export function choices(seed: number): Choices {
  const next = numbers(seed);
  const below = (n: number) => Math.floor(next() * n);
  return { below, pick: (xs) => xs[below(xs.length)]!, chance: (percent) => below(100) < percent };
}

export type Survived = { readonly ok: boolean; readonly codes: readonly string[] };

/** Checks a text; throws when the outcome is neither a program nor a proper diagnostic. */
export function assertSurvives(text: string): Survived {
  const fault = (why: string): never => {
    throw new Error(`${why}\n${text}`);
  };
  const { program, diagnostics } = check(new Map([['a.tn', text]]), 'a.tn');
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if ((program === undefined) !== errors.length > 0) fault('neither a program nor an error');
  for (const d of diagnostics) {
    const inside = 0 <= d.span.start && d.span.start <= d.span.end && d.span.end <= text.length;
    if (d.span.file !== 'a.tn' || !inside) fault(`span of ${d.code} outside the text`);
    const words = [d.message, d.hint ?? '', ...(d.related ?? []).map((r) => r.message)].join(' ');
    if (/[?#]\d|undefined|\[object|NaN/.test(words)) fault(`${d.code}: ${words}`);
  }
  return { ok: program !== undefined, codes: errors.map((d) => d.code) };
}

const TOKEN = /\s+|\w+|\.\.|->|\/\/|\?\?|<=|>=|==|!=|./g;

function edit(text: string, pool: readonly string[], c: Choices): string {
  const tokens = text.match(TOKEN)!;
  for (let n = 1 + c.below(3); n > 0; n--) {
    const at = c.below(tokens.length);
    switch (c.below(4)) {
      case 0:
        tokens.splice(at, 1);
        break;
      case 1:
        tokens[at] = c.pick(pool);
        break;
      case 2:
        tokens.splice(at, 0, c.pick(pool));
        break;
      default: {
        const other = c.below(tokens.length);
        [tokens[at], tokens[other]] = [tokens[other]!, tokens[at]!];
      }
    }
  }
  return tokens.join('');
}

const decls = LANGUAGE.split(/\n(?=\S)/);

/** Valid programs, random ones and parts of the sample of the language, with one to three edits. */
export function* editedPrograms(count: number, seed: number): Generator<string> {
  const c = choices(seed);
  const chunk = 500;
  for (let done = 0; done < count; done += chunk) {
    const n = Math.min(chunk, count - done);
    for (const p of fc.sample(randomProgram, { numRuns: n, seed: seed + done })) {
      const from = c.chance(50) ? p.text : decls.slice(c.below(decls.length)).join('\n');
      yield edit(from, from.match(TOKEN)!, c);
    }
  }
}

const PIECES =
  'fn f[N](x: f32[N], y: f32): f32 =|\n  let a = |for i. x[i]|sum i, j. |x[(i, j)]|{ a: x, b: y }|f(x, y)|f[N = 3](x)|\nfn g(x: f32): f32 = |each a, b in x, y. |fold h = x for l. |grad(y -> y, x)| + |(|)|[..x, y]|if x > 0 then x else y| where N >= 1, D % 2 == 0|\ntype P[N, S] = { a: S, fixed b: f32[N] }\n|x[left i]|x[i + 1] ?? 0|\n| |N|i|a|1|, |h|.a|P[N, f32]|idx[N]|key|normal(k, i)|a -> |max i. |N*D|D/2|derivative f(x, dx) = |check gradient of f|vjp(f, x, x)|scan | - |inf|clamp(|stop'.split(
    '|',
  );

export function* tokenStreams(count: number, seed: number): Generator<string> {
  const c = choices(seed);
  const words = LANGUAGE.match(TOKEN)!;
  for (let i = 0; i < count; i++) {
    const pool = c.chance(40) ? words : PIECES;
    let text = c.chance(70) ? 'fn f[N, D](x: f32[N], y: f32): f32 = ' : '';
    for (let n = c.below(40); n > 0; n--) text += c.pick(pool);
    yield text;
  }
}
