/**
 * Formatting changes no verdict. Brackets around sizes say how a dimension is read (`H*(P*E)`), so they
 * are put anywhere: what is then accepted or refused, with which codes, is so after the formatter too.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatText } from '../../dsl/format.ts';
import { check } from '../../dsl/index.ts';
import { parseModule } from '../../dsl/parse.ts';
import type { Span } from '../../dsl/source.ts';
import { randomProgram } from '../gen/program.ts';
import { right } from '../soundness/right.ts';
import { type Choices, choices } from './hostile.ts';
import { LANGUAGE } from './language-sample.ts';

const GROUPED = [
  'fn f[A, B](x: f32[(A*B)*1]): f32 = sum a: A, b: B, c: 1. x[((a, b), c)]',
  'fn f[A, B, C](x: f32[(A*B)*C]): f32 = sum i: A*B, c: C. x[(i, c)]',
  'fn f[A, B, C](x: f32[A*(B*C)]): f32 = sum a, b, c. x[(a, (b, c))]',
  'fn f[A, B, C](x: f32[A*B*C]): f32 = sum a, b, c. x[(a, b, c)]',
  'fn f[A, B, C](x: f32[(A + B) + C]): f32 = sum i: A + B, c: C. x[left i] + x[right c]',
  'fn f[A, B, C](x: f32[A + (B + C)]): f32 = sum a, r. x[left a] * x[right r]',
  'fn f[A, B, C](x: f32[A + B + C]): f32 = sum a, r. x[left a] * x[right r]',
  'fn f[A, B](x: f32[2*(A - B)*3]): f32 where A >= B = sum i, j, k. x[(i, j, k)]',
  'fn g[N](x: f32[N]): f32[N] = x\nfn f[A, B](x: f32[A*B]): f32 = sum a, b. (g[(A*B)*1](x))[(a, b)]',
  'type T[N] = { w: f32[N] }\nfn f[A, B](p: T[(A*B)*1]): f32 = sum a: A, b: B, c: 1. p.w[((a, b), c)]',
];

/** The places of everything that may stand in brackets. */
function placesOf(node: unknown, out: Span[] = []): Span[] {
  if (Array.isArray(node)) for (const x of node) placesOf(x, out);
  else if (typeof node === 'object' && node !== null) {
    const { k, span } = node as { k?: string; span?: Span };
    if (k !== undefined && span !== undefined && span.end > span.start) out.push(span);
    for (const x of Object.values(node)) placesOf(x, out);
  }
  return out;
}

/** One more pair of brackets, where the text still parses with it. */
function bracketed(text: string, c: Choices): string {
  const { start, end } = c.pick(placesOf(parseModule('a.tn', text).module));
  const out = `${text.slice(0, start)}(${text.slice(start, end)})${text.slice(end)}`;
  return parseModule('a.tn', out).diagnostics.length === 0 ? out : text;
}

function verdict(text: string): string[] {
  const { diagnostics } = check(new Map([['a.tn', text]]), 'a.tn');
  return diagnostics.map((d) => d.code).toSorted();
}

test('with brackets anywhere', () => {
  const texts = [...GROUPED, ...new Set(right.map((r) => r.text)), LANGUAGE];
  const programs = fc.sample(randomProgram, { numRuns: 6, seed: 5 }).map((p) => p.text);
  const c = choices(11);
  const verdicts = new Map<string, number>();
  for (const text of [...texts, ...programs]) {
    for (let n = 0; n < (text.length < 200 ? 30 : 2); n++) {
      let changed = text;
      for (let m = 0; m <= n % 4; m++) changed = bracketed(changed, c);
      const before = verdict(changed);
      expect(verdict(formatText('a.tn', changed).text!), changed).toEqual(before);
      verdicts.set(before.join(), (verdicts.get(before.join()) ?? 0) + 1);
    }
  }
  // Brackets do decide something.
  expect(verdicts.get('')).toBeGreaterThan(100);
  expect(verdicts.size).toBeGreaterThan(3);
});
