/**
 * The config of an experiment: a JSON file that says which pictures, which programs, which sizes and
 * how many steps. A run keeps its config, so that everything in its folder can be made again.
 *
 * Invariant: a `Config` has passed `configSchema` and the rules between its fields.
 */
import { readFileSync } from 'node:fs';
import { didYouMean } from '../../dsl/suggest.ts';
import { TenonError } from '../errors.ts';
import { systemError } from '../io/system-error.ts';
import {
  type Field,
  faults,
  fieldAt,
  group,
  number,
  type Of,
  oneOf,
  text,
  whole,
} from './schema.ts';

export const configSchema = group({
  /** The run folder is runs/<name>. */
  name: text(),
  seed: whole(0, 2 ** 32 - 1),
  device: oneOf(['wasm', 'webgpu', 'gpujs', 'reference']),
  data: group({
    set: oneOf(['emoji']),
    /** Pixels each way. */
    size: whole(4, 64),
    /** Fraction of the pictures that no training step sees. */
    heldOut: number(0.01, 0.5),
    /** Pictures used at most, a random subset; 0 is all of them. */
    limit: whole(0),
  }),
  encoder: group({
    /** A file with `initEncoder`, `encoderStep`, `encode`, `featureStatistics`, `featureMaps`. */
    program: text(),
    layers: whole(1, 64),
    heads: whole(1, 64),
    width: whole(4, 4096),
    patch: whole(1, 64),
    steps: whole(1),
    batch: whole(1, 4096),
    rate: number(0, 1),
    warmup: whole(0),
    /** Channels of z: how many principal components are kept. */
    rank: whole(1, 256),
  }),
  model: group({
    /** A file with `init`, `trainStep`, `heldOut`, `sample`. */
    program: text(),
    layers: whole(1, 64),
    heads: whole(1, 64),
    width: whole(4, 4096),
    patch: whole(1, 64),
  }),
  train: group({
    steps: whole(1),
    batch: whole(1, 4096),
    rate: number(0, 1),
    /** Steps over which the rate rises from 0; after them it falls as a cosine. */
    warmup: whole(0),
    /** What is left of the rate at the last step. */
    finalRate: number(0, 1),
    labelDrop: number(0, 1),
    featureDrop: number(0, 1),
    emaDecay: number(0, 1),
    /** Steps between two losses on the held-out pictures. */
    heldOutEvery: whole(1),
    checkpointEvery: whole(1),
  }),
  sample: group({
    /** Euler steps. */
    steps: whole(1, 1000),
    /** Strength of classifier-free guidance; 1 is none. */
    cfg: number(0, 100),
    /** Strength of Representation Guidance; 1 is none. */
    repGuidance: number(0, 100),
    /** Pictures of each category in the grid. */
    perCategory: whole(1, 64),
    /** Pictures that are computed at once. */
    chunk: whole(1, 4096),
  }),
  evaluate: group({
    /** Samples whose features are compared with those of the real pictures. */
    samples: whole(2),
  }),
});

export type Config = Of<typeof configSchema>;
export type DeviceChoice = Config['device'];

/** One `path=value` of the command line. */
export type Override = { readonly path: string; readonly value: string };

/**
 * @param overrides settings that replace those of the file, in order.
 * @throws TenonError: `io`, `format` for what is wrong in the file, `usage` for a wrong override.
 */
export function readConfig(file: string, overrides: readonly Override[] = []): Config {
  let json: string;
  try {
    json = readFileSync(file, 'utf8');
  } catch (e) {
    throw systemError(e, 'read', file);
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (e) {
    throw new TenonError('format', `${file} is not JSON: ${(e as Error).message}`, {
      place: { file },
    });
  }
  const wrong = faults(configSchema, value);
  if (wrong.length > 0) throw broken(file, wrong);
  return checkConfig(override(value as Config, overrides), file);
}

/** @throws TenonError (`format`) that lists every fault. */
export function checkConfig(value: unknown, file = 'the config'): Config {
  const wrong = faults(configSchema, value);
  if (wrong.length === 0) wrong.push(...between(value as Config));
  if (wrong.length > 0) throw broken(file, wrong);
  return value as Config;
}

function broken(file: string, wrong: readonly string[]): TenonError {
  return new TenonError(
    'format',
    `${file} is no config of an experiment:\n  ${wrong.join('\n  ')}`,
    {
      place: { file },
    },
  );
}

/** What no single field can say. */
function between({ data, encoder, model, name }: Config): string[] {
  const out: string[] = [];
  if (!/^[\w.-]+$/.test(name)) out.push(`name must be usable as that of a folder, not "${name}"`);
  if (64 % data.size !== 0) out.push(`data.size must divide 64, not ${data.size}`);
  for (const [at, m] of [
    ['encoder', encoder],
    ['model', model],
  ] as const) {
    const { width, heads, patch } = m;
    if (data.size % patch !== 0) {
      out.push(`${at}.patch must divide data.size, ${data.size}, not ${patch}`);
    }
    if (width % heads !== 0)
      out.push(`${at}.heads must divide ${at}.width, ${width}, not ${heads}`);
    if (width % 4 !== 0) out.push(`${at}.width must be a multiple of 4, not ${width}`);
  }
  if (encoder.rank > encoder.width) {
    out.push(`encoder.rank must be at most encoder.width, ${encoder.width}, not ${encoder.rank}`);
  }
  return out;
}

function override(config: Config, overrides: readonly Override[]): unknown {
  const out = structuredClone(config) as unknown as Record<string, unknown>;
  for (const { path, value } of overrides) {
    const names = path.split('.');
    const found = fieldAt(configSchema, names);
    if ('wrong' in found) {
      throw new TenonError('usage', `the config has no setting ${path}`, {
        hint:
          didYouMean(found.wrong, found.names) ??
          (found.names.length > 0 ? `There are ${found.names.join(', ')}.` : undefined),
      });
    }
    const at = names.slice(0, -1).reduce((o, n) => o[n] as Record<string, unknown>, out);
    const parsed = parseAs(found.field, value);
    const wrong = faults(found.field, parsed, path);
    if (wrong.length > 0) throw new TenonError('usage', wrong[0]!);
    at[names.at(-1)!] = parsed;
  }
  return out;
}

function parseAs(field: Field, value: string): unknown {
  if (field.k === 'text') return value;
  return value.trim() === '' || Number.isNaN(Number(value)) ? value : Number(value);
}

/** Dotted paths of the settings in which two configs differ. */
export function differences(a: unknown, b: unknown, path = ''): string[] {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return Object.is(a, b) ? [] : [path];
  }
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].flatMap((n) =>
    differences(
      (a as Record<string, unknown>)[n],
      (b as Record<string, unknown>)[n],
      path === '' ? n : `${path}.${n}`,
    ),
  );
}
