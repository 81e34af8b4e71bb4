/**
 * A reader for the pickles inside PyTorch checkpoints. A pickle is a program for a stack machine
 * that may call anything; this one calls nothing: it knows the opcodes that hold data, and the
 * functions that rebuild tensors are names it recognises, not code it runs.
 *
 * Invariant: reading allocates no more than a multiple of the pickle's own length, never recurses,
 * and either gives plain values or refuses, naming the opcode or function it will not follow.
 */

export type PValue =
  | null
  | boolean
  | number
  | string
  | { readonly k: 'bytes'; readonly bytes: Uint8Array }
  | { readonly k: 'list' | 'tuple' | 'set'; readonly items: PValue[] }
  | { readonly k: 'dict'; readonly entries: [key: PValue, value: PValue][] }
  /** A class or function, by name. */
  | { readonly k: 'global'; readonly name: string }
  /** What a persistent id stands for: here, the storage of a tensor. */
  | { readonly k: 'persistent'; readonly id: PValue }
  /** A call of a function that is recognised, not made. */
  | { readonly k: 'call'; readonly fn: string; readonly args: readonly PValue[] }
  /** A plain object, of which only the class's name is known. */
  | { readonly k: 'object'; readonly of: string };

/** Why a pickle is not read. */
export type Refuse = (message: string, hint?: string) => never;

type Recognise = (name: string, args: readonly PValue[]) => PValue;

const emptyDict: Recognise = () => ({ k: 'dict', entries: [] });
const object: Recognise = (of) => ({ k: 'object', of });

/** Functions and classes that may be named, and what a call of each becomes. */
const callable: Readonly<Record<string, Recognise>> = {
  'collections.OrderedDict': emptyDict,
  'collections.defaultdict': emptyDict,
  'collections.Counter': emptyDict,
  'torch._utils._rebuild_tensor_v2': (fn, args) => ({ k: 'call', fn, args }),
  'torch._utils._rebuild_parameter': (fn, args) => ({ k: 'call', fn, args }),
  'torch.Size': (_, args) => args[0] ?? { k: 'tuple', items: [] },
  // What training scripts save beside their tensors: passed over.
  ...Object.fromEntries(
    [
      'argparse.Namespace',
      'torch.device',
      ...['builtins', '__builtin__'].flatMap((m) => ['set', 'frozenset'].map((n) => `${m}.${n}`)),
      '_codecs.encode',
      ...['core', '_core'].flatMap((m) =>
        ['scalar', '_reconstruct'].map((n) => `numpy.${m}.multiarray.${n}`),
      ),
      'numpy.dtype',
      ...['Posix', 'PurePosix', 'Windows', 'PureWindows'].map((n) => `pathlib.${n}Path`),
    ].map((name) => [name, object]),
  ),
};

/** Types of storages and dtypes, and of values in dictionaries: named, never called. */
const constant =
  /^numpy\.ndarray$|^(builtins|__builtin__)\.(int|float|list|dict)$|^torch\.((Float|Double|Half|BFloat16|Long|Int|Short|Char|Byte|Bool)Storage|(float|double|half|bfloat|int|uint|long|short)\d*|bool)$/;

const mark = Symbol('mark');
type Item = PValue | typeof mark;

export function readPickle(bytes: Uint8Array, refuse: Refuse): PValue {
  return new Reader(bytes, refuse).run();
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #refuse: Refuse;
  #at = 0;
  readonly #stack: Item[] = [];
  readonly #memo = new Map<number, PValue>();

  constructor(bytes: Uint8Array, refuse: Refuse) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#refuse = refuse;
  }

  run(): PValue {
    for (;;) {
      const op = this.#byte();
      if (op === 0x2e) return this.#pop();
      const step = this.#steps[op];
      if (step === undefined) {
        return this.#refuse(
          `its pickle has the opcode 0x${op.toString(16)}, which is not needed for tensors`,
        );
      }
      step();
    }
  }

  /** By opcode, as pickletools lists them. Absent ones are refused. */
  readonly #steps: Readonly<Record<number, () => void>> = {
    // PROTO, FRAME
    128: () => {
      const version = this.#byte();
      if (version > 5) this.#refuse(`its pickle is of protocol ${version}`);
    },
    149: () => void this.#long(),
    // MARK, POP, POP_MARK, DUP
    40: () => void this.#stack.push(mark),
    48: () => void this.#stack.pop(),
    49: () => void this.#marked(),
    // NONE, NEWTRUE, NEWFALSE
    78: () => this.#push(null),
    136: () => this.#push(true),
    137: () => this.#push(false),
    // BININT, BININT1, BININT2, LONG1, BINFLOAT
    74: () => this.#push(this.#view.getInt32(this.#take(4), true)),
    75: () => this.#push(this.#byte()),
    77: () => this.#push(this.#view.getUint16(this.#take(2), true)),
    138: () => this.#push(this.#integer(this.#byte())),
    71: () => this.#push(this.#view.getFloat64(this.#take(8), false)),
    // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8, SHORT_BINSTRING, BINSTRING
    140: () => this.#push(this.#text(this.#byte())),
    88: () => this.#push(this.#text(this.#word())),
    141: () => this.#push(this.#text(this.#long())),
    85: () => this.#push(this.#text(this.#byte())),
    84: () => this.#push(this.#text(this.#word())),
    // SHORT_BINBYTES, BINBYTES
    67: () => this.#push({ k: 'bytes', bytes: this.#slice(this.#byte()) }),
    66: () => this.#push({ k: 'bytes', bytes: this.#slice(this.#word()) }),
    // EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
    41: () => this.#push({ k: 'tuple', items: [] }),
    116: () => this.#push({ k: 'tuple', items: this.#marked() }),
    133: () => this.#push({ k: 'tuple', items: this.#several(1) }),
    134: () => this.#push({ k: 'tuple', items: this.#several(2) }),
    135: () => this.#push({ k: 'tuple', items: this.#several(3) }),
    // EMPTY_LIST, LIST, APPEND, APPENDS, EMPTY_SET, ADDITEMS
    93: () => this.#push({ k: 'list', items: [] }),
    108: () => this.#push({ k: 'list', items: this.#marked() }),
    97: () => this.#append(this.#several(1), 'list'),
    101: () => this.#append(this.#marked(), 'list'),
    143: () => this.#push({ k: 'set', items: [] }),
    144: () => this.#append(this.#marked(), 'set'),
    // EMPTY_DICT, DICT, SETITEM, SETITEMS
    125: () => this.#push({ k: 'dict', entries: [] }),
    100: () => this.#push({ k: 'dict', entries: this.#pairs(this.#marked()) }),
    115: () => this.#setItems(this.#several(2)),
    117: () => this.#setItems(this.#marked()),
    // BINGET, LONG_BINGET, BINPUT, LONG_BINPUT, MEMOIZE
    104: () => this.#push(this.#recall(this.#byte())),
    106: () => this.#push(this.#recall(this.#word())),
    113: () => this.#remember(this.#byte()),
    114: () => this.#remember(this.#word()),
    148: () => this.#remember(this.#memo.size),
    // GLOBAL, STACK_GLOBAL
    99: () => this.#push(this.#global(this.#line(), this.#line())),
    147: () => {
      const [module, name] = this.#several(2);
      if (typeof module !== 'string' || typeof name !== 'string') this.#damaged();
      else this.#push(this.#global(module, name));
    },
    // BINPERSID
    81: () => this.#push({ k: 'persistent', id: this.#pop() }),
    // REDUCE, NEWOBJ
    82: () => this.#call(),
    129: () => this.#call(),
    // BUILD: the state of an object, of which nothing is kept; a dict's attributes likewise.
    98: () => {
      this.#pop();
      const target = this.#top();
      const known = typeof target === 'object' && target !== null;
      if (!known || !['dict', 'object', 'call'].includes(target.k)) this.#damaged();
    },
  };

  // ---------------------------------------------------------------- bytes

  #take(n: number): number {
    const at = this.#at;
    if (n > this.#bytes.length - at) this.#refuse('its pickle is cut off');
    this.#at += n;
    return at;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #word(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #long(): number {
    const n = this.#view.getBigUint64(this.#take(8), true);
    return n > BigInt(this.#bytes.length) ? this.#refuse('its pickle is cut off') : Number(n);
  }

  #slice(n: number): Uint8Array {
    const at = this.#take(n);
    return this.#bytes.subarray(at, at + n);
  }

  #text(n: number): string {
    return new TextDecoder().decode(this.#slice(n));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) return this.#refuse('its pickle is cut off');
    const text = this.#text(end - this.#at);
    this.#at++;
    return text;
  }

  /** A little-endian integer of n < 256 bytes, to a number's precision: a seed may have 9. */
  #integer(n: number): number {
    let value = 0n;
    for (const b of [...this.#slice(n)].reverse()) value = (value << 8n) | BigInt(b);
    return Number(BigInt.asIntN(8 * Math.max(n, 1), value));
  }

  // ---------------------------------------------------------------- stack

  #push(v: PValue): void {
    this.#stack.push(v);
  }

  #damaged(): never {
    return this.#refuse('its pickle is damaged');
  }

  #pop(): PValue {
    const v = this.#stack.pop();
    return v === undefined || v === mark ? this.#damaged() : v;
  }

  #top(): PValue {
    const v = this.#stack.at(-1);
    return v === undefined || v === mark ? this.#damaged() : v;
  }

  #several(n: number): PValue[] {
    return Array.from({ length: n }, () => this.#pop()).reverse();
  }

  /** Everything above the last mark. */
  #marked(): PValue[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) return this.#damaged();
    const items = this.#stack.splice(at + 1) as PValue[];
    this.#stack.pop();
    return items;
  }

  #pairs(items: readonly PValue[]): [PValue, PValue][] {
    if (items.length % 2 !== 0) return this.#damaged();
    return Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i]!, items[2 * i + 1]!]);
  }

  #append(items: readonly PValue[], k: 'list' | 'set'): void {
    const target = this.#top();
    if (typeof target !== 'object' || target?.k !== k) this.#damaged();
    for (const item of items) target.items.push(item);
  }

  #setItems(items: readonly PValue[]): void {
    const target = this.#top();
    if (typeof target !== 'object' || target?.k !== 'dict') this.#damaged();
    for (const pair of this.#pairs(items)) target.entries.push(pair);
  }

  #remember(at: number): void {
    this.#memo.set(at, this.#top());
  }

  #recall(at: number): PValue {
    const v = this.#memo.get(at);
    return v === undefined ? this.#damaged() : v;
  }

  #global(module: string, name: string): PValue {
    const whole = `${module}.${name}`;
    if (Object.hasOwn(callable, whole) || constant.test(whole)) return { k: 'global', name: whole };
    return this.#refuse(
      `its pickle asks for ${JSON.stringify(whole.slice(0, 100))}, which is no tensor`,
      'Nothing that it names is run. Save tensors alone: torch.save(model.state_dict(), file).',
    );
  }

  #call(): void {
    const [fn, args] = this.#several(2);
    const isCall = typeof fn === 'object' && fn?.k === 'global' && Object.hasOwn(callable, fn.name);
    if (!isCall || typeof args !== 'object' || args?.k !== 'tuple') this.#damaged();
    this.#push(callable[fn.name]!(fn.name, args.items));
  }
}
