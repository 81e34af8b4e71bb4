/** Zip archives and pickles written byte by byte, so that a test can make a hostile one. */
import { crc32, deflateRawSync } from 'node:zlib';

export type Part = {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflate?: boolean;
  /** What the directory claims instead of the truth. */
  readonly claims?: {
    size?: number;
    packed?: number;
    header?: number;
    method?: number;
    flags?: number;
  };
};

const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

function record(length: number, write: (v: DataView) => void): Uint8Array {
  const out = new Uint8Array(length);
  write(new DataView(out.buffer));
  return out;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** An archive; with `zip64`, sizes and places stand in the zip64 fields and records. */
export function zip(parts: readonly Part[], zip64 = false): Uint8Array {
  const local: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  for (const { name, data, deflate = false, claims = {} } of parts) {
    const packed = deflate ? new Uint8Array(deflateRawSync(data)) : data;
    const method = claims.method ?? (deflate ? 8 : 0);
    const header = record(30, (v) => {
      v.setUint32(0, 0x04034b50, true);
      v.setUint16(8, method, true);
      v.setUint16(26, name.length, true);
    });
    local.push(header, bytes(name), packed);
    const sizes = [claims.size ?? data.length, claims.packed ?? packed.length, claims.header ?? at];
    const extra = zip64
      ? record(28, (v) => {
          v.setUint16(0, 1, true);
          v.setUint16(2, 24, true);
          for (const [i, n] of sizes.entries()) v.setBigUint64(4 + 8 * i, BigInt(n), true);
        })
      : new Uint8Array();
    const shown = zip64 ? sizes.map(() => 0xffffffff) : sizes;
    central.push(
      record(46, (v) => {
        v.setUint32(0, 0x02014b50, true);
        v.setUint16(8, claims.flags ?? 0, true);
        v.setUint16(10, method, true);
        v.setUint32(16, crc32(data), true);
        v.setUint32(20, shown[1]!, true);
        v.setUint32(24, shown[0]!, true);
        v.setUint16(28, name.length, true);
        v.setUint16(30, extra.length, true);
        v.setUint32(42, shown[2]!, true);
      }),
      bytes(name),
      extra,
    );
    at += 30 + name.length + packed.length;
  }
  const directory = joined(central);
  const record64 = record(56, (v) => {
    v.setUint32(0, 0x06064b50, true);
    v.setBigUint64(32, BigInt(parts.length), true);
    v.setBigUint64(40, BigInt(directory.length), true);
    v.setBigUint64(48, BigInt(at), true);
  });
  const locator = record(20, (v) => {
    v.setUint32(0, 0x07064b50, true);
    v.setBigUint64(8, BigInt(at + directory.length), true);
  });
  const end = record(22, (v) => {
    v.setUint32(0, 0x06054b50, true);
    v.setUint16(10, zip64 ? 0xffff : parts.length, true);
    v.setUint32(12, zip64 ? 0xffffffff : directory.length, true);
    v.setUint32(16, zip64 ? 0xffffffff : at, true);
  });
  return joined([...local, directory, ...(zip64 ? [record64, locator] : []), end]);
}

/** Opcodes by name, as much of protocol 2 as torch.save writes. */
export const op = {
  start: Uint8Array.of(0x80, 2),
  stop: bytes('.'),
  mark: bytes('('),
  emptyDict: bytes('}'),
  emptyTuple: bytes(')'),
  tuple: bytes('t'),
  setItem: bytes('s'),
  reduce: bytes('R'),
  persistent: bytes('Q'),
  no: Uint8Array.of(0x89),
  text: (s: string): Uint8Array =>
    joined([
      record(5, (v) => {
        v.setUint8(0, 0x58);
        v.setUint32(1, s.length, true);
      }),
      bytes(s),
    ]),
  int: (n: number): Uint8Array =>
    record(5, (v) => {
      v.setUint8(0, 0x4a);
      v.setInt32(1, n, true);
    }),
  global: (module: string, name: string): Uint8Array => bytes(`c${module}\n${name}\n`),
};

export type Storage = { readonly type?: string; readonly key: string; readonly elements: number };

/** A call that rebuilds a tensor. */
export function tensor(
  { type = 'FloatStorage', key, elements }: Storage,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): Uint8Array {
  const tuple = (items: readonly Uint8Array[]) => joined([op.mark, ...items, op.tuple]);
  const id = tuple([
    op.text('storage'),
    op.global('torch', type),
    op.text(key),
    op.text('cpu'),
    op.int(elements),
  ]);
  const args = tuple([
    joined([id, op.persistent]),
    op.int(offset),
    tuple(shape.map(op.int)),
    tuple(strides.map(op.int)),
    op.no,
    joined([op.global('collections', 'OrderedDict'), op.emptyTuple, op.reduce]),
  ]);
  return joined([op.global('torch._utils', '_rebuild_tensor_v2'), args, op.reduce]);
}

/** A pickle of a record. */
export function dict(entries: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const items = Object.entries(entries).map(([k, v]) => joined([op.text(k), v, op.setItem]));
  return joined([op.start, op.emptyDict, ...items, op.stop]);
}

export const floats = (...values: number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);

/** A checkpoint as torch.save lays it out. */
export const archive = (
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
): Part[] => [
  { name: 'a/data.pkl', data: pickle },
  ...Object.entries(storages).map(([k, data]) => ({ name: `a/data/${k}`, data })),
];
