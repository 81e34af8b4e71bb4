/**
 * Accepted programs, one or more for every idea and decision of the language, and what is inferred:
 * ranges of indices, types of `let`s, sizes given to callees.
 */
import { describe, expect, test } from 'vitest';
import { accept, fnOf, inferred } from './signatures.ts';

/** Accepts the text (without a warning) and shows what was inferred for its last function. */
function last(text: string): string {
  return inferred([...accept(text).fns.values()].at(-1)!);
}

const LINEAR = `type Linear[I, O] = { weight: f32[O, I], bias: f32[O] }
fn linear[I, O](p: Linear[I, O], x: f32[I]): f32[O] =
  for o. p.bias[o] + sum i. p.weight[o, i] * x[i]
`;

const SOFTMAX = `fn softmax[N](x: f32[N]): f32[N] where N >= 1 =
  let top = stop(max i. x[i])
  let e = for i. exp(x[i] - top)
  let z = sum i. e[i]
  for i. e[i] / z
`;

describe('sizes follow from indices', () => {
  test('a linear layer', () => {
    expect(last(LINEAR)).toMatchInlineSnapshot(`
      "(p: Linear[I, O], x: f32[I]): f32[O]
      for o: O
      sum i: I"
    `);
  });

  test('attention: sizes by products, parts by tuples', () => {
    const text = `${LINEAR}${SOFTMAX}
type Attention[D] = { qkv: Linear[D, 3*D], proj: Linear[D, D] }
fn attention[T, H, E](p: Attention[H*E], x: f32[T, H*E]): f32[T, H*E] =
  let qkv = for t. linear(p.qkv, x[t])
  let a = for h, t. softmax(for s. (sum e. qkv[t, (0, h, e)] * qkv[s, (1, h, e)]) / sqrt(E))
  for t. linear(p.proj, for (h, e). sum s. a[h, t, s] * qkv[s, (2, h, e)])
fn use[T, H, E](p: Attention[H*E], x: f32[T, H*E]): f32[T, H*E] = attention[H = H](p, x)`;
    const program = accept(text);
    expect(inferred(fnOf(program, 'attention'))).toMatchInlineSnapshot(`
      "(p: Attention[H*E], x: f32[T, H*E]): f32[T, H*E]
      qkv: f32[T, 3*(H*E)]
      for t: T
      linear[I=E*H, O=3*E*H]
      a: f32[H, T, T]
      for h: H, t: T
      softmax[N=T]
      for s: T
      sum e: E
      for t: T
      linear[I=E*H, O=E*H]
      for (h: H, e: E)
      sum s: T"
    `);
    expect(inferred(fnOf(program, 'use'))).toMatchInlineSnapshot(`
      "(p: Attention[H*E], x: f32[T, H*E]): f32[T, H*E]
      attention[T=T, H=H, E=E]"
    `);
  });

  test('patchify: the written forms of two dimensions decide all ranges', () => {
    const text = `fn patchify[C, H, W, P](img: f32[C, H*P, W*P]): f32[H*W, P*P*C] =
  for (h, w), (i, j, c). img[c, (h, i), (w, j)]`;
    expect(last(text)).toMatchInlineSnapshot(`
      "(img: f32[C, H*P, W*P]): f32[H*W, P*P*C]
      for (h: H, w: W), (i: P, j: P, c: C)"
    `);
  });

  test('a tuple in a tuple gets its ranges from its part of the written form', () => {
    const text = `fn f[A, B, C](): f32[A*((B*C)*A)] = for (a, ((b, c), d)). f32(a) + f32(b) + f32(c) + f32(d)
fn g[A, B, C](x: f32[A*(B*C)], y: f32[A*B + C]): f32 =
  (sum a, b, c. x[(a, (b, c))]) + (sum a, b. y[left (a, b)])`;
    const program = accept(text);
    expect(inferred(fnOf(program, 'f'))).toMatchInlineSnapshot(`
      "(): f32[A*(B*C*A)]
      for (a: A, ((b: B, c: C), d: A))"
    `);
    expect(inferred(fnOf(program, 'g'))).toMatchInlineSnapshot(`
      "(x: f32[A*(B*C)], y: f32[A*B + C]): f32
      sum a: A, b: B, c: C
      sum a: A, b: B"
    `);
  });

  test('a product as grouped, and multiplied out', () => {
    const text = `fn nested[A, B, C](x: f32[A*(B*C)]): f32[A, B, C] =
  let y = for a, b, c. x[(a, (b, c))]
  let z = for a, b, c. x[(a, b, c)]
  y + z`;
    expect(last(text)).toMatchInlineSnapshot(`
      "(x: f32[A*(B*C)]): f32[A, B, C]
      y: f32[A, B, C]
      for a: A, b: B, c: C
      z: f32[A, B, C]
      for a: A, b: B, c: C"
    `);
  });

  test('without a form the index says it', () => {
    const text = `fn rows[N, M](x: f32[N]): f32 where N == 3*M = sum (h: 3, p: M). x[(h, p)]`;
    expect(last(text)).toMatchInlineSnapshot(`
      "(x: f32[3*M]): f32
      sum (h: 3, p: M)"
    `);
  });

  test('concatenation, left and right', () => {
    const text = `fn join[D, R, N](cls: f32[D], reg: f32[R, D], patch: f32[N, D]): f32[1 + R + N, D] =
  [cls, ..reg, ..patch]
fn parts[D, R, N](x: f32[1 + R + N, D]): f32[N + R, D] =
  let patch = for n: N, d. x[right n, d]
  let reg = for r: R, d. x[1 + r, d]
  [..patch, ..reg]
fn swap[A, B](x: f32[A + B]): f32[B + A] = [..for b. x[right b], ..for a. x[left a]]
fn nested[R, N](x: f32[1 + R + N]): f32[N] = for n. x[right right n]`;
    const program = accept(text);
    expect(
      ['parts', 'swap', 'nested'].map((n) => inferred(fnOf(program, n))).join('\n\n'),
    ).toMatchInlineSnapshot(`
      "(x: f32[1 + R + N, D]): f32[N + R, D]
      patch: f32[N, D]
      for n: N, d: D
      reg: f32[R, D]
      for r: R, d: D

      (x: f32[A + B]): f32[B + A]
      for b: B
      for a: A

      (x: f32[1 + R + N]): f32[N]
      for n: N"
    `);
  });

  test('explicit, named and default sizes; a strided, padded convolution', () => {
    const text = `type Conv[I, O, K] = { weight: f32[O, I, K, K], bias: f32[O] }
fn conv[I, O, K, H, W, S = 1, Z = 0](p: Conv[I, O, K], x: f32[I, S*H, S*W]): f32[O, H, W] =
  for o, y, u. p.bias[o]
    + sum i, a, b. p.weight[o, i, a, b] * (x[i, S*y + a - Z, S*u + b - Z] ?? 0)
fn use[H, W](p: Conv[3, 8, 3], x: f32[3, 2*H, 2*W]): f32[8, H, W] =
  let same = conv[Z = 1](p, x)
  let half = conv[S = 2, Z = 1](p, x)
  for o, y, u. half[o, y, u] + same[o, 2*y, 2*u + 1]`;
    expect(last(text)).toMatchInlineSnapshot(`
      "(p: Conv[3, 8, 3], x: f32[3, 2*H, 2*W]): f32[8, H, W]
      same: f32[8, 2*H, 2*W]
      conv[I=3, O=8, K=3, H=2*H, W=2*W, S=1, Z=1]
      half: f32[8, H, W]
      conv[I=3, O=8, K=3, H=H, W=W, S=2, Z=1]
      for o: 8, y: H, u: W"
    `);
  });

  test('omitted arguments of a type are taken by name', () => {
    const text = `type Joint[C, R, H] = { x: f32[C, H], z: f32[R, H] }
fn one[R, H](j: Joint[C = 4]): f32[R] = for r. sum h. j.z[r, h]
fn f[C, R, H](j: Joint, g: Joint -> Joint): f32[C] = for c. sum h. g(j).x[c, h]`;
    expect(last(text)).toMatchInlineSnapshot(`
      "(j: Joint[C, R, H], g: Joint[C, R, H] -> Joint[C, R, H]): f32[C]
      for c: C
      sum h: H"
    `);
  });
});

describe('facts', () => {
  test.each([
    ['half of an even size', 'fn f[D](x: f32[D]): f32[D/2] where D % 2 == 0 = for i: D/2. x[i]'],
    [
      'pairs of an even size',
      'fn f[D](x: f32[D]): f32[D] where D % 2 == 0 = for (i: D/2, j: 2). -x[(i, 1 - j)]',
    ],
    [
      'heads that divide',
      'fn f[D, H](x: f32[D]): f32[H, D/H] where D % H == 0 = for h, e. x[(h, e)]',
    ],
    ['a slice', 'fn f[K, L](x: f32[L]): f32[K] where K <= L = for i: K. x[i]'],
    ['a slice at the end', 'fn f[K, L](x: f32[L]): f32[K] where K <= L = for i: K. x[L - K + i]'],
    ['a chain', 'fn f[A, B, C](x: f32[C]): f32[A] where A <= B, B <= C = for i: A. x[i]'],
    ['a first element', 'fn f[N](x: f32[N]): f32 where N >= 1 = x[0]'],
    ['an equality', 'fn f[N, A, B](x: f32[N]): f32[A, B] where N == A*B = for a, b. x[(a, b)]'],
    ['a difference', 'fn f[A, B](x: f32[A]): f32[A - B] where B <= A = for i. x[B + i]'],
    ['an enclosing range is not empty', 'fn f[N](x: f32[N]): f32[N] = for i. x[i] - x[0]'],
    ['reversed', 'fn f[N](x: f32[N]): f32[N] = for i. x[N - 1 - i]'],
    ['floor and remainder', 'fn f[H](x: f32[H, 2]): f32[2*H] = for i. x[i // 2, i % 2]'],
    ['row-major by hand', 'fn f[H, W](x: f32[H*W]): f32[H, W] = for h, w. x[h*W + w]'],
    [
      'facts are passed on',
      `fn g[D](x: f32[D]): f32 where D % 2 == 0, D >= 1 = x[0]
fn f[H, E](x: f32[H*E]): f32 where E % 2 == 0, E >= 1, H >= 2 = g(x)`,
    ],
  ])('%s', (_, text) => {
    expect(last(text)).toMatchSnapshot();
  });
});

describe('numbers', () => {
  test.each([
    [
      'a literal takes the type of what it meets',
      'fn f(x: f32, i: i32, u: u32): f32 = f32(i + 1) * (x + 2) + f32(u * 3)',
    ],
    ['a name of a literal as well', 'fn f(x: f32): f32 =\n  let two = 2\n  two * x'],
    ['the start of a fold', 'fn f[N](x: f32[N]): f32 = fold s = 0 for i. s + x[i]'],
    ['sizes as values', 'fn f[N](x: f32[N]): f32 = (sum i. x[i]) / N + sqrt(N) + f32(N // 2)'],
    ['indices as numbers', 'fn f[N](): f32[N] = for i. f32(i) / N + f32(i + 1)'],
    [
      'comparisons of indices',
      'fn f[N](): f32[N, N] = for i, j. f32(i == j) + (if i < j + 1 then 1 else 0)',
    ],
    ['powers', 'fn f(x: f32): f32 = x^2 + x^0.5 + 2^x + x^-1'],
    [
      'two of one kind',
      'fn f(x: f32, i: i32): f32 = max(x, 0) + f32(min(i, 3)) + abs(x) + f32(abs(i))',
    ],
    [
      'casts',
      'fn f(x: f32, b: bool): f32 = f32(i32(x)) + f32(u32(x)) + f32(b) + f32(bool(x)) + f16(x) + bf16(x)',
    ],
    [
      'a top-level value',
      'let half: f32 = 1 / 2\nlet steps: f32[4] = for i. f32(i) * half\nfn f(): f32 = steps[3]',
    ],
  ])('%s', (_, text) => {
    accept(text);
  });
});

describe('indices from data', () => {
  test.each([
    ['a label', 'fn f[K, D](table: f32[K, D], label: idx[K]): f32[D] = table[label]'],
    ['labels', 'fn f[B, K, D](table: f32[K, D], y: idx[K][B]): f32[B, D] = for b. table[y[b]]'],
    ['a wider table', 'fn f[K](table: f32[K + 1], y: idx[K]): f32 = table[y] + table[y + 1]'],
    ['argmax', 'fn f[N](x: f32[N], y: f32[N]): f32 where N >= 1 = y[argmax i. x[i]]'],
    [
      'clamp and wrap',
      'fn f[N](x: f32[N], a: i32): f32 where N >= 1 = x[clamp(a)] + x[wrap(a - 1)]',
    ],
    ['a random one', 'fn f[N](x: f32[N], k: key): f32 where N >= 1 = x[randint(k, 0)]'],
    ['random labels', 'fn f[B, K](k: key): idx[K][B] where K >= 1 = for b. randint(k, b)'],
    ['a literal', 'fn f(): idx[1000] = 999'],
    ['padding', 'fn f[N](x: f32[N]): f32[N] = for i. (x[i - 1] ?? 0) + (x[i + 1] ?? x[i])'],
    ['padded rows', 'fn f[T, D](x: f32[T, D]): f32[T, D] = for t. x[t - 1] ?? 0'],
  ])('%s', (_, text) => {
    accept(text);
  });
});

describe('records and trees', () => {
  test('literals, numeric labels, arrays of records', () => {
    const text = `${LINEAR}type Net[D, L] = { stem: Linear[D, D], blocks: { 0: Linear[D, D], 2: Linear[D, D] }[L] }
fn net[D, L](p: Net[D, L], x: f32[D]): f32[D] =
  fold h = linear(p.stem, x) for l. linear(p.blocks[l].2, linear(p.blocks[l].0, h))
fn init[D, L](k: key): Net[D, L] =
  let one = n -> { weight: for i: D, j: D. 0.02 * normal(split(k, n), (i, j)), bias: for _: D. 0.0 }
  { blocks: for l. { 2: initLinear(split(k, 1 + l)), 0: initLinear(split(k, 1 + L + l)) },
    stem: one(0) }
fn initLinear[I, O](k: key): Linear[I, O] = { weight: for o, i. normal(k, (o, i)), bias: for _. 0 }`;
    expect(inferred(fnOf(accept(text), 'net'))).toMatchInlineSnapshot(`
      "(p: Net[D, L], x: f32[D]): f32[D]
      fold l: L
      linear[I=D, O=D]
      linear[I=D, O=D]
      linear[I=D, O=D]"
    `);
  });

  test('each and reductions over any tree; fixed leaves', () => {
    const text = `type P[N] = { w: f32[N], fixed pos: i32[N], b: f32 }
fn sgd[S](p: S, g: S, lr: f32 = 0.1): S = each a, d in p, g. a - lr * d
fn norm[S](p: S): f32 = sqrt(sum a in p. a^2)
fn step[N](p: P[N], loss: P[N] -> f32): P[N] =
  let g = grad(loss, p)
  sgd(p, g, lr = 0.1 / norm(g))
fn positive[N](x: f32[N]): bool[N] = each a in x. a > 0
fn scaled[N](x: f32[N]): f32[N] = 2 * x + (each a in x. tanh(a))`;
    expect(inferred(fnOf(accept(text), 'step'))).toMatchInlineSnapshot(`
      "(p: P[N], loss: P[N] -> f32): P[N]
      g: P[N]
      sgd[S=P[N]]
      norm[S=P[N]]"
    `);
  });

  test('defaults, named arguments, defaults that mention parameters', () => {
    const text = `fn f(a: f32, b: f32 = 2 * a, c: f32 = a + b): f32 = a * b * c
fn g(x: f32): f32 = f(x) + f(x, 1) + f(x, c = 3) + f(c = 1, a = x, b = 2)`;
    accept(text);
  });
});

describe('functions', () => {
  test('generic in sizes, scalars and whole records', () => {
    const text = `type Pair[S] = { a: S, b: S }
fn both[S, T](f: S -> T, p: Pair[S]): Pair[T] = { a: f(p.a), b: f(p.b) }
fn use[N](p: Pair[f32[N]]): Pair[f32] = both(x -> sum i. x[i], p)
fn more(p: Pair[i32]): Pair[bool] = both(x -> x > 0, p)`;
    const program = accept(text);
    expect(inferred(fnOf(program, 'use'))).toMatchInlineSnapshot(`
      "(p: Pair[f32[N]]): Pair[f32]
      both[S=f32[N], T=f32]
      sum i: N"
    `);
    expect(inferred(fnOf(program, 'more'))).toMatchInlineSnapshot(`
      "(p: Pair[i32]): Pair[bool]
      both[S=i32, T=bool]"
    `);
  });

  test('a let-bound lambda serves several types', () => {
    const text = `fn f[N](x: f32[N], n: i32): f32[N] =
  let twice = a -> a + a
  let at = i -> x[i]
  for i. twice(at(i)) * f32(twice(n))`;
    accept(text);
  });

  test('functions in records, composition, built-in functions as values', () => {
    const text = `type Path = { alpha: f32 -> f32, sigma: f32 -> f32 }
fn linear(): Path = { alpha: t -> 1 - t, sigma: t -> t }
fn velocity(p: Path, x: f32, e: f32, t: f32): f32 =
  jvp(p.alpha, t, 1).tangent * x + jvp(p.sigma, t, 1).tangent * e
fn compose[A, B, C](f: A -> B, g: B -> C): A -> C = x -> g(f(x))
fn f(x: f32): f32 = velocity(linear(), x, x, 0.5) + compose(exp, tanh)(x)`;
    expect(last(text)).toMatchInlineSnapshot(`
      "(x: f32): f32
      velocity[]
      linear[]
      compose[A=f32, B=f32, C=f32]"
    `);
  });

  test('derivatives: nested, of records, custom', () => {
    const text = `fn hessian[N](f: f32[N] -> f32, x: f32[N]): f32[N, N] = for i. grad(y -> grad(f, y)[i], x)
fn relu(x: f32): f32 = max(x, 0)
derivative relu(x, dx) = if x > 0 then dx else 0
fn step[P, S](loss: (P, S) -> f32, p: P, data: S, lr: f32): { loss: f32, p: P } =
  let { value, gradient } = valueGrad(q -> loss(q, data), p)
  { loss: value, p: each a, g in p, gradient. a - lr * g }
fn product[N](f: f32[N] -> f32[N], x: f32[N], v: f32[N]): f32 =
  let { tangent } = jvp(f, x, v)
  let { gradient } = vjp(f, x, tangent)
  sum i. gradient[i] * stop(v[i]) * relu(x[i])
check gradient of relu
check products[N](x: f32[N]) where N <= 4 = product(y -> checkpoint(z -> z * z, y), x, x) > -1`;
    const program = accept(text);
    expect(program.checks.map((c) => `${c.name} ${c.what.k}`)).toEqual([
      'gradient of relu gradient',
      'products property',
    ]);
    expect(fnOf(program, 'relu').derivative?.tangents.map((t) => t.name)).toEqual(['dx']);
  });

  test('fold and scan carry any record', () => {
    const text = `fn euler[N, S](v: (S, f32) -> S, z0: S): S where N >= 1 =
  let h = 1 / N
  fold z = z0 for n: N.
    let t = f32(n) * h
    let k1 = v(z, t)
    let k2 = v(each a, b in z, k1. a + h * b, t + h)
    each a, p, q in z, k1, k2. a + h * (p + q) / 2
fn sums[N](x: f32[N]): { mean: f32[N], count: f32[N] } =
  let all = scan { s, n } = { s: 0, n: 0 } for i. { s: s + x[i], n: n + 1 }
  { mean: for i. all[i].s / all[i].n, count: for i. all[i].n }`;
    expect(last(text)).toMatchInlineSnapshot(`
      "(x: f32[N]): { mean: f32[N], count: f32[N] }
      all: { s: f32, n: f32 }[N]
      scan i: N
      for i: N
      for i: N"
    `);
  });
});

describe('modules', () => {
  test('types, functions and values of other files', () => {
    const program = accept(
      'import { net, half } from "./lib/net.tn"\nfn f[D](p: { weight: f32[D, D], bias: f32[D] }, x: f32[D]): f32[D] = half * net(p, x)',
      ['lib/base.tn', LINEAR],
      [
        'lib/net.tn',
        'import { Linear, linear } from "./base.tn"\nlet half: f32 = 0.5\nfn net[D](p: Linear[D, D], x: f32[D]): f32[D] = linear(p, linear(p, x))',
      ],
    );
    expect(program.files).toEqual(['lib/base.tn', 'lib/net.tn', 'main.tn']);
    expect([...program.fns.keys()]).toEqual(['lib/base.tn#linear', 'lib/net.tn#net', 'main.tn#f']);
  });
});
