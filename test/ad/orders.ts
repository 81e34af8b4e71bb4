/**
 * Derivatives to fourth order, in every mixture of both modes, of functions whose rules are not their
 * derivatives: only where every rule is kept, in calls inside other rules too, do all of them give the
 * same number.
 */
import { runSource } from '../elaborate/run-source.ts';

const rules = `fn gate(x: f32, u: f32): f32 = u * floor(2 * x + 0.0371)
derivative gate(x, u, dx, du) = du * floor(2 * x + 0.0371) + u * dx

fn half(x: f32): f32 = x * x / 2
derivative half(x, dx) = gate(x, dx)

fn pair(x: f32, u: f32): { v: f32, w: f32 } = { v: cos(x) * u, w: cos(x) }
derivative pair(x, u, dx, du) = { v: 3 * cos(x) * du - x * dx * u, w: -2 * dx }

fn both(x: f32): f32 = sin(x)
derivative both(x, dx) = pair(x, dx).v * pair(x, dx).w

fn two(x: f32, u: f32): { v: f32, w: f32 } = { v: sin(x) * u, w: cos(x) * u }
derivative two(x, u, dx, du) = { v: sin(x) * du + 2 * x * dx * u, w: cos(x) * du + 5 * dx * u }

fn spread(x: f32): f32 = x
derivative spread(x, dx) =
  let t = two(x, dx)
  t.v + 3 * t.w

fn through(g: f32 -> f32, x: f32): f32 = g(x)
derivative through(g, x, dx) = 2 * jvp(g, x, dx).tangent

fn captured(x: f32): f32 = exp(x) / 4
derivative captured(x, dx) = through(y -> y * dx, cos(x)) + through(y -> gate(y, dx), x)

fn nested(x: f32): f32 = x^3
derivative nested(x, dx) = 3 * both(x) * gate(half(x), gate(x, dx))

fn folded(x: f32): f32 = x
derivative folded(x, dx) = fold s = dx for _: 3. s / 2 + gate(x, s)
`;

export const functions: Readonly<Record<string, string>> = {
  'a call on tangents': 'sin(half(x))',
  'results with and without tangents': 'x * both(x)',
  'two results on tangents': 'sin(spread(x))',
  'captured tangents': 'sin(captured(x))',
  'a call on the tangent of a call': 'cos(nested(x)) + nested(sin(x))',
  'a call in a fold': 'x * folded(half(x))',
  'a function that captured': 'through(y -> half(y) * x, sin(x)) * captured(x)',
};

const at = 1.3;

/** What the rules say, worked out by hand: the first derivative, the second, ... at the point of byMixture. */
export const byHand: readonly (readonly [body: string, slopes: readonly number[]])[] = [
  ['half(x)', [Math.floor(2 * at + 0.0371), 1, 0]],
  ['both(x)', [Math.cos(at) ** 2, -(at + 2) * Math.cos(at)]],
  ['spread(x)', [Math.sin(at) + 3 * Math.cos(at), 2 * at + 15, 2]],
  ['through(half, x)', [2 * Math.floor(2 * at + 0.0371), 2, 0]],
];

/** Mixtures of grad and jvp, the outermost first. */
const words = (n: number): string[] =>
  n === 0 ? [''] : words(n - 1).flatMap((w) => [`g${w}`, `j${w}`]);
const orders = 4;

function text(body: string): string {
  const lines = [`${rules}\nfn f(x: f32): f32 = ${body}`];
  const all = Array.from({ length: orders }, (_, n) => words(n + 1));
  for (const w of all.flat()) {
    const inner = w.length === 1 ? 'f' : `f_${w.slice(1)}`;
    const value = w.startsWith('g') ? `grad(${inner}, x)` : `jvp(${inner}, x, 1.0).tangent`;
    lines.push(`fn f_${w}(x: f32): f32 = ${value}`);
  }
  const results = all.map((l, n) => `d${n + 1}: [${l.map((w) => `f_${w}(x)`).join(', ')}]`);
  const types = all.map((l, n) => `d${n + 1}: f32[${l.length}]`);
  lines.push(`fn main(x: f32): { ${types.join(', ')} } = { ${results.join(', ')} }`);
  return `${lines.join('\n')}\n`;
}

/** By order, what each mixture gives; forward mode alone is the last. */
export const byMixture = (body: string): readonly (readonly number[])[] =>
  runSource(text(body), 'main', [[at]]);
