/**
 * WGSL constants. A literal that is NaN or infinite, or an operation on literals that overflows, is
 * an error of the shader; such values are made at run time by `from_bits`.
 */
import type { Dtype } from '../../core.ts';
import { wideLiteral } from './wide.ts';

/** Text of a constant. NaN, infinities, negative zero and subnormals are made from their bits. */
export function wgslLiteral(t: Dtype, v: number): string {
  switch (t) {
    case 'bool':
      return v !== 0 ? 'true' : 'false';
    case 'u32':
      return `${v >>> 0}u`;
    case 'int':
      return wideLiteral(v);
    case 'i32':
      return v === -2147483648 ? 'i32(-2147483648)' : v < 0 ? `(${v}i)` : `${v}i`;
    case 'f32': {
      const x = Math.fround(v);
      const ordinary = Math.abs(x) >= 1.1754943508222875e-38 && Number.isFinite(x);
      if (!ordinary && !Object.is(x, 0)) return `from_bits(${bitsOf(x)}u)`;
      return x < 0 ? `(${x}f)` : `${x}f`;
    }
  }
}

const word = new DataView(new ArrayBuffer(4));
function bitsOf(x: number): number {
  word.setFloat32(0, x);
  return word.getUint32(0);
}

/** Whether a value is NaN, by its bits. */
export const nanTest = (x: string): string => `((bitcast<u32>(${x}) & 0x7fffffffu) > 0x7f800000u)`;

/** The function that `wgslLiteral` may call, where it does. */
export const fromBits = (code: string): string =>
  code.includes('from_bits(')
    ? 'fn from_bits(b: u32) -> f32 {\n  return bitcast<f32>(b);\n}\n'
    : '';
