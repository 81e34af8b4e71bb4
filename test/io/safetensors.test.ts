import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTenonError } from '../../runtime/errors.ts';
import { bf16Value, f16Value } from '../../runtime/io/half.ts';
import {
  encodeSafetensors,
  type HostTensor,
  parseSafetensors,
} from '../../runtime/io/safetensors.ts';

function join(pieces: Iterable<Uint8Array>): Uint8Array {
  return new Uint8Array(Buffer.concat([...pieces]));
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });

function tensorOf<A extends HostTensor['data']>(
  dtype: HostTensor['dtype'],
  element: fc.Arbitrary<number>,
  make: (values: number[]) => A,
): fc.Arbitrary<HostTensor> {
  return shapes.chain((shape) =>
    fc
      .array(element, { minLength: size(shape), maxLength: size(shape) })
      .map((values) => ({ dtype, shape, data: make(values) })),
  );
}

const f32 = (v: number[]) => Float32Array.from(v);
const i32 = (v: number[]) => Int32Array.from(v);
/** Every dtype with values that it holds exactly, so that a round trip is the identity. */
const tensor: fc.Arbitrary<HostTensor> = fc.oneof(
  tensorOf('F32', fc.float(), f32),
  tensorOf('F64', fc.double(), (v) => Float64Array.from(v)),
  tensorOf('F16', fc.integer({ min: 0, max: 65535 }).map(f16Value), f32),
  tensorOf('BF16', fc.integer({ min: 0, max: 65535 }).map(bf16Value), f32),
  tensorOf('I32', fc.integer(), i32),
  tensorOf('I64', fc.integer(), i32),
  tensorOf('U32', fc.nat({ max: 2 ** 32 - 1 }), (v) => Uint32Array.from(v)),
  tensorOf('U8', fc.nat({ max: 255 }), i32),
  tensorOf('BOOL', fc.nat({ max: 1 }), i32),
);
const names = fc
  .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '0', 'a.b.0.weight', ''))
  .filter((n) => n !== '__metadata__' && n.isWellFormed());
const files = fc
  .uniqueArray(fc.tuple(names, tensor), { selector: ([n]) => n, maxLength: 6 })
  .map((pairs) => new Map(pairs));

describe('round trip', () => {
  it('gives back every tensor and the metadata', () => {
    const metadata = fc.dictionary(names, fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(files, metadata, (tensors, meta) => {
        fc.pre(Object.values(meta).every((v) => v.isWellFormed()));
        const back = parseSafetensors(join(encodeSafetensors(tensors, meta)));
        expect(new Set(back.tensors.keys())).toEqual(new Set(tensors.keys()));
        expect(Object.entries(back.metadata)).toEqual(Object.entries(meta));
        for (const [name, t] of tensors) expect(back.read(name)).toEqual(t);
      }),
    );
  });

  it('reads rows as the rows of the whole', () => {
    fc.assert(
      fc.property(tensor, fc.nat(), fc.nat(), (t, a, b) => {
        const rows = t.shape[0];
        fc.pre(rows !== undefined);
        const [from, to] = [a % (rows! + 1), b % (rows! + 1)].sort((x, y) => x - y) as [
          number,
          number,
        ];
        const file = parseSafetensors(join(encodeSafetensors(new Map([['t', t]]))));
        const part = file.readRows('t', from, to);
        const row = rows === 0 ? 0 : t.data.length / rows!;
        expect(part.shape).toEqual([to - from, ...t.shape.slice(1)]);
        expect(part.data).toEqual(t.data.slice(from * row, to * row));
        expect(() => file.readRows('t', 0, rows! + 1)).toThrow(/do not exist/);
      }),
    );
  });

  it('reads parts as parts of the whole, all in the same memory', () => {
    fc.assert(
      fc.property(tensor, fc.nat(), fc.nat(), (t, a, b) => {
        const { length } = t.data;
        const [from, to] = [a % (length + 1), b % (length + 1)].sort((x, y) => x - y);
        const file = parseSafetensors(join(encodeSafetensors(new Map([['t', t]]))));
        const all = file.readPart('t', 0, length);
        expect(all).toEqual(t.data);
        const part = file.readPart('t', from!, to!);
        expect(part).toEqual(t.data.slice(from, to));
        expect(part.buffer).toBe(all.buffer);
        expect(file.read('t').data.buffer).not.toBe(all.buffer);
      }),
    );
  });

  it('names the element of a part by its place in the whole', () => {
    const data = Int32Array.of(0, 1, 0, 0, 1);
    const bytes = join(encodeSafetensors(new Map([['b', { dtype: 'BOOL', shape: [5], data }]])));
    bytes[bytes.length - 2] = 7;
    const file = parseSafetensors(bytes);
    expect([...file.readPart('b', 0, 3)]).toEqual([0, 1, 0]);
    expect(() => file.readPart('b', 2, 5)).toThrow(/element 3 is the byte 7/);
    expect(() => file.read('b')).toThrow(/element 3 is the byte 7/);
  });

  it('aligns the data for readers that map the file', () => {
    const tensors = new Map<string, HostTensor>([
      ['b', { dtype: 'U8', shape: [3], data: Int32Array.of(1, 2, 3) }],
      ['w', { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) }],
    ]);
    const bytes = join(encodeSafetensors(tensors));
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(header % 8).toBe(0);
    expect(parseSafetensors(bytes).tensors.get('w')).toMatchObject({ begin: 0, end: 8 });
  });
});

/** A file with this header text and so many zero bytes of data. */
function fileOf(header: string, dataBytes: number, claimed?: bigint): Uint8Array {
  const text = new TextEncoder().encode(header);
  const out = new Uint8Array(8 + text.length + dataBytes);
  new DataView(out.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  out.set(text, 8);
  return out;
}

function messageOf(bytes: Uint8Array): string {
  try {
    parseSafetensors(bytes, 'w.safetensors');
  } catch (e) {
    if (isTenonError(e) && e.code === 'format') return e.message;
    throw e;
  }
  return 'accepted';
}

describe('hostile headers are refused with the reason, before anything is allocated', () => {
  const entry = (shape: string, offsets: string, dtype = 'F32') =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
  const cases: readonly [what: string, bytes: Uint8Array, message: RegExp][] = [
    ['an empty file', new Uint8Array(), /0 bytes/],
    ['a header longer than the file', fileOf('{}', 0, 3n), /claims 3 bytes and the file holds 2/],
    ['a huge header', fileOf('{}', 0, 2n ** 63n), /at most 100000000/],
    ['an empty header', fileOf('', 0), /does not start with {/],
    ['no JSON', fileOf('{oops', 0), /not valid JSON/],
    ['deep nesting', fileOf(`{"a":${'['.repeat(50_000)}`, 0), /nested more than 3 deep/],
    [
      'a name twice',
      fileOf(`{"a":${entry('[1]', '[0,4]')},"\\u0061":${entry('[1]', '[0,4]')}}`, 4),
      /"a" occurs twice/,
    ],
    [
      'a field twice',
      fileOf('{"a":{"dtype":"F32","dtype":"I32","shape":[],"data_offsets":[0,4]}}', 4),
      /"dtype" occurs twice/,
    ],
    ['an unknown dtype', fileOf(`{"a":${entry('[1]', '[0,4]', 'F31')}}`, 4), /unknown dtype "F31"/],
    [
      'an inherited name as dtype',
      fileOf(`{"a":${entry('[1]', '[0,4]', 'toString')}}`, 4),
      /unknown dtype/,
    ],
    [
      'a negative size',
      fileOf(`{"a":${entry('[-1]', '[0,4]')}}`, 4),
      /shape is not a list of sizes/,
    ],
    [
      'a broken size',
      fileOf(`{"a":${entry('[1.5]', '[0,6]')}}`, 6),
      /shape is not a list of sizes/,
    ],
    [
      'sizes whose product passes 2^53',
      fileOf(`{"a":${entry('[4294967296,4294967296]', '[0,4]')}}`, 4),
      /more than 2\^53 bytes/,
    ],
    [
      'a product that wraps to the right length',
      fileOf(`{"a":${entry('[2147483648,2147483648,2147483648,1]', '[0,0]')}}`, 0),
      /more than 2\^53/,
    ],
    [
      'a shape larger than its data',
      fileOf(`{"a":${entry('[2]', '[0,4]')}}`, 4),
      /needs 8 bytes and has 4/,
    ],
    ['offsets past the end', fileOf(`{"a":${entry('[2]', '[0,8]')}}`, 4), /outside the 4 bytes/],
    [
      'offsets that run backwards',
      fileOf(`{"a":${entry('[0]', '[4,0]')}}`, 4),
      /outside the 4 bytes/,
    ],
    [
      'overlapping tensors',
      fileOf(`{"a":${entry('[1]', '[0,4]')},"b":${entry('[1]', '[2,6]')}}`, 6),
      /"b": bytes 2 to 6 overlap/,
    ],
    ['a hole', fileOf(`{"a":${entry('[1]', '[4,8]')}}`, 8), /bytes 0 to 4 belong to no tensor/],
    ['trailing bytes', fileOf(`{"a":${entry('[1]', '[0,4]')}}`, 5), /last 1 bytes/],
    [
      'metadata that is not text',
      fileOf('{"__metadata__":{"a":1}}', 0),
      /__metadata__ a is not a text/,
    ],
    ['a list as entry', fileOf('{"a":[]}', 0), /entry is not an object/],
  ];
  for (const [what, bytes, message] of cases) {
    it(what, () => expect(messageOf(bytes)).toMatch(message));
  }

  it('a scalar and an empty tensor are fine', () => {
    const header = `{"a":${entry('[]', '[0,4]')},"b":${entry('[0,9007199254740991]', '[4,4]')}}`;
    expect(messageOf(fileOf(header, 4))).toBe('accepted');
  });
});

describe('fuzzing', () => {
  /** Whatever the bytes are: a typed error, or a reader all of whose tensors can be read. */
  function probe(bytes: Uint8Array): void {
    try {
      const file = parseSafetensors(bytes);
      for (const name of file.tensors.keys()) file.read(name);
    } catch (e) {
      if (!isTenonError(e)) throw e;
    }
  }

  it('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), probe));
  });

  it('good files with bytes changed, removed or added', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 2 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(files, edits, (tensors, list) => {
        const bytes = [...join(encodeSafetensors(tensors))];
        for (const [at, value, removed] of list) bytes.splice(at % bytes.length, removed, value);
        probe(Uint8Array.from(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('headers made of the right words in any arrangement', () => {
    const number = fc.oneof(fc.integer(), fc.constantFrom(0, 4, 2 ** 53, 1e308, 0.5));
    const value = fc.oneof(
      number,
      fc.array(number, { maxLength: 4 }),
      fc.constantFrom('F32', 'I64', 'BOOL', null, true, {}),
    );
    const field = fc.constantFrom('dtype', 'shape', 'data_offsets', '__proto__');
    const header = fc.dictionary(
      fc.constantFrom('a', 'b', '__metadata__'),
      fc.oneof(value, fc.dictionary(field, value)),
    );
    fc.assert(
      fc.property(header, fc.nat({ max: 16 }), (h, n) => probe(fileOf(JSON.stringify(h), n))),
      { numRuns: 500 },
    );
  });
});

describe('writing refuses', () => {
  const write =
    (t: HostTensor, name = 't') =>
    () =>
      join(encodeSafetensors(new Map([[name, t]])));
  it('data that does not fill its shape', () => {
    expect(write({ dtype: 'F32', shape: [3], data: new Float32Array(2) })).toThrow(
      /\[3\].*2 elements/,
    );
  });
  it('integers out of range of the dtype', () => {
    expect(write({ dtype: 'U8', shape: [1], data: Int32Array.of(256) })).toThrow(
      /element 0 is 256/,
    );
    expect(write({ dtype: 'I32', shape: [1], data: Float32Array.of(0.5) })).toThrow(
      /element 0 is 0.5/,
    );
  });
  it('the reserved name', () => {
    expect(write({ dtype: 'U8', shape: [0], data: new Int32Array() }, '__metadata__')).toThrow(
      /reserved/,
    );
  });
});

describe('reading says which element does not fit', () => {
  it('a 64-bit integer past 32 bits', () => {
    const data = fileOf('{"a":{"dtype":"I64","shape":[2],"data_offsets":[0,16]}}', 16);
    data[data.length - 1] = 1;
    expect(() => parseSafetensors(data, 'f').read('a')).toThrow(/tensor "a": element 1 is 72057/);
  });
  it('a name that is not there', () => {
    const file = parseSafetensors(fileOf('{}', 0), 'f');
    expect(() => file.read('w')).toThrow('f has no tensor "w"');
  });
});
