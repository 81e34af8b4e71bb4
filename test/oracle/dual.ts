/**
 * Forward derivatives by dual numbers, nested by tags (Siskind & Pearlmutter 2005): the derivatives of
 * the definitional interpreter, with nothing of compiler/ad in them.
 *
 * Invariant: a dual's parts hold smaller tags only, so a derivative never meets the perturbation of
 * another one; what has no derivative by definition (steps, comparisons, integers) takes numbers.
 */
import type { ScalarOp } from '../../dsl/typed.ts';
import { type Dtype, scalarOp } from './numbers.ts';

export type Dual = {
  readonly k: 'dual';
  readonly tag: number;
  readonly v: Num;
  readonly d: Num;
};
export type Num = number | Dual;

/** The number itself, without its perturbations. */
export function primal(x: Num): number {
  return typeof x === 'number' ? x : primal(x.v);
}

export const dual = (tag: number, v: Num, d: Num): Num => (d === 0 ? v : { k: 'dual', tag, v, d });
const tagOf = (x: Num): number => (typeof x === 'number' ? -1 : x.tag);

/** The parts of a number for a tag that none of its own exceeds. */
export const valueAt = (tag: number, x: Num): Num =>
  typeof x !== 'number' && x.tag === tag ? x.v : x;
export const tangentAt = (tag: number, x: Num): Num =>
  typeof x !== 'number' && x.tag === tag ? x.d : 0;

/**
 * `v` with `d` as one more tangent of a tag: either may be moved by larger tags, and `v` by the tag itself.
 */
export function withTangent(tag: number, v: Num, d: Num): Num {
  const top = outermost([v, d]);
  if (top <= tag) return dual(tag, valueAt(tag, v), add(tangentAt(tag, v), valueAt(tag, d)));
  const part = (of: (tag: number, x: Num) => Num) => withTangent(tag, of(top, v), of(top, d));
  return dual(top, part(valueAt), part(tangentAt));
}

export const add = (a: Num, b: Num): Num => apply('add', a, b);
export const mul = (a: Num, b: Num): Num => apply('mul', a, b);

/** The largest tag of some numbers; -1 when none is dual. */
export const outermost = (xs: readonly Num[]): number => Math.max(-1, ...xs.map(tagOf));

const apply = (op: ScalarOp, ...args: Num[]): Num => f32Op(op, 'f32', args);

/** How much each argument counts, at arguments without the tag; undefined where it never does. */
type Partials = (a: Num, b: Num) => readonly Num[];

const shares = (ahead: number, tied: boolean): readonly Num[] =>
  tied ? [0.5, 0.5] : ahead > 0 ? [1, 0] : [0, 1];

const smooth: Partial<Record<ScalarOp, Partials>> = {
  add: () => [1, 1],
  sub: () => [1, -1],
  mul: (a, b) => [b, a],
  div: (a, b) => [apply('div', 1, b), apply('neg', apply('div', a, mul(b, b)))],
  pow: (a, b) => [
    primal(b) === 0 ? 0 : mul(b, apply('pow', a, apply('sub', b, 1))),
    mul(apply('pow', a, b), apply('log', a)),
  ],
  neg: () => [-1],
  // Of equals either has half.
  min: (a, b) => shares(primal(b) - primal(a), primal(a) === primal(b)),
  max: (a, b) => shares(primal(a) - primal(b), primal(a) === primal(b)),
  abs: (a) => [Math.sign(primal(a))],
  exp: (a) => [apply('exp', a)],
  log: (a) => [apply('div', 1, a)],
  sqrt: (a) => [apply('div', 0.5, apply('sqrt', a))],
  sin: (a) => [apply('cos', a)],
  cos: (a) => [apply('neg', apply('sin', a))],
  tanh: (a) => {
    const t = apply('tanh', a);
    return [apply('sub', 1, mul(t, t))];
  },
  erf: (a) => [mul(2 / Math.sqrt(Math.PI), apply('exp', apply('neg', mul(a, a))))],
  // Rounding is passed through, as a cast is.
  f32: () => [1],
  f16: () => [1],
  bf16: () => [1],
};

/** An operator with an f32 result; `from` is the type of its first argument. */
export function f32Op(op: ScalarOp, from: Dtype, args: readonly Num[]): Num {
  const tag = from === 'f32' ? outermost(args) : -1;
  const partials = smooth[op];
  if (tag < 0 || partials === undefined) return scalarOp(op, 'f32', from, args.map(primal));
  const at = args.map((x) => valueAt(tag, x));
  const p = partials(at[0]!, at[1] ?? 0);
  const d = args.reduce<Num>((sum, x, i) => {
    const dx = tangentAt(tag, x);
    return dx === 0 || p[i] === 0 ? sum : add(sum, mul(p[i]!, dx));
  }, 0);
  return dual(tag, f32Op(op, from, at), d);
}
