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
  /** What the case is, in words; some numbers are only there. */
  readonly description: string;
  /** Sizes, and lists of them. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Weight files, in the order they are named. */
  readonly weights: readonly string[];
  readonly scalars: Readonly<Record<string, unknown>>;
  readonly errors: Readonly<Record<string, readonly number[]>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
};

/**
 * Every case of a folder, by name. JSON that describes no tensors is something else, and left alone,
 * unless a `.safetensors` file lies beside it. @throws TenonError (`io`, `format`).
 */
export function readSidecars(folder: string): Sidecar[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (e) {
    throw systemError(e, 'read', folder);
  }
  return names.sort().flatMap((name) => {
    if (!name.endsWith('.json')) return [];
    const stem = name.slice(0, -'.json'.length);
    const path = join(folder, name);
    const json = readJson(path);
    const meant = names.includes(`${stem}.safetensors`) || record(json)?.['case'] !== undefined;
    return meant ? [sidecarOf(json, path, stem)] : [];
  });
}

function sidecarOf(json: unknown, path: string, stem: string): Sidecar {
  const fail = (what: string): never => {
    throw new TenonError('format', `${path} does not describe a golden case: ${what}`, {
      place: { file: path },
    });
  };
  const root = record(json) ?? fail('it is no object');
  const part = (name: string): Record<string, unknown> =>
    record(root[name] ?? {}) ?? fail(`\`${name}\` is no object`);
  const lists = (
    name: string,
    what: string,
    fits: (list: readonly unknown[]) => boolean,
  ): Record<string, readonly number[]> => {
    for (const [tensor, list] of Object.entries(part(name))) {
      if (!Array.isArray(list) || !fits(list)) fail(`\`${name}\` of ${tensor} is no ${what}`);
    }
    return part(name) as Record<string, readonly number[]>;
  };
  const { case: id, weights_file: files = null } = root;
  if (typeof id !== 'string') return fail('`case` is no name');
  if (root['tensors'] === undefined) return fail('it has no `tensors`');
  if (files !== null && typeof files !== 'string') return fail('`weights_file` is no file name');
  return {
    stem,
    case: id,
    description: typeof root['description'] === 'string' ? root['description'] : '',
    config: part('config'),
    weights: files === null ? [] : files.split(' + '),
    scalars: part('scalars'),
    errors: lists('f32_max_abs_err', 'list of errors', ([e]) => typeof e === 'number' && e >= 0),
    tensors: lists('tensors', 'shape', (list) =>
      list.every((d) => Number.isInteger(d) && Number(d) >= 0),
    ),
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

/** A positive whole number. @throws TenonError (`format`) when the config has none of that name. */
export function configCount(sidecar: Sidecar, name: string): number {
  return count(sidecar.config[name], sidecar, `config ${name}`);
}

/** A list of them. @throws TenonError (`format`) when the config has none of that name. */
export function configCounts(sidecar: Sidecar, name: string): number[] {
  const list = sidecar.config[name];
  if (Array.isArray(list) && list.length > 0) {
    return list.map((v, i) => count(v, sidecar, `config ${name}, item ${i},`));
  }
  throw new TenonError('format', `${sidecar.case} has no list config ${name}`);
}

/** @throws TenonError (`format`) when there is no such scalar. */
export function scalarNumber(sidecar: Sidecar, name: string): number {
  return number(sidecar.scalars[name], sidecar, `scalar ${name}`);
}

/** An extent of a tensor. @throws TenonError (`format`) when the tensor is not there. */
export function dimension(sidecar: Sidecar, tensor: string, axis: number): number {
  return number(sidecar.tensors[tensor]?.[axis], sidecar, `axis ${axis} of ${tensor}`);
}

/** A number that the description gives, in words. @throws TenonError (`format`) without one. */
export function describedNumber(sidecar: Sidecar, name: string, pattern: RegExp): number {
  const found = pattern.exec(sidecar.description)?.[1];
  return number(
    found === undefined ? undefined : Number(found),
    sidecar,
    `${name} in its description`,
  );
}

function count(v: unknown, sidecar: Sidecar, what: string): number {
  if (number(v, sidecar, what) >= 1 && Number.isSafeInteger(v)) return v as number;
  throw new TenonError('format', `${sidecar.case}: ${what} is ${v}, not a whole number from 1`);
}

function number(v: unknown, sidecar: Sidecar, what: string): number {
  if (typeof v === 'number') return v;
  throw new TenonError('format', `${sidecar.case} has no ${what}`);
}
