/**
 * Layouts and sizes cannot be mistaken in silence: parts in another order than their dimension was
 * written are warned of, and what a caller calls its sizes says nothing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPermuted } from '../../dsl/check/permuted.ts';
import { check } from '../../dsl/index.ts';
import * as S from '../../dsl/size.ts';
import { fnOf, inferred } from './signatures.ts';

const codes = (text: string): string[] =>
  check(new Map([['a.tn', text]]), 'a.tn').diagnostics.map((d) => d.code);

const head = 'C, H, W, P](x: f32[H*W, P*P*C]): f32[C, H*P, W*P] = for c, (h, i), (w, j). ';

test.each([
  [`fn f[${head}x[(h, w), (i, j, c)]`, []],
  [`fn f[${head}x[(h, w), (c, i, j)]`, ['W0004']],
  [`fn f[${head}x[(w, h), (i, j, c)]`, ['W0004']],
  ['fn f[A, E](x: f32[A*E]): f32[A, E] = for h, e. x[(e, h)]', ['W0004']],
  ['fn f[C, H](x: f32[C, H]): f32[H*C] = for (c, h). x[c, h]', ['W0004']],
  ['fn f[H, W](x: f32[W*H]): f32[H*W] = for n. x[n]', ['W0004']],
  ['fn f[H, W](x: f32[W*H]): f32 = sum n: H*W. x[n]', ['W0004']],
  ['fn f[A, B, C](x: f32[A*B*C]): f32 = sum a: A, b: B, c: C. x[(a, (c, b))]', ['W0004']],
  ['fn f[A, B, C](x: f32[A*B*C]): f32[A, B, C] = for a, b, c. x[((a, b), c)]', []],
  ['fn f(x: f32[2*3]): f32[3, 2] = for a, b. x[(a, b)]', ['W0004']],
  ['fn f(x: f32[6]): f32[3, 2] = for a, b. x[(a, b)]', []],
  ['fn f[H, W](x: f32[H*W*1]): f32[1, H, W] = for a, b, c. x[(a, b, c)]', []],
  ['fn f[A, B](x: f32[A*B + 1]): f32[B, A] = for b, a. x[left (b, a)]', ['W0004']],
] as const)('%s', (text, expected) => {
  expect(codes(text)).toEqual(expected);
});

test('a permuted tuple of ranges never passes in silence', () => {
  const names = ['A', 'B', 'C', 'D'];
  const drawn = fc
    .tuple(fc.integer({ min: 2, max: 4 }), fc.boolean())
    .chain(([n, written]) =>
      fc
        .shuffledSubarray(names.slice(0, n), { minLength: n, maxLength: n })
        .map((order) => ({ own: names.slice(0, n), order, written })),
    );
  fc.assert(
    fc.property(drawn, ({ own, order, written }) => {
      const index = order.map((v) => v.toLowerCase());
      const binders = own.map((v) => (written ? `${v.toLowerCase()}: ${v}` : v.toLowerCase()));
      const result = `f32[${own.join(', ')}]`;
      const text = `fn f[${own.join(', ')}](x: f32[${own.join('*')}]): ${result} = for ${binders.join(', ')}. x[(${index.join(', ')})]`;
      expect(codes(text).length > 0).toBe(own.join() !== order.join());
      const [a, b] = [own, order].map((row) => row.map((v) => S.variable(v)));
      expect(isPermuted(a!, b!)).toBe(own.join() !== order.join());
    }),
    { numRuns: 60 },
  );
});

const given = (text: string): string => {
  const { program } = check(new Map([['a.tn', text]]), 'a.tn');
  return inferred(fnOf(program!, 'f'));
};

test('sizes in brackets are positions, whatever the caller calls them', () => {
  const callee = 'fn g[A, B, C](): f32 = 100 * A + 10 * B + C\n';
  const call = (x: string, y: string) =>
    given(`${callee}fn f[${x}, ${y}](): f32 = g[${y}, 5, ${x}]()`);
  const names = fc.uniqueArray(fc.constantFrom('A', 'B', 'C', 'D', 'E'), {
    minLength: 2,
    maxLength: 2,
  });
  fc.assert(
    fc.property(names, ([x, y]) => {
      expect(call(x!, y!)).toBe(call('X', 'Y').replace('A=Y', `A=${y}`).replace('C=X', `C=${x}`));
    }),
    { numRuns: 30 },
  );
  expect(codes(`${callee}fn f[B](): f32 = g[B, 5, 7]()`)).toEqual(['W0006']);
  expect(codes(`${callee}fn f[B](): f32 = g[A = B, B = 5, C = 7]()`)).toEqual([]);
});
