/** Types, fields, scalars, numbers and arguments that do not fit, each at its place. */
import { refuses } from './faults.ts';

refuses('a missing or unknown field', {
  'a literal that lacks one': `type P = { weight: f32, bias: f32 }
fn f(): P = ▸{ weight: 1 }`,
  'a literal with a misspelt one': `type P = { weight: f32, bias: f32 }
fn f(): P = { weight: 1, ▸bais: 2 }`,
  'a read of a misspelt one': `type P = { weight: f32, bias: f32 }
fn f(p: P): f32 = p.▸wieght + p.bias`,
  'an argument that lacks one': `type P = { weight: f32, bias: f32 }
fn g(p: P): f32 = p.weight * p.bias
fn f(q: { weight: f32 }): f32 = g(▸q) + g(▸{ bias: 1 })`,
  'a field of one record of an array': `type P = { weight: f32 }
fn f[L](ps: P[L]): f32 = ps.▸weight
fn g[L](ps: P[L]): f32 = sum l. ps[l].weight`,
  'a pattern': `fn f(p: { a: f32, b: f32 }): f32 =
  let { a, ▸c } = p
  a + c`,
  'a field of a number': `fn f(x: f32): f32 = x.▸weight`,
  'a numeric label': `type Seq = { 0: f32, 2: f32 }
fn f(s: Seq): f32 = s.0 + s.▸1 + s.2`,
  'deep inside, two modules away': `--- base.tn
type Linear = { weight: f32, bias: f32 }
--- middle.tn
import { Linear } from "./base.tn"
type Mlp = { fc1: Linear, fc2: Linear }
--- main.tn
import { Mlp } from "./middle.tn"
fn f(p: Mlp): f32 = p.fc1.weight + p.fc2.▸wait`,
  'trees of other structure': `fn f(a: { x: f32 }, b: { y: f32 }): { x: f32 } = each u, v in a, ▸b. u + v`,
  'fields in another order': `type P = { a: f32, b: f32 }
fn f(q: { b: f32, a: f32 }): P = ▸q
fn g(): P = { b: 1, a: 2 }`,
  'a field twice': `type P = { a: f32, ▸a: f32 }
fn f(): { b: f32 } = { b: 1, ▸b: 2 }`,
});

refuses('a non-scalar where a scalar is needed', {
  'a function of a tensor': `fn f[N](x: f32[N]): f32[N] = exp(▸x)`,
  'a sum of rows': `fn f[N, M](x: f32[N, M]): f32 = sum i. ▸x[i]`,
  'the result': `fn f[N](x: f32[N]): f32 = ▸x`,
  'a condition': `fn f[N](x: bool[N]): f32 = if ▸x then 1 else 2`,
  'an index': `fn f[N](x: f32[N], at: idx[N][3]): f32[3] = x[▸at]`,
  'an exponent': `fn f[N](x: f32[N]): f32[N] = x ^ ▸x`,
  'the body of each': `fn f[N](x: f32[N], w: f32[N]): f32[N] = each a in x. ▸w * a`,
  'an argument': `fn silu(x: f32): f32 = x / (1 + exp(-x))
fn f[N](x: f32[N]): f32[N] = silu(▸x)`,
  'a branch': `fn f(a: f32[3], b: f32): f32 = if b > 0 then 1.0 else ▸a`,
  'a record': `fn f(p: { a: f32 }): f32 = ▸p * 2
fn g(p: { a: f32 }): f32 = sqrt(▸p)`,
  'in a generic function': `fn scale[S](a: f32, s: S): S = a * ▸s`,
  'an extra index': `fn f[N](x: f32[N]): f32 = sum i, j: 3. x[i, ▸j]`,
});

refuses('numbers of another kind', {
  'an index in arithmetic of f32': `fn f[N](x: f32[N]): f32 = sum i. x[i] * ▸i`,
  'integer and f32': `fn f(a: i32, x: f32): f32 = a * ▸x`,
  'the slash of integers': `fn f(a: i32): f32 = f32(a ▸/ 2)`,
  'floor division of f32': `fn f(a: f32): f32 = a ▸// 2`,
  'a bool in arithmetic': `fn f(x: f32): f32 = (x > 0) ▸* x`,
  'comparing unlike things': `fn f(x: f32, k: i32): bool = x == ▸k`,
  'a number as condition': `fn f(x: f32): f32 = if ▸x then 1 else 2`,
  'logic on numbers': `fn f(x: f32): bool = ▸x and x > 0`,
  'a key is no number': `fn f(k: key): f32 = exp(▸k) + f32(▸k)`,
  'an index as result': `fn f[N](x: f32[N]): i32 where N >= 1 = ▸argmax i. x[i]`,
  'a quotient of sizes as an index': `fn f[D](x: f32[D]): f32[D/2] where D % 2 == 0 = for i: D/2. x[i + ▸D/2] + x[▸D/2]`,
  'a decimal index': `fn f(x: f32[3]): f32 = x[▸1.5]`,
});

refuses('a literal out of range', {
  'of i32': `fn f(x: i32): i32 = x + ▸3000000000`,
  'of i32, by one': `fn f(): i32 = ▸2147483648
fn g(): i32 = -2147483648
fn h(): i32 = ▸-2147483649`,
  'of u32': `fn f(x: u32): u32 = x + ▸4294967296`,
  'a negative u32': `fn f(x: u32): u32 = x + ▸-1`,
  'of f32': `fn f(x: f32): f32 = x * ▸1e39`,
  'of an index': `fn f(): idx[5] = ▸7`,
  'of an index in an argument': `fn g(i: idx[10], x: f32[10]): f32 = x[i]
fn f(x: f32[10]): f32 = g(9, x) + g(▸10, x)`,
  'of a default': `fn f(x: u32 = ▸-5): u32 = x`,
  'beyond exact numbers': `fn f(x: i32): i32 = x + ▸99999999999999999999`,
});

refuses('arguments', {
  'too few, too many, unknown, twice': `fn g(a: f32, b: f32 = 1): f32 = a + b
fn f(): f32 = ▸g() + g(1, 2, ▸3) + g(1, ▸c = 3) + g(1, ▸a = 3)`,
  'to something that is no function': `fn f(x: f32[3]): f32 = ▸x(1)`,
  'a reduction as a function': `fn f(x: f32[3]): f32 = ▸sum(x)`,
  'of a function value': `fn f(g: (f32, f32) -> f32): f32 = ▸g(1) + g(1, 2) + g(▸a = 1, 2)`,
  'of a built-in function': `fn f(x: f32): f32 = ▸exp(x, x) + min(1, 2) + ▸min(1)`,
  'a function of other parameters': `fn twice(f: f32 -> f32, x: f32): f32 = f(f(x))
fn f(x: f32): f32 = twice(▸(a, b) -> a + b, x) + twice(▸x, x) + twice(exp, x)`,
  'a function where data is needed': `fn g(x: f32): f32 = x
fn f(): f32 = g(▸a -> a) + g(▸g)`,
  'the wrong result of a lambda': `fn twice(f: f32 -> f32, x: f32): f32 = f(f(x))
fn f(x: f32): f32 = twice(a -> ▸a > 0, x)`,
});

refuses('places where a construct cannot stand', {
  'a tuple as a value': `fn f(x: f32): f32 = ▸(x, x)`,
  'a fallback without a read': `fn f[N](x: f32[N]): f32[N] = for i. ▸(x[i] * 2) ?? 0`,
  'left without an index': `fn f[N](x: f32[N]): f32[N] = for i. x[i] * ▸left i`,
  'an empty array': `fn f(): f32 = sum i. ▸[][i]
fn g(): f32[0] = []`,
  'a tensor of functions': `fn f(): f32 = (for _: 3. ▸x -> x)[0](1)`,
  'names and trees': `fn f(a: { x: f32 }): { x: f32 } = ▸each u, v in a. u + v`,
  'integer leaves': `fn f(a: { x: f32, n: i32 }): { x: f32, n: i32 } = each u in ▸a. u * 2
fn g(a: { x: f32, fixed n: i32 }): { x: f32, fixed n: i32 } = each u in a. u * 2`,
  'a lambda whose type nothing says': `fn f(): f32 =
  let h = { a: y -> ▸y + 1 }
  h.a(1)`,
  'a lambda passed for a type that is open itself': `fn curry[A, B](f: A -> B): A -> B = a -> f(a)
fn f(x: f32): f32 = curry(a -> exp(▸a))(x) + curry(b -> ▸b.c)(x) + curry(c -> sum i: 3. ▸c)(x)
fn g(x: f32): f32 = curry(a -> ▸a(1))(x) + curry(a -> (each v in ▸a. v)[0])(x) + curry(a -> ▸a[0])(x)`,
  'fixed and not fixed': `fn f(a: { x: f32 }): { fixed x: f32 } = ▸a`,
  'rows for numbers': `fn f(): f32[2] = ▸[[1, 2], [3, 4]]`,
  'elements of unlike types': `fn f(a: f32[3]): f32[4] = [..a, ▸a]`,
  'a spread scalar': `fn f(a: f32): f32[1] = [..▸a]`,
});
