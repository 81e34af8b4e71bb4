/**
 * An experiment small enough for tests: the demo's own config and programs at toy sizes, on drawn
 * pictures of three categories.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LabelledImages } from '../../runtime/data/dataset.ts';
import {
  type Config,
  type Override,
  type Progress,
  type Report,
  readConfig,
  runExperiment,
  runFolder,
} from '../../runtime/train/index.ts';

export const demoConfig = join(import.meta.dirname, '../../examples/emoji/demo.json');

export const tinySettings: Readonly<Record<string, string>> = {
  'data.size': '4',
  'data.heldOut': '0.2',
  'encoder.layers': '1',
  'encoder.heads': '1',
  'encoder.width': '4',
  'encoder.steps': '4',
  'encoder.batch': '3',
  'encoder.warmup': '1',
  'encoder.rank': '2',
  'model.layers': '1',
  'model.heads': '1',
  'model.width': '4',
  'train.steps': '6',
  'train.batch': '3',
  'train.warmup': '1',
  'train.heldOutEvery': '4',
  'train.checkpointEvery': '4',
  'sample.steps': '2',
  'sample.perCategory': '1',
  'sample.chunk': '8',
  'evaluate.samples': '8',
};

export const overrides = (more: Readonly<Record<string, string>> = {}): Override[] =>
  Object.entries({ ...tinySettings, ...more }).map(([path, value]) => ({ path, value }));

export const tinyConfig = (more: Readonly<Record<string, string>> = {}): Config =>
  readConfig(demoConfig, overrides(more));

/** Stripes, squares and slopes; no two alike. */
export function drawnPictures(count = 20, size = 4): LabelledImages {
  const images = new Float32Array(count * 3 * size * size);
  for (let i = 0; i < images.length; i++) {
    const n = Math.floor(i / (3 * size * size));
    const [c, y, x] = [Math.floor(i / size ** 2) % 3, Math.floor(i / size) % size, i % size];
    const kind = n % 3;
    const v = kind === 0 ? (y % 2) * 2 - 1 : kind === 1 ? Number(x < 2 === y < 2) : (x - y) / size;
    images[i] = Math.max(-1, Math.min(1, v * (1 - 0.2 * c) + 0.1 * Math.sin(n + x)));
  }
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  return { images, labels, size, classes: ['stripes', 'squares', 'slopes'] };
}

export class Folders implements Disposable {
  readonly #root = mkdtempSync(join(tmpdir(), 'tenon-train-'));
  path(name: string): string {
    return join(this.#root, name);
  }
  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

export function runTiny(
  path: string,
  options: {
    readonly settings?: Readonly<Record<string, string>>;
    readonly resume?: boolean;
    readonly signal?: AbortSignal;
    readonly onProgress?: (event: Progress) => void;
  } = {},
): Promise<Report> {
  return runExperiment({
    config: tinyConfig(options.settings),
    configFile: demoConfig,
    folder: runFolder(path),
    resume: options.resume ?? false,
    pictures: drawnPictures(),
    signal: options.signal,
    onProgress: options.onProgress,
  });
}
