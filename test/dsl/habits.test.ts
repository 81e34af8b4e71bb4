/**
 * What people who come from PyTorch, JAX, NumPy, Julia or Rust write first, each refused with one
 * error at `▸` and a hint that says what to write here.
 */
import { expect, test } from 'vitest';
import { check } from '../../dsl/index.ts';

const PROGRAMS: readonly string[] = [
  'fn f[N, D](x: f32[N, D]): f32[D] where N >= 1 = mean n. x[n, ▸:]',
  'fn f[N, D](x: f32[N, D]): f32[N] = x[▸:, 0]',
  'fn f[N](x: f32[N]): f32[3] = x[0▸:3]',
  'fn f[N, D](x: f32[N, D], w: f32[D]): f32[N] = x ▸@ w',
  'fn f[N](x: f32[N]): f32 = x.▸sum()',
  'fn f[N](x: f32[N]): f32[N] = x.▸map(exp)',
  'fn f[N, M](x: f32[N, M]): f32[M, N] = x.▸T',
  'fn f[N](x: f32[N]): f32 = f32(x.▸shape[0])',
  'fn f(x: f32): f32 = x.▸exp()',
  'fn f(x: f32): f32 = ▸np.exp(x)',
  'fn f[N](x: f32[N]): f32 = ▸sum(x)',
  'fn f[N](x: f32[N]): f32 = ▸max(x)',
  'fn f[N](x: f32[N]): f32[N] = max(▸x, 0)',
  'fn f[N](x: f32[N]): f32[N] = exp.▸(x)',
  'fn f[N](x: f32[N]): f32 where N >= 1 = x[▸end]',
  'fn f[N](x: f32[N]): f32[N] = [x[i] + 1 ▸for i in N]',
  'fn f[N](x: f32[N]): f32[N] = for i: ▸x[i]',
  'fn f[N](x: f32[N]): f32[N] = for (i ▸in N) x[i]',
  'fn f[N](x: f32[N]): f32[N] = ▸zeros(N)',
  'fn f[N](): f32[N] = ▸0',
  'fn f[N](k: key): f32[N] = ▸normal(k, N)',
  'fn f(): f32 = normal(▸0, 0)',
  'fn f(): f32[3] = { 1▸, 2, 3 }',
  'fn f(x: f32): { a: f32 } = { a ▸= x }',
  'fn f(p: { bias: f32 }): f32 = p[▸"bias"]',
  "fn f(p: { bias: f32 }): f32 = p[▸'bias']",
  'fn f(x: f32): f32 = x ▸if x > 0 else 0',
  'fn f(x: f32): (f32, f32) ▸= (x, x)',
  'type Pair = (f32, f32)▸',
  'fn f(x: f32): f32 = ▸let y = x + 1 in y * 2',
  'fn f(x: f32): f32 = x ▸|> exp',
  'fn f(x: f32): f32 = exp ▸x',
  'fn f(x: f32): f32 = ▸(x + 1)(x - 1)',
  'fn f(x: f32): f32 = ▸1e-5f * x',
  'fn f(x: f32): bool = x ▸is 0',
  'fn f[N](x: f32[N]): f32 = ▸Σ i. x[i]',
  'fn f(x: f32): f32 = x ▸% 2.5',
  'fn f(x: ▸Float32): Float32 = x',
  'fn f[N](x: ▸Tensor[N]): f32 = 1',
  'fn f(x: ▸i64): i64 = x',
  'fn f[N▸: int](x: f32[N]): f32 = 1',
  'fn f▸<N>(x: f32[N]): f32 = 1',
  'fn f(x: f32, ▸*, eps: f32): f32 = x + eps',
  'fn f[N](x: f32[N]): f32 where N ▸> 0 = x[0]',
  'fn f[N](x: f32[N]): f32 where N ▸!= 0 = x[0]',
  'type Linear▸(I, O) = { weight: f32[O, I] }',
  'type Model = { weight: f32[▸D], bias: f32[D] }',
  'type Options = { rate: f32 ▸= 0.1 }',
  'type Model[D] = { weight: f32[D]▸; bias: f32 }',
  'type Number = f32 ▸| i32',
  'fn f[N](x: f32[N]): f32[N] = fold h = x for ▸10. 2 * h',
  'fn f[N](x: f32[N]): f32 = fold s = 0▸, i in N. s + x[i]',
  'fn f[N](x: f32[N]): f32[N] = grad(▸sum i. x[i]^2, x)',
  'fn g(x: f32, y: f32): f32 = x * y\nfn f(x: f32, y: f32): f32 = ▸grad(g, x, y)',
  'fn f[N](x: f32[N]): f32[N + 1] = [▸x, 0]',
  'fn f[N](x: f32[N]): f32[N + 1] = [..▸.x, 0]',
  'fn f(p: { a: f32, b: f32 }): { a: f32, b: f32 } = { ▸...p, a: 2 }',
  'fn f(p: { a: f32, b: f32 }): f32 =\n  let ▸(a, b) = p\n  a',
  'fn f[N](x: f32[N]): f32 where N >= 1 = x[▸N]',
  'fn f[A, B](x: f32[A*B]): f32[A, B] = ▸x',
  'fn f[A, B](x: f32[A, B]): f32[A*B] = ▸x',
  'fn f[N](x: f32[N]): f32 where ▸x >= 0 = x[0]',
  'import { f ▸as g } from "./nn.tn"\nfn h(): f32 = g()',
];

test.each(PROGRAMS)('%s', (marked) => {
  const at = marked.indexOf('▸');
  const { diagnostics } = check(new Map([['a.tn', marked.replace('▸', '')]]), 'a.tn');
  const errors = diagnostics.filter((d) => d.severity === 'error');
  expect(errors.map((d) => d.span.start)).toEqual([at]);
  const { code, message, hint } = errors[0]!;
  expect(hint).toBeDefined();
  expect(`${code} ${message}\n  ${hint}`).toMatchSnapshot();
});
