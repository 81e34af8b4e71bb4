/**
 * PyTorch's `.pt` and `.pth` files (since 1.6): a zip archive of one pickle and one entry for every
 * storage. Tensors are found without running anything, and read when asked for, each from its own
 * place in the file.
 *
 * Invariant: every tensor that is listed lies inside its storage, and every storage is as long as its
 * entry; both are known before a byte of tensor memory is allocated.
 */
import type { HostArray } from '../devices/device.ts';
import type { ByteSource } from '../io/safetensors.ts';
import { itemBytes, type SafeDtype } from '../io/safetensors-header.ts';
import { fromBytes, reused } from '../io/tensor-data.ts';
import { type PValue, type Refuse, readPickle } from './pickle.ts';
import { failAs, ZipArchive, type ZipEntry } from './zip.ts';

/** One tensor of a file: dense, or a view with strides into a shared storage. */
export type TorchTensor = {
  readonly dtype: SafeDtype;
  readonly shape: readonly number[];
  /** In elements of the storage. */
  readonly strides: readonly number[];
  readonly offset: number;
  readonly entry: ZipEntry;
};

const storages: Readonly<Record<string, SafeDtype>> = {
  FloatStorage: 'F32',
  DoubleStorage: 'F64',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** A checkpoint nests records a few deep; shared parts must not unfold without end. */
const maxDepth = 16;
const maxTensors = 1_000_000;
const maxVisits = 10_000_000;
const maxPickleBytes = 64_000_000;

export class TorchReader {
  /** By dotted path from the root: `ema.blocks.0.attn.qkv.weight`. */
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** Labels of the root under which there are records, such as `model`, `ema` and `opt`. */
  readonly parts: readonly string[];
  /** Whether PyTorch Lightning wrote it, which says so beside the tensors. */
  readonly lightning: boolean;
  readonly #archive: ZipArchive;
  readonly #fail: Refuse;
  readonly #folder: string;
  readonly #parts = reused();
  #visits = 0;
  #unpacked: { readonly entry: ZipEntry; readonly bytes: Uint8Array } | undefined;

  /** @throws TenonError (`format`, or `io` from the source). */
  constructor(source: ByteSource) {
    this.#fail = failAs(source.name, 'PyTorch checkpoint');
    this.#archive = new ZipArchive(source, this.#fail);
    const pickles = [...this.#archive.entries.values()].filter((e) =>
      /(^|\/)data\.pkl$/.test(e.name),
    );
    const [pickle] = pickles;
    if (pickle === undefined || pickles.length > 1) {
      this.#folder = '';
      this.#fail('it holds no data.pkl, as torch.save writes it');
    }
    this.#folder = pickle.name.slice(0, -'data.pkl'.length);
    const order = this.#archive.entries.get(`${this.#folder}byteorder`);
    if (order !== undefined && order.size < 64) {
      const text = new TextDecoder().decode(this.#archive.readAll(order));
      if (text !== 'little') this.#fail(`its numbers are ${JSON.stringify(text)}-endian`);
    }
    if (pickle.size > maxPickleBytes) this.#fail(`its pickle claims ${pickle.size} bytes`);
    const root = readPickle(this.#archive.readAll(pickle), this.#fail);
    const tensors = new Map<string, TorchTensor>();
    this.#collect(root, '', 0, tensors);
    this.tensors = tensors;
    this.parts = recordsIn(root);
    this.lightning = labelsOf(root).includes('pytorch-lightning_version');
  }

  /** A whole tensor, row-major, widened exactly to a host type. */
  read(tensor: TorchTensor): HostArray {
    const { dtype, shape, strides, offset, entry } = tensor;
    const count = shape.reduce((a, b) => a * b, 1);
    const item = itemBytes[dtype];
    if (count === 0) return this.#widen(tensor, new Uint8Array());
    if (isDense(shape, strides)) {
      return this.#widen(tensor, this.#bytes(entry, offset * item, count * item));
    }
    const extent = 1 + shape.reduce((n, d, i) => n + (d - 1) * strides[i]!, 0);
    const bytes = this.#bytes(entry, offset * item, extent * item);
    const out = new Uint8Array(count * item);
    const at = shape.map(() => 0);
    for (let n = 0, from = 0; n < count; n++) {
      out.set(bytes.subarray(from * item, (from + 1) * item), n * item);
      for (let d = shape.length - 1; d >= 0; d--) {
        from += strides[d]!;
        if (++at[d]! < shape[d]!) break;
        from -= strides[d]! * shape[d]!;
        at[d] = 0;
      }
    }
    return this.#widen(tensor, out);
  }

  /**
   * Elements `from` to `to` (exclusive) of a tensor that lies in the file as it is, row-major; good
   * until the next part of any tensor is read. Undefined for views with strides and packed storages.
   */
  partsOf(tensor: TorchTensor): ((from: number, to: number) => HostArray) | undefined {
    const { dtype, shape, strides, offset, entry } = tensor;
    if (entry.method !== 'stored' || !isDense(shape, strides)) return undefined;
    const item = itemBytes[dtype];
    return (from, to) => {
      const length = (to - from) * item;
      if (length === 0) return this.#widen(tensor, new Uint8Array());
      const into = new Uint8Array(this.#parts.raw(length), 0, length);
      const bytes = this.#archive.readStored(entry, (offset + from) * item, length, into);
      return this.#widen(tensor, bytes, { space: this.#parts, first: from });
    };
  }

  #bytes(entry: ZipEntry, from: number, length: number): Uint8Array {
    if (entry.method === 'stored') return this.#archive.readStored(entry, from, length);
    // Tensors that share a storage follow each other.
    if (this.#unpacked?.entry !== entry) {
      this.#unpacked = { entry, bytes: this.#archive.readAll(entry) };
    }
    return this.#unpacked.bytes.subarray(from, from + length);
  }

  #widen(
    { dtype, entry }: TorchTensor,
    bytes: Uint8Array,
    how?: Parameters<typeof fromBytes>[2],
  ): HostArray {
    const result = fromBytes(dtype, bytes, how);
    return result.ok ? result.value : this.#fail(`${entry.name}: ${result.reason}`);
  }

  /** Tensors of nested records and lists; everything else in a checkpoint is passed over. */
  #collect(v: PValue, path: string, depth: number, out: Map<string, TorchTensor>): void {
    if (typeof v !== 'object' || v === null) return;
    if (++this.#visits > maxVisits) this.#fail(`it unfolds to more than ${maxVisits} values`);
    if (depth > maxDepth) this.#fail(`its records are nested more than ${maxDepth} deep`);
    const under = (label: string | number): string =>
      path === '' ? `${label}` : `${path}.${label}`;
    switch (v.k) {
      case 'dict':
        for (const [key, x] of v.entries) {
          if (typeof key !== 'string' && typeof key !== 'number') continue;
          this.#collect(x, under(key), depth + 1, out);
        }
        return;
      case 'list':
      case 'tuple':
        for (const [i, x] of v.items.entries()) this.#collect(x, under(i), depth + 1, out);
        return;
      case 'call': {
        if (out.has(path)) this.#fail(`${path} is in it twice`);
        if (out.size >= maxTensors) this.#fail(`it holds more than ${maxTensors} tensors`);
        out.set(path, this.#tensor(v, path));
        return;
      }
      case 'set':
      case 'bytes':
      case 'global':
      case 'persistent':
      case 'object':
        return;
      default:
        v satisfies never;
    }
  }

  #tensor(v: Extract<PValue, { k: 'call' }>, path: string): TorchTensor {
    const [first, ...rest] = v.args;
    if (v.fn === 'torch._utils._rebuild_parameter') {
      const inner = typeof first === 'object' && first?.k === 'call' ? first : undefined;
      if (inner?.fn === 'torch._utils._rebuild_tensor_v2') return this.#tensor(inner, path);
      return this.#fail(`${path} is no tensor`);
    }
    const { dtype, entry, elements } = this.#storage(first, path);
    const offset = typeof rest[0] === 'number' ? rest[0] : -1;
    const shape = this.#extents(rest[1], path);
    const strides = this.#extents(rest[2], path);
    const count = shape.reduce((a, b) => a * b, 1);
    if (!Number.isSafeInteger(count)) this.#fail(`${path} has too many elements`);
    const last = offset + shape.reduce((n, d, i) => n + (d - 1) * strides[i]!, 0);
    const inside = count === 0 || (offset >= 0 && last < elements);
    if (strides.length !== shape.length || !inside) {
      this.#fail(
        `${path} of shape [${shape.join(', ')}] does not lie in its storage of ${elements}`,
      );
    }
    // A view may read an element often; an honest one does not unfold a file into much more.
    if (count > Math.max(1_000_000, 32 * elements)) {
      this.#fail(
        `${path} of shape [${shape.join(', ')}] repeats a storage of ${elements} elements`,
      );
    }
    return { dtype, shape, strides, offset, entry };
  }

  /** ('storage', torch.FloatStorage, '0', 'cpu', 1234) */
  #storage(v: PValue | undefined, path: string) {
    const id = typeof v === 'object' && v?.k === 'persistent' ? v.id : undefined;
    const parts = typeof id === 'object' && id?.k === 'tuple' ? id.items : [];
    const [kind, type, key, , elements] = parts;
    const dtype =
      typeof type === 'object' && type?.k === 'global'
        ? storages[type.name.slice('torch.'.length)]
        : undefined;
    if (kind !== 'storage' || dtype === undefined || typeof key !== 'string') {
      return this.#fail(`${path} has no storage`);
    }
    const entry = this.#archive.entries.get(`${this.#folder}data/${key}`);
    if (entry === undefined) return this.#fail(`${path} has no entry data/${key}`);
    if (typeof elements !== 'number' || elements * itemBytes[dtype] !== entry.size) {
      return this.#fail(
        `${entry.name} holds ${entry.size} bytes, ${elements} elements are claimed`,
      );
    }
    return { dtype, entry, elements };
  }

  #extents(v: PValue | undefined, path: string): number[] {
    const items = typeof v === 'object' && v?.k === 'tuple' ? v.items : undefined;
    const whole = items?.every((n) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0);
    return whole ? (items as number[]) : this.#fail(`${path} has no shape`);
  }
}

const labelsOf = (root: PValue): PValue[] =>
  typeof root === 'object' && root?.k === 'dict' ? root.entries.map(([key]) => key) : [];

function recordsIn(root: PValue): string[] {
  if (typeof root !== 'object' || root?.k !== 'dict') return [];
  return root.entries.flatMap(([key, v]) =>
    typeof key === 'string' && typeof v === 'object' && v?.k === 'dict' ? [key] : [],
  );
}

function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && strides[d] !== stride) return false;
    stride *= shape[d]!;
  }
  return true;
}
