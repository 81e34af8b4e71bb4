/**
 * Meaning of the primitives on numbers: one row per primitive, total by type. The oracle for every
 * target and the constant folder's table.
 *
 * Values are f64: f32 is not rounded, i32 and u32 wrap at 32 bits and are exact, int is exact up to
 * 2^53, bool is 0 or 1.
 * The corners (division by zero, saturation, NaN, rounding) are those stated in prim.ts.
 */
import type { Dtype, Prim } from '../core.ts';
import { threefry } from './threefry.ts';

/** `t` is the node's dtype, `from` that of its first argument. */
export type ScalarRule = (a: readonly number[], t: Dtype, from: Dtype) => number;

/** Wraps an exact integer result to the dtype; leaves f32, int and bool. */
export function wrap(t: Dtype, v: number): number {
  return t === 'i32' ? v | 0 : t === 'u32' ? v >>> 0 : v;
}

const unary =
  (f: (x: number) => number): ScalarRule =>
  (a) =>
    f(a[0]!);
const wrapped =
  (f: (x: number, y: number) => number): ScalarRule =>
  (a, t) =>
    wrap(t, f(a[0]!, a[1]!));
const test =
  (f: (x: number, y: number) => boolean): ScalarRule =>
  (a) =>
    f(a[0]!, a[1]!) ? 1 : 0;

export const scalarRule: Readonly<Record<Prim, ScalarRule>> = {
  add: wrapped((x, y) => x + y),
  sub: wrapped((x, y) => x - y),
  mul: (a, t) => (t === 'f32' || t === 'int' ? a[0]! * a[1]! : wrap(t, Math.imul(a[0]!, a[1]!))),
  div: (a) => a[0]! / a[1]!,
  idiv: (a, t) => wrap(t, floorDiv(a[0]!, a[1]!)),
  mod: (a, t) => wrap(t, floorRem(a[0]!, a[1]!)),
  pow: (a) => power(a[0]!, a[1]!),
  neg: (a, t) => (t === 'f32' ? -a[0]! : wrap(t, -a[0]!)),
  eq: test((x, y) => x === y),
  ne: test((x, y) => x !== y),
  lt: test((x, y) => x < y),
  le: test((x, y) => x <= y),
  gt: test((x, y) => x > y),
  ge: test((x, y) => x >= y),
  and: test((x, y) => x !== 0 && y !== 0),
  or: test((x, y) => x !== 0 || y !== 0),
  not: (a) => (a[0] === 0 ? 1 : 0),
  min: (a) => Math.min(a[0]!, a[1]!),
  max: (a) => Math.max(a[0]!, a[1]!),
  abs: (a, t) => wrap(t, Math.abs(a[0]!)),
  sign: unary(Math.sign),
  floor: unary(Math.floor),
  ceil: unary(Math.ceil),
  round: unary(roundEven),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  erf: unary(erf),
  isfinite: (a) => (Number.isFinite(a[0]) ? 1 : 0),
  select: (a) => (a[0] !== 0 ? a[1]! : a[2]!),
  cast: (a, t, from) => castTo(t, from, a[0]!),
  f16: unary((x) => roundTo(x, half)),
  bf16: unary((x) => roundTo(x, brain)),
  stop: unary((x) => x),
  bits0: (a) => threefry(a[0]!, a[1]!, a[2]!, a[3]!)[0],
  bits1: (a) => threefry(a[0]!, a[1]!, a[2]!, a[3]!)[1],
};

/** IEEE 754's pow: 1 to any power is 1, and so is -1 to an infinite one. JavaScript says NaN. */
export function power(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

/** floor(x / y); x for y = 0. */
export function floorDiv(x: number, y: number): number {
  return y === 0 ? x : Math.floor(x / y);
}

/** The remainder of floorDiv, with the sign of y; 0 for y = 0. */
export function floorRem(x: number, y: number): number {
  return y === 0 ? 0 : x - y * Math.floor(x / y);
}

export function castTo(t: Dtype, from: Dtype, v: number): number {
  switch (t) {
    case 'f32':
    case 'int':
      return v;
    case 'bool':
      return v !== 0 ? 1 : 0;
    case 'i32':
      return from === 'f32' ? saturate(v, -2147483648, 2147483647) : v | 0;
    case 'u32':
      return from === 'f32' ? saturate(v, 0, 4294967295) : v >>> 0;
  }
}

/** Truncated towards zero and kept in range; NaN gives 0. */
export function saturate(v: number, lo: number, hi: number): number {
  return Number.isNaN(v) ? 0 : Math.trunc(Math.min(Math.max(v, lo), hi)) + 0;
}

/** To the nearest integer, ties to even. */
export function roundEven(x: number): number {
  const r = Math.round(x);
  return Math.abs(x % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

// ---------------------------------------------------------------- half and brain floats

/** Significand bits (with the implicit one), least exponent of a normal number, largest value. */
type Format = { readonly bits: number; readonly minExp: number; readonly max: number };
const half: Format = { bits: 11, minExp: -14, max: 65504 };
const brain: Format = { bits: 8, minExp: -126, max: 3.3895313892515355e38 };

/** The nearest value of the format, ties to even, gradual underflow, overflow to infinity. */
export function roundTo(x: number, f: Format): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const exp = Math.max(exponentOf(x), f.minExp);
  // Quotient and product are exact: the unit in the last place is a power of two.
  const ulp = 2 ** (exp - f.bits + 1);
  const r = roundEven(x / ulp) * ulp;
  return Math.abs(r) > f.max ? Math.sign(x) * Infinity : r;
}

const box = new DataView(new ArrayBuffer(8));
/** floor(log2 |x|) of a normal f64 number. */
function exponentOf(x: number): number {
  box.setFloat64(0, x);
  return ((box.getUint16(0) >>> 4) & 0x7ff) - 1023;
}

// ---------------------------------------------------------------- erf

const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/**
 * erf to f64 precision. Below 2.5 the series 2/sqrt(pi) exp(-x^2) sum 2^n x^(2n+1) / (2n+1)!! of
 * positive terms (DLMF 7.6.2); above, one minus the continued fraction of erfc (DLMF 7.9.1, taken
 * from the bottom).
 */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  if (a < 2.5) {
    const xx = 2 * x * x;
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
      term *= xx / (2 * n + 1);
      sum += term;
    }
    return twoOverRootPi * Math.exp(-x * x) * sum;
  }
  let f = a;
  for (let n = 60; n >= 1; n--) f = a + n / 2 / f;
  return Math.sign(x) * (1 - Math.exp(-a * a) / (f * Math.sqrt(Math.PI)));
}
