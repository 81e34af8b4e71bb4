/**
 * A function of a program as the host holds it: unspecialised, until inputs (or explicit sizes) give
 * its sizes. Every set of sizes is compiled once and kept, as `jit` does in JAX.
 *
 * Invariant: it owns what it prepared, and the device too when it opened it by name; `dispose` gives
 * all of it back.
 */
import type { TFn } from '../../dsl/typed.ts';
import type { Device, DeviceName } from '../devices/device.ts';
import { openDevice } from '../devices/registry.ts';
import { TenonError } from '../errors.ts';
import { flatten, type Gathered, gather, listed, missingLeaves, type Param } from './gather.ts';
import { inferSizes } from './infer.ts';
import type { IngestOptions } from './ingest.ts';
import { Instance, type Result } from './instance.ts';
import { leavesOf, stackedName } from './leaves.ts';
import type { Program } from './program.ts';
import { specialise } from './specialise.ts';
import type { Inputs, LeafInput } from './tensor.ts';

export type FunctionOptions = {
  /** A device, or the name of one to open for this function; `wasm` without. */
  readonly device?: Device | DeviceName;
  /** Sizes that inputs do not tell, or that should hold whatever is given. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Parameters to differentiate the result by: a scalar, or a record whose first field is one. */
  readonly grad?: readonly string[];
  /**
   * Storage that results take over from parameters: `['state']` when the result has a field `state`
   * with the same leaves, `{ params: 'state.params' }` in general ('' is the whole result). After a
   * run the parameter holds the new value.
   */
  readonly donate?: readonly string[] | Readonly<Record<string, string>>;
  /**
   * For whoever doubts a value: what is scheduled for the device is held against the program after
   * every rewrite (compiler/schedule/verify), and nothing runs that differs. Takes as long as a slow
   * run; default false. A fault that it finds is one of Tenon.
   */
  readonly verify?: boolean;
};

export type CallOptions = IngestOptions & {
  readonly signal?: AbortSignal;
  /** Keys that are not given are made from this: the first is [0, seed], the next [1, seed], ... */
  readonly seed?: number;
  readonly sizes?: Readonly<Record<string, number>>;
};

export type PrepareOptions = IngestOptions & {
  /** Sizes are inferred from these, and they are written. */
  readonly inputs?: Inputs;
  readonly seed?: number;
  readonly sizes?: Readonly<Record<string, number>>;
};

export class TenonFunction implements AsyncDisposable {
  readonly name: string;
  readonly doc: string;
  /** The typed function, for tools that look inside. */
  readonly typed: TFn;
  readonly #program: Program;
  readonly #options: FunctionOptions;
  readonly #params: readonly Param[];
  readonly #donate: ReadonlyMap<string, string>;
  readonly #instances = new Map<string, Promise<Instance>>();
  readonly #prepared: Instance[] = [];
  #device: Promise<Device> | undefined;
  #disposed = false;

  constructor(program: Program, fn: TFn, options: FunctionOptions) {
    this.name = fn.name;
    this.doc = fn.doc;
    this.typed = fn;
    this.#program = program;
    this.#options = options;
    this.#params = fn.params.map((p) => ({
      name: p.name,
      leaves: leavesOf(p.type, `parameter ${p.name} of ${fn.name}`),
    }));
    leavesOf(fn.result, `the result of ${fn.name}`);
    this.#donate = new Map(
      Array.isArray(options.donate)
        ? options.donate.map((d: string) => [d, d])
        : Object.entries(options.donate ?? {}),
    );
    for (const name of [...(options.grad ?? []), ...this.#donate.keys()]) {
      if (this.#params.some((p) => p.name === name.split('.')[0])) continue;
      throw new TenonError('usage', `${fn.name} has no parameter ${name}`, {
        hint: `Its parameters are ${listed(fn.params.map((p) => p.name)) || 'none'}.`,
      });
    }
  }

  /**
   * Runs the function on these inputs. Sizes come from the inputs' shapes.
   * @throws TenonError (`input`, `usage`, `device`, `aborted`), ProgramError when the function cannot
   * be had at these sizes.
   */
  async call(inputs: Inputs, options: CallOptions = {}): Promise<Result> {
    const { gathered, sizes, present } = this.#resolve(inputs, options, true);
    const id = JSON.stringify([[...sizes], [...present]]);
    let instance = this.#instances.get(id);
    if (instance === undefined) {
      instance = this.#make(sizes, present);
      this.#instances.set(id, instance);
      // A failure is not kept: the device may be there the next time.
      instance.catch(() => this.#instances.delete(id));
    }
    return (await instance).callGathered(gathered, options);
  }

  /**
   * The function at concrete sizes, with its memory on the device, for loops that write a little,
   * run often and read a little. The caller disposes of it, or of the function.
   */
  async prepare(options: PrepareOptions = {}): Promise<Instance> {
    const { gathered, sizes, present } = this.#resolve(options.inputs ?? {}, options, false);
    const instance = await this.#make(sizes, present);
    this.#prepared.push(instance);
    instance.writeGathered(gathered, options);
    return instance;
  }

  /** Frees everything prepared, and the device if this function opened it. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const made = await Promise.allSettled(this.#instances.values());
    const instances = made.flatMap((m) => (m.status === 'fulfilled' ? [m.value] : []));
    await Promise.all([...instances, ...this.#prepared].map((i) => i[Symbol.asyncDispose]()));
    // A device that could not be opened was reported by the call that needed it.
    const device = await this.#device?.catch(() => undefined);
    if (typeof this.#options.device !== 'object') device?.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Which leaves are given, which sizes follow, which parameters there are. */
  #resolve(inputs: Inputs, options: Pick<CallOptions, 'seed' | 'sizes'>, whole: boolean) {
    if (this.#disposed) throw new TenonError('usage', `${this.name} has been disposed of`);
    const flat = flatten(inputs);
    if (options.seed !== undefined) seedKeys(this.#params, flat, options.seed);
    const gathered = gather(this.#params, flat);
    const given = (name: string) => gathered.get(name)?.some((g) => g !== undefined) ?? false;
    const present = new Set(
      this.typed.params.filter((p) => p.init === undefined || given(p.name)).map((p) => p.name),
    );
    if (whole) this.#requireAll(gathered, present);
    const { sizes: params } = this.typed;
    const known = { ...this.#options.sizes, ...options.sizes };
    return {
      gathered,
      present,
      sizes: inferSizes(params, this.typed, this.#params, gathered, known),
    };
  }

  #requireAll(gathered: Gathered, present: ReadonlySet<string>): void {
    const missing = missingLeaves(this.#params, gathered, present);
    if (missing.length === 0) return;
    throw new TenonError('input', `${this.name} also needs ${listed(missing)}`, {
      hint: 'Nothing is invented for what is not given.',
      place: { leaf: missing[0]! },
    });
  }

  async #make(sizes: ReadonlyMap<string, number>, present: ReadonlySet<string>): Promise<Instance> {
    const special = specialise(this.#program.typed, this.#program.sources, this.typed, sizes, {
      grad: this.#options.grad ?? [],
      donate: this.#donate,
      verify: this.#options.verify,
      present,
    });
    const opened = await this.#open();
    const exec = await opened.prepare(special.compiled);
    return new Instance(exec, special, this.#params, sizes);
  }

  #open(): Promise<Device> {
    const device = this.#options.device ?? 'wasm';
    const opened =
      this.#device ?? (typeof device === 'string' ? openDevice(device) : Promise.resolve(device));
    this.#device = opened;
    return opened;
  }
}

/** Gives every absent key that is no array of keys a value of its own. */
function seedKeys(params: readonly Param[], flat: Map<string, LeafInput>, seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new TenonError('usage', `a seed is a whole number below 2^32, not ${seed}`);
  }
  let n = 0;
  for (const p of params) {
    for (const leaf of p.leaves) {
      const name = stackedName(p.name, leaf.path);
      if (leaf.scalar !== 'key' || leaf.dims.length > 1 || flat.has(name)) continue;
      flat.set(name, Uint32Array.of(n++, seed));
    }
  }
}
