/**
 * Numbers on which machines disagree, and what every primitive makes of them, written out once more:
 * whole numbers in BigInt, floats rounded once from f64. Nothing of core/scalar.ts is used here.
 */
import type { Dtype, Prim, Stored } from '../../compiler/core.ts';

const f = Math.fround;

/** Where 32 bits end, where f32 and f16 cease to be whole, and around zero. */
export const ints: readonly number[] = [
  0, 1, -1, 2, -2, 3, -3, 7, -7, 8, -8, 255, 65536, -65536, 4194304, -4194305, 16777217, 1073741824,
  2147483646, 2147483647, -2147483647, -2147483648, 12345,
];
export const words: readonly number[] = [
  0, 1, 2, 3, 7, 8, 255, 65536, 16777217, 2147483647, 2147483648, 2147483649, 4294967294,
  4294967295, 305419896,
];
export const floats: readonly number[] = [
  Number.NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  2 ** -149,
  -(2 ** -149),
  2 ** -130,
  2 ** -126,
  -(2 ** -126),
  f(1e-7),
  f(0.1),
  0.5,
  -0.5,
  1,
  -1,
  1.5,
  -1.5,
  2,
  -2,
  2.5,
  -2.5,
  3,
  -3,
  100,
  -100,
  8388607.5,
  8388609,
  16777216,
  2147483520,
  2147483648,
  -2147483648,
  -2147483904,
  4294967040,
  4294967296,
  65519,
  65520,
  -65520,
  f(1e20),
  f(-1e20),
  3.4028234663852886e38,
  -3.4028234663852886e38,
  f(3e-8),
];

export const bools: readonly number[] = [0, 1];
export const special: Readonly<Record<Stored, readonly number[]>> = {
  f32: floats,
  i32: ints,
  u32: words,
  bool: bools,
};

/** Those of which code is made for each pair with an operation: divisors, exponents, the ends. */
export const written: Readonly<Record<Stored, readonly number[]>> = {
  f32: [
    Number.NaN,
    Infinity,
    -Infinity,
    0,
    -0,
    2 ** -149,
    0.5,
    -0.5,
    1,
    -1,
    2,
    -2,
    3,
    -3,
    -8,
    2.5,
    3.4028234663852886e38,
  ],
  i32: [0, 1, -1, 2, -3, 7, 8, -8, 65536, 2147483647, -2147483647, -2147483648],
  u32: [0, 1, 3, 8, 65536, 2147483647, 2147483648, 4294967295],
  bool: bools,
};

// ---------------------------------------------------------------- whole numbers

type Whole = 'i32' | 'u32' | 'int';
const wrapped = (t: Whole, v: bigint): bigint =>
  t === 'i32' ? BigInt.asIntN(32, v) : t === 'u32' ? BigInt.asUintN(32, v) : v;
const floorDiv = (a: bigint, b: bigint): bigint => {
  const q = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? q - 1n : q;
};
const abs = (a: bigint): bigint => (a < 0n ? -a : a);

const wholeRules: Partial<Record<Prim, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  idiv: (a, b) => (b === 0n ? a : floorDiv(a, b)),
  mod: (a, b) => (b === 0n ? 0n : a - b * floorDiv(a, b)),
  min: (a, b) => (a < b ? a : b),
  max: (a, b) => (a > b ? a : b),
  neg: (a) => -a,
  abs: (a) => abs(a),
  sign: (a) => (a > 0n ? 1n : a < 0n ? -1n : 0n),
  stop: (a) => a,
};

// ---------------------------------------------------------------- floats

const minimum = (a: number, b: number): number => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  if (a === 0 && b === 0) return Object.is(a, -0) ? a : b;
  return a < b ? a : b;
};

/** Ties to even. */
const nearest = (a: number): number => {
  const low = Math.floor(a);
  if (!Number.isFinite(a) || low === a) return a;
  const up = a - low > 0.5 || (a - low === 0.5 && low % 2 !== 0);
  return up ? low + 1 || (a < 0 ? -0 : 0) : low || (a < 0 ? -0 : 0);
};

/** To so many bits of significand, the last of them worth at least `unit`; beyond `most` to infinity. */
const narrow = (a: number, bits: number, unit: number, most: number): number => {
  if (a === 0 || !Number.isFinite(a)) return a;
  let ulp = unit;
  while (ulp * 2 ** bits <= Math.abs(a)) ulp *= 2;
  const r = nearest(a / ulp) * ulp;
  return Math.abs(r) > most ? (a < 0 ? -Infinity : Infinity) : r;
};

/** erf by its integral: Simpson's rule, which is exact enough at a few hundred points. */
const erf = (x: number): number => {
  if (Number.isNaN(x) || x === 0) return x;
  if (Math.abs(x) > 6) return Math.sign(x);
  const n = 400;
  const h = x / n;
  const g = (t: number): number => Math.exp(-t * t);
  let s = g(0) + g(x);
  for (let i = 1; i < n; i++) s += (i % 2 ? 4 : 2) * g(i * h);
  return ((s * h) / 3) * (2 / Math.sqrt(Math.PI));
};

const floatRules: Partial<Record<Prim, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  // IEEE 754: JavaScript says NaN of 1 and -1 to what is infinite, and of 1 to NaN.
  pow: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  min: minimum,
  max: (a, b) => -minimum(-a, -b),
  neg: (a) => -a,
  abs: (a) => (a < 0 || Object.is(a, -0) ? -a : a),
  sign: (a) => (a > 0 ? 1 : a < 0 ? -1 : a),
  floor: (a) => (Number.isFinite(a) && a !== 0 ? Math.floor(a) : a),
  ceil: (a) => (Number.isFinite(a) && a !== 0 ? -Math.floor(-a) : a),
  round: nearest,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
  f16: (a) => narrow(a, 11, 2 ** -24, 65504),
  bf16: (a) => narrow(a, 8, 2 ** -133, 2 ** 128 - 2 ** 120),
  stop: (a) => a,
};

const tests: Partial<Record<Prim, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  and: (a, b) => a !== 0 && b !== 0,
  or: (a, b) => a !== 0 || b !== 0,
  not: (a) => a === 0,
  isfinite: (a) => a - a === 0,
};

/** What a primitive makes of numbers of one type; undefined where it does not take them. */
export function meaning(op: Prim, t: Dtype): ((a: number, b: number) => number) | undefined {
  const test = tests[op];
  if (test) return (a, b) => Number(test(a, b));
  if (t === 'f32') {
    const rule = floatRules[op];
    return rule && ((a, b) => f(rule(a, b)));
  }
  const rule = wholeRules[op];
  if (!rule || t === 'bool') return undefined;
  return (a, b) => Number(wrapped(t, rule(BigInt(a), BigInt(b))));
}

/** A cast: floats towards zero, within the type; whole numbers by their low bits. */
export function castMeaning(to: Dtype, from: Dtype, v: number): number {
  if (to === 'bool') return Number(v !== 0);
  if (to === 'f32') return f(v);
  if (from !== 'f32') return Number(wrapped(to, BigInt(v)));
  if (Number.isNaN(v)) return 0;
  const [lo, hi] = to === 'i32' ? [-2147483648, 2147483647] : [0, 4294967295];
  const whole = v < 0 ? -Math.floor(-v) : Math.floor(v);
  return (whole < lo ? lo : whole > hi ? hi : whole) + 0;
}

// ---------------------------------------------------------------- comparison

/** Functions that are approximated, at most so many units in the last place away. */
export const units: Partial<Record<Prim, number>> = {
  exp: 4,
  log: 4,
  sin: 4,
  cos: 4,
  tanh: 4,
  erf: 4,
  pow: 4,
};

/** Distance in units of the last place of `want`; Infinity where one of them is special and they differ. */
export function ulps(got: number, want: number): number {
  if (Object.is(got, want) || (Number.isNaN(got) && Number.isNaN(want))) return 0;
  if (got === 0 && want === 0) return Infinity;
  if (!Number.isFinite(want) || !Number.isFinite(got)) return Infinity;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(want) || 1e-46)), -126);
  return Math.abs(got - want) / 2 ** (exponent - 23);
}
