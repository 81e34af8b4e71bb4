/**
 * The header of a safetensors file: 8 bytes of little-endian length, then JSON that gives every
 * tensor a dtype, a shape and a byte range. The file may come from anywhere, so everything is
 * checked here before a byte of tensor memory is allocated (format and limits after Hugging Face's
 * safetensors, which refuses the same things).
 *
 * Invariant of a parsed header: names are unique, each range holds exactly shape x dtype bytes, and
 * the ranges tile the data section with no overlap and no hole.
 */
import { TenonError } from '../errors.ts';
import { findJsonFault } from './json-guard.ts';

/** Bytes per element of every dtype of the format that a header may name. */
export const itemBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
} as const;

export type SafeDtype = keyof typeof itemBytes;

export type TensorInfo = {
  readonly dtype: SafeDtype;
  readonly shape: readonly number[];
  /** Half-open byte range in the data section. */
  readonly begin: number;
  readonly end: number;
};

export type SafeHeader = {
  /** In the order of the header, except that names that look like integers come first. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
};

/** The limit of the reference implementation. */
export const maxHeaderBytes = 100_000_000;

/** Throws the typed error of a broken file. */
export type Fail = (message: string, tensor?: string) => never;

export function failIn(file: string): Fail {
  return (message, tensor) => {
    const where = tensor === undefined ? '' : `, tensor ${JSON.stringify(clip(tensor))}`;
    throw new TenonError('format', `${file} is not a usable safetensors file${where}: ${message}`, {
      place: { file, ...(tensor === undefined ? {} : { tensor }) },
    });
  };
}

/** Names come from the file; keep a hostile one from filling the terminal. */
function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** Length of the JSON text, from the first 8 bytes and the size of the file. */
export function headerLength(first8: Uint8Array, fileBytes: number, fail: Fail): number {
  if (fileBytes < 8 || first8.length < 8)
    return fail(`it has ${fileBytes} bytes, at least 8 needed`);
  const n = new DataView(first8.buffer, first8.byteOffset, 8).getBigUint64(0, true);
  if (n > BigInt(maxHeaderBytes)) {
    return fail(`its header claims ${n} bytes; at most ${maxHeaderBytes} are allowed`);
  }
  if (Number(n) > fileBytes - 8) {
    return fail(`its header claims ${n} bytes and the file holds ${fileBytes - 8} more`);
  }
  return Number(n);
}

/** Checks the JSON of a header against the size of the data section that follows it. */
export function parseHeader(json: Uint8Array, dataBytes: number, fail: Fail): SafeHeader {
  const root = parseJson(json, fail);
  const tensors = new Map<string, TensorInfo>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(root)) {
    if (name === '__metadata__') metadata = parseMetadata(entry, fail);
    else tensors.set(name, parseEntry(name, entry, dataBytes, fail));
  }
  checkTiling(tensors, dataBytes, fail);
  return { tensors, metadata };
}

function parseJson(json: Uint8Array, fail: Fail): Record<string, unknown> {
  if (json[0] !== 0x7b) return fail('its header does not start with {');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
  } catch {
    return fail('its header is not UTF-8');
  }
  // Object > tensor > shape: nothing deeper is meaningful, and deep nesting overflows parsers.
  const fault = findJsonFault(text, 3);
  if (fault !== undefined) return fail(`in its header, ${fault}`);
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return fail('its header is not valid JSON');
  }
}

function isRecord(x: unknown): x is Record<string, unknown> {
  return typeof x === 'object' && x !== null && !Array.isArray(x);
}

function parseMetadata(entry: unknown, fail: Fail): Record<string, string> {
  if (!isRecord(entry)) return fail('__metadata__ is not an object');
  const pairs = Object.entries(entry).map(([key, value]): [string, string] =>
    typeof value === 'string' ? [key, value] : fail(`__metadata__ ${clip(key)} is not a text`),
  );
  return Object.fromEntries(pairs);
}

function parseEntry(name: string, entry: unknown, dataBytes: number, fail: Fail): TensorInfo {
  if (!isRecord(entry)) return fail('its entry is not an object', name);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(itemBytes, dtype)) {
    return fail(`unknown dtype ${clip(JSON.stringify(dtype) ?? 'none')}`, name);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail('its shape is not a list of sizes', name);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail('data_offsets is not a pair of byte offsets', name);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) {
    return fail(`bytes ${begin} to ${end} are outside the ${dataBytes} bytes of data`, name);
  }
  const bytes = bytesOf(shape, itemBytes[dtype as SafeDtype]);
  if (bytes !== end - begin) {
    const need = bytes === undefined ? 'more than 2^53 bytes' : `${bytes} bytes`;
    return fail(`${dtype} ${clip(showShape(shape))} needs ${need} and has ${end - begin}`, name);
  }
  return { dtype: dtype as SafeDtype, shape, begin, end };
}

function isCount(x: unknown): x is number {
  return Number.isSafeInteger(x) && (x as number) >= 0 && !Object.is(x, -0);
}

export function showShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** Bytes of a tensor, or undefined when they cannot be counted exactly. */
export function bytesOf(shape: readonly number[], item: number): number | undefined {
  if (shape.includes(0)) return 0;
  let bytes = item;
  for (const n of shape) {
    if (n > Math.floor(Number.MAX_SAFE_INTEGER / bytes)) return undefined;
    bytes *= n;
  }
  return bytes;
}

function checkTiling(
  tensors: ReadonlyMap<string, TensorInfo>,
  dataBytes: number,
  fail: Fail,
): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const [name, { begin, end }] of inOrder) {
    if (begin < at) fail(`bytes ${begin} to ${end} overlap another tensor`, name);
    if (begin > at) fail(`bytes ${at} to ${begin} belong to no tensor`, name);
    at = end;
  }
  if (at !== dataBytes) fail(`its last ${dataBytes - at} bytes belong to no tensor`);
}
