/**
 * Bytes of a file <-> arrays that a device takes. Widening to the host type is exact for every
 * dtype, or an error that names the element: 64-bit integers must fit 32 bits, a boolean is 0 or 1.
 * Narrowing (f16, bf16) rounds to nearest even. Files are little-endian, and so is every platform
 * that Node runs on that this project supports.
 */
import type { HostArray } from '../devices/device.ts';
import { bf16Bits, bf16Value, f16Bits, f16Value } from './half.ts';
import type { SafeDtype } from './safetensors-header.ts';

/** Why bytes could not become an array or the reverse; the caller knows file and tensor. */
export type Conversion<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly reason: string };

const ok = <A>(value: A): Conversion<A> => ({ ok: true, value });
const no = (reason: string): Conversion<never> => ({ ok: false, reason });

/** A copy with its own buffer, so that any alignment will do and nothing else keeps the bytes. */
function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

function toInt32(source: BigInt64Array | BigUint64Array): Conversion<HostArray> {
  const out = new Int32Array(source.length);
  for (let i = 0; i < out.length; i++) {
    const v = source[i]!;
    if (BigInt.asIntN(32, v) !== v) return no(`element ${i} is ${v}, which does not fit 32 bits`);
    out[i] = Number(v);
  }
  return ok(out);
}

function boolsToInt32(bytes: Uint8Array): Conversion<HostArray> {
  const bad = bytes.findIndex((b) => b > 1);
  if (bad >= 0) return no(`element ${bad} is the byte ${bytes[bad]}, a boolean is 0 or 1`);
  return ok(Int32Array.from(bytes));
}

/** Exact widening: floats to f32 (f64 stays), integers and booleans to i32 (u32 stays). */
export function fromBytes(dtype: SafeDtype, bytes: Uint8Array): Conversion<HostArray> {
  switch (dtype) {
    case 'F32':
      return ok(new Float32Array(ownBuffer(bytes)));
    case 'F64':
      return ok(new Float64Array(ownBuffer(bytes)));
    case 'F16':
      return ok(Float32Array.from(new Uint16Array(ownBuffer(bytes)), f16Value));
    case 'BF16':
      return ok(Float32Array.from(new Uint16Array(ownBuffer(bytes)), bf16Value));
    case 'I32':
      return ok(new Int32Array(ownBuffer(bytes)));
    case 'U32':
      return ok(new Uint32Array(ownBuffer(bytes)));
    case 'I64':
      return toInt32(new BigInt64Array(ownBuffer(bytes)));
    case 'U64':
      return toInt32(new BigUint64Array(ownBuffer(bytes)));
    case 'I16':
      return ok(Int32Array.from(new Int16Array(ownBuffer(bytes))));
    case 'U16':
      return ok(Int32Array.from(new Uint16Array(ownBuffer(bytes))));
    case 'I8':
      return ok(Int32Array.from(new Int8Array(ownBuffer(bytes))));
    case 'U8':
      return ok(Int32Array.from(bytes));
    case 'BOOL':
      return boolsToInt32(bytes);
    case 'F8_E4M3':
    case 'F8_E5M2':
      return no(`the dtype ${dtype} is not supported`);
    default:
      return dtype satisfies never;
  }
}

/** Integer dtypes and what they hold. */
const ranges = {
  BOOL: [0, 1],
  U8: [0, 255],
  I32: [-(2 ** 31), 2 ** 31 - 1],
  U32: [0, 2 ** 32 - 1],
  I64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
} as const;

/** The dtypes that can be written. */
export type WritableDtype = keyof typeof ranges | 'F64' | 'F32' | 'F16' | 'BF16';

export function isWritable(dtype: string): dtype is WritableDtype {
  return Object.hasOwn(ranges, dtype) || ['F64', 'F32', 'F16', 'BF16'].includes(dtype);
}

const viewBytes = (a: ArrayBufferView): Uint8Array =>
  new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

/** Rounds floats to the dtype; numbers must be in its range. The result may share `data`. */
export function toBytes(dtype: WritableDtype, data: HostArray): Conversion<Uint8Array> {
  switch (dtype) {
    case 'F32':
      return ok(viewBytes(data instanceof Float32Array ? data : Float32Array.from(data)));
    case 'F64':
      return ok(viewBytes(data instanceof Float64Array ? data : Float64Array.from(data)));
    case 'F16':
      return halvesToBytes(dtype, Uint16Array.from(data, f16Bits), 0x7c00, data);
    case 'BF16':
      return halvesToBytes(dtype, Uint16Array.from(data, bf16Bits), 0x7f80, data);
    default:
      return integersToBytes(dtype, data);
  }
}

/** What is finite must not become infinite on disk. */
function halvesToBytes(
  dtype: 'F16' | 'BF16',
  bits: Uint16Array,
  infinity: number,
  data: HostArray,
): Conversion<Uint8Array> {
  const bad = bits.findIndex((b, i) => (b & 0x7fff) === infinity && Number.isFinite(data[i]));
  if (bad >= 0) return no(`element ${bad} is ${data[bad]}, which ${dtype} cannot hold`);
  return ok(viewBytes(bits));
}

function integersToBytes(dtype: keyof typeof ranges, data: HostArray): Conversion<Uint8Array> {
  const [lo, hi] = ranges[dtype];
  const bad = data.findIndex((v) => !Number.isInteger(v) || v < lo || v > hi);
  if (bad >= 0) return no(`element ${bad} is ${data[bad]}, which ${dtype} cannot hold`);
  switch (dtype) {
    case 'BOOL':
    case 'U8':
      return ok(Uint8Array.from(data));
    case 'I32':
      return ok(viewBytes(data instanceof Int32Array ? data : Int32Array.from(data)));
    case 'U32':
      return ok(viewBytes(data instanceof Uint32Array ? data : Uint32Array.from(data)));
    case 'I64':
      return ok(viewBytes(BigInt64Array.from(data as ArrayLike<number>, (v: number) => BigInt(v))));
    default:
      return dtype satisfies never;
  }
}
