/**
 * Reading and writing safetensors. A reader holds the checked header and a source of bytes; tensors
 * are read when asked for, whole or as a range of rows, so that a large checkpoint is never in
 * memory twice. A writer gives its bytes in pieces, for the same reason.
 *
 * Invariant: encode is deterministic, and what it writes, every other reader takes: data sorted so
 * that each tensor is aligned to its element, header padded with spaces to 8 bytes.
 */
import type { HostArray } from '../devices/device.ts';
import { TenonError } from '../errors.ts';
import {
  bytesOf,
  failIn,
  headerLength,
  itemBytes,
  parseHeader,
  type SafeHeader,
  showShape,
  type TensorInfo,
} from './safetensors-header.ts';
import { fromBytes, isWritable, reused, toBytes, type WritableDtype } from './tensor-data.ts';

/**
 * Random access to bytes; `read` gives exactly `length` of them or throws. A source that has to copy
 * them fills `into` if that is given, whose length is the same, and gives it back.
 */
export type ByteSource = {
  readonly name: string;
  readonly size: number;
  read(offset: number, length: number, into?: Uint8Array): Uint8Array;
};

/** A tensor on the host, row-major; `data.length` is the product of `shape`. */
export type HostTensor = {
  readonly dtype: WritableDtype;
  readonly shape: readonly number[];
  readonly data: HostArray;
};

export type ReadTensor = Omit<HostTensor, 'dtype'> & { readonly dtype: TensorInfo['dtype'] };

export class SafetensorsReader {
  readonly #source: ByteSource;
  readonly #dataStart: number;
  readonly #header: SafeHeader;
  readonly #parts = reused();

  /** Reads and checks the header. @throws TenonError (`format`, or `io` from the source). */
  constructor(source: ByteSource) {
    const fail = failIn(source.name);
    const first = source.size < 8 ? new Uint8Array() : source.read(0, 8);
    const length = headerLength(first, source.size, fail);
    this.#source = source;
    this.#dataStart = 8 + length;
    this.#header = parseHeader(source.read(8, length), source.size - 8 - length, fail);
  }

  get tensors(): ReadonlyMap<string, TensorInfo> {
    return this.#header.tensors;
  }

  get metadata(): Readonly<Record<string, string>> {
    return this.#header.metadata;
  }

  /** A whole tensor, widened exactly to a host type. */
  read(name: string): ReadTensor {
    const info = this.#info(name);
    return this.#decode(name, info, info.shape, info.begin, info.end);
  }

  /** Rows `from` to `to` (exclusive) of the leading axis. */
  readRows(name: string, from: number, to: number): ReadTensor {
    const info = this.#info(name);
    const [rows, ...rest] = info.shape;
    const inRange = Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to;
    if (rows === undefined || !inRange || to > rows) {
      throw new TenonError(
        'usage',
        `rows ${from} to ${to} of ${name} ${showShape(info.shape)} do not exist`,
        { place: { file: this.#source.name, tensor: name } },
      );
    }
    const rowBytes = rows === 0 ? 0 : (info.end - info.begin) / rows;
    const begin = info.begin + from * rowBytes;
    return this.#decode(name, info, [to - from, ...rest], begin, info.begin + to * rowBytes);
  }

  /** Elements `from` to `to` (exclusive), row-major; good until the next part of any tensor is read. */
  readPart(name: string, from: number, to: number): HostArray {
    const { dtype, begin } = this.#info(name);
    const length = (to - from) * itemBytes[dtype];
    const into = new Uint8Array(this.#parts.raw(length), 0, length);
    const at = this.#dataStart + begin + from * itemBytes[dtype];
    const bytes = this.#source.read(at, length, into);
    const result = fromBytes(dtype, bytes, { space: this.#parts, first: from });
    return result.ok ? result.value : failIn(this.#source.name)(result.reason, name);
  }

  #info(name: string): TensorInfo {
    const info = this.#header.tensors.get(name);
    if (info !== undefined) return info;
    const file = this.#source.name;
    throw new TenonError('input', `${file} has no tensor ${JSON.stringify(name)}`, {
      hint: `It has ${listNames([...this.#header.tensors.keys()])}.`,
      place: { file, tensor: name },
    });
  }

  #decode(
    name: string,
    info: TensorInfo,
    shape: readonly number[],
    begin: number,
    end: number,
  ): ReadTensor {
    const bytes = this.#source.read(this.#dataStart + begin, end - begin);
    const result = fromBytes(info.dtype, bytes);
    if (!result.ok) return failIn(this.#source.name)(result.reason, name);
    return { dtype: info.dtype, shape, data: result.value };
  }
}

function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'no tensors';
  const shown = names.slice(0, 8).join(', ');
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}

/** A file that is already in memory; tensors are copied out of it when read. */
export function parseSafetensors(bytes: Uint8Array, name = 'data'): SafetensorsReader {
  return new SafetensorsReader({
    name,
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  });
}

/**
 * The bytes of a file, in pieces: header, then one per tensor.
 * @throws TenonError (`input`) for data that does not fit its shape or dtype.
 */
export function* encodeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  const inOrder = [...tensors].sort(([, a], [, b]) => itemBytes[b.dtype] - itemBytes[a.dtype]);
  const entries = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) entries.set('__metadata__', metadata);
  let at = 0;
  for (const [name, tensor] of inOrder) {
    const bytes = checkTensor(name, tensor);
    const { dtype, shape } = tensor;
    entries.set(name, { dtype, shape, data_offsets: [at, at + bytes] });
    at += bytes;
  }
  yield encodeHeader(entries);
  for (const [name, { dtype, data }] of inOrder) {
    const result = toBytes(dtype, data);
    if (!result.ok) throw unwritable(name, result.reason);
    yield result.value;
  }
}

function encodeHeader(entries: ReadonlyMap<string, unknown>): Uint8Array {
  // Built by hand from the pairs: an object literal would reorder names that look like numbers.
  const pairs = [...entries].map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`);
  const text = new TextEncoder().encode(`{${pairs.join(',')}}`);
  const padded = Math.ceil(text.length / 8) * 8;
  const out = new Uint8Array(8 + padded).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.set(text, 8);
  return out;
}

function checkTensor(name: string, { dtype, shape, data }: HostTensor): number {
  if (name === '__metadata__') throw unwritable(name, 'the name is reserved by the format');
  if (!name.isWellFormed()) throw unwritable(name, 'the name is not valid Unicode');
  if (!isWritable(dtype)) throw unwritable(name, `the dtype ${dtype} cannot be written`);
  const bytes = bytesOf(shape, itemBytes[dtype]);
  if (bytes === undefined || bytes !== data.length * itemBytes[dtype]) {
    throw unwritable(name, `the shape ${showShape(shape)} does not hold ${data.length} elements`);
  }
  return bytes;
}

function unwritable(name: string, reason: string): TenonError {
  return new TenonError('input', `tensor ${JSON.stringify(name)} cannot be written: ${reason}`, {
    place: { tensor: name },
  });
}
