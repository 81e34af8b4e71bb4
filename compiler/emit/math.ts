/**
 * exp, log, sin, cos, tanh, erf, pow, half rounding and Threefry in primitive operations, at most
 * 4 units in the last place from the true value in f32 (pow: see there).
 *
 * The coefficients are weighted minimax fits of our own (Lawson's iteration in f64 over Chebyshev
 * nodes, each coefficient rounded to f32 before the next is fitted). Range reductions are the usual
 * ones: powers of two for exp and log, Cody and Waite's split pi/2 for sin and cos, whose error
 * grows beyond |x| of about 10,000.
 *
 * Invariant: NaN gives NaN, infinities give their limits, subnormals are ordinary numbers.
 */
import type { Prim } from '../core.ts';
import {
  abs,
  add,
  and,
  bits,
  div,
  eq,
  f,
  floor,
  i,
  type Low,
  type LowFn,
  type LowType,
  le,
  lt,
  mul,
  ne,
  nearest,
  neg,
  not,
  or,
  param,
  pmax,
  pmin,
  poly,
  select,
  shl,
  shr,
  sqrt,
  sub,
  to,
  u,
  whole,
  wholeBits,
  xor,
} from './low.ts';

const x = param(0);
const y = param(1);
const one = f(1);
const inf = f(Number.POSITIVE_INFINITY);
const nan = f(Number.NaN);

const signBit = (v: Low): Low => and(bits('u32', v), u(0x80000000));
/** |v| >= 0 with the sign of s. */
const withSign = (v: Low, s: Low): Low => bits('f32', or(bits('u32', v), signBit(s)));
/** The upper 12 bits of the significand: the products of two such numbers are exact. */
const top = (v: Low): Low => bits('f32', and(bits('u32', v), u(0xfffff000)));

// ---------------------------------------------------------------- exp

/** 2^n from n + 127 in the low bits, for -126 <= n <= 127. */
const pow2 = (biased: Low): Low => bits('f32', shl(biased, 23));
/** Twice the bias of an exponent. */
const TWICE = 254;

/** v = n ln 2 / by + r, and the bits of n + bias (which is even: note [Whole numbers]). */
function reduceExp(v: Low, by: 1 | 2, bias: number): { bits: Low; r: Low } {
  const t = mul(v, f(Math.LOG2E * by));
  const n = whole(t, bias);
  const r = sub(sub(v, mul(n, f(0.693359375 / by))), mul(n, f(-2.1219444e-4 / by)));
  return { bits: wholeBits(t, bias), r };
}

/**
 * e^(r + n ln 2) for |r| <= ln 2 / 2. In Horner's form r stays a factor of sums near 1: a product like
 * r * r would be subnormal, and slow, for the small r of a row of nearly equal scores.
 */
function scaleExp(r: Low, biased: Low): Low {
  const e = poly(
    r,
    [1, 1, 0.4999922811985016, 0.16667114198207855, 0.041890621185302734, 0.00831266213208437],
  );
  // In two factors, so that results below the normal range and just above 2^127 come out right.
  const half = shr(biased, 1);
  return mul(mul(e, pow2(half)), pow2(sub(biased, half)));
}

function exp(v: Low): Low {
  const { bits, r } = reduceExp(pmax(pmin(v, f(89)), f(-104)), 1, TWICE);
  return scaleExp(r, bits);
}

// ---------------------------------------------------------------- log

/** v = 2^e * (1 + f) with 1 + f in [sqrt 1/2, sqrt 2), for positive finite v. */
function split(v: Low): { e: Low; f: Low } {
  const tiny = lt(v, f(1.1754943508222875e-38));
  const w = select(tiny, mul(v, f(8388608)), v);
  const shifted = sub(bits('i32', w), i(0x3f3504f3));
  const e = sub(to('f32', shr(shifted, 23)), select(tiny, f(23), f(0)));
  const m = bits('f32', add(and(shifted, i(0x7fffff)), i(0x3f3504f3)));
  return { e, f: sub(m, one) };
}

const ln2hi = f(0.693359375);
const ln2lo = f(-2.1219444e-4);

/** log(1 + f) - f + f^2 / 2, through atanh. */
function logRest(g: Low, hfsq: Low): Low {
  const s = div(g, add(f(2), g));
  const z = mul(s, s);
  const q = poly(z, [0.6666677594184875, 0.3997757136821747, 0.2987135052680969]);
  return mul(s, add(hfsq, mul(z, q)));
}

function log(v: Low): Low {
  const { e, f: g } = split(v);
  const hfsq = mul(mul(f(0.5), g), g);
  const tail = add(logRest(g, hfsq), mul(e, ln2lo));
  const main = add(mul(e, ln2hi), sub(g, sub(hfsq, tail)));
  const finite = select(lt(v, inf), main, v);
  return select(lt(f(0), v), finite, select(eq(v, f(0)), f(Number.NEGATIVE_INFINITY), nan));
}

// ---------------------------------------------------------------- sin, cos

function sinCos(v: Low, quarter: number): Low {
  const n = nearest(mul(v, f(2 / Math.PI)));
  const r = [1.5703125, 4.837512969970703e-4, 7.549533620476723e-8, 2.5633105512e-12].reduce<Low>(
    (acc, part) => sub(acc, mul(n, f(part))),
    v,
  );
  const q = add(to('i32', n), i(quarter));
  const z = mul(r, r);
  const s = add(
    mul(mul(r, z), poly(z, [-0.16666655242443085, 0.008332188241183758, -0.00019518072076607496])),
    r,
  );
  const c = add(
    mul(mul(z, z), poly(z, [0.04166664555668831, -0.0013887309469282627, 2.4432338250335306e-5])),
    sub(one, mul(f(0.5), z)),
  );
  const value = select(eq(and(q, i(1)), i(0)), s, c);
  const flip = shl(and(q, i(2)), 30);
  const signed = bits('f32', xor(bits('i32', value), flip));
  // The differences above forget the sign of a zero.
  const odd = quarter === 0 ? select(eq(v, f(0)), v, signed) : signed;
  return select(lt(abs(v), inf), odd, nan);
}

// ---------------------------------------------------------------- tanh, erf

/** e^x - 1 = x + x^2 poly(x) for |x| <= ln 2 / 2, with its relative accuracy also near 0. */
const expm1Rest = [
  0.4999999701976776, 0.1666654646396637, 0.04166743531823158, 0.00836627371609211,
  0.0013870705151930451,
];

/** h / (h + 1) with h = (e^2|v| - 1) / 2, which keeps its relative accuracy near 0. */
function tanh(v: Low): Low {
  const { bits, r } = reduceExp(pmin(abs(v), f(9.5)), 2, 126);
  const rest = expm1Rest.map((c, k) => c * 2 ** (k + 2));
  const e = mul(poly(r, [2, ...rest]), r);
  // 2^(n - 1): half of what e is to be scaled by.
  const s = pow2(bits);
  const h = add(mul(s, e), sub(s, f(0.5)));
  return withSign(div(h, add(h, one)), v);
}

/** erf(x) = x + x * poly(x^2) for |x| < 0.9. */
export const erfSmall: readonly number[] = [
  0.12837915122509003, -0.37612515687942505, 0.11282084882259369, -0.026777280494570732,
  0.005009916145354509, -0.0006081067840568721,
];
/** -log(erfc(a)) / a, which is smooth, for a from 0.9 to 3.95; beyond, erf rounds to 1. */
export const erfTail: readonly number[] = [
  1.1286370754241943, 0.6351980566978455, 0.10615896433591843, -0.023694442585110664,
  0.0036102544981986284, -0.0003148278337903321, 1.0429015674162656e-5,
];

function erf(v: Low): Low {
  const a = abs(v);
  const z = mul(v, v);
  const small = add(mul(v, poly(z, erfSmall)), v);
  const c = pmin(a, f(3.95));
  const large = sub(one, exp(neg(mul(c, poly(c, erfTail)))));
  return select(lt(a, f(0.9)), small, withSign(large, v));
}

// ---------------------------------------------------------------- pow

/** a + b = s + e exactly (Knuth). */
function twoSum(a: Low, b: Low): [Low, Low] {
  const s = add(a, b);
  const bb = sub(s, a);
  return [s, add(sub(a, sub(s, bb)), sub(b, bb))];
}

/**
 * x^y = e^(y log |x|) with the logarithm and the product carried to about 30 bits more than the
 * result needs near 1, which leaves an error of a few units for results up to the largest float.
 */
function pow(base: Low, ex: Low): Low {
  const a = abs(base);
  const { e, f: g } = split(a);
  const gh = top(g);
  const gl = sub(g, gh);
  const sqHi = mul(f(0.5), mul(gh, gh));
  const sqLo = mul(f(0.5), mul(add(g, gh), gl));
  const hfsq = add(sqHi, sqLo);
  const [s1, e1] = twoSum(mul(e, ln2hi), g);
  const [s2, e2] = twoSum(s1, neg(sqHi));
  const low = add(add(add(e1, e2), mul(e, ln2lo)), sub(logRest(g, hfsq), sqLo));
  const [hi, lo] = twoSum(s2, low);
  const hh = top(hi);
  const hl = add(sub(hi, hh), lo);
  const yh = top(ex);
  const yl = sub(ex, yh);
  const pHi = mul(hh, yh);
  const pLo = add(mul(hh, yl), mul(hl, ex));
  const t = mul(pmax(pmin(add(pHi, pLo), f(89)), f(-104)), f(Math.LOG2E));
  const n = whole(t, TWICE);
  const near = le(abs(add(pHi, pLo)), f(104));
  const r = add(sub(sub(pHi, mul(n, ln2hi)), mul(n, ln2lo)), pLo);
  const usual = scaleExp(select(near, r, f(0)), wholeBits(t, TWICE));
  const far = select(lt(f(0), add(mul(hi, ex), f(0))), inf, f(0));
  const magnitude = select(near, usual, far);
  // Limits of the base.
  const up = lt(f(0), ex);
  const fromInf = select(up, inf, f(0));
  const fromZero = select(up, f(0), inf);
  const ofBase = select(eq(a, f(0)), fromZero, select(eq(a, inf), fromInf, magnitude));
  // A negative base takes integer exponents only; an odd one gives its sign.
  const integral = eq(floor(ex), ex);
  const half = mul(ex, f(0.5));
  const odd = and(integral, ne(floor(half), half));
  const isNegative = ne(signBit(base), u(0));
  const signed = select(and(isNegative, odd), neg(ofBase), ofBase);
  const inDomain = or(or(not(isNegative), integral), or(eq(a, f(0)), eq(a, inf)));
  const real = select(inDomain, signed, nan);
  const ordered = and(eq(base, base), eq(ex, ex));
  // IEEE 754: 1, whatever the other one is, NaN too.
  const oneToInf = and(eq(a, one), eq(abs(ex), inf));
  const isOne = or(or(eq(ex, f(0)), eq(base, one)), oneToInf);
  return select(isOne, one, select(ordered, real, nan));
}

// ---------------------------------------------------------------- rounding, tests

function toHalf(v: Low): Low {
  const a = abs(v);
  // Below 2^-14 the unit is 2^-24. A sum that rounds would do, but WGSL may add up its constants.
  const small = mul(whole(mul(a, f(2 ** 24)), 0), f(2 ** -24));
  const b = bits('u32', a);
  const even = and(shr(b, 13), u(1));
  const rounded = and(add(add(b, u(0xfff)), even), u(0xffffe000));
  const normal = select(le(u(0x47800000), rounded), inf, bits('f32', rounded));
  const r = withSign(select(lt(a, f(6.103515625e-5)), small, normal), v);
  return select(eq(v, v), r, v);
}

function toBrain(v: Low): Low {
  const b = bits('u32', v);
  const even = and(shr(b, 16), u(1));
  const r = bits('f32', and(add(add(b, u(0x7fff)), even), u(0xffff0000)));
  return select(eq(v, v), r, v);
}

const isFinite32 = (v: Low): Low => lt(abs(v), inf);

// ---------------------------------------------------------------- Threefry-2x32-20

/** Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
function threefry(word: 0 | 1): Low {
  const key = [param(0, 'u32'), param(1, 'u32')] as const;
  const ks = [key[0], key[1], xor(xor(key[0], key[1]), u(0x1bd11bda))];
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  let a = add(param(2, 'u32'), ks[0]!);
  let b = add(param(3, 'u32'), ks[1]!);
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8]!;
    a = add(a, b);
    b = xor(or(shl(b, r), shr(b, 32 - r)), a);
    if (round % 4 === 3) {
      const k = (round + 1) / 4;
      a = add(a, ks[k % 3]!);
      b = add(b, add(ks[(k + 1) % 3]!, u(k)));
    }
  }
  return word === 0 ? a : b;
}

// ---------------------------------------------------------------- the table

/** Primitives that no target offers with the accuracy or the bits we promise. */
export type MathPrim = Extract<
  Prim,
  | 'exp'
  | 'log'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'erf'
  | 'pow'
  | 'f16'
  | 'bf16'
  | 'isfinite'
  | 'bits0'
  | 'bits1'
>;

const fn = (name: string, params: LowType[], t: LowType, body: Low): LowFn => ({
  name,
  params,
  t,
  body,
});
const f1: LowType[] = ['f32'];
const u4: LowType[] = ['u32', 'u32', 'u32', 'u32'];

export const mathFns: Readonly<Record<MathPrim, LowFn>> = {
  exp: fn('exp', f1, 'f32', exp(x)),
  log: fn('log', f1, 'f32', log(x)),
  sin: fn('sin', f1, 'f32', sinCos(x, 0)),
  cos: fn('cos', f1, 'f32', sinCos(x, 1)),
  tanh: fn('tanh', f1, 'f32', tanh(x)),
  erf: fn('erf', f1, 'f32', erf(x)),
  pow: fn('pow', ['f32', 'f32'], 'f32', pow(x, y)),
  f16: fn('f16', f1, 'f32', toHalf(x)),
  bf16: fn('bf16', f1, 'f32', toBrain(x)),
  isfinite: fn('isfinite', f1, 'bool', isFinite32(x)),
  bits0: fn('bits0', u4, 'u32', threefry(0)),
  bits1: fn('bits1', u4, 'u32', threefry(1)),
};

export const isMathPrim = (p: Prim): p is MathPrim => Object.hasOwn(mathFns, p);

/**
 * x^n by multiplication where the exponent is a small constant: exact where f32 products are. The root
 * of -0 is 0 and that of -Infinity is Infinity, as IEEE 754 has it of pow and not of sqrt.
 */
export function powConst(base: Low, n: number): Low | undefined {
  if (n === 0) return one;
  if (n === 0.5) return select(eq(base, neg(inf)), inf, abs(sqrt(base)));
  if (!Number.isInteger(n) || Math.abs(n) > 8) return undefined;
  let result: Low | undefined;
  // Not 1 / x^n: the power may leave the range where its inverse does not.
  let square = n < 0 ? div(one, base) : base;
  for (let k = Math.abs(n); k > 0; k >>= 1) {
    if (k & 1) result = result ? mul(result, square) : square;
    if (k > 1) square = mul(square, square);
  }
  return result;
}
