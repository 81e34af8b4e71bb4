/**
 * Inputs on a command line: `--in NAME=FILE`, `--in NAME=FILE#TENSOR` (or #PART of a checkpoint, such
 * as `ema`), `--arg NAME=VALUE`, `--size N=4`. A file is safetensors or PyTorch's. What they hold is validated where every input is, in the library.
 */
import { Checkpoint } from '../checkpoint/checkpoint.ts';
import { TenonError, type Tree } from '../index.ts';

/** `NAME=REST`. @throws TenonError (`usage`). */
function pair(option: string, text: string): [name: string, rest: string] {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new TenonError('usage', `--${option} ${text} should be --${option} NAME=VALUE`);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

export type InputOptions = {
  readonly in?: readonly string[];
  readonly arg?: readonly string[];
  readonly size?: readonly string[];
};

/** Inputs by name, and the files they are still to be read from. */
export class CommandInputs implements Disposable {
  readonly values = new Map<string, Tree>();
  readonly #files = new Map<string, Checkpoint>();

  /** @throws TenonError (`io`, `format`, `input`, `usage`). */
  constructor(options: InputOptions) {
    try {
      for (const text of options.in ?? []) {
        const [name, source] = pair('in', text);
        this.#put(name, this.#tree(source));
      }
      for (const text of options.arg ?? []) {
        const [name, value] = pair('arg', text);
        this.#put(name, readValue(name, value));
      }
    } catch (e) {
      this[Symbol.dispose]();
      throw e;
    }
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file.dispose();
  }

  #put(name: string, value: Tree): void {
    if (this.values.has(name)) throw new TenonError('usage', `${name} is given twice`);
    this.values.set(name, value);
  }

  #tree(source: string): Tree {
    const hash = source.lastIndexOf('#');
    const path = hash < 0 ? source : source.slice(0, hash);
    const file = this.#files.get(path) ?? Checkpoint.open(path);
    this.#files.set(path, file);
    if (hash < 0) return file.whole();
    const within = source.slice(hash + 1);
    const isPart = [...file.tensors.keys()].some((n) => n.startsWith(`${within}.`));
    return isPart ? file.select({ part: within }) : file.read(within);
  }
}

/** A number, a boolean, or a key as `seed` or `high,low`. */
function readValue(name: string, text: string): Tree {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^\d+,\d+$/.test(text)) return text.split(',').map(Number);
  const special = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity }[text.toLowerCase()];
  const value = special ?? (text.trim() === '' ? Number.NaN : Number(text));
  if (Number.isNaN(value) && special === undefined) {
    throw new TenonError(
      'usage',
      `--arg ${name}=${text}: ${text || 'nothing'} is no number, boolean or key`,
      {
        hint: `A tensor comes from a file: --in ${name}=FILE#TENSOR.`,
      },
    );
  }
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
    throw new TenonError('usage', `--arg ${name}=${text}: this is beyond the largest f32`, {
      hint: `Write --arg ${name}=inf if infinity is meant.`,
    });
  }
  return value;
}

/** `--size N=4`, also `--size N=4,M=2`. */
export function readSizes(options: InputOptions): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const text of (options.size ?? []).flatMap((s) => s.split(','))) {
    const [name, value] = pair('size', text);
    if (!/^[A-Z]\w*$/.test(name)) {
      throw new TenonError('usage', `--size ${text}: ${name} is no name of a size`);
    }
    if (!/^\d+$/.test(value)) {
      throw new TenonError('usage', `--size ${text}: ${value || 'nothing'} is no whole number`);
    }
    if (!Number.isSafeInteger(Number(value))) {
      throw new TenonError('usage', `--size ${text}: a size is less than 2^53`);
    }
    if (Object.hasOwn(sizes, name)) throw new TenonError('usage', `--size ${name} is given twice`);
    sizes[name] = Number(value);
  }
  return sizes;
}

/** For repeated options. */
export const collect = (value: string, before: readonly string[] = []): string[] => [
  ...before,
  value,
];

/** `NAME,...` of an option; none when it is not given. */
export const names = (text: string | undefined): string[] =>
  text?.split(',').filter((n) => n !== '') ?? [];
