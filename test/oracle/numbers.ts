/** The scalar operators as the reference defines them, on f64 numbers. */
import type { ScalarOp, Type } from '../../dsl/typed.ts';

export type Dtype = 'f32' | 'i32' | 'u32' | 'bool';

/** Of a number or of the elements of a tensor; an index is an i32. */
export function dtypeOf(t: Type): Dtype {
  if (t.k === 'tensor') return dtypeOf(t.elem);
  if (t.k === 'idx') return 'i32';
  return t.k === 'scalar' && t.s !== 'key' ? t.s : 'f32';
}

export const wrap = (t: Dtype, x: number): number =>
  t === 'i32' ? x | 0 : t === 'u32' ? x >>> 0 : x;

const whole = (x: number, lo: number, hi: number): number =>
  Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, lo), hi)) + 0;

function cast(to: Dtype, from: Dtype, x: number): number {
  if (to === 'f32') return x;
  if (to === 'bool') return x === 0 ? 0 : 1;
  if (from !== 'f32') return wrap(to, x);
  return to === 'i32' ? whole(x, -(2 ** 31), 2 ** 31 - 1) : whole(x, 0, 2 ** 32 - 1);
}

const int = (t: Dtype): boolean => t === 'i32' || t === 'u32';

/** Exact, then wrapped. */
const exactly = (t: Dtype, f: (a: bigint, b: bigint) => bigint, a: number, b: number): number =>
  wrap(t, Number(BigInt.asIntN(32, f(BigInt(a), BigInt(b)))));

/** By the table of IEEE 754: a base of 1 and an exponent of 0 give 1 whatever the other one is. */
const realPower = (x: number, y: number): number =>
  x === 1 || y === 0 || (Math.abs(x) === 1 && Math.abs(y) === Infinity) ? 1 : x ** y;

/** Ties to even. */
const halfEven = (x: number): number => {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
};

/** The nearest number of a binary format: significand bits, least exponent, largest value. */
function nearest(x: number, bits: number, least: number, largest: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const ulp = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), least) - bits + 1);
  const y = halfEven(x / ulp) * ulp;
  return Math.abs(y) > largest ? Math.sign(y) * Infinity : y;
}

/** 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!! (Abramowitz & Stegun 7.1.6). */
function erf(x: number): number {
  if (Number.isNaN(x) || Math.abs(x) > 6) return Number.isNaN(x) ? x : Math.sign(x);
  let [term, sum] = [x, 0];
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    sum += term;
    term *= (2 * x * x) / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** `t` is the type of the result, `from` that of the first argument. */
export function scalarOp(op: ScalarOp, t: Dtype, from: Dtype, args: readonly number[]): number {
  const [a, b] = args as [number, number];
  const truth = (x: boolean): number => (x ? 1 : 0);
  switch (op) {
    case 'add':
      return wrap(t, a + b);
    case 'sub':
      return wrap(t, a - b);
    case 'mul':
      return int(t) ? exactly(t, (x, y) => x * y, a, b) : a * b;
    case 'div':
      return a / b;
    case 'idiv':
      return b === 0 ? a : wrap(t, Math.floor(a / b));
    case 'mod':
      return b === 0 ? 0 : wrap(t, a - b * Math.floor(a / b));
    case 'pow':
      return int(t) ? exactly(t, (x, y) => x ** y, a, b) : realPower(a, b);
    case 'neg':
      return wrap(t, -a);
    case 'eq':
      return truth(a === b);
    case 'ne':
      return truth(a !== b);
    case 'lt':
      return truth(a < b);
    case 'le':
      return truth(a <= b);
    case 'gt':
      return truth(a > b);
    case 'ge':
      return truth(a >= b);
    case 'and':
      return truth(a !== 0 && b !== 0);
    case 'or':
      return truth(a !== 0 || b !== 0);
    case 'not':
      return truth(a === 0);
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    case 'abs':
      return wrap(t, Math.abs(a));
    case 'sign':
      return Math.sign(a);
    case 'floor':
      return Math.floor(a);
    case 'ceil':
      return Math.ceil(a);
    case 'round':
      return halfEven(a);
    case 'exp':
    case 'log':
    case 'sqrt':
    case 'sin':
    case 'cos':
    case 'tanh':
      return Math[op](a);
    case 'erf':
      return erf(a);
    case 'f32':
    case 'i32':
    case 'u32':
    case 'bool':
      return cast(op, from, a);
    case 'f16':
      return nearest(a, 11, -14, 65504);
    case 'bf16':
      return nearest(a, 8, -126, 3.3895313892515355e38);
    case 'isfinite':
      return truth(Number.isFinite(a));
  }
}
