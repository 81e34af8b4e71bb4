/** What programs mean: small texts, inputs and the values they must give, on the f64 interpreter. */
import { describe, expect, it } from 'vitest';
import { runSource } from './run-source.ts';

const iota = (n: number) => Array.from({ length: n }, (_, i) => i);

describe('indices', () => {
  it('reads products of sizes as pairs', () => {
    const text = `fn patchify[C, H, W, P](img: f32[C, H*P, W*P]): f32[H*W, P*P*C] =
  for (h, w), (i, j, c). img[c, (h, i), (w, j)]
fn back[C, H, W, P](x: f32[H*W, P*P*C]): f32[C, H*P, W*P] =
  for c, (h, i), (w, j). x[(h, w), (i, j, c)]
fn same[C, H, W, P](img: f32[C, H*P, W*P]): f32[C, H*P, W*P] = back[H = H, W = W, P = P](patchify[P = P](img))`;
    const sizes = { C: 2, H: 2, W: 3, P: 2 };
    expect(runSource(text, 'same', [iota(48)], sizes)).toEqual([iota(48)]);
    expect(runSource(text, 'patchify', [iota(48)], sizes)[0]!.slice(0, 8)).toEqual([
      0, 24, 1, 25, 6, 30, 7, 31,
    ]);
  });
  it('concatenates tensors and elements, and reads both sides', () => {
    const text = `fn cat[A, B](a: f32[A], b: f32[B], c: f32): f32[1 + A + B] = [c, ..a, ..b]
fn swap[A, B](x: f32[A + B]): f32[B + A] = [..(for b: B. x[right b]), ..(for a: A. x[left a])]`;
    expect(runSource(text, 'cat', [[1, 2], [3, 4, 5], [9]], { A: 2, B: 3 })).toEqual([
      [9, 1, 2, 3, 4, 5],
    ]);
    expect(runSource(text, 'swap', [[1, 2, 3, 4, 5]], { A: 2, B: 3 })).toEqual([[3, 4, 5, 1, 2]]);
  });
  it('gives the fallback outside a tensor', () => {
    const text = `fn shift[N](x: f32[N]): f32[N] = for i. x[i - 1] ?? 7
fn conv[H, A, S = 1, Z = 0](w: f32[A], x: f32[S*H]): f32[H] =
  for y: H. sum a. w[a] * (x[S*y + a - Z] ?? 0)`;
    expect(runSource(text, 'shift', [[1, 2, 3]], { N: 3 })).toEqual([[7, 1, 2]]);
    expect(
      runSource(
        text,
        'conv',
        [
          [1, 10, 100],
          [1, 2, 3, 4],
        ],
        { H: 2, A: 3, S: 2, Z: 1 },
      ),
    ).toEqual([[210, 432]]);
  });
  it('gives the fallback outside a tensor where the index is computed', () => {
    const text = `fn before[N, K](x: f32[K], y: idx[K][N]): f32[N] = for n. x[y[n] - 1] ?? 7
fn at[N, K](x: f32[K], y: i32[N]): f32[N] = for n. x[y[n]] ?? (x[0] ?? 7)
fn squares[N, K](x: f32[K], w: f32[N, K]): f32[N] = for n. (x[n*n - 1] ?? 7) + (w[n - 1, n*n - 1] ?? 0.5)
fn rows[N, K](t: { a: f32[2], b: f32 }[K], y: i32[N]): f32[N] =
  for n. sum v in (t[y[n]] ?? { a: for i. 0.5, b: 0.25 }). v`;
    expect(runSource(text, 'before', [iota(3), [0, 2, 1]], { N: 3, K: 3 })).toEqual([[7, 1, 0]]);
    const far = [-(2 ** 31), -1, 0, 2, 3, 2 ** 31 - 1];
    expect(runSource(text, 'at', [[4, 5, 6], far], { N: 6, K: 3 })).toEqual([[4, 4, 4, 6, 4, 4]]);
    expect(runSource(text, 'at', [[], far], { N: 6, K: 0 })).toEqual([[7, 7, 7, 7, 7, 7]]);
    expect(runSource(text, 'squares', [iota(4), iota(16)], { N: 4, K: 4 })).toEqual([
      [7.5, 0, 3 + 7, 7.5],
    ]);
    const trees = [
      [1, 2, 3, 4],
      [10, 20],
      [-1, 1, 2],
    ];
    expect(runSource(text, 'rows', trees, { N: 3, K: 2 })).toEqual([[1.25, 27, 1.25]]);
  });
  it('gathers by data-dependent indices', () => {
    const text = `fn rows[N, K, D](table: f32[K, D], y: idx[K][N]): f32[N, D] = for n, d. table[y[n], d]`;
    expect(runSource(text, 'rows', [iota(6), [2, 0]], { N: 2, K: 3, D: 2 })).toEqual([
      [4, 5, 0, 1],
    ]);
  });
});

describe('reductions', () => {
  it('reduces scalars, tensors and trees', () => {
    const text = `fn f[N, M](x: f32[N, M]): { s: f32[M], top: f32, where: idx[N*M], m: f32, p: f32 } where N >= 1, M >= 1 =
  { s: for j. sum i. x[i, j], top: max i, j. x[i, j], where: argmax (i, j). x[i, j],
    m: mean i, j. x[i, j], p: prod i. x[i, 0] }
fn norm[N](t: { a: f32[N], fixed b: f32, c: { d: f32 } }): f32 = sum v in t. v^2`;
    expect(runSource(text, 'f', [[1, 5, 3, 2]], { N: 2, M: 2 })).toEqual([
      [4, 7],
      [5],
      [1],
      [2.75],
      [3],
    ]);
    expect(runSource(text, 'norm', [[1, 2], [100], [3]], { N: 2 })).toEqual([[14]]);
  });
});

describe('steps', () => {
  it('folds and scans, also inside a for', () => {
    const text = `fn powers[N](x: f32): f32[N] = scan a = 1 for _: N. a * x
fn many[N, K](x: f32[N]): f32[N] = for n. fold a = 1 for _: K. a * x[n]
fn late[N, K](x: f32[N, K]): f32[N] = for n. fold a = 0 for k: K. a + x[n, k]
fn pair[K](): { a: f32, b: f32 } = fold { a, b } = { a: 0, b: 1 } for _: K. { a: b, b: a + b }`;
    expect(runSource(text, 'powers', [[2]], { N: 4 })).toEqual([[2, 4, 8, 16]]);
    expect(runSource(text, 'many', [[2, 3]], { N: 2, K: 3 })).toEqual([[8, 27]]);
    expect(runSource(text, 'late', [iota(6)], { N: 2, K: 3 })).toEqual([[3, 12]]);
    expect(runSource(text, 'pair', [], { K: 10 })).toEqual([[55], [89]]);
  });
  it('folds over an array of records', () => {
    const text = `type Layer[D] = { w: f32[D, D], b: f32[D] }
fn net[L, D](layers: Layer[D][L], x: f32[D]): f32[D] =
  fold h = x for l. for i. layers[l].b[i] + sum j. layers[l].w[i, j] * h[j]`;
    expect(runSource(text, 'net', [[2, 3], [1, 1], [1]], { L: 2, D: 1 })).toEqual([[10]]);
  });
});

describe('derivatives', () => {
  it('differentiates records, nested, and under a for', () => {
    const text = `fn f[N](x: f32[N]): f32 = sum i. x[i]^3
fn g[N](x: f32[N]): f32[N] = grad(f, x)
fn second[N](x: f32[N]): f32[N] = grad(y -> sum i. grad(f, y)[i]^2, x)
fn rows[N](x: f32[N]): f32[N] = for n. grad(u -> u^2 * x[n], x[n])
fn both[N](x: f32[N], v: f32[N]): { value: f32, tangent: f32 } = jvp(f, x, v)`;
    expect(runSource(text, 'g', [[1, 2]], { N: 2 })).toEqual([[3, 12]]);
    // f'' f' = 2 * 3x^2 * 6x = 36 x^3
    expect(runSource(text, 'second', [[1, 2]], { N: 2 })).toEqual([[36, 288]]);
    expect(runSource(text, 'rows', [[1, 2, 3]], { N: 3 })).toEqual([[2, 8, 18]]);
    expect(
      runSource(
        text,
        'both',
        [
          [1, 2],
          [1, 1],
        ],
        { N: 2 },
      ),
    ).toEqual([[9], [15]]);
  });
  it('stops, checkpoints and uses custom derivatives', () => {
    const text = `fn sq(x: f32): f32 = x * x
derivative sq(x, dx) = 10 * x * dx
fn a(x: f32): f32 = grad(sq, x)
fn b(x: f32): f32 = grad(y -> y * stop(y), x)
fn c[N](x: f32[N]): f32[N] = grad(y -> sum v in checkpoint(u -> each w in u. exp(w), y). v, x)
fn d[N](x: f32[N]): f32[N] = for n. grad(sq, x[n])`;
    expect(runSource(text, 'a', [[3]])).toEqual([[30]]);
    expect(runSource(text, 'b', [[3]])).toEqual([[3]]);
    expect(runSource(text, 'c', [[0, 1]], { N: 2 })).toEqual([[1, Math.E]]);
    expect(runSource(text, 'd', [[1, 2]], { N: 2 })).toEqual([[10, 20]]);
  });
  it('takes gradients of a host function by parameter', () => {
    const text = `fn loss[N](w: f32[N], x: f32[N]): f32 = (sum i. w[i] * x[i])^2`;
    const sizes = { N: 2 };
    expect(
      runSource(
        text,
        'loss',
        [
          [1, 2],
          [3, 4],
        ],
        sizes,
        { grad: ['w', 'x'] },
      ),
    ).toEqual([[121], [66, 88], [22, 44]]);
  });
});

describe('custom derivatives', () => {
  const f = (rule: string, more = '') => `fn half(x: f32): f32 = x / 2
derivative half(x, dx) = dx / 2
fn relu(x: f32): f32 = max(x, 0)
fn f(x: f32): f32 = x * x
derivative f(x, dx) = ${rule}
fn g(x: f32): f32 = grad(f, x)
fn h(x: f32): f32 = grad(g, x)
${more}`;
  it.each([
    '2 * x * dx * dx',
    '3',
    'dx + 1',
    'relu(dx)',
    'x / dx',
    'stop(dx)',
    'if dx > 0 then dx else 0',
    'fold t = dx for _: 3. t * dx',
    'fold t = 1 for _: 3. t + dx',
    '[x, 1.0][clamp(i32(dx))] * dx',
    'half(dx * dx)',
    'exp(0 * dx) - 1 + dx',
  ])('refuses a rule that is not linear in its tangents: %s', (rule) => {
    expect(() => runSource(f(rule), 'g', [[3]])).toThrow(/`f` is not linear in its tangents/);
  });
  it.each([
    '2 * x * dx',
    'x * dx + dx * x',
    '4 * half(x) * half(dx) * 2',
    'if x > 0 then 2 * x * dx else 0 - x * -dx * 2',
    'jvp(y -> y * y, x, dx).tangent',
    'vjp(y -> y * y, x, dx).gradient',
    'fold t = 0 for _: 4. t + 2 * half(half(x * dx))',
    '(sum i: 2. [dx, 0][i]) * x * 2 + half(half(x) - half(x)) * dx',
  ])('takes a linear rule, at every order: %s', (rule) => {
    expect(runSource(f(rule), 'g', [[3]])).toEqual([[6]]);
    expect(runSource(f(rule), 'h', [[3]])).toEqual([[2]]);
  });
});

describe('the rest', () => {
  it('evaluates top-level lets in f64 and folds conditions on sizes', () => {
    const text = `let table: f32[4] = for i. f32(i) / 3
fn at[N](): f32 = if N > 2 then table[1] else table[2]`;
    expect(runSource(text, 'at', [], { N: 3 })).toEqual([[1 / 3]]);
    expect(runSource(text, 'at', [], { N: 2 })).toEqual([[2 / 3]]);
  });
  it('draws the same numbers for the same key and counter', () => {
    const text = `fn u[N, M](k: key): f32[N, M] = for n, m. uniform(k, (n, m))
fn z[N](k: key): f32[N] = for n. normal(split(k, 1), n)
fn like(k: key, t: { a: f32[3], fixed b: f32 }): { a: f32[3], fixed b: f32 } = normalLike(k, t)`;
    const [u] = runSource(text, 'u', [[0, 42]], { N: 20, M: 50 });
    expect(new Set(u).size).toBe(1000);
    const mean = u!.reduce((a, b) => a + b) / 1000;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
    expect(runSource(text, 'u', [[0, 42]], { N: 1, M: 50 })[0]).toEqual(u!.slice(0, 50));
    const [z] = runSource(text, 'z', [[0, 42]], { N: 2000 });
    const s = z!.reduce((a, b) => a + b * b, 0) / 2000;
    expect(Math.abs(s - 1)).toBeLessThan(0.1);
    expect(runSource(text, 'like', [[0, 1], [0, 0, 0], [5]])[1]).toEqual([5]);
  });
  it('maps trees and takes functions', () => {
    const text = `fn twice[S](f: S -> S, x: S): S = f(f(x))
fn step[S](p: S, g: S, lr: f32): S = each a, b in p, g. a - lr * b
fn go[N](p: { w: f32[N], b: f32 }): { w: f32[N], b: f32 } = twice(q -> step(q, q, 0.5), p)`;
    expect(runSource(text, 'go', [[4, 8], [12]], { N: 2 })).toEqual([[1, 2], [3]]);
  });
  it('raises integers to powers, and sums over nothing', () => {
    const text = `fn a(n: i32): i32 = n^9 + n
fn b(): bool = 2^3^2 == 512
fn c(): f32 =
  let none: f32[0] = []
  sum i. none[i]`;
    expect(runSource(text, 'a', [[2]])).toEqual([[514]]);
    expect(runSource(text, 'b')).toEqual([[1]]);
    expect(runSource(text, 'c')).toEqual([[0]]);
  });
  it('takes sizes of zero', () => {
    const text = `fn f[A](x: f32[A], t: f32): { c: f32[A + A], s: f32 } =
  let c = if t > 0 then [..x, ..x] else [..(for i: A. 2 * x[i]), ..x]
  { c: c, s: sum i. c[i] }
fn g[A, B](x: f32[A, B]): f32[A*B] = for (i, j). 2 * x[i, j]
fn h[A, B](x: f32[A*B]): f32 = sum i: A, j: B. x[(i, j)]`;
    expect(runSource(text, 'f', [[], [1]], { A: 0 })).toEqual([[], [0]]);
    expect(runSource(text, 'f', [[3], [1]], { A: 1 })).toEqual([[3, 3], [6]]);
    expect(runSource(text, 'g', [[]], { A: 2, B: 0 })).toEqual([[]]);
    expect(runSource(text, 'h', [[]], { A: 0, B: 3 })).toEqual([[0]]);
  });
  it('refuses a program that explodes when specialised', () => {
    const fns = Array.from(
      { length: 30 },
      (_, i) => `fn a${i + 1}(x: f32): f32 = a${i}(x) + a${i}(x + 1)`,
    );
    const text = ['fn a0(x: f32): f32 = x', ...fns].join('\n');
    expect(() => runSource(text, 'a30', [[1]])).toThrow(/function calls/);
  });
});

describe('numbers and choices', () => {
  it('folds whole numbers as they are computed at run time: 32 bits, x // 0 = x', () => {
    const text = `fn made(): i32[6] = [2147483647 * 2147483647, 3^45, 2147483647 + 1, -(-2147483648), 5 // 0, 5 % 0]
fn run(a: i32, three: i32, one: i32, least: i32, zero: i32): i32[6] = [a * a, three^45, a + one, -least, 5 // zero, 5 % zero]
fn row(): i32[3] = for i. i32(i) * 65536 * 65536 + 2147483647
fn far(): u32[2] = [4294967295 * 4294967295, 3 - 5]`;
    const made = [[1, 155801427, -2147483648, -2147483648, 5, 0]];
    expect(runSource(text, 'made')).toEqual(made);
    expect(runSource(text, 'run', [[2147483647], [3], [1], [-2147483648], [0]])).toEqual(made);
    expect(runSource(text, 'row')).toEqual([[2147483647, 2147483647, 2147483647]]);
    expect(runSource(text, 'far')).toEqual([[1, 4294967294]]);
  });
  it('refuses a size that its type cannot hold', () => {
    const text = `fn n[N](): i32 = N
fn f[N](): f32 = N`;
    expect(runSource(text, 'n', [], { N: 2147483647 })).toEqual([[2147483647]]);
    expect(() => runSource(text, 'n', [], { N: 2147483648 })).toThrow(/up to 2147483647/);
    expect(runSource(text, 'f', [], { N: 2 ** 40 })).toEqual([[2 ** 40]]);
  });
  it('calls both functions of a choice on data, and takes one result', () => {
    const text = `type Path = { alpha: f32 -> f32, both: f32 -> { a: f32, b: f32[2] } }
fn line(): Path = { alpha: t -> 1 - t, both: t -> { a: t, b: [t, 1] } }
fn arc(): Path = { alpha: t -> cos(t), both: t -> { a: 2 * t, b: [3 * t, 2] } }
fn path(c: bool): Path = if c then line() else arc()
fn f(x: f32[2]): f32[2] = for i.
  let p = path(x[i] > 0)
  p.alpha(x[i]) + p.both(x[i]).b[0] * p.both(x[i]).a
fn g(x: f32[2]): f32[2] = for i. grad(path(x[i] > 0).alpha, x[i])
fn h[N](x: f32): f32 = (if N > 2 then line() else arc()).alpha(x)`;
    expect(runSource(text, 'f', [[2, -1]])).toEqual([[3, Math.cos(-1) + 6]]);
    expect(runSource(text, 'g', [[2, -1]])).toEqual([[-1, -Math.sin(-1)]]);
    expect(runSource(text, 'h', [[2]], { N: 3 })).toEqual([[-1]]);
  });
  it('compares keys by both words', () => {
    const text = `fn f(a: key, b: key): bool[4] = [a == b, a != b, split(a, 1) == split(a, 1), split(a, 1) == split(b, 1)]
fn g(a: key[2], b: key): bool[2] = a == b`;
    expect(
      runSource(text, 'f', [
        [1, 2],
        [1, 3],
      ]),
    ).toEqual([[0, 1, 1, 0]]);
    expect(
      runSource(text, 'f', [
        [1, 2],
        [1, 2],
      ]),
    ).toEqual([[1, 0, 1, 1]]);
    expect(
      runSource(text, 'g', [
        [1, 2, 3, 2],
        [1, 2],
      ]),
    ).toEqual([[1, 0]]);
  });
});

describe('sizes that a fact gives', () => {
  it('D % H == 0 makes D/H the quotient', () => {
    const text = `fn rows[D, H](x: f32[D]): f32[H, D/H] where D % H == 0 = for h, e. x[(h, e)]
fn odd[N](x: f32[3*N]): f32[N/2] where 3*N % 2 == 0 = for i. x[5*i]`;
    expect(runSource(text, 'rows', [iota(6)], { D: 6, H: 2 })).toEqual([iota(6)]);
    expect(runSource(text, 'odd', [iota(12)], { N: 4 })).toEqual([[0, 5]]);
    expect(() => runSource(text, 'rows', [iota(6)], { D: 6, H: 4 })).toThrow(/whole/);
    expect(() => runSource(text, 'rows', [[]], { D: 0, H: 0 })).toThrow(/does not exist/);
  });
  it('an equation between products makes their arrays one type', () => {
    const text = `fn quarter[H, W, Q](x: f32[H*W]): f32[4*Q] where H*W == 4*Q =
  let a = sum i: Q. x[4*i]
  for j. x[j] + a`;
    expect(runSource(text, 'quarter', [[1, 2, 3, 4, 5, 6, 7, 8]], { H: 2, W: 4, Q: 2 })).toEqual([
      [7, 8, 9, 10, 11, 12, 13, 14],
    ]);
  });
  it('a cast of what is known only later', () => {
    const text = `fn apply[S](f: S -> f32, x: S): f32 = f(x)
fn half(n: i32): f32 =
  let g = m -> f32(m) / 2
  let r = { f: g }
  apply(g, n) + r.f(n)`;
    expect(runSource(text, 'half', [[3]], {})).toEqual([[3]]);
  });
});
