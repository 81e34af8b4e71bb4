/**
 * A function at concrete sizes on a device. Inputs stay there until written again and results until
 * read, so that a training loop writes a batch, runs, and reads a loss (buffers as in XLA).
 *
 * Invariant: one run at a time; a run needs every input written; after a failed or aborted run all
 * inputs count as unwritten.
 */
import type { LeafSpec, ParamSpec } from '../../compiler/elaborate/interface.ts';
import type { Executable } from '../devices/device.ts';
import { isTenonError, TenonError } from '../errors.ts';
import { flatten, type Gathered, type Given, gather, listed, type Param } from './gather.ts';
import { type IngestOptions, ingest } from './ingest.ts';
import { stackedName } from './leaves.ts';
import { numbered, type Specialised } from './specialise.ts';
import { type Inputs, isLazy, type Tensor, type Value } from './tensor.ts';
import { type Leaf, stateDict, unflatten } from './trees.ts';

/** `out` is the function's result, `grad` one tree per differentiated parameter. */
export type Result = {
  readonly out: Value;
  readonly grad: { readonly [parameter: string]: Value };
  /** The same leaf by leaf: `out`, `out.loss`, `grad.p.blocks.0.attn.qkv.weight`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
};

export class Instance implements AsyncDisposable {
  /** Every size of the function. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly params: readonly ParamSpec[];
  readonly result: readonly LeafSpec[];
  readonly grads: readonly ParamSpec[];
  readonly #exec: Executable;
  readonly #symbolic: readonly Param[];
  readonly #outputs: readonly { readonly name: string; readonly spec: LeafSpec }[];
  #unwritten: Set<string>;
  #ran = false;
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(
    exec: Executable,
    special: Specialised,
    symbolic: readonly Param[],
    sizes: ReadonlyMap<string, number>,
  ) {
    this.#exec = exec;
    this.#symbolic = symbolic;
    this.sizes = Object.fromEntries(sizes);
    this.params = special.params;
    this.result = special.result;
    this.grads = special.grads;
    this.#outputs = [
      ...special.result.map((spec) => ({ name: stackedName('out', spec.path), spec })),
      ...special.grads.flatMap((p) =>
        p.leaves.map((spec) => ({ name: stackedName(`grad.${p.name}`, spec.path), spec })),
      ),
    ];
    this.#unwritten = new Set(numbered(special.params).map((l) => l.name));
  }

  /** Names of the leaves that hold a value: arrays of records stacked. */
  get written(): ReadonlySet<string> {
    return new Set(
      numbered(this.params)
        .map((l) => l.name)
        .filter((name) => !this.#unwritten.has(name)),
    );
  }

  /** Bytes held on the device. */
  get bytes(): number {
    return this.#exec.bytes;
  }

  /**
   * Writes the leaves that are given; the others keep what they have.
   * @throws TenonError (`input`) naming the leaf that does not fit; nothing is written then, except
   * lazy leaves before it.
   */
  write(inputs: Inputs, options: IngestOptions = {}): void {
    this.writeGathered(gather(this.#symbolic, flatten(inputs)), options);
  }

  /** @internal */
  writeGathered(gathered: Gathered, options: IngestOptions): void {
    this.#alive();
    const given = numbered(this.params).flatMap((leaf) => {
      const at = this.params.find((p) => p.name === leaf.param)!.leaves.indexOf(leaf.spec);
      const g = gathered.get(leaf.param)?.[at];
      if (g === undefined) return [];
      const pieces = ingest(leaf.param, leaf.spec, g, options);
      // What is read from a file is held one item of a leaf at a time.
      return [{ ...leaf, pieces: isLazyGiven(g) ? pieces : [...pieces] }];
    });
    for (const { slot, pieces, name } of given) {
      this.#unwritten.add(name);
      for (const { at, data } of pieces) this.#exec.write(slot, data, at);
      this.#unwritten.delete(name);
    }
  }

  /**
   * One execution over what is written. Runs queue up behind each other.
   * @throws TenonError: `input` when leaves were never written (all are listed), `aborted` when the
   * signal fired, `device` when the device failed.
   */
  run(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#exclusive(() => this.#run(options.signal));
  }

  /** Writes, runs and reads everything, as one step that no other call comes between. */
  call(
    inputs: Inputs,
    options: IngestOptions & { readonly signal?: AbortSignal } = {},
  ): Promise<Result> {
    return this.callGathered(gather(this.#symbolic, flatten(inputs)), options);
  }

  /** @internal */
  callGathered(
    gathered: Gathered,
    options: IngestOptions & { readonly signal?: AbortSignal },
  ): Promise<Result> {
    return this.#exclusive(async () => {
      this.writeGathered(gathered, options);
      await this.#run(options.signal);
      return this.#read();
    });
  }

  /** Everything the last run gave, or the part at `at`: `out.loss`, `out.state.params`, `grad.p`. */
  read(): Promise<Result>;
  read(at: string): Promise<Value>;
  read(at?: string): Promise<Result | Value> {
    return this.#exclusive<Result | Value>(async () =>
      at === undefined
        ? this.#read()
        : unflatten(await this.#leaves(at), at.split('.').length - rootLength(at)),
    );
  }

  /** The part at `at` under state-dict names, arrays of records item by item. */
  stateDict(at = 'out'): Promise<Map<string, Tensor>> {
    return this.#exclusive(async () => {
      const cut = at.split('.').length - rootLength(at);
      const leaves = await this.#leaves(at);
      return stateDict(leaves.map((l) => ({ ...l, spec: dropLabels(l.spec, cut) })));
    });
  }

  /** Gives the device memory back once what is running has ended. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    void this.#queue.then(() => this.#exec.dispose());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose();
    await this.#queue;
  }

  async #run(signal: AbortSignal | undefined): Promise<void> {
    this.#alive();
    if (signal?.aborted) throw aborted(signal);
    if (this.#unwritten.size > 0) {
      const names = [...this.#unwritten];
      throw new TenonError(
        'input',
        `${listed(names)} ${names.length === 1 ? 'is' : 'are'} missing`,
        {
          place: { leaf: names[0]! },
        },
      );
    }
    try {
      await this.#exec.run(signal);
      this.#ran = true;
    } catch (e) {
      this.#unwritten = new Set(numbered(this.params).map((l) => l.name));
      this.#ran = false;
      if (signal?.aborted && !isTenonError(e)) throw aborted(signal);
      throw e;
    }
  }

  async #read(): Promise<Result> {
    const out = await this.#leaves('out');
    const tensors = stateDict(out, 'out');
    const grad: { [parameter: string]: Value } = {};
    for (const p of this.grads) {
      const leaves = await this.#leaves(`grad.${p.name}`);
      grad[p.name] = unflatten(leaves);
      for (const [name, t] of stateDict(leaves, `grad.${p.name}`)) tensors.set(name, t);
    }
    return { out: unflatten(out), grad, tensors };
  }

  async #leaves(at: string): Promise<Leaf[]> {
    this.#alive();
    const found = this.#outputs
      .map((o, slot) => ({ ...o, slot }))
      .filter((o) => o.name === at || o.name.startsWith(`${at}.`));
    if (found.length === 0 && at !== 'out') {
      throw new TenonError('usage', `there is no result ${at}`, {
        hint: `The results are ${listed(this.#outputs.map((o) => o.name))}.`,
      });
    }
    if (!this.#ran) throw new TenonError('usage', `${at} is read before a run gave it`);
    const out: Leaf[] = [];
    for (const { spec, slot } of found) out.push({ spec, data: await this.#exec.read(slot) });
    return out;
  }

  #alive(): void {
    if (this.#disposed) throw new TenonError('usage', 'this function has been disposed of');
  }

  #exclusive<T>(f: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(f);
    this.#queue = next.catch(() => {});
    return next;
  }
}

const isLazyGiven = (g: Given): boolean =>
  g.k === 'whole' ? isLazy(g.value) : g.items.some((i) => isLazy(i.value));

/** `out` and `grad.p` are not labels of the tree below them. */
const rootLength = (at: string): number => (at.startsWith('grad.') ? 2 : 1);

/** Without the first `n` labels and the items above them. */
function dropLabels(spec: LeafSpec, n: number): LeafSpec {
  let labels = n;
  const at = spec.path.findIndex((s) => typeof s === 'string' && labels-- === 0);
  const path = at < 0 ? [] : spec.path.slice(at);
  return n === 0 || spec.path.slice(0, at < 0 ? undefined : at).some((s) => typeof s !== 'string')
    ? spec
    : { ...spec, path };
}

function aborted(signal: AbortSignal): TenonError {
  return new TenonError('aborted', 'the run was aborted', { cause: signal.reason });
}
