/**
 * Numbers to run programs with in place of f32: the integers modulo a prime, in which sums and
 * products are exact and may be taken in any order, and what has no algebra (exp, a comparison, a
 * rounding) is a fixed function that mixes its arguments. Two programs that agree on all fields of
 * this kind do the same operations on the same operands up to reassociation; that they agree on
 * random inputs of one of them and differ elsewhere has a chance of about 1e-7 for each cell
 * (Schwartz and Zippel; random interpretation, Gulwani and Necula 2003).
 *
 * Invariant: a value is a whole number of least magnitude in its class. The two ends stand for the
 * infinities, so that they are the neutral elements of min and max and negate to each other.
 */
import { castTo, type ScalarRule, scalarRule } from '../../core/scalar.ts';
import type { Dtype, Prim, ReduceOp } from '../../core.ts';

/** The largest prime below 2^26: a product of two values is exact in f64. */
const prime = 67_108_859;
const end = (prime - 1) / 2;

/** The value of least magnitude congruent to an exact integer. */
export function residue(v: number): number {
  const r = v % prime;
  return (r > end ? r - prime : r < -end ? r + prime : r) + 0;
}

const product = (x: number, y: number): number => residue(x * y);

function power(base: number, n: number): number {
  let out = 1;
  for (let b = base, k = n; k > 0; k = Math.floor(k / 2), b = product(b, b))
    if (k % 2 === 1) out = product(out, b);
  return out;
}

const half = (prime + 1) / 2;

/** A constant: every finite f64 is a whole number times a power of two, and so has a class. */
export function ofNumber(v: number): number {
  if (Number.isNaN(v)) return mixed(v, 97, 0);
  if (!Number.isFinite(v)) return v > 0 ? end : -end;
  let [whole, twos] = [v, 0];
  for (; Math.abs(whole) > Number.MAX_SAFE_INTEGER; whole /= 2) twos++;
  for (; !Number.isInteger(whole); whole *= 2) twos--;
  return product(residue(whole), power(twos < 0 ? residue(half) : 2, Math.abs(twos)));
}

/** A fixed function of two values that has no algebra. */
function mixed(x: number, y: number, salt: number): number {
  let h = Math.imul((x | 0) ^ Math.imul(salt + 1, 0x9e3779b9), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15) ^ Math.imul(y | 0, 0xc2b2ae35), 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 13), 0x165667b1);
  return residue(h ^ (h >>> 16));
}

const opaque =
  (salt: number): ScalarRule =>
  ([x = 0, y = 0]) =>
    mixed(x, y, salt);

/** What becomes of primitives on f32; the others are those of whole numbers and of bools. */
const rules: Readonly<Partial<Record<Prim, ScalarRule>>> = {
  add: ([x, y]) => residue(x! + y!),
  sub: ([x, y]) => residue(x! - y!),
  mul: ([x, y]) => product(x!, y!),
  // A product with a value of the divisor's own, so that quotients with one divisor add up.
  div: ([x, y]) => product(x!, mixed(y!, 0, 2)),
  neg: ([x]) => residue(-x!),
  isfinite: ([x]) => (Math.abs(x!) === end ? 0 : 1),
  idiv: opaque(3),
  mod: opaque(4),
  pow: opaque(5),
  abs: opaque(6),
  sign: opaque(7),
  floor: opaque(8),
  ceil: opaque(9),
  round: opaque(10),
  exp: opaque(11),
  log: opaque(12),
  sqrt: opaque(13),
  sin: opaque(14),
  cos: opaque(15),
  tanh: opaque(16),
  erf: opaque(17),
  f16: opaque(18),
  bf16: opaque(19),
};

/** Few whole numbers, around 0: they become indices by being clamped or wrapped. */
const fewWhole = 29;

function cast(v: number, t: Dtype, from: Dtype): number {
  if (from === 'f32' && (t === 'i32' || t === 'u32')) {
    const n = ((mixed(v, 0, 1) % fewWhole) + fewWhole) % fewWhole;
    return t === 'i32' ? n - 9 : n;
  }
  if (t === 'f32' && from !== 'f32') return residue(v);
  return castTo(t, from, v);
}

/** The meaning of a primitive at these types. */
export function meaning(op: Prim, t: Dtype, from: Dtype): ScalarRule {
  if (op === 'cast') return ([v]) => cast(v!, t, from);
  const own = from === 'f32' ? rules[op] : undefined;
  return own ?? scalarRule[op];
}

/** A constant of a type. */
export const literal = (t: Dtype, v: number): number => (t === 'f32' ? ofNumber(v) : v);

// ---------------------------------------------------------------- reductions

const greatest: Readonly<Record<Dtype, number>> = {
  f32: end,
  i32: 2147483647,
  u32: 4294967295,
  bool: 1,
  int: Number.MAX_SAFE_INTEGER,
};
const least: Readonly<Record<Dtype, number>> = {
  f32: -end,
  i32: -2147483648,
  u32: 0,
  bool: 0,
  int: Number.MIN_SAFE_INTEGER,
};

/** How values of type t are reduced: what none of them give, and how one more joins. */
export function reducing(
  op: Exclude<ReduceOp, 'argmax' | 'argmin'>,
  t: Dtype,
): { readonly none: number; readonly join: (acc: number, v: number) => number } {
  const by = (p: Prim) => {
    const f = meaning(p, t, t);
    return (acc: number, v: number): number => f([acc, v], t, t);
  };
  switch (op) {
    case 'sum':
      return { none: 0, join: by('add') };
    case 'prod':
      return { none: 1, join: by('mul') };
    case 'max':
      return { none: least[t], join: by('max') };
    case 'min':
      return { none: greatest[t], join: by('min') };
    case 'all':
      return { none: 1, join: by('and') };
    case 'any':
      return { none: 0, join: by('or') };
  }
}

/** Inputs to run with: any value for f32, and whole numbers as the host gives them. */
export function sample(t: Dtype, words: number, bound: number | undefined, seed: number) {
  return Float64Array.from({ length: words }, (_, i) => {
    const v = mixed(i + 1, seed + 1, 40);
    if (t === 'f32') return v;
    const below = bound ?? (t === 'bool' ? 2 : 13);
    const n = Math.abs(v) % Math.max(1, below);
    return bound === undefined && t === 'i32' ? n - 5 : n;
  });
}
