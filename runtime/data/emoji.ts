/**
 * The demo's real pictures: every base emoji (no skin-tone variants, no components) of the npm
 * package emoji-datasource-google (Noto Emoji), 16x16, labelled by category. The order is that of
 * the package's table, so index i is the same picture everywhere.
 *
 * The result is cached as safetensors, keyed by the package's version and this file's format, since
 * decoding takes seconds. A cache that is broken or cannot be written costs time, never the result.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { TenonError } from '../errors.ts';
import { decodePng } from '../io/png.ts';
import type { HostTensor } from '../io/safetensors.ts';
import { SafetensorsFile, writeSafetensorsFile } from '../io/safetensors-file.ts';
import { systemError } from '../io/system-error.ts';
import type { LabelledImages } from './dataset.ts';
import { toModelPicture } from './picture.ts';

const packageName = 'emoji-datasource-google';
/** Raise when what is stored changes. */
const cacheFormat = 1;

export type EmojiSet = LabelledImages & {
  /** The table's short name of each picture. */
  readonly names: readonly string[];
  readonly version: string;
  /** Where the pictures came from, for messages. */
  readonly origin: 'cache' | 'package';
};

export type EmojiOptions = {
  readonly size?: number;
  /** Without it nothing is cached. */
  readonly cacheDir?: string;
  /** The folder of the package; found among the installed ones by default. */
  readonly packageDir?: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
};

type Entry = { readonly image: string; readonly name: string; readonly category: string };

/** @throws TenonError (`missing-package`, `format`, `io`, `aborted`). */
export function loadEmoji(options: EmojiOptions = {}): EmojiSet {
  const size = options.size ?? 16;
  const folder = options.packageDir ?? findPackage();
  const version = readVersion(folder);
  const cache =
    options.cacheDir === undefined
      ? undefined
      : join(options.cacheDir, `emoji-google-${version}-${size}px-v${cacheFormat}.safetensors`);
  const cached = cache === undefined ? undefined : readCache(cache, size, version);
  if (cached !== undefined) return cached;
  const set = readPackage(folder, size, version, options);
  if (cache !== undefined) writeCache(cache, set);
  return set;
}

function findPackage(): string {
  const starts = [import.meta.url, join(process.cwd(), 'package.json')];
  for (const start of starts) {
    try {
      return dirname(createRequire(start).resolve(`${packageName}/package.json`));
    } catch {
      // Not visible from there; the next place may see it.
    }
  }
  throw new TenonError('missing-package', `the pictures need the npm package ${packageName}`, {
    hint: `Run: npm install ${packageName}`,
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (e) {
    throw systemError(e, 'read', file);
  }
}

function parseTable(file: string): unknown {
  try {
    return JSON.parse(readText(file));
  } catch (e) {
    if (e instanceof SyntaxError) throw broken(file, 'it is not JSON');
    throw e;
  }
}

function broken(file: string, reason: string): TenonError {
  return new TenonError('format', `${file} of ${packageName} is broken: ${reason}`, {
    hint: `Reinstall it: npm install ${packageName}`,
    place: { file },
  });
}

function readVersion(folder: string): string {
  const file = join(folder, 'package.json');
  const manifest = parseTable(file) as { version?: unknown } | null;
  const version = manifest?.version;
  // It becomes part of a file name.
  if (typeof version !== 'string' || !/^[\w.+-]{1,40}$/.test(version)) {
    throw broken(file, 'it has no version');
  }
  return version;
}

function readEntries(folder: string): Entry[] {
  const file = join(folder, 'emoji.json');
  const table = parseTable(file);
  if (!Array.isArray(table)) throw broken(file, 'it is not a list');
  const entries = table.map((row: unknown, i): Entry & { readonly there: boolean } => {
    const {
      image,
      short_name: name,
      category,
      has_img_google: there,
    } = (row ?? {}) as Record<string, unknown>;
    const usable = typeof name === 'string' && typeof category === 'string';
    if (!usable || typeof image !== 'string' || !/^[0-9a-z-]+\.png$/.test(image)) {
      throw broken(file, `entry ${i} has no usable name, category or picture`);
    }
    return { image, name, category, there: there === true };
  });
  const kept = entries.filter((e) => e.there && e.category !== 'Component');
  if (kept.length === 0) throw broken(file, 'it lists no pictures');
  return kept;
}

function readPackage(
  folder: string,
  size: number,
  version: string,
  { onProgress, signal }: EmojiOptions,
): EmojiSet {
  const entries = readEntries(folder);
  const classes = [...new Set(entries.map((e) => e.category))];
  const row = 3 * size * size;
  const images = new Float32Array(entries.length * row);
  entries.forEach((entry, i) => {
    if (signal?.aborted) throw new TenonError('aborted', 'reading the pictures was interrupted');
    const file = join(folder, 'img/google/64', entry.image);
    images.set(readPicture(file, size), i * row);
    onProgress?.(i + 1, entries.length);
  });
  const labels = Int32Array.from(entries, (e) => classes.indexOf(e.category));
  const names = entries.map((e) => e.name);
  return { images, labels, size, classes, names, version, origin: 'package' };
}

function readPicture(file: string, size: number): Float32Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (e) {
    throw systemError(e, 'read', file);
  }
  return toModelPicture(decodePng(bytes, file, { maxPixels: 1 << 20 }), size);
}

function writeCache(file: string, set: EmojiSet): void {
  const n = set.labels.length;
  const tensors = new Map<string, HostTensor>([
    ['images', { dtype: 'F32', shape: [n, 3, set.size, set.size], data: set.images }],
    ['labels', { dtype: 'I32', shape: [n], data: set.labels }],
  ]);
  const metadata = { classes: JSON.stringify(set.classes), names: JSON.stringify(set.names) };
  try {
    writeSafetensorsFile(file, tensors, metadata);
  } catch (e) {
    // A read-only or full disk: the pictures are in memory, the next run decodes them again.
    if (!(e instanceof TenonError && e.code === 'io')) throw e;
  }
}

/** Undefined when there is no cache or it is not what it should be; it is then made again. */
function readCache(file: string, size: number, version: string): EmojiSet | undefined {
  try {
    using cache = SafetensorsFile.open(file);
    const images = cache.read('images');
    const labels = cache.read('labels');
    const classes = textList(cache.metadata['classes']);
    const names = textList(cache.metadata['names']);
    const n = names?.length;
    const fits =
      images.shape.join() === [n, 3, size, size].join() &&
      labels.shape.join() === [n].join() &&
      images.data instanceof Float32Array &&
      labels.data instanceof Int32Array &&
      images.data.every((v) => v >= -1 && v <= 1) &&
      labels.data.every((l) => l >= 0 && l < (classes?.length ?? 0));
    if (!fits || classes === undefined || names === undefined) return undefined;
    const data = { images: images.data as Float32Array, labels: labels.data as Int32Array };
    return { ...data, size, classes, names, version, origin: 'cache' };
  } catch (e) {
    if (e instanceof TenonError) return undefined;
    throw e;
  }
}

function textList(text: string | undefined): string[] | undefined {
  try {
    const list: unknown = JSON.parse(text ?? 'null');
    return Array.isArray(list) && list.every((x) => typeof x === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}
