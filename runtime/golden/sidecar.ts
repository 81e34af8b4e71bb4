/**
 * A golden case on disk: `<case>.json` describes the tensors in `<case>.safetensors`, inputs, recorded
 * draws, expected outputs and gradients, and how far a float32 run of the reference code is from them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TenonError } from '../errors.ts';
import { systemError } from '../io/system-error.ts';

export type Sidecar = {
  /** Without `.json`. */
  readonly stem: string;
  readonly case: string;
  /** Sizes, and lists of them. */
  readonly config: Readonly<Record<string, unknown>>;
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
  const weights = typeof root['weights_file'] === 'string' ? root['weights_file'].split(' + ') : [];
  return {
    stem,
    case: root['case'],
    config: record(root['config']) ?? {},
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

/** @throws TenonError (`format`) when the config has no such number. */
export function configNumber(sidecar: Sidecar, name: string): number {
  return number(sidecar.config[name], sidecar, `config ${name}`);
}

/** @throws TenonError (`format`) when the config has no such list. */
export function configNumbers(sidecar: Sidecar, name: string): number[] {
  const found = numbers(sidecar.config[name]);
  if (found.length > 0) return found;
  throw new TenonError('format', `${sidecar.case} has no config ${name}`);
}

/** @throws TenonError (`format`) when there is no such scalar. */
export function scalarNumber(sidecar: Sidecar, name: string): number {
  return number(sidecar.scalars[name], sidecar, `scalar ${name}`);
}

/** An extent of a tensor. @throws TenonError (`format`) when the tensor is not there. */
export function dimension(sidecar: Sidecar, tensor: string, axis: number): number {
  return number(sidecar.tensors[tensor]?.[axis], sidecar, `axis ${axis} of ${tensor}`);
}

function number(v: unknown, sidecar: Sidecar, what: string): number {
  if (typeof v === 'number') return v;
  throw new TenonError('format', `${sidecar.case} has no ${what}`);
}

/** The numbers of a list; none when it is something else. */
export function numbers(v: unknown): number[] {
  return Array.isArray(v) && v.every((x) => typeof x === 'number') ? v : [];
}
