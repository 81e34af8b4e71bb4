/**
 * The entries of a zip archive (PKWARE's APPNOTE, with zip64), as far as a checkpoint needs them:
 * stored or deflated. The file may come from anywhere: the central directory is checked as a whole
 * before anything is inflated.
 *
 * Invariant of a parsed archive: names are unique, the bytes of entries lie inside the file and do
 * not overlap, and what an archive unpacks to is bounded by what it is.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import { TenonError } from '../errors.ts';
import type { ByteSource } from '../io/safetensors.ts';

export type ZipEntry = {
  readonly name: string;
  readonly method: 'stored' | 'deflated';
  /** Bytes in the file, and unpacked. */
  readonly packed: number;
  readonly size: number;
  /** Where its local header begins. */
  readonly header: number;
  readonly crc: number;
  /** Where the next entry or the directory begins. */
  readonly limit: number;
};

const maxEntries = 1_000_000;
const maxDirectoryBytes = 256_000_000;
/** An archive unpacks to at most this much, or this many times its own size. */
const freeBytes = 64_000_000;
const maxRatio = 32;
const endBytes = 22;
const localBytes = 30;
const centralBytes = 46;
const full32 = 0xffffffff;
const full16 = 0xffff;

type Fail = (message: string, hint?: string) => never;

export class ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #source: ByteSource;
  readonly #starts = new Map<string, number>();
  readonly #fail: Fail;

  /** Reads and checks the directory. @throws TenonError (`format`). */
  constructor(source: ByteSource, fail: Fail) {
    this.#source = source;
    this.#fail = fail;
    const directory = findDirectory(source, fail);
    const entries = laidOut(
      parseDirectory(source, directory, fail),
      directory.offset,
      source.size,
      fail,
    );
    this.entries = new Map(entries.map((e) => [e.name, e]));
  }

  /** Bytes `from` to `from + length` of a stored entry, without the rest. */
  readStored(entry: ZipEntry, from: number, length: number, into?: Uint8Array): Uint8Array {
    if (from < 0 || length < 0 || from + length > entry.size) {
      return this.#fail(`${entry.name} holds ${entry.size} bytes, ${from + length} are asked for`);
    }
    return this.#source.read(this.#start(entry) + from, length, into);
  }

  /** A whole entry, unpacked. */
  readAll(entry: ZipEntry): Uint8Array {
    const packed = this.#source.read(this.#start(entry), entry.packed);
    const out = entry.method === 'stored' ? packed : this.#inflate(entry, packed);
    if (crc32(out) !== entry.crc)
      return this.#fail(`${entry.name} is damaged: its checksum differs`);
    return out;
  }

  #inflate(entry: ZipEntry, packed: Uint8Array): Uint8Array {
    let out: Uint8Array | undefined;
    try {
      // Never more than the directory said, which was checked.
      const { buffer, byteOffset, length } = inflateRawSync(packed, {
        maxOutputLength: Math.max(entry.size, 1),
      });
      // A Buffer's own `slice` would not copy.
      out = new Uint8Array(buffer, byteOffset, length);
    } catch {
      out = undefined;
    }
    if (out?.length !== entry.size) {
      return this.#fail(`${entry.name} does not unpack to its ${entry.size} bytes`);
    }
    return out;
  }

  /** Where the bytes of an entry begin: after its local header, whose own extent is only there. */
  #start(entry: ZipEntry): number {
    const known = this.#starts.get(entry.name);
    if (known !== undefined) return known;
    const view = viewOf(this.#source.read(entry.header, localBytes));
    if (view.getUint32(0, true) !== 0x04034b50) {
      return this.#fail(`${entry.name} has no local header`);
    }
    const start = entry.header + localBytes + view.getUint16(26, true) + view.getUint16(28, true);
    if (start + entry.packed > entry.limit) {
      return this.#fail(`${entry.name} overlaps what comes after it`);
    }
    this.#starts.set(entry.name, start);
    return start;
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

type Directory = { readonly offset: number; readonly bytes: number; readonly count: number };

/** The end record stands in the last 64 KiB; a zip64 record before it where numbers do not fit. */
function findDirectory(source: ByteSource, fail: Fail): Directory {
  const tailBytes = Math.min(source.size, endBytes + full16);
  if (tailBytes < endBytes) return fail(`it has only ${source.size} bytes`);
  const tail = viewOf(source.read(source.size - tailBytes, tailBytes));
  let at = tailBytes - endBytes;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) return fail('it has no end record: it may be cut off');
  const end = source.size - tailBytes + at;
  const count = tail.getUint16(at + 10, true);
  const bytes = tail.getUint32(at + 12, true);
  const offset = tail.getUint32(at + 16, true);
  const directory =
    count === full16 || bytes === full32 || offset === full32
      ? zip64Directory(source, end, fail)
      : { offset, bytes, count };
  if (directory.count > maxEntries) return fail(`it claims ${directory.count} entries`);
  if (directory.bytes > maxDirectoryBytes)
    return fail(`its directory claims ${directory.bytes} bytes`);
  if (directory.offset + directory.bytes > end) return fail('its directory lies outside of it');
  return directory;
}

function zip64Directory(source: ByteSource, end: number, fail: Fail): Directory {
  if (end < 20) return fail('its zip64 locator is missing');
  const locator = viewOf(source.read(end - 20, 20));
  if (locator.getUint32(0, true) !== 0x07064b50) return fail('its zip64 locator is missing');
  const at = whole(locator.getBigUint64(8, true), fail);
  if (at + 56 > end) return fail('its zip64 record lies outside of it');
  const record = viewOf(source.read(at, 56));
  if (record.getUint32(0, true) !== 0x06064b50) return fail('its zip64 record is missing');
  return {
    count: whole(record.getBigUint64(32, true), fail),
    bytes: whole(record.getBigUint64(40, true), fail),
    offset: whole(record.getBigUint64(48, true), fail),
  };
}

function whole(n: bigint, fail: Fail): number {
  return n > BigInt(Number.MAX_SAFE_INTEGER) ? fail(`it claims ${n} bytes`) : Number(n);
}

type Listed = Omit<ZipEntry, 'limit'>;

function parseDirectory(source: ByteSource, directory: Directory, fail: Fail): Listed[] {
  const bytes = source.read(directory.offset, directory.bytes);
  const view = viewOf(bytes);
  const entries: Listed[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    if (at + centralBytes > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
      return fail('its directory is damaged');
    }
    const lengths = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const [nameBytes, extraBytes] = lengths as [number, number, number];
    const next = at + centralBytes + lengths.reduce((a, b) => a + b, 0);
    if (next > bytes.length) return fail('its directory is damaged');
    const nameEnd = at + centralBytes + nameBytes;
    const name = new TextDecoder().decode(bytes.subarray(at + centralBytes, nameEnd));
    if (names.has(name)) return fail(`${JSON.stringify(name)} is in it twice`);
    names.add(name);
    if (view.getUint16(at + 8, true) & 1) return fail(`${name} is encrypted`);
    const method = methods[view.getUint16(at + 10, true)];
    if (method === undefined) return fail(`${name} is packed in a way that is not supported`);
    const extra = viewOf(bytes.subarray(nameEnd, nameEnd + extraBytes));
    const [size, packed, header] = large(
      [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)],
      extra,
      fail,
    ) as [number, number, number];
    entries.push({ name, method, packed, size, header, crc: view.getUint32(at + 16, true) });
    at = next;
  }
  return entries;
}

const methods: Readonly<Record<number, ZipEntry['method']>> = { 0: 'stored', 8: 'deflated' };

/** Numbers that do not fit 32 bits stand in the zip64 field of the extras, in this order. */
function large(numbers: readonly number[], extra: DataView, fail: Fail): number[] {
  if (!numbers.includes(full32)) return [...numbers];
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === 1) {
      let from = at + 4;
      const end = Math.min(from + length, extra.byteLength);
      return numbers.map((n) => {
        if (n !== full32) return n;
        if (from + 8 > end) return fail('its zip64 field is damaged');
        from += 8;
        return whole(extra.getBigUint64(from - 8, true), fail);
      });
    }
    at += 4 + length;
  }
  return fail('a zip64 field is missing');
}

/** No entry reaches into another or into the directory, and all unpack to a bounded size. */
function laidOut(
  entries: readonly Listed[],
  end: number,
  fileBytes: number,
  fail: Fail,
): ZipEntry[] {
  const inOrder = [...entries].sort((a, b) => a.header - b.header);
  const total = entries.reduce((n, e) => n + e.size, 0);
  if (total > Math.max(freeBytes, maxRatio * fileBytes)) {
    return fail(`its ${fileBytes} bytes claim to unpack to ${total}`);
  }
  return inOrder.map((e, i) => {
    const limit = inOrder[i + 1]?.header ?? end;
    if (e.header + localBytes + e.packed > limit) {
      return fail(`${e.name} overlaps ${inOrder[i + 1]?.name ?? 'the directory'}`);
    }
    if (e.method === 'stored' && e.size !== e.packed) {
      return fail(`${e.name} is stored as it is, in ${e.packed} bytes and not in ${e.size}`);
    }
    return { ...e, limit };
  });
}

/** Says of which file a fault is. */
export function failAs(file: string, what: string): Fail {
  return (message, hint) => {
    throw new TenonError('format', `${file} is not a usable ${what}: ${message}`, {
      place: { file },
      ...(hint === undefined ? {} : { hint }),
    });
  };
}
