/**
 * Bytes of a file <-> arrays that a device takes. Widening to the host type is exact for every
 * dtype, or an error that names the element: 64-bit integers must fit 32 bits, a boolean is 0 or 1.
 * Narrowing (f16, bf16) rounds to nearest even. Files are little-endian, and so is every platform
 * that Node runs on that this project supports.
 */
import type { HostArray } from '../devices/device.ts';
import { bf16Bits, bf16Value, e4m3Value, e5m2Value, e8m0Value, f16Bits, f16Value } from './half.ts';
import { Room } from './room.ts';
import { itemBytes, type SafeDtype } from './safetensors-header.ts';

/** Why bytes could not become an array or the reverse; the caller knows file and tensor. */
export type Conversion<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly reason: string };

const ok = <A>(value: A): Conversion<A> => ({ ok: true, value });
const no = (reason: string): Conversion<never> => ({ ok: false, reason });

/** Where arrays are made: bytes as they are in the file, and what they are widened to. */
export type Space = {
  readonly raw: (bytes: number) => ArrayBuffer;
  readonly wide: (bytes: number) => ArrayBuffer;
};

const fresh = (bytes: number): ArrayBuffer => new ArrayBuffer(bytes);
/** Each in memory of its own, so that nothing else keeps or changes it. */
const anew: Space = { raw: fresh, wide: fresh };

/** All in the same memory: an array is good until the next one is made. */
export function reused(): Space {
  const [raw, wide] = [new Room(), new Room()];
  return { raw: (n) => raw.take(n), wide: (n) => wide.take(n) };
}

type Elements = HostArray | Uint16Array | Int16Array | Uint8Array | Int8Array;
type Bigs = BigInt64Array | BigUint64Array;

/** How a dtype arrives; without `widen` the array is one that a device takes. */
type Form<A extends Elements | Bigs = Elements | Bigs> = {
  readonly view: new (buffer: ArrayBuffer, at: number, length: number) => A;
  readonly widen?: {
    readonly to: typeof Float32Array | typeof Int32Array;
    /** Exactly, or undefined; without it, numbers stay what they are. */
    readonly value?: (v: A[number]) => number | undefined;
    readonly why?: (v: A[number]) => string;
  };
};

const form = <A extends Elements | Bigs>(view: Form<A>['view'], widen?: Form<A>['widen']): Form =>
  ({ view, widen }) as unknown as Form;

const small = { to: Int32Array };
const big = {
  to: Int32Array,
  value: (v: bigint) => (BigInt.asIntN(32, v) === v ? Number(v) : undefined),
  why: (v: bigint) => `is ${v}, which does not fit 32 bits`,
};

const forms: Readonly<Record<SafeDtype, Form>> = {
  F32: form(Float32Array),
  F64: form(Float64Array),
  F16: form(Uint16Array, { to: Float32Array, value: f16Value }),
  BF16: form(Uint16Array, { to: Float32Array, value: bf16Value }),
  I32: form(Int32Array),
  U32: form(Uint32Array),
  I64: form(BigInt64Array, big),
  U64: form(BigUint64Array, big),
  I16: form(Int16Array, small),
  U16: form(Uint16Array, small),
  I8: form(Int8Array, small),
  U8: form(Uint8Array, small),
  BOOL: form(Uint8Array, {
    to: Int32Array,
    value: (v) => (v > 1 ? undefined : v),
    why: (v) => `is the byte ${v}, a boolean is 0 or 1`,
  }),
  F8_E4M3: form(Uint8Array, { to: Float32Array, value: e4m3Value }),
  F8_E5M2: form(Uint8Array, { to: Float32Array, value: e5m2Value }),
  F8_E8M0: form(Uint8Array, { to: Float32Array, value: e8m0Value }),
};

/**
 * Exact widening: floats to f32 (f64 stays), integers and booleans to i32 (u32 stays). `first` is
 * which element of its tensor the first one is.
 */
export function fromBytes(
  dtype: SafeDtype,
  bytes: Uint8Array,
  { space = anew, first = 0 }: { readonly space?: Space; readonly first?: number } = {},
): Conversion<HostArray> {
  const { view: View, widen } = forms[dtype];
  // Of any alignment, unless they were read into the space already.
  const raw = space.raw(bytes.length);
  if (bytes.buffer !== raw || bytes.byteOffset !== 0) new Uint8Array(raw).set(bytes);
  const length = bytes.length / itemBytes[dtype];
  const given = new View(raw, 0, length);
  if (widen === undefined) return ok(given as HostArray);
  const { to, value, why } = widen;
  const out = new to(space.wide(4 * length), 0, length);
  if (value === undefined) out.set(given as Elements);
  for (let i = 0; value !== undefined && i < length; i++) {
    const v = value(given[i]!);
    if (v === undefined) return no(`element ${first + i} ${why!(given[i]!)}`);
    out[i] = v;
  }
  return ok(out);
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
