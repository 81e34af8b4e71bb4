/**
 * Inputs on a command line: `--in NAME=FILE`, `--in NAME=FILE#TENSOR`, `--arg NAME=VALUE`,
 * `--size N=4`. What they hold is validated where every input is, in the library.
 */
import { TenonError, type Tree } from '../index.ts';
import { SafetensorsFile } from '../io/safetensors-file.ts';

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

/** Every input by its name. @throws TenonError (`io`, `format`, `input`, `usage`). */
export function readInputs(options: InputOptions): Map<string, Tree> {
  const inputs = new Map<string, Tree>();
  const put = (name: string, value: Tree): void => {
    if (inputs.has(name)) throw new TenonError('usage', `${name} is given twice`);
    inputs.set(name, value);
  };
  for (const text of options.in ?? []) {
    const [name, source] = pair('in', text);
    put(name, readTree(source));
  }
  for (const text of options.arg ?? []) {
    const [name, value] = pair('arg', text);
    put(name, readValue(name, value));
  }
  return inputs;
}

function readTree(source: string): Tree {
  const hash = source.lastIndexOf('#');
  const path = hash < 0 ? source : source.slice(0, hash);
  using file = SafetensorsFile.open(path);
  if (hash >= 0) return file.read(source.slice(hash + 1));
  return new Map([...file.tensors.keys()].map((name) => [name, file.read(name)]));
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
  return value;
}

/** `--size N=4`, also `--size N=4,M=2`. */
export function readSizes(options: InputOptions): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const text of (options.size ?? []).flatMap((s) => s.split(','))) {
    const [name, value] = pair('size', text);
    if (!/^\d+$/.test(value)) {
      throw new TenonError('usage', `--size ${text}: ${value || 'nothing'} is no whole number`);
    }
    sizes[name] = Number(value);
  }
  return sizes;
}

/** For repeated options. */
export const collect = (value: string, before: readonly string[] = []): string[] => [
  ...before,
  value,
];
