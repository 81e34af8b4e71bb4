/**
 * Proofs that do not go through, kind by kind: each of these programs was accepted once and read
 * outside, failed at run time, or gave a wrong value at sizes that its facts allow.
 */
import { refuses } from '../dsl/faults.ts';

const QUARTER = `fn quarter[D](x: f32[D]): f32[D/4] where D % 4 == 0 = for i. x[4*i]
`;
const HALF = `fn half[D](x: f32[D]): f32[D/2] where D % 2 == 0 = for i. x[2*i]
`;

refuses('an equation is used or reported, never dropped', {
  'the fact of a sum is known, its quarter is any size': `${QUARTER}
fn f[N, M](x: f32[N + 1]): f32[M] where N + 1 % 4 == 0 = ▸quarter(x)`,
  'of a product': `${HALF}
fn f[H, W, M](x: f32[H*W]): f32[M] where H*W % 2 == 0 = ▸half(x)`,
  'of two names': `${HALF}
fn f[H, W, M](x: f32[H + W]): f32[M] where H + W % 2 == 0 = ▸half(x)`,
  'of a difference': `${HALF}
fn f[N, M](x: f32[N]): f32[M] where N >= 3, N - 3 % 2 == 0 = ▸half(for i: N - 3. x[i])`,
  'a size given in brackets, and one that follows': `${HALF}
fn f[N, M](x: f32[N + 1]): f32[M] where N + 1 % 2 == 0 = ▸half[D = N + 1](x)`,
  'in a let that is not used': `${HALF}
fn f[N, M](x: f32[N + 1]): f32 where N + 1 % 2 == 0 =
  let y: f32[M] = ▸half(x)
  x[0]`,
  'through a record': `type Two[A, B] = { a: f32[A], b: f32[B] }
fn halves[D](x: f32[D]): Two[D/2, D] where D % 2 == 0 = { a: for i. x[2*i], b: x }
fn f[N, M](x: f32[N + 1]): Two[M, N + 1] where N + 1 % 2 == 0 = ▸halves(x)`,
  'the quotient of a product of its own': `fn f[H, W](x: f32[H*W]): f32[H*W/2] where H*W % 2 == 0 = for i. x[2*i]
fn g[H, W](x: f32[H*W]): f32[H*W/2] where H*W % 4 == 0 = f[H, W](x)
fn h[H, W](x: f32[H*W]): f32[H*W/2] where W % 2 == 0 = f[H, W](x)
fn k[H, W](x: f32[H*W]): f32[▸H*W/2] = for _. 0`,
  'a fact that no name is solved for': `fn pairs[H, W, Q](x: f32[H*W]): f32[Q] where H*W == 2*Q = for q: Q. x[wrap(2*q)]
fn f(): f32[7] = ▸pairs[3, 5](for i. f32(i))`,
  'an odd size never has a half': `${HALF}
fn f[N](x: f32[2*N + 1]): f32[N] = ▸half(x)`,
});

refuses('a product of indices has the sign of its factors', {
  'a quotient of a negative number': `fn f(x: f32[500]): f32[2, 7] = for i, j. x[▸i*((j - 3)//2)]`,
  'with parameters that are not used': `fn f(x: f32[500], _y: f32): f32[2, 7] = for i, j. x[▸i*((j - 3)//2)]`,
  'two of them': `fn f(x: f32[500]): f32[2, 7] = for i, j. x[▸(i - 1)//2 * ((j - 3)//2)]`,
  'a difference': `fn f(x: f32[500]): f32[2, 7] = for i, j. x[▸i*(j - 3)]`,
  'a remainder less one': `fn f(x: f32[500]): f32[2, 7] = for i, j. x[▸i*(j % 3 - 1)]`,
  'a square is not negative, but this is none': `fn f(x: f32[500]): f32[2, 7] = for i, j. x[▸(i - 1)*(j - 3) + 2]`,
  'under a size': `fn f[N, M](x: f32[N, N*M]): f32[N, M] = for i, j. x[i, ▸i*(j - 1)]`,
  'of three': `fn f(x: f32[500]): f32[2, 3, 4] = for i, j, k. x[▸i*j*(k - 1)]`,
  'the quotient by a size': `fn f[N](x: f32[N]): f32 = sum i: N. x[▸(0 - 1 - i)//N]`,
});

refuses('a size that is too large proves nothing', {
  'as an index': `fn f[N](x: f32[N]): f32 where N >= 1 =
  x[▸N*N*N*N*N*N*N*N*N*N*N*N*N*N*N*N*N*N*N*N*N*N*N*N*N]`,
  'against the parts of a tuple': `fn f[A, B, N](x: f32[N], y: f32[A^13], z: f32[B^13]): f32 =
  sum i, j. y[i] * z[j] * x[▸(i, j)]`,
  'in a fact of a callee': `fn g[N, M](x: f32[N], y: f32[M]): f32 where M >= N^20 = (sum i. x[i]) + y[0] ?? 0
fn f[N, M](x: f32[N], y: f32[M]): f32 where M >= 1 = g[N = ▸N^20*N^20](for i: 3. x[0] ?? 0, y)`,
  'as the range of an index': `fn f[N](x: f32[N]): f32 = sum i: ▸N^13*N^13. x[i] ?? 0`,
  'a coefficient beyond 2^53': `fn f[N](x: f32[N]): f32 = sum i: N. x[▸9007199254740993*i - 9007199254740992*i]`,
});

refuses('a fault in a default is the fault of the callee', {
  'a reduction over fixed leaves only': `type P = { fixed a: f32 }
fn g[S](x: S, n: f32 = 5 + prod v in x. v): f32 = n + sum v in x. v
fn h[S](x: S, n: f32 = x.▸a): f32 = n + sum v in x. v
fn main(): f32 =
  let p: P = { a: 3 }
  g(p)`,
  'a read outside': `fn g[N](x: f32[N], n: f32 = x[▸0]): f32 = n + sum i. x[i]
fn main(): f32 = g(for i: 0. f32(i))`,
  'a fact that is not stated': `fn top[N](x: f32[N]): f32 where N >= 1 = max i. x[i]
fn g[N](x: f32[N], n: f32 = ▸top(x)): f32[N] = for i. x[i] - n`,
  'the default of a size': `fn g[N, M = ▸N - 1](x: f32[N]): f32 = sum i: M. x[i] ?? 0`,
});

refuses('a remainder has a divisor of 1 and more, and is below it', {
  'heads that may be none': `fn byHeads[D, H](x: f32[D]): f32[H, D/H] where D % H == 0 = for h, e. x[(h, e)]
fn a[M](x: f32[6*M]): f32[M, 6] = ▸byHeads[H = M](x)`,
  'no heads': `fn byHeads[D, H](x: f32[D]): f32[H, D/H] where D % H == 0 = for h, e. x[(h, e)]
fn a(x: f32[0]): f32[0, 6] = ▸byHeads[H = 0](x)`,
  'a remainder that may be the divisor': `fn odd[N, K](x: f32[N]): f32 where N % K == 1 = sum i. x[i]
fn b[K](x: f32[K + 1]): f32 = ▸odd[K = K](x)`,
  'a remainder that is the divisor': `fn odd[N, K](x: f32[N]): f32 where N % K == 1 = sum i. x[i]
fn b(x: f32[7]): f32 = ▸odd[K = 1](x)`,
  'one that never is': `fn never[N](x: f32[N]): f32 where ▸N % 4 == 5 = sum i. x[i]
fn c(): f32 = never(for i: 9. f32(i))`,
  'of a size of the callee': `fn r[N, K, R](x: f32[N], y: f32[K], z: f32[R]): f32 where N % K == R = x[0] ?? 0 + y[0] + z[0] ?? 0
fn d[K](y: f32[K], z: f32[K]): f32 where K >= 1 = ▸r[N = K](y, y, z)`,
});

refuses('a divisor is not 0', {
  'of a size by itself': `fn f[K](x: f32[▸K/K]): f32 = sum i. x[i]`,
  'of a product by a factor': `fn f[H, W](x: f32[▸H*W/W]): f32 = sum i. x[i]`,
  'of a number': `fn f(x: f32[▸6/0]): f32 = sum i. x[i]`,
});

refuses('a size that a fact defines is not negative', {
  'asked of the caller': `fn g[D, A, B](x: f32[A]): f32[D] where D == A - B = for i: D. x[i]
fn f[N, M](x: f32[N]): f32 = sum v in ▸g[B = M](x). v`,
  'inferred from an argument': `fn g[D, A, B](x: f32[A], y: f32[B]): f32[D] where D == A - B = for i: D. x[i] + y[0] ?? 0
fn f[N, M](x: f32[N], y: f32[M]): f32 = sum v in ▸g(x, y). v`,
  numbers: `fn g[D, A, B](x: f32[A]): f32[D] where D == A - B = for i: D. x[i]
fn f(x: f32[3]): f32 = sum v in ▸g[B = 5](x). v`,
  'of a multiple': `fn g[D, A](x: f32[A]): f32[D] where 2*D == A - 4 = for i: D. x[i]
fn f[N](x: f32[2*N]): f32 = sum v in ▸g(x). v`,
  'two steps away': `fn g[D, A, B](x: f32[A]): f32[D] where D == A - B = for i: D. x[i]
fn h[D, A](x: f32[A]): f32[D] where A == D + 2 = g[B = 2](x)
fn f[N](x: f32[N]): f32 = sum v in ▸h(x). v`,
});

refuses('some reductions need an element, of trees too', {
  'max, min and mean': `fn main[N](x: f32[N]): f32 = ▸(max v in x. v) + ▸(min v in x. v) + ▸(mean v in x. v)`,
  'of integers': `fn main[N](n: i32[N]): i32 = ▸max v in n. v`,
  'of a record that may have none': `type P[A, B] = { a: f32[A], b: f32[B] }
fn main[A, B](p: P[A, B]): f32 where A >= 0 = ▸max v in p. v`,
  'in a generic function, at the call': `fn top[S](x: S): f32 = max v in x. v
fn f[N](x: f32[N]): f32 = ▸top(x)`,
  'two calls away': `fn top[S](x: S): f32 = max v in x. v
fn twice[S](x: S): f32 = top(x) + top(x)
fn f[N](x: f32[N, 2]): f32 = ▸twice(x)`,
});

refuses('a counter counts what was proved', {
  'a component inside that may be negative': `fn f[N](k: key): f32[N, 3] = for i, j. normal(k, (i, ▸j - 1))`,
  'one that data decides': `fn f[N](k: key, n: i32): f32[N] = for i. normal(k, (i, ▸n))`,
});

refuses('an idx of one size is not one of another', {
  'in either order of the arguments': `fn late[K](i: idx[K], x: f32[K]): f32 = x[i]
fn early[K](x: f32[K], i: idx[K]): f32 = x[i]
fn a(i: idx[5], x: f32[3]): f32 = early(x, ▸i)
fn b(i: idx[5], x: f32[3]): f32 = late(▸i, x)`,
  'of two, the larger': `fn both[K](i: idx[K], j: idx[K], x: f32[K]): f32 = x[i] + x[j]
fn a(i: idx[5], j: idx[3], x: f32[4]): f32 = both(▸i, j, x)
fn b(i: idx[3], j: idx[5], x: f32[4]): f32 = both(i, ▸j, x)`,
  'a draw has the range that is written': `fn main[N](k: key, x: f32[2]): f32[N] =
  for i.
    let n = randint[3](k, i)
    x[▸n]`,
});
