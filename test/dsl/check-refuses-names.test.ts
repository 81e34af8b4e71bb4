/** Names that are unknown, taken, circular or unused, and brackets that are not closed. */
import { refuses } from './faults.ts';

refuses('an unknown name', {
  'a function': `fn softmax(x: f32): f32 = x
fn f(x: f32): f32 = ▸sofmax(x)`,
  'a value': `fn f(x: f32): f32 = x + ▸y`,
  'a type': `type Linear = f32
fn f(x: ▸Linaer): f32 = 1`,
  'a size in a fact, which then nothing follows from': `fn f[N](x: f32[N]): f32 where ▸M >= 1 = x[0]`,
  'several, each once': `fn f(x: f32): f32 = ▸aa(x) + ▸bb * x + (sum i: 3. ▸cc[i])`,
  'a name of another file': `--- base.tn
fn helper(x: f32): f32 = x
fn other(x: f32): f32 = x
--- main.tn
import { helper } from "./base.tn"
fn f(x: f32): f32 = helper(x) + ▸other(x)`,
  'not after the scope ends': `fn f[N](x: f32[N]): f32 = (sum i. x[i]) + f32(▸i)`,
  'nothing after a declaration with a syntax error': `fn broken▸(x: f32: f32 = x
fn f(x: f32): f32 = broken(x) + ▸nothing(x)`,
});

refuses('a name that is taken', {
  'two functions': `fn f(x: f32): f32 = x
fn ▸f(y: f32): f32 = y`,
  'two types': `type A = f32
type ▸A = i32
fn f(x: A): A = x`,
  'a built-in function': `fn ▸exp(x: f32): f32 = x`,
  'a parameter': `fn f(x: f32, ▸x: f32): f32 = x`,
  'a size': `fn f[N, ▸N](x: f32[N]): f32 = sum i. x[i]`,
  'a type by a size': `type N = f32
fn f[▸N](x: f32[N]): f32 = sum i. x[i]`,
  'an import': `--- base.tn
fn helper(x: f32): f32 = x
--- main.tn
import { helper } from "./base.tn"
fn ▸helper(x: f32): f32 = x`,
  'a derivative': `fn relu(x: f32): f32 = max(x, 0)
derivative relu(_x, dx) = dx
derivative ▸relu(_x, dx) = dx`,
});

refuses('recursion', {
  direct: `fn f(x: f32): f32 = ▸f(x - 1)`,
  mutual: `fn f(x: f32): f32 = g(x - 1)
fn g(x: f32): f32 = ▸f(x)`,
  'through three': `fn f(x: f32): f32 = g(x)
fn g(x: f32): f32 = h(x)
fn h(x: f32): f32 = ▸f(x)`,
  'by passing itself': `fn f(x: f32): f32 = grad(▸f, x)`,
  'of values': `let a: f32 = b + 1
let b: f32 = ▸a`,
  'a derivative that needs its own function': `fn hypot(x: f32, y: f32): f32 = sqrt(x * x + y * y)
derivative hypot(x, y, dx, dy) = (x * dx + y * dy) / ▸hypot(x, y)`,
  'in a generic function': `fn f[S](s: S, n: f32): S = if n > 0 then ▸f(s, n - 1) else s`,
  'of types': `type ▸A = { b: B }
type B = { a: A[2] }
fn f(a: A): f32 = 1`,
});

refuses('a cyclic import', {
  'of two files': `--- a.tn
import { g } from ▸"./main.tn"
fn h(x: f32): f32 = x
--- main.tn
import { h } from "./a.tn"
fn g(x: f32): f32 = h(x)`,
  'of itself': `--- main.tn
import { g } from ▸"./main.tn"
fn f(x: f32): f32 = x`,
  'of three files': `--- a.tn
import { g } from ▸"./main.tn"
fn x(y: f32): f32 = y
--- b.tn
import { x } from "./a.tn"
fn z(y: f32): f32 = x(y)
--- main.tn
import { z } from "./b.tn"
fn g(y: f32): f32 = z(y)`,
  'a missing file': `--- main.tn
import { z } from ▸"./b.tn"
fn g(y: f32): f32 = z(y)`,
  'a missing name': `--- b.tn
fn zz(y: f32): f32 = y
--- main.tn
import { ▸z } from "./b.tn"
fn g(y: f32): f32 = z(y)`,
});

refuses('an unused or shadowed binding', {
  'a let': `fn f(x: f32): f32 =
  let ▸y = x + 1
  x`,
  'a parameter': `fn f(x: f32, ▸y: f32): f32 = x
fn g(x: f32, _y: f32): f32 = x`,
  'an index': `fn f(): f32[3] = for ▸i: 3. 1
fn g(): f32[3] = for _: 3. 1`,
  'a size': `fn f[▸N](x: f32): f32 = x`,
  'a hidden let': `fn f(x: f32): f32 =
  let y = x + 1
  let ▸y = y + 1
  y`,
  'a hidden index': `fn f(x: f32[3, 3]): f32 = sum i. x[i, 0] + (sum ▸i. x[0, i])`,
  'a hidden parameter of a lambda': `fn f(x: f32): f32 = grad(▸x -> x * x, x)`,
  'an element of a tree': `fn f(t: { a: f32 }): { a: f32 } = each ▸a in t. 1`,
  'a part of a pattern': `fn f(t: { a: f32, b: f32 }): f32 =
  let { a, ▸b } = t
  a`,
});

refuses('what is hardly ever meant', {
  'a trailing term in a sum': `fn f[N](x: f32[N], mu: f32): f32 = sum i. x[i] - ▸mu
fn g[N](x: f32[N], mu: f32): f32 = sum i. (x[i] - mu)
fn h[N](x: f32[N], mu: f32): f32 = (sum i. x[i]) - mu`,
  'a key used twice': `fn f[N](k: key): f32[N] = for i. normal(k, i) + uniform(▸k, i)
fn g[N](k: key): f32[N] = for i. normal(split(k, 0), i) + uniform(split(k, 1), i)
fn h[N](k: key): f32[N] = for i. normal(split(k, 0), i) + uniform(▸k, i)
fn pairs[N](k: key): f32[N] = for i. normal(split(split(k, i), 0), 0) + uniform(split(split(k, i), 1), 0)
fn again[N](k: key): f32[N] = for i. normal(split(split(k, i), 0), 0) + uniform(split(▸k, i), 0)
fn either(k: key, x: f32): f32 = if x > 0 then normal(k, 0) else uniform(k, 0)`,
  'a permuted product': `fn f[H, W](x: f32[H*W]): f32[W*H] = ▸x
fn g[H, W](x: f32[H*W]): f32[W*H] = for (w, h). x[(h, w)]`,
});

refuses('unbalanced brackets', {
  'never closed': `fn f(x: f32): f32 = exp▸(x + 1`,
  'closed by another': `fn f(x: f32[3]): f32 = x[1▸)`,
  'never opened': `fn f(x: f32): f32 = x + 1▸)`,
  'a record': `fn f(x: f32): { a: f32 } = ▸{ a: x`,
  'a list of parameters': `fn f▸(x: f32: f32 = x`,
});
