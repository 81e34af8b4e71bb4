/**
 * A golden case on disk: `<case>.json` describes the tensors in `<case>.safetensors`, inputs, recorded
 * draws, expected outputs and gradients, and how far a float32 run of the reference code is from them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TenonError } from '../errors.ts';
import { systemError } from '../io/system-error.ts';

export type Config = Readonly<Record<string, number>>;

export type Sidecar = {
  /** Without `.json`. */
  readonly stem: string;
  readonly case: string;
  /** The numbers among the config's entries. */
  readonly config: Config;
  /** Weight files, in the order they are named. */
  readonly weights: readonly string[];
  readonly scalars: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, readonly number[]>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
};

/** Every case of a folder, by name. @throws TenonError (`io`, `format`). */
export function readSidecars(folder: string): Sidecar[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((n) => n.endsWith('.json'));
  } catch (e) {
    throw systemError(e, 'read', folder);
  }
  return names.sort().flatMap((name) => readSidecar(join(folder, name), name.slice(0, -5)) ?? []);
}

/** Undefined for JSON that is something else. */
function readSidecar(path: string, stem: string): Sidecar | undefined {
  const root = record(readJson(path));
  if (
    root === undefined ||
    typeof root['case'] !== 'string' ||
    record(root['tensors']) === undefined
  ) {
    return undefined;
  }
  const numbers = Object.entries(record(root['config']) ?? {}).filter(
    (e): e is [string, number] => typeof e[1] === 'number',
  );
  const weights = typeof root['weights_file'] === 'string' ? root['weights_file'].split(' + ') : [];
  return {
    stem,
    case: root['case'],
    config: Object.fromEntries(numbers),
    weights,
    scalars: record(root['scalars']) ?? {},
    errors: (record(root['f32_max_abs_err']) ?? {}) as Sidecar['errors'],
    tensors: record(root['tensors']) as Sidecar['tensors'],
  };
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (e) {
    throw systemError(e, 'read', path);
  }
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new TenonError('format', `${path} is not JSON: ${(e as Error).message}`, {
      place: { file: path },
    });
  }
}

function record(v: unknown): Record<string, unknown> | undefined {
  return typeof v === 'object' && v !== null && !Array.isArray(v)
    ? (v as Record<string, unknown>)
    : undefined;
}
