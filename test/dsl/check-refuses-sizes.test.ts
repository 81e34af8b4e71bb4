/** Sizes and index ranges that do not fit, or cannot be known, each at its place. */
import { refuses } from './faults.ts';

const LINEAR = `type Linear[I, O] = { weight: f32[O, I], bias: f32[O] }
fn linear[I, O](p: Linear[I, O], x: f32[I]): f32[O] =
  for o. p.bias[o] + sum i. p.weight[o, i] * x[i]
`;

refuses('wrong size in a call', {
  'an argument of another size': `${LINEAR}
fn two[D, F](p: Linear[D, F], x: f32[F]): f32[F] =
  linear(p, ▸x)`,
  'a result of another size': `${LINEAR}
fn two[D, F](p: Linear[D, F], x: f32[D]): f32[D] =
  ▸linear(p, x)`,
  'a product of another size': `${LINEAR}
fn qkv[H, E](p: Linear[H*E, 3*(H*E)], x: f32[H*E]): f32[2*(H*E)] =
  ▸linear(p, x)`,
  'numbers that differ': `fn dot[N](x: f32[N], y: f32[N]): f32 = sum i. x[i] * y[i]
fn f(x: f32[3], y: f32[4]): f32 = dot(x, ▸y)`,
  'a number that does not divide': `fn firsts[N](x: f32[N*2]): f32[N] = for n. x[(n, 0)]
fn f(x: f32[7]): f32 = sum i. firsts(▸x)[i]`,
  'a size that may not divide': `fn firsts[N](x: f32[N*2]): f32[N] = for n. x[(n, 0)]
fn f[M](x: f32[M]): f32 = sum i. firsts(▸x)[i]`,
  'an explicit size against an argument': `fn g[N, M](x: f32[N, M]): f32 = sum i, j. x[i, j]
fn f(x: f32[3, 4]): f32 = g[3, 5](▸x)`,
  'a record of another size': `${LINEAR}
fn f[A, B](p: Linear[B, A], x: f32[A]): f32[B] =
  linear(p, ▸x)
fn g[A, B](p: Linear[A, B], q: Linear[A, B], x: f32[A]): f32[B] =
  linear(q, ▸linear(p, x))`,
  'inside a generic function': `fn both[S](f: S -> S, a: S): S = f(a)
fn f[N, M](x: f32[N]): f32[M] = ▸both(y -> y, x)`,
  'two modules away': `--- base.tn
type Linear[I, O] = { weight: f32[O, I] }
fn apply[I, O](p: Linear[I, O], x: f32[I]): f32[O] = for o. sum i. p.weight[o, i] * x[i]
--- middle.tn
import { Linear, apply } from "./base.tn"
type Mlp[D, F] = { up: Linear[D, F], down: Linear[F, D] }
fn mlp[D, F](p: Mlp[D, F], x: f32[D]): f32[D] = apply(p.up, apply(p.down, ▸x))
--- main.tn
import { Mlp, mlp } from "./middle.tn"
fn f[D](p: Mlp[D, 4*D], x: f32[2*D]): f32[D] = mlp(p, ▸x)`,
  'the two operands of an operator': `fn f[N, M](x: f32[N], y: f32[M]): f32[N] = x ▸+ y
fn g[N, M](x: f32[N, M], y: f32[M]): f32[N, M] = x ▸* y`,
  'a concatenation': `fn f[N](x: f32[N], y: f32): f32[N] = ▸[..x, y]`,
  'the carry of a fold that grows': `fn f[N](x: f32[N]): f32[N] = fold h = x for _: 3. ▸[..h, 1]`,
});

refuses('an index of one size in a dimension of another', {
  'two tensors in one sum': `fn f[N, M](x: f32[N], y: f32[M]): f32 = sum i. x[i] * y[▸i]`,
  'a transposed read': `fn f[N, M](x: f32[N, M]): f32[M, N] = for i, j. x[▸i, j]`,
  'a transposed weight': `fn f[N, M](x: f32[N], w: f32[M, N]): f32[M] = for m. sum n. w[n, ▸m] * x[n]`,
  'a range that is written': `fn f[N, M](x: f32[N]): f32[M] = for i: M. x[▸i]`,
  'an index from data': `fn f[K, N](table: f32[N], label: idx[K]): f32 = table[▸label]`,
  'a part of a product': `fn f[H, W](x: f32[H*W]): f32[W, H] = for w: W, h: H. x[(▸w, h)]
fn g[H, W](x: f32[H*W]): f32[H, W] = for h: H, w: W. x[(h, w)]`,
  'half of a size that has a third, too': `fn f[D](x: f32[D]): f32[D/2] where D % 2 == 0, D % 3 == 0 = for i. x[▸i]`,
  'inside a lambda': `fn map[N](f: f32[N] -> f32[N], x: f32[N]): f32[N] = f(x)
fn f[N, M](x: f32[N], w: f32[M]): f32[N] = map(y -> for i. y[i] * w[▸i], x)`,
  'in a step of a fold': `fn f[L, N](w: f32[N, L], x: f32[N]): f32[N] =
  fold h = x for l: L. for i. h[i] * w[l, ▸i]`,
});

refuses('an index that may leave its range', {
  'one beyond the end': `fn f[N](x: f32[N]): f32[N] = for i. x[▸i + 1]`,
  'before the beginning': `fn f[N](x: f32[N]): f32[N] = for i. x[▸i - 1]`,
  'a literal': `fn f(x: f32[6]): f32 = x[▸6]`,
  'the first of possibly none': `fn f[N](x: f32[N]): f32 = x[▸0]`,
  'an integer from data': `fn f[N](x: f32[N], i: i32): f32 = x[▸i]`,
  'behind the other part of a sum': `fn f[A, B](x: f32[A + B]): f32[B] = for b: B. x[▸A + b + 1]`,
  'a row-major index with the wrong stride': `fn f[H, W](x: f32[H*W]): f32[H, W] = for h: H, w: W. x[▸h*H + w]`,
  'remembered through a let': `fn f[N](x: f32[N]): f32[N] =
  for i.
    let next = i + 1
    x[▸next]`,
  'a window without padding': `fn f[N](x: f32[N], w: f32[3]): f32[N] = for i. sum k. w[k] * x[▸i + k]`,
  'a component of a tuple': `fn f[H, W](x: f32[H*W]): f32[H, W] = for h: H, w: W. x[(h, ▸w + 1)]`,
  'floor division': `fn f[N](x: f32[N]): f32[2*N] = for i. x[i // 2]
fn g[N](x: f32[N]): f32[2*N + 1] = for i. x[▸i // 2]`,
  'quotients whose bounds are not reached': `fn f[N](x: f32[N]): f32 = sum i: N. x[i // 2] + x[▸i * i // N] + x[i // 2 * 2] + x[i - i % 2]`,
  'a fact of a callee': `fn first[N](x: f32[N]): f32 where N >= 1 = x[0]
fn f[M](x: f32[M]): f32 = ▸first(x)
fn g(x: f32[0]): f32 = ▸first(x)`,
  'an inequality of a callee': `fn take[K, L](x: f32[L]): f32[K] where K <= L = for i: K. x[i]
fn f[A, B](x: f32[A]): f32[B] = ▸take(x)
fn g[A, B](x: f32[A + B]): f32[B] = take(x)`,
  'an empty range': `fn f[N](x: f32[N]): f32 = ▸max i. x[i]
fn g[N](x: f32[N]): f32 = ▸mean i. x[i]
fn h[N](x: f32[N]): f32[N] = for i. x[i] - (max j. x[j])`,
  'a size that may be negative': `fn f[A, B](x: f32[▸A - B]): f32 = sum i. x[i]
fn g[A, B](x: f32[A + B]): f32[A - B] where B <= A = for i: A - B. x[i]`,
  'a range that may be negative': `fn f[N](c: f32): f32[N] = [c, ..for ▸_. c]
fn g[N](c: f32): f32[N] where N >= 1 = [c, ..for _. c]`,
  'nothing to draw from or clamp to': `fn f[N](x: f32[N], k: key): f32 = x[▸randint(k, 0)]
fn g[N](x: f32[N], i: i32): f32 = x[▸clamp(i)] + (sum j. x[j] * x[wrap(i)])
fn h[N](x: f32[N], i: idx[N]): f32 = x[clamp(i + 1)] + x[0]`,
  'a number that becomes an index': `fn f(x: f32[4], i: idx[4], b: bool): f32 = x[if b then i else ▸4]
fn g(x: f32[4], i: idx[4], b: bool): f32 = x[if b then ▸2 + 2 else i]
fn h(x: f32[4], i: idx[4], b: bool): f32 = x[if b then 3 else i]`,
  'division by what may be 0': `fn f[N, K](x: f32[N], _y: f32[K]): f32[N] = for i. x[▸K * i // K] * x[N * i // N]
fn g[N](x: f32[2]): f32[N] = for i. x[i % 2] + x[▸i % N]`,
  'a size of a callee that may be negative': `fn g[N](x: f32[N + 1]): f32 = x[0]
fn f[M](x: f32[M]): f32 = ▸g(x)`,
});

refuses('a size with a lowercase name, once for all its uses', {
  'in a head': `fn f(x: f32[▸n], y: f32[n, ▸d]): f32[n] = for i. x[i] + sum j. y[i, j]`,
  'that exists in uppercase': `fn f[N](x: f32[N]): f32[▸n] = x`,
});

refuses('a size that cannot be inferred', {
  'two factors of one size': `fn heads[H, E](x: f32[H*E]): f32[H] = for h. sum e. x[(h, e)]
fn f[D](x: f32[D]): f32 = sum i. ▸heads(x)[i]`,
  'an index that is never used bare': `fn f[N](x: f32[2*N]): f32 = sum ▸i. x[clamp(2 * i)]`,
  'a size of the result only': `fn zeros[N](): f32[N] = for _. 0
fn f(): f32 = sum i. ▸zeros()[i]`,
  'a tuple over a size without a form': `fn f[A](x: f32[A]): f32 = sum ▸i, j. x[(i, j)]`,
  'an index that is not used': `fn f(): f32 = sum ▸i. 1`,
  'the kind of a random index': `fn f(k: key): f32 = f32(▸randint(k, 0))`,
  'sides of a dimension that is no sum': `fn f[N](x: f32[N]): f32 = sum i. x[▸left i]`,
});

refuses('sizes that are written wrongly', {
  'an unknown size': `fn f[N](x: f32[N, ▸M]): f32 = sum i, j. x[i, j]`,
  'an alias whose size is not in scope': `type Joint[C, H] = { x: f32[C, H] }
fn f[C](p: ▸Joint): f32 = sum a in p. a
fn g[C, H](p: Joint): f32 = sum a in p. a`,
  'too many sizes': `type L[I, O] = { x: f32[I, O] }
fn f[A](p: L[A, A, ▸A]): f32 = sum a in p. a`,
  'a name of a size that does not exist': `fn g[N, M](x: f32[N, M]): f32 = sum i, j. x[i, j]
fn f(x: f32[3, 4]): f32 = g[▸K = 2](x) + g[1, 2, ▸3](x)`,
  'half of what may be odd': `fn f[D](x: f32[D]): f32[▸D/2] = for i. x[i]`,
  'too large': `fn f(x: f32[▸9007199254740993]): f32 = 1
fn g[N](x: f32[N]): f32[▸(N + 1)^20 * (N + 1)^20] = zeros()
fn zeros[N](): f32[N] = for _. 0`,
  'a type where a size is needed': `fn f[S](a: S, x: f32[▸S]): f32 = sum i. x[i]`,
});
