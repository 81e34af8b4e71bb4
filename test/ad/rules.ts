/**
 * Functions with rules of their own beside the same functions without: `f` and `g` are equal, and so
 * must their derivatives be, to third order. The rules say what is true of the bodies.
 */
import { runSource } from '../elaborate/run-source.ts';

export type Row = { readonly name: string; readonly text: string };

const rows: Readonly<Record<string, string>> = {
  'a scalar': `fn own(x: f32): f32 = sin(x)
derivative own(x, dx) = cos(x) * dx
fn plain(x: f32): f32 = sin(x)
fn f(x: f32): f32 = own(x) * x
fn g(x: f32): f32 = plain(x) * x`,
  'inside a fold': `fn own(x: f32, y: f32): f32 = sin(x * y)
derivative own(x, y, dx, dy) = cos(x * y) * (y * dx + x * dy)
fn plain(x: f32, y: f32): f32 = sin(x * y)
fn f(x: f32): f32 = fold s = x for l: 4. own(s, x + f32(l))
fn g(x: f32): f32 = fold s = x for l: 4. plain(s, x + f32(l))`,
  'inside a sum, over sizes': `fn own[N](x: f32[N], y: f32): f32 = y * sum i. x[i]^3
derivative own(x, y, dx, dy) = dy * (sum i. x[i]^3) + y * 3 * sum i. x[i]^2 * dx[i]
fn plain[N](x: f32[N], y: f32): f32 = y * sum i. x[i]^3
fn f(x: f32): f32 = sum k: 3. own(for i: 4. x * f32(i) + f32(k), x)
fn g(x: f32): f32 = sum k: 3. plain(for i: 4. x * f32(i) + f32(k), x)`,
  'on a tangent inside another rule': `fn bil(x: f32, u: f32): f32 = u * sin(x)
derivative bil(x, u, dx, du) = du * sin(x) + u * cos(x) * dx
fn own(x: f32): f32 = 0 - cos(x)
derivative own(x, dx) = bil(x, dx)
fn f(x: f32): f32 = own(x) * x
fn g(x: f32): f32 = (0 - cos(x)) * x`,
  'on a tangent inside another rule, in a fold': `fn bil(x: f32, u: f32): f32 = u * sin(x)
derivative bil(x, u, dx, du) = du * sin(x) + u * cos(x) * dx
fn own(x: f32): f32 = 0 - cos(x)
derivative own(x, dx) = bil(x, dx)
fn f(x: f32): f32 = fold s = x for l: 3. own(s * x + f32(l))
fn g(x: f32): f32 = fold s = x for l: 3. 0 - cos(s * x + f32(l))`,
  'on tensors of tangents, reading what others read': `fn mix[N](x: f32[N], u: f32[N]): f32[N] = for i. u[i] * sin(x[i]) * sum j. x[j]
derivative mix(x, u, dx, du) = for i. du[i] * sin(x[i]) * (sum j. x[j])
  + u[i] * cos(x[i]) * dx[i] * (sum j. x[j]) + u[i] * sin(x[i]) * sum j. dx[j]
fn own[N](x: f32[N], w: f32[N]): f32 = sum i. w[i] * sin(x[i]) * sum j. x[j]
derivative own(x, w, dx, dw) = (sum i. mix(x, dw)[i])
  + sum i. w[i] * cos(x[i]) * dx[i] * (sum j. x[j]) + w[i] * sin(x[i]) * sum j. dx[j]
fn plain[N](x: f32[N], w: f32[N]): f32 = sum i. w[i] * sin(x[i]) * sum j. x[j]
fn f(t: f32): f32 = own(for i: 3. t + f32(i), for i: 3. t * t - f32(i))
fn g(t: f32): f32 = plain(for i: 3. t + f32(i), for i: 3. t * t - f32(i))`,
  'with a function that captured': `fn own(h: f32 -> f32, x: f32): f32 = h(x)^2
derivative own(h, x, dx) = 2 * h(x) * jvp(h, x, dx).tangent
fn plain(h: f32 -> f32, x: f32): f32 = h(x)^2
fn f(w: f32): f32 = own(y -> sin(y * w), 3)
fn g(w: f32): f32 = plain(y -> sin(y * w), 3)`,
  'with a function that captured what it is given': `fn own(h: f32 -> f32, x: f32): f32 = h(x)^2
derivative own(h, x, dx) = 2 * h(x) * jvp(h, x, dx).tangent
fn plain(h: f32 -> f32, x: f32): f32 = h(x)^2
fn f(w: f32): f32 = own(y -> sin(y * w) + w, w)
fn g(w: f32): f32 = plain(y -> sin(y * w) + w, w)`,
  'with a function in a record, that captured a function': `fn own(r: { a: f32, h: f32 -> f32 }): f32 = r.h(r.a) * r.a
derivative own(r, dr) = jvp(r.h, r.a, dr.a).tangent * r.a + r.h(r.a) * dr.a
fn plain(r: { a: f32, h: f32 -> f32 }): f32 = r.h(r.a) * r.a
fn f(w: f32): f32 =
  let inner: f32 -> f32 = y -> y * w
  own({ a: w, h: y -> sin(inner(y)) })
fn g(w: f32): f32 =
  let inner: f32 -> f32 = y -> y * w
  plain({ a: w, h: y -> sin(inner(y)) })`,
  'with a function that captured, in a fold': `fn own(h: f32 -> f32, x: f32): f32 = h(x)^2
derivative own(h, x, dx) = 2 * h(x) * jvp(h, x, dx).tangent
fn plain(h: f32 -> f32, x: f32): f32 = h(x)^2
fn f(w: f32): f32 = fold s = w for l: 3. own(y -> sin(y * s + f32(l)), w)
fn g(w: f32): f32 = fold s = w for l: 3. plain(y -> sin(y * s + f32(l)), w)`,
  'with a record of tensors and whole numbers': `fn own[N](r: { a: f32[N], n: i32, b: f32 }): f32 = f32(r.n) * r.b * sum i. r.a[i]^2
derivative own(r, dr) = f32(r.n) * (dr.b * (sum i. r.a[i]^2) + r.b * 2 * sum i. r.a[i] * dr.a[i])
fn plain[N](r: { a: f32[N], n: i32, b: f32 }): f32 = f32(r.n) * r.b * sum i. r.a[i]^2
fn f(x: f32): f32 = own({ a: for i: 3. x * f32(i), n: 3, b: x })
fn g(x: f32): f32 = plain({ a: for i: 3. x * f32(i), n: 3, b: x })`,
  'with a default': `fn own(x: f32, scale: f32 = 3.0): f32 = scale * x^2
derivative own(x, scale, dx, dscale) = 2 * scale * x * dx + dscale * x^2
fn plain(x: f32, scale: f32 = 3.0): f32 = scale * x^2
fn f(x: f32): f32 = own(x) + own(x, x)
fn g(x: f32): f32 = plain(x) + plain(x, x)`,
  'with a fixed parameter before the others': `fn own(c: { fixed s: f32 }, x: f32): f32 = c.s * x^2
derivative own(c, x, dx) = 2 * c.s * x * dx
fn plain(c: { fixed s: f32 }, x: f32): f32 = c.s * x^2
fn f(x: f32): f32 = own({ s: 2.5 }, x * x)
fn g(x: f32): f32 = plain({ s: 2.5 }, x * x)`,
  'beside what a stopped record captured': `fn make(w: f32): { a: f32, h: f32 -> f32 } =
  let inner: f32 -> f32 = y -> y * w
  { a: w, h: y -> sin(inner(y)) + w }
fn f(x: f32): f32 = stop(make(x)).h(x) * x
fn g(x: f32): f32 = (sin(stop(x) * x) + stop(x)) * x`,
  'of any type, at one with numbers and at one without': `fn own[S](x: S): S = x
derivative own(x, dx) = dx
fn f(x: f32): f32 = own(x)^2 * f32(own(3)) * own({ a: x, n: 2 }).a
fn g(x: f32): f32 = x^2 * 3 * x`,
};

/** What is compared: values, both modes, mixtures, to third order. */
const derivatives = ['f', 'g']
  .map(
    (f) => `fn ${f}1(x: f32): f32 = grad(${f}, x)
fn ${f}2(x: f32): f32 = jvp(${f}1, x, 1.0).tangent
fn ${f}2r(x: f32): f32 = grad(${f}1, x)
fn ${f}f(x: f32): f32 = jvp(${f}, x, 1.0).tangent
fn ${f}fr(x: f32): f32 = grad(${f}f, x)
fn ${f}ff(x: f32): f32 = jvp(${f}f, x, 1.0).tangent
fn ${f}All(x: f32): f32[9] =
  [${f}(x), ${f}1(x), ${f}f(x), ${f}2(x), ${f}2r(x), ${f}fr(x), ${f}ff(x), grad(${f}2r, x), grad(${f}ff, x)]`,
  )
  .join('\n');

export const rules: readonly Row[] = Object.entries(rows).map(([name, text]) => ({
  name,
  text: `${text}\n${derivatives}\nfn main(x: f32): { f: f32[9], g: f32[9] } = { f: fAll(x), g: gAll(x) }\n`,
}));

/** Where the derivatives of `f` are not those of `g`; nothing, and no derivative is 0. */
export function differences(text: string): readonly string[] {
  return [0.7, -1.3].flatMap((x) => {
    const [f, g] = runSource(text, 'main', [[x]]) as [number[], number[]];
    return f.flatMap((v, i) => {
      const w = g[i]!;
      const near = w !== 0 && Math.abs(v - w) <= 1e-9 * (1 + Math.abs(w));
      return near ? [] : [`derivative ${i} at ${x} is ${v}, without the rule ${w}`];
    });
  });
}
