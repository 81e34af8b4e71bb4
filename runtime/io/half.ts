/**
 * float16 and bfloat16 as 16-bit patterns. Widening is exact; narrowing rounds to nearest, ties to
 * even, directly from the double, so that no value is rounded twice. Written by hand because
 * Float16Array is missing from the oldest Node that is supported (22).
 */

/** One 16-bit float format: `mantissa` stored bits, smallest normal exponent, bias. */
type Format = { readonly mantissa: number; readonly minExp: number; readonly bias: number };
const F16: Format = { mantissa: 10, minExp: -14, bias: 15 };
const BF16: Format = { mantissa: 7, minExp: -126, bias: 127 };

const f64 = new Float64Array(1);
const u64 = new BigUint64Array(f64.buffer);
const u32 = new Uint32Array(1);
const f32 = new Float32Array(u32.buffer);

/** floor(log2 |x|) for a finite x that is not zero; subnormal doubles are below every format. */
function exponentOf(x: number): number {
  f64[0] = x;
  return Number((u64[0]! >> 52n) & 0x7ffn) - 1023;
}

function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

function narrow(x: number, { mantissa, minExp, bias }: Format): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const infinity = (2 * bias + 1) << mantissa;
  if (Number.isNaN(x)) return infinity | (1 << (mantissa - 1));
  const a = Math.abs(x);
  if (a === 0) return sign;
  if (a === Number.POSITIVE_INFINITY) return sign | infinity;
  const e = Math.max(exponentOf(a), minExp);
  // Dividing by a power of two is exact. A quotient that rounds up to the next binade carries into
  // the exponent field by itself, and from the largest binade into infinity.
  const q = roundHalfEven(a / 2 ** (e - mantissa));
  const bits = ((e - minExp) << mantissa) + q;
  return sign | Math.min(bits, infinity);
}

export const f16Bits = (x: number): number => narrow(x, F16);
export const bf16Bits = (x: number): number => narrow(x, BF16);

export function f16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const e = (bits >> 10) & 31;
  const m = bits & 1023;
  if (e === 31) return m === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return e === 0 ? sign * m * 2 ** -24 : sign * (1024 + m) * 2 ** (e - 25);
}

/** The three formats of 8 bits in the OCP specifications: FP8 (2023) and the scales of MX (2023). */
export function e4m3Value(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const [e, m] = [(bits >> 3) & 15, bits & 7];
  // It has no infinity, and one NaN of either sign.
  if (e === 15 && m === 7) return Number.NaN;
  return e === 0 ? sign * m * 2 ** -9 : sign * (8 + m) * 2 ** (e - 10);
}

export const e5m2Value = (bits: number): number => f16Value(bits << 8);

export const e8m0Value = (bits: number): number => (bits === 255 ? Number.NaN : 2 ** (bits - 127));

export function bf16Value(bits: number): number {
  u32[0] = bits << 16;
  return f32[0]!;
}
