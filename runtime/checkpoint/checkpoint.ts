/**
 * Checkpoints by state-dict name, whatever file they are in: safetensors, or what torch.save wrote.
 * A checkpoint is a map from names to leaves that are read when they are written to a device, in
 * parts where they lie in the file as they are, so it is never in memory twice.
 *
 * Which part of a file is the model follows the public code: `ema` where there is one, else `model`
 * or `state_dict`. What wrappers put before every name is taken off: `module.` of data-parallel training,
 * `_orig_mod.` of torch.compile, and `model.` in what PyTorch Lightning wrote.
 */

import type { AnyArray, LazyLeaf } from '../api/tensor.ts';
import { TenonError } from '../errors.ts';
import { FileSource } from '../io/file-source.ts';
import { type ByteSource, SafetensorsReader } from '../io/safetensors.ts';
import { maxHeaderBytes } from '../io/safetensors-header.ts';
import { TorchReader } from './pytorch.ts';

/** A tensor in the file: its shape, and a way to read it. */
export type CheckpointTensor = LazyLeaf & { readonly dtype: string };

export type SelectOptions = {
  /** A part of the file: the names that begin with this and a dot, without it. */
  readonly part?: string;
  /** Another name for a tensor; undefined leaves it out. */
  readonly rename?: (name: string) => string | undefined;
};

export class Checkpoint implements Disposable {
  readonly name: string;
  /** Every tensor of the file under its own name. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly #release: () => void;

  readonly #contents: Contents;

  private constructor(name: string, contents: Contents, release: () => void) {
    this.name = name;
    this.tensors = contents.tensors;
    this.#contents = contents;
    this.#release = release;
  }

  /** By content, not by ending. @throws TenonError (`io`, `format`). */
  static open(path: string): Checkpoint {
    const file = FileSource.open(path);
    try {
      return Checkpoint.from(file, () => file.dispose());
    } catch (e) {
      file.dispose();
      throw e;
    }
  }

  static from(source: ByteSource, release: () => void = () => {}): Checkpoint {
    const first = source.size < 4 ? new Uint8Array() : source.read(0, 4);
    return new Checkpoint(source.name, contentsOf(source, first), release);
  }

  /**
   * A state dict for a parameter of a program: `f.call({ p: checkpoint.select() })`.
   * @throws TenonError (`input`) when there is no such part, or two tensors get one name.
   */
  select(options: SelectOptions = {}): Map<string, CheckpointTensor> {
    const part = options.part ?? this.#contents.usual;
    const prefix = part === '' ? '' : `${part}.`;
    const inside = [...this.tensors].filter(([name]) => name.startsWith(prefix));
    if (inside.length === 0 && part !== '') {
      throw new TenonError('input', `${this.name} has no tensors in ${JSON.stringify(part)}`, {
        hint: `Its parts are ${partsOf(this.tensors.keys()).join(', ')}.`,
        place: { file: this.name },
      });
    }
    let cut = prefix.length;
    // Each at most once: a model may have a part of that name.
    for (const left = new Set(this.#contents.wrappers); left.size > 0; ) {
      const outer = [...left].find((w) => inside.every(([name]) => name.startsWith(w, cut)));
      if (outer === undefined || inside.length === 0) break;
      cut += outer.length;
      left.delete(outer);
    }
    const out = new Map<string, CheckpointTensor>();
    for (const [whole, tensor] of inside) {
      const own = whole.slice(cut);
      const name = options.rename === undefined ? own : options.rename(own);
      if (name === undefined) continue;
      if (out.has(name)) {
        throw new TenonError('input', `two tensors of ${this.name} are both called ${name}`, {
          place: { file: this.name, tensor: name },
        });
      }
      out.set(name, tensor);
    }
    return out;
  }

  /** What a parameter takes from the file: its tensor where it holds one without a name, else the model. */
  whole(): Map<string, CheckpointTensor> | CheckpointTensor {
    return this.tensors.get('') ?? this.select();
  }

  /** One tensor by its own name. @throws TenonError (`input`). */
  read(name: string): { readonly shape: readonly number[]; readonly data: AnyArray } {
    const tensor = this.tensors.get(name);
    if (tensor !== undefined) return { shape: tensor.shape, data: tensor.read() };
    const names = [...this.tensors.keys()];
    const more = names.length > 8 ? ` and ${names.length - 8} more` : '';
    throw new TenonError('input', `${this.name} has no tensor ${JSON.stringify(name)}`, {
      hint: `It has ${names.slice(0, 8).join(', ') || 'no tensors'}${more}.`,
      place: { file: this.name, tensor: name },
    });
  }

  dispose(): void {
    this.#release();
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}

type Contents = {
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** The part that is the model. */
  readonly usual: string;
  /** What wrappers of modules may have put before every name. */
  readonly wrappers: readonly string[];
};

function contentsOf(source: ByteSource, first: Uint8Array): Contents {
  const start = String.fromCharCode(...first);
  if (start.startsWith('PK')) {
    const torch = new TorchReader(source);
    const tensors = new Map(
      [...torch.tensors].map(([name, t]): [string, CheckpointTensor] => [
        name,
        {
          ...{ dtype: t.dtype, shape: t.shape },
          read: (): AnyArray => torch.read(t),
          part: torch.partsOf(t),
        },
      ]),
    );
    const usual = ['ema', 'model', 'state_dict'].find((p) => torch.parts.includes(p)) ?? '';
    const wrappers = ['module.', '_orig_mod.', ...(torch.lightning ? ['model.'] : [])];
    return { tensors, usual, wrappers };
  }
  // PROTO and its version. A header of safetensors whose length has such a fourth byte is too long.
  if (first[0] === 0x80 && first[1]! <= 5 && first[3]! > maxHeaderBytes / 2 ** 24) {
    const old = first[2] === 0x8a;
    throw new TenonError(
      'format',
      old
        ? `${source.name} is in the format of PyTorch before 1.6`
        : `${source.name} is a bare pickle, not what torch.save writes`,
      {
        hint: old
          ? 'Load it with PyTorch and save it again: torch.save(torch.load(old), new).'
          : 'Save its tensors with torch.save or as safetensors.',
        place: { file: source.name },
      },
    );
  }
  const safe = new SafetensorsReader(source);
  const tensors = new Map(
    [...safe.tensors].map(([name, { dtype, shape }]): [string, CheckpointTensor] => [
      name,
      {
        ...{ dtype, shape },
        read: (): AnyArray => safe.read(name).data,
        part: (from, to) => safe.readPart(name, from, to),
      },
    ]),
  );
  return { tensors, usual: '', wrappers: [] };
}

const partsOf = (names: Iterable<string>): string[] =>
  [...new Set([...names].map((n) => n.split('.')[0]!))].slice(0, 12);
