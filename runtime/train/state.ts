/**
 * Parameter trees between runs: leaves by state-dict name, in safetensors. A checkpoint holds the
 * whole training state (parameters, average, moments, step), so that nothing has to be guessed when
 * a run goes on; the reference device's f64 is kept as f64.
 *
 * Invariant: what `restore` gives has exactly the leaves, shapes and finite values of `like`.
 */
import { existsSync } from 'node:fs';
import type { Tensor } from '../api/tensor.ts';
import { TenonError } from '../errors.ts';
import type { HostTensor } from '../io/safetensors.ts';
import { SafetensorsFile, writeSafetensorsFile } from '../io/safetensors-file.ts';

export type StateDict = ReadonlyMap<string, Tensor>;

export type Saved = { readonly state: StateDict; readonly step: number };

const hint = 'Start the run again with --force, or put a good copy of the file in its place.';

/** Replaces the file as a whole or not at all. */
export function save(
  file: string,
  state: StateDict,
  metadata: Readonly<Record<string, string>>,
): void {
  writeSafetensorsFile(file, new Map([...state].map(([n, t]) => [n, onDisk(t)])), metadata);
}

function onDisk({ dtype, shape, data }: Tensor): HostTensor {
  switch (dtype) {
    case 'f32':
      return { dtype: data instanceof Float64Array ? 'F64' : 'F32', shape, data };
    case 'i32':
    case 'bool':
      return { dtype: 'I32', shape, data };
    case 'u32':
      return { dtype: 'U32', shape, data };
    default:
      return dtype satisfies never;
  }
}

/**
 * @param like a state of the same program, for instance its initial one.
 * @returns undefined when there is no such file.
 * @throws TenonError (`io`, `format`) for a file that is broken or belongs to something else.
 */
export function restore(file: string, like: StateDict): Saved | undefined {
  if (!existsSync(file)) return undefined;
  using source = SafetensorsFile.open(file);
  const wrong = (what: string): TenonError =>
    new TenonError('format', `${file} is no checkpoint of this run: ${what}`, {
      hint,
      place: { file },
    });
  const step = Number(source.metadata['step'] ?? Number.NaN);
  if (!Number.isSafeInteger(step) || step < 0) throw wrong('it does not say its step');
  const extra = [...source.tensors.keys()].find((name) => !like.has(name));
  if (extra !== undefined) throw wrong(`the model has no ${extra}`);
  return { state: readLike(source, like, wrong), step };
}

/** The step of a checkpoint, from its header alone; -1 when there is none. */
export function stepOf(file: string): number {
  if (!existsSync(file)) return -1;
  using source = SafetensorsFile.open(file);
  return Number(source.metadata['step'] ?? -1);
}

/** The tensors of a file that has at least the leaves of `like`. */
export function readState(file: string, like: StateDict): StateDict {
  using source = SafetensorsFile.open(file);
  return readLike(
    source,
    like,
    (what) => new TenonError('format', `${file} does not fit: ${what}`, { place: { file } }),
  );
}

function readLike(
  source: SafetensorsFile,
  like: StateDict,
  wrong: (what: string) => TenonError,
): StateDict {
  const out = new Map<string, Tensor>();
  for (const [name, want] of like) {
    if (!source.tensors.has(name)) throw wrong(`${name} is missing`);
    const got = source.read(name);
    if (got.shape.join() !== want.shape.join()) {
      throw wrong(`${name} has shape [${got.shape.join(', ')}], not [${want.shape.join(', ')}]`);
    }
    const isFloat = got.data instanceof Float32Array || got.data instanceof Float64Array;
    if (isFloat !== (want.dtype === 'f32')) throw wrong(`${name} is ${got.dtype}`);
    const bad = got.data.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0) throw wrong(`element ${bad} of ${name} is ${got.data[bad]}`);
    out.set(name, { dtype: want.dtype, shape: got.shape, data: got.data });
  }
  return out;
}

/** The leaves under a field, without its name. */
export function under(state: StateDict, field: string): StateDict {
  const head = `${field}.`;
  return new Map(
    [...state].flatMap(([n, t]) => (n.startsWith(head) ? [[n.slice(head.length), t]] : [])),
  );
}
