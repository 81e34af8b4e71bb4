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
import type { Call, FunctionCall, HostCall, Source } from './call.ts';
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
    const which = options.only === undefined ? '' : ` ${options.only}`;
    throw new TenonError('input', `${folder} holds no golden case${which}`, {
      place: { file: folder },
    });
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
  const row = (tensor: string, status: Row['status'], note?: string): Row => ({
    case: sidecar.case,
    tensor,
    status,
    ...(note === undefined ? {} : { note }),
  });
  const named = Object.keys(sidecar.tensors);
  if (!Object.hasOwn(cases, sidecar.case)) {
    for (const tensor of named.filter(isExpected)) yield row(tensor, 'unchecked', 'unknown case');
    return;
  }
  let calls: readonly Call[];
  let opened: SafetensorsFile;
  try {
    calls = cases[sidecar.case]!(sidecar);
    opened = SafetensorsFile.open(join(folder, `${sidecar.stem}.safetensors`));
  } catch (e) {
    for (const tensor of named.filter(isExpected)) yield row(tensor, 'MISS', reason(e));
    return;
  }
  using file = opened;
  const expected = [...new Set([...named, ...file.tensors.keys()])].filter(isExpected);
  const left = new Set(expected);
  for (const call of calls) {
    const covered = expected.flatMap((name) => {
      const result = left.has(name) ? call.expect(name) : undefined;
      return result === undefined ? [] : [{ name, result }];
    });
    if (covered.length === 0) continue;
    for (const { name } of covered) left.delete(name);
    if (call.k === 'refusal') {
      for (const { name } of covered) yield row(name, 'unchecked', call.why);
      continue;
    }
    let results: ReadonlyMap<string, Tensor> = new Map();
    let failure: string | undefined;
    try {
      results = await runCall(folder, sidecar, file, call, programs, options);
    } catch (e) {
      if (isTenonError(e) && e.code === 'aborted') throw e;
      failure = reason(e);
    }
    for (const { name, result } of covered) {
      const got = results.get(result);
      if (got !== undefined) yield compare(sidecar, name, got, file, call);
      else yield row(name, 'MISS', failure ?? `the program gives no ${result}`);
    }
  }
  for (const tensor of left) yield row(tensor, 'unchecked', 'no program gives it');
}

const isExpected = (tensor: string): boolean => /^(out|grad)\./.test(tensor);
const reason = (e: unknown): string => (e instanceof Error ? e.message : String(e));

async function runCall(
  folder: string,
  sidecar: Sidecar,
  file: SafetensorsFile,
  call: FunctionCall | HostCall,
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
  file: SafetensorsFile,
  call: FunctionCall | HostCall,
): Row {
  const row = { case: sidecar.case, tensor: name };
  const miss = (note: string): Row => ({ ...row, status: 'MISS', note });
  const against = call.against;
  const other = against !== undefined && file.tensors.has(against.tensor) ? against : undefined;
  const held = other?.tensor ?? name;
  const shape = file.tensors.get(held)?.shape;
  if (shape === undefined) return miss(`${sidecar.stem}.safetensors does not hold it`);
  const described = sidecar.tensors[held];
  if (described !== undefined && described.join() !== shape.join()) {
    return miss(`the sidecar says [${described.join(', ')}], the file [${shape.join(', ')}]`);
  }
  if (got.shape.join() !== shape.join()) {
    return miss(`shape [${got.shape.join(', ')}], expected [${shape.join(', ')}]`);
  }
  const want = file.read(held);
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
  const usual = entry === undefined ? 1e-5 * largest : 10 * entry;
  const allowed = other === undefined ? (call.allow?.(name) ?? usual) : other.within * largest;
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
