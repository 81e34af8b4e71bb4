/** Derivatives of what has none, by what has none, and declarations that do not fit. */
import { refuses } from './faults.ts';

refuses('grad of a non-scalar', {
  'a tensor, by a lambda': `fn f[N](x: f32[N]): f32[N] = grad(y -> ▸y * y, x)`,
  'a tensor, by a function': `fn g[N](x: f32[N]): f32[N] = x
fn f[N](x: f32[N]): f32[N] = grad(▸g, x)`,
  'a bool': `fn f(x: f32): f32 = grad(y -> ▸y > 0, x)`,
  'a record': `fn f(x: f32): f32 = grad(y -> ▸{ a: y }, x)
fn g(x: f32): f32 = valueGrad(y -> ▸{ a: y }, x).gradient`,
  'a gradient of a gradient': `fn f[N](h: f32[N] -> f32, x: f32[N]): f32[N] = grad(y -> ▸grad(h, y), x)`,
  'in a block': `fn f[N](x: f32[N]): f32[N] =
  grad(y ->
    let z = y * 2
    ▸z, x)`,
  'of two parameters': `fn f(x: f32): f32 = grad(▸(a, b) -> a * b, x)`,
});

refuses('a derivative by something that is no f32', {
  'an integer': `fn f(x: i32): i32 = grad(y -> f32(y), ▸x)`,
  'a leaf': `fn f(x: { w: f32, n: i32 }): f32 = grad(y -> y.w * f32(y.n), ▸x).w`,
  'a leaf that is fixed': `fn f(x: { w: f32, fixed n: i32 }): f32 = grad(y -> y.w * f32(y.n), x).w`,
  labels: `fn f[N](y: idx[10][N]): idx[10][N] = grad(l -> sum i. f32(l[i]), ▸y)`,
  'a key': `fn f(k: key): key = grad(l -> normal(l, 0), ▸k)`,
  'through a generic function': `fn descend[P](f: P -> f32, p: P): P = each a, g in p, grad(f, p). a - g
fn f(x: { w: f32, n: i32 }): f32 = ▸descend(p -> p.w, x).w
fn g(x: { w: f32 }): f32 = descend(p -> p.w, x).w`,
  'through two generic functions': `fn inner[P](f: P -> f32, p: P): P = grad(f, p)
fn outer[Q](f: Q -> f32, q: Q): Q = inner(f, q)
fn f(x: { w: f32, n: u32 }): f32 = ▸outer(p -> p.w, x).w`,
  'a check': `fn f(k: i32): i32 = k
check gradient of ▸f`,
});

refuses('derivative declarations', {
  'too few names': `fn relu(x: f32, _n: i32): f32 = max(x, 0)
▸derivative relu(_x, dx) = dx`,
  'of no function': `▸derivative nothing(_x, dx) = dx`.replace(
    '▸derivative nothing',
    'derivative ▸nothing',
  ),
  'a tangent of another type': `fn relu(x: f32): f32 = max(x, 0)
derivative relu(_x, dx) = ▸[dx, dx]`,
  'of another file': `--- base.tn
fn relu(x: f32): f32 = max(x, 0)
--- main.tn
import { relu } from "./base.tn"
derivative ▸relu(_x, dx) = dx
fn f(x: f32): f32 = relu(x)`,
  'a check of no function': `fn f(x: f32): f32 = x
check gradient of ▸g`,
  'a tangent that is not used': `fn relu(x: f32): f32 = max(x, 0)
derivative relu(x, ▸dx) = x`,
});
