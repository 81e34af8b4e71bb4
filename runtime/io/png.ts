/**
 * PNG to 8-bit RGBA and back. The codec is fast-png; what it does not do is distrust its input, so
 * the chunks are walked here first: checksums, a limit on the pixels, and how far the data unpacks,
 * all before the picture is allocated. Only the chunks that make the picture are handed on, so that
 * a compressed profile or comment is never unpacked.
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { convertIndexedToRgb, type DecodedPng, decode, encode } from 'fast-png';
import { TenonError } from '../errors.ts';
import { deinterlaced } from './png-interlace.ts';

/** Row-major, `data[(y * width + x) * 4 + c]`, c = red, green, blue, alpha (not premultiplied). */
export type RgbaImage = {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
};

export function encodePng({ width, height, data }: RgbaImage): Uint8Array {
  if (!(width > 0 && height > 0) || data.length !== width * height * 4) {
    throw new TenonError('usage', `${data.length} bytes are no ${width}x${height} RGBA picture`);
  }
  return encode({ width, height, data, channels: 4, depth: 8 }, { zlib: { level: 6 } });
}

export type PngLimits = { readonly maxPixels?: number };

/** @throws TenonError (`format`) for anything that is not a whole, sane PNG. */
export function decodePng(bytes: Uint8Array, name = 'data', limits: PngLimits = {}): RgbaImage {
  const fail: Fail = (reason) => {
    throw new TenonError('format', `${name} is not a usable PNG: ${reason}`, {
      place: { file: name },
    });
  };
  const chunks = readChunks(bytes, fail);
  const header = readHeader(chunks, fail);
  const maxPixels = limits.maxPixels ?? 1 << 26;
  if (header.width * header.height > maxPixels) {
    return fail(`${header.width}x${header.height} is more than ${maxPixels} pixels`);
  }
  const pixels = checkPixels(chunks, header, fail);
  let picture: DecodedPng;
  try {
    picture = decode(joinChunks(inRows(chunks, header, pixels, fail), header));
  } catch (e) {
    return fail(e instanceof Error ? e.message : 'it cannot be decoded');
  }
  if (header.indexed) return indexedToRgba(picture, fail);
  return samplesToRgba(picture, clearColour(chunks, header), fail);
}

type Fail = (reason: string) => never;
type Chunk = { readonly type: string; readonly whole: Uint8Array; readonly body: Uint8Array };
type Header = {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly channels: number;
  readonly indexed: boolean;
  readonly interlaced: boolean;
};

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Colour type -> samples per pixel, and the bit depths the standard allows. */
const colourTypes: Readonly<Record<number, { channels: number; depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};

function readChunks(bytes: Uint8Array, fail: Fail): Chunk[] {
  if (!signature.every((b, i) => bytes[i] === b)) return fail('it does not start as one');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = 8; ; ) {
    if (at + 12 > bytes.length) return fail('it ends too early');
    const length = view.getUint32(at);
    if (length > bytes.length - at - 12) return fail('a chunk is longer than the file');
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const typeAndBody = bytes.subarray(at + 4, at + 8 + length);
    if (crc32(typeAndBody) !== view.getUint32(at + 8 + length)) {
      return fail(`the checksum of chunk ${JSON.stringify(type)} is wrong`);
    }
    const whole = bytes.subarray(at, at + 12 + length);
    chunks.push({ type, whole, body: typeAndBody.subarray(4) });
    if (type === 'IEND') return chunks;
    at += 12 + length;
  }
}

function readHeader(chunks: readonly Chunk[], fail: Fail): Header {
  const first = chunks[0];
  if (first?.type !== 'IHDR' || first.body.length !== 13) return fail('it has no header');
  if (chunks.filter((c) => c.type === 'IHDR').length > 1) return fail('it has two headers');
  const view = new DataView(first.body.buffer, first.body.byteOffset, 13);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, type, compression, filter, interlace] = first.body.subarray(8, 13);
  const colour = colourTypes[type!];
  if (width === 0 || height === 0) return fail('it has no pixels');
  if (colour === undefined || !colour.depths.includes(depth!)) {
    return fail(`colour type ${type} with ${depth} bits does not exist`);
  }
  if (compression !== 0 || filter !== 0 || interlace! > 1) return fail('an unknown method');
  const indexed = type === 3;
  if (indexed && !chunks.some((c) => c.type === 'PLTE' && c.body.length >= 3)) {
    return fail('it has no palette');
  }
  const { channels } = colour;
  return { width, height, depth: depth!, channels, indexed, interlaced: interlace === 1 };
}

/** Unpacks the pixel data under a limit, so that a small file cannot ask for gigabytes. */
function checkPixels(chunks: readonly Chunk[], h: Header, fail: Fail): Uint8Array {
  const row = 1 + Math.ceil((h.width * h.channels * h.depth) / 8);
  // An interlaced picture is seven smaller ones, whose rows are rounded up to bytes.
  const limit = row * h.height + 7 * (h.width + h.height + 2) * 8;
  let unpacked: Uint8Array = new Uint8Array();
  try {
    unpacked = inflateSync(
      Buffer.concat(chunks.filter((c) => c.type === 'IDAT').map((c) => c.body)),
      {
        maxOutputLength: limit,
      },
    );
  } catch (e) {
    const tooLarge = e instanceof RangeError;
    fail(tooLarge ? 'it unpacks to more than its pixels' : 'its pixel data cannot be unpacked');
  }
  if (!h.interlaced && unpacked.length < row * h.height) fail('it has too few pixels');
  return unpacked;
}

/** The chunks of a picture that the codec can take: small samples are not interlaced. */
function inRows(
  chunks: readonly Chunk[],
  h: Header,
  pixels: Uint8Array,
  fail: Fail,
): readonly Chunk[] {
  if (!h.interlaced || h.depth >= 8) return chunks;
  const rows = deinterlaced(pixels, { width: h.width, height: h.height, bits: h.depth });
  if (rows === undefined) return fail('it has too few pixels, or a filter that does not exist');
  const header = chunks[0]!.body.slice();
  header[12] = 0;
  const rest = chunks.filter((c) => c.type !== 'IHDR' && c.type !== 'IDAT' && c.type !== 'IEND');
  const [first, data, end] = [
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array()),
  ];
  return [first, ...rest, data, end];
}

function chunk(type: string, body: Uint8Array): Chunk {
  const whole = new Uint8Array(12 + body.length);
  const view = new DataView(whole.buffer);
  view.setUint32(0, body.length);
  whole.set(Buffer.from(type, 'latin1'), 4);
  whole.set(body, 8);
  view.setUint32(8 + body.length, crc32(whole.subarray(4, 8 + body.length)));
  return { type, whole, body };
}

/** A palette means something to an indexed picture only; elsewhere it is a suggestion. */
function joinChunks(chunks: readonly Chunk[], { indexed }: Header): Uint8Array {
  const kept = ['IHDR', 'IDAT', 'IEND', ...(indexed ? ['PLTE', 'tRNS'] : [])];
  const whole = chunks.filter((c) => kept.includes(c.type)).map((c) => c.whole);
  return new Uint8Array(Buffer.concat([signature, ...whole]));
}

/** The one colour that a picture without an alpha channel may declare clear, as raw samples. */
function clearColour(chunks: readonly Chunk[], { channels }: Header): readonly number[] {
  const body = chunks.find((c) => c.type === 'tRNS')?.body;
  if (body === undefined || channels % 2 === 0 || body.length !== channels * 2) return [];
  return Array.from({ length: channels }, (_, c) => body[2 * c]! * 256 + body[2 * c + 1]!);
}

/** Every other colour type as RGBA; 16-bit samples are rounded to 8, small ones are spread. */
function samplesToRgba(picture: DecodedPng, clear: readonly number[], fail: Fail): RgbaImage {
  const { width, height, depth, channels } = picture;
  const samples = depth < 8 ? unpackBits(picture) : picture.data;
  if (samples.length !== width * height * channels) return fail('it has too few pixels');
  const scale = 255 / (2 ** depth - 1);
  const data = new Uint8Array(width * height * 4);
  for (let p = 0; p < width * height; p++) {
    const pixel = samples.subarray(p * channels, (p + 1) * channels);
    for (let c = 0; c < 3; c++) data[p * 4 + c] = Math.round(pixel[channels < 3 ? 0 : c]! * scale);
    const isClear = clear.length > 0 && clear.every((v, c) => v === pixel[c]);
    const opaque = channels % 2 === 0 ? Math.round(pixel[channels - 1]! * scale) : 255;
    data[p * 4 + 3] = isClear ? 0 : opaque;
  }
  return { width, height, data };
}

function indexedToRgba(picture: DecodedPng, fail: Fail): RgbaImage {
  const { width, height } = picture;
  let colours: Uint8Array;
  try {
    colours = convertIndexedToRgb(picture);
  } catch (e) {
    return fail(e instanceof Error ? e.message : 'its palette is broken');
  }
  const channels = colours.length / (width * height);
  if (channels === 4) return { width, height, data: colours };
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let p = 0; p < width * height; p++) data.set(colours.subarray(p * 3, p * 3 + 3), p * 4);
  return { width, height, data };
}

/** Samples of 1, 2 or 4 bits; each row starts on a byte. */
function unpackBits({ width, height, depth, data }: DecodedPng): Uint8Array {
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  const out = new Uint8Array(width * height);
  for (let p = 0; p < out.length; p++) {
    const [y, x] = [Math.floor(p / width), p % width];
    const byte = data[y * rowBytes + Math.floor(x / perByte)]!;
    out[p] = (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
  }
  return out;
}
