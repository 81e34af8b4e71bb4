/**
 * The golden runner: every case of a folder against the programs in models/golden/.
 *
 * Invariant: every `out.*` and `grad.*` tensor of every case gets exactly one row; what no call
 * covers is unchecked, what a failing program should have given is missed. NaN is a miss.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load, readProgram } from '../api/load.ts';
import { compile, type Program } from '../api/program.ts';
import type { Tensor, Tree } from '../api/tensor.ts';
import type { Device } from '../devices/device.ts';
import { isTenonError, TenonError } from '../errors.ts';
import { SafetensorsFile } from '../io/safetensors-file.ts';
import type { Call, Source } from './call.ts';
import { cases } from './cases.ts';
import { readSidecars, type Sidecar } from './sidecar.ts';

export type Row = {
  readonly case: string;
  readonly tensor: string;
  readonly status: 'ok' | 'MISS' | 'unchecked';
  readonly error?: number;
  readonly allowed?: number;
  /** Why there is no number. */
  readonly note?: string;
};

export type GoldenOptions = {
  readonly device: Device;
  readonly signal?: AbortSignal;
  /** One case of the folder. */
  readonly only?: string;
};

/** @throws TenonError when the folder or a case cannot be read. */
export async function* runGolden(folder: string, options: GoldenOptions): AsyncGenerator<Row> {
  const sidecars = readSidecars(folder).filter((s) => (options.only ?? s.case) === s.case);
  if (sidecars.length === 0) {
    throw new TenonError('input', `${folder} holds no golden case`, { place: { file: folder } });
  }
  const programs = new Programs();
  for (const sidecar of sidecars) yield* runCase(folder, sidecar, programs, options);
}

async function* runCase(
  folder: string,
  sidecar: Sidecar,
  programs: Programs,
  options: GoldenOptions,
): AsyncGenerator<Row> {
  const expected = Object.keys(sidecar.tensors).filter((n) => /^(out|grad)\./.test(n));
  const left = new Set(expected);
  const calls = Object.hasOwn(cases, sidecar.case) ? cases[sidecar.case]!(sidecar) : [];
  using file =
    calls.length > 0 ? SafetensorsFile.open(join(folder, `${sidecar.stem}.safetensors`)) : null;
  for (const call of calls) {
    const covered = expected.flatMap((name) => {
      const result = left.has(name) ? call.expect(name) : undefined;
      return result === undefined ? [] : [{ name, result }];
    });
    if (covered.length === 0) continue;
    let results: ReadonlyMap<string, Tensor> = new Map();
    let failure: string | undefined;
    try {
      results = await runCall(folder, sidecar, file!, call, programs, options);
    } catch (e) {
      if (isTenonError(e) && e.code === 'aborted') throw e;
      failure = e instanceof Error ? e.message : String(e);
    }
    for (const { name, result } of covered) {
      left.delete(name);
      const got = results.get(result);
      if (got === undefined) {
        const note = failure ?? `the program gives no ${result}`;
        yield { case: sidecar.case, tensor: name, status: 'MISS', note };
      } else yield compare(sidecar, name, got, file!.read(name), call);
    }
  }
  for (const tensor of left) yield { case: sidecar.case, tensor, status: 'unchecked' };
}

async function runCall(
  folder: string,
  sidecar: Sidecar,
  file: SafetensorsFile,
  call: Call,
  programs: Programs,
  { device, signal }: GoldenOptions,
): Promise<ReadonlyMap<string, Tensor>> {
  const inputs = Object.fromEntries(
    Object.entries(call.inputs).map(([p, s]) => [p, read(folder, sidecar, file, s)]),
  );
  const program = await programs.get(call.program);
  const abortable = signal === undefined ? {} : { signal };
  if (call.k === 'host') return call.run({ program, device, inputs, ...abortable });
  await using f = program.function(call.fn, { device, sizes: call.sizes, grad: call.grad ?? [] });
  return (await f.call(inputs, abortable)).tensors;
}

function read(folder: string, sidecar: Sidecar, file: SafetensorsFile, source: Source): Tree {
  if ('tensor' in source) return file.read(source.tensor);
  if ('value' in source) return source.value;
  if ('scalar' in source) {
    const value = sidecar.scalars[source.scalar];
    if (typeof value === 'number') return value;
    throw new TenonError('format', `${sidecar.case} has no scalar ${source.scalar}`);
  }
  const name = sidecar.weights[source.weights];
  if (name === undefined) throw new TenonError('format', `${sidecar.case} names no weights file`);
  using weights = SafetensorsFile.open(join(folder, name));
  return new Map([...weights.tensors.keys()].map((n) => [n, weights.read(n)]));
}

/** What the notes allow, ten times what float32 PyTorch is off, or 1e-5 of the largest magnitude. */
function compare(
  sidecar: Sidecar,
  name: string,
  got: Tensor,
  want: { readonly shape: readonly number[]; readonly data: ArrayLike<number> },
  call: Call,
): Row {
  const row = { case: sidecar.case, tensor: name };
  if (got.shape.join() !== want.shape.join()) {
    const note = `shape [${got.shape.join(', ')}], expected [${want.shape.join(', ')}]`;
    return { ...row, status: 'MISS', note };
  }
  let error = 0;
  let largest = 0;
  for (let i = 0; i < want.data.length; i++) {
    largest = Math.max(largest, Math.abs(want.data[i]!));
    if (call.leaveOut?.(name, i, want.data.length)) continue;
    const difference = Math.abs(got.data[i]! - want.data[i]!);
    // A NaN stays: no comparison with it is true.
    if (!(difference <= error)) error = difference;
    if (Number.isNaN(error)) break;
  }
  const entry = sidecar.errors[name]?.[0];
  const allowed = call.allow?.(name) ?? (entry === undefined ? 1e-5 * largest : 10 * entry);
  return { ...row, status: error <= allowed ? 'ok' : 'MISS', error, allowed };
}

/** Programs by file of models/golden/, or by text in its place; each is compiled once. */
class Programs {
  readonly #made = new Map<string, Promise<Program>>();

  get(source: string | { readonly text: string }): Promise<Program> {
    const id = typeof source === 'string' ? source : source.text;
    if (!this.#made.has(id)) this.#made.set(id, this.#make(source));
    return this.#made.get(id)!;
  }

  async #make(source: string | { readonly text: string }): Promise<Program> {
    if (typeof source === 'string') return load(join(goldenModels(), source));
    const path = join(goldenModels(), 'case.tn');
    const { sources } = await readProgram(path, source.text);
    return compile(sources, path);
  }
}

/** models/golden/, from the sources or from the built package. */
function goldenModels(): string {
  for (const up of ['../../models/golden', '../../../models/golden']) {
    const path = fileURLToPath(new URL(up, import.meta.url));
    if (existsSync(path)) return path;
  }
  throw new TenonError('io', 'the models of the golden cases are not installed', {
    hint: 'They are in models/golden of the Tenon package.',
  });
}
