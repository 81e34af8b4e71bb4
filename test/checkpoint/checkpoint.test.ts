/**
 * PyTorch checkpoints: what Python's pickler writes is read exactly; what is hostile or broken is
 * refused with one sentence, before anything is run or allocated.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Checkpoint } from '../../runtime/checkpoint/checkpoint.ts';
import { oldAutoencoderNames } from '../../runtime/checkpoint/old-names.ts';
import { isTenonError } from '../../runtime/index.ts';
import { archive, dict, floats, op, type Part, tensor, zip } from './archive.ts';

const here = import.meta.dirname;

const open = (bytes: Uint8Array): Checkpoint =>
  Checkpoint.from({
    name: 'c.pt',
    size: bytes.length,
    read: (offset, length) => {
      if (offset < 0 || offset + length > bytes.length) throw new Error('read outside of the file');
      return bytes.slice(offset, offset + length);
    },
  });

describe('what torch.save writes', () => {
  it.each(['small.pt', 'small-deflated.pt'])('%s: every tensor, widened', (name) => {
    using file = Checkpoint.open(join(here, name));
    const model = file.select({ part: 'model' });
    const values = Object.fromEntries(
      [...model].map(([n, t]) => [n, { shape: t.shape, data: [...(t.read() as Float32Array)] }]),
    );
    expect(values).toEqual({
      weight: { shape: [3, 4], data: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] },
      transposed: { shape: [4, 3], data: [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11] },
      row: { shape: [4], data: [4, 5, 6, 7] },
      half: { shape: [3], data: [0.5, -2, 65504] },
      brain: { shape: [2], data: [1, -0.25] },
      scalar: { shape: [], data: [7] },
      'blocks.0.w': { shape: [2], data: [1, 2] },
      'blocks.1.w': { shape: [2], data: [3, 4] },
    });
    // The average stands before the model, without what parallel training put before its names.
    expect([...file.select().keys()]).toEqual([...model.keys()]);
    expect([...file.read('steps').data]).toEqual([9, -1]);
    expect([...file.read('mask').data]).toEqual([1, 0]);
    expect(file.tensors.has('opt.state.0.exp_avg')).toBe(true);
  });

  it('torch.pt, which PyTorch wrote: every tensor, among what is no tensor', () => {
    using file = Checkpoint.open(join(here, 'torch.pt'));
    const grid = Array.from({ length: 24 }, (_, i) => i / 8 - 1);
    const at = (...i: number[]): number[] => i.map((k) => grid[k]!);
    const first = at(0, 1, 2, 3);
    const expected = {
      weight: [[6, 4], grid],
      transposed: [
        [4, 6],
        [0, 1, 2, 3].flatMap((c) => at(c, c + 4, c + 8, c + 12, c + 16, c + 20)),
      ],
      row: [[4], at(8, 9, 10, 11)],
      column: [[6], at(1, 5, 9, 13, 17, 21)],
      window: [[3, 2], at(5, 6, 13, 14, 21, 22)],
      repeated: [
        [3, 4],
        [...first, ...first, ...first],
      ],
      parameter: [[4], first],
      half: [[4], first],
      brain: [[4], first],
      double: [[4], first],
      long: [[3], [-1, 0, 1]],
      byte: [[2], [0, 255]],
      mask: [[2], [1, 0]],
      scalar: [[], [2.5]],
      empty: [[0, 3], []],
      'blocks.0.w': [[4], first],
      'blocks.1.w': [[4], at(4, 5, 6, 7)],
    };
    for (const part of ['ema', 'model']) {
      const got = [...file.select({ part })].map(([n, t]) => [
        n,
        [t.shape, [...t.read()].map(Number)],
      ]);
      expect(Object.fromEntries(got)).toEqual(expected);
      // Views with strides are put together whole; what lies in the file as it is comes in parts.
      for (const [n, { part: partOf, read }] of file.select({ part })) {
        const whole = [...read()];
        const parts = whole.flatMap((_, i) => [...(partOf?.(i, i + 1) ?? read().slice(i, i + 1))]);
        expect([n, parts]).toEqual([n, whole]);
      }
      const whole = [...file.select({ part })].filter(([, t]) => t.part === undefined);
      expect(whole.map(([n]) => n)).toEqual(['transposed', 'column', 'window', 'repeated']);
    }
    expect([...file.select().keys()]).toEqual(Object.keys(expected));
    expect([...file.read('opt.state.0.exp_avg').data].every((v) => v > 0)).toBe(true);
    expect([...file.tensors.keys()].some((n) => /args|best|counts|steps/.test(n))).toBe(false);
  });

  it('archives of more than 4 GiB keep their numbers in zip64 fields', () => {
    const pickle = dict({ w: tensor({ key: '0', elements: 2 }, [2], [1]) });
    const file = open(zip(archive(pickle, { 0: floats(3, 4) }), true));
    expect([...file.read('w').data]).toEqual([3, 4]);
  });

  it('names of the model can be changed on the way', () => {
    const w = tensor({ key: '0', elements: 1 }, [1], [1]);
    const pickle = dict({
      'mid.attentions.0.query.weight': w,
      'mid.attentions.0.proj_attn.bias': w,
    });
    const file = open(zip(archive(pickle, { 0: floats(1) })));
    expect([...file.select({ rename: oldAutoencoderNames }).keys()]).toEqual([
      'mid.attentions.0.to_q.weight',
      'mid.attentions.0.to_out.0.bias',
    ]);
    expect(() => file.select({ rename: () => 'same' })).toThrow(/both called same/);
    expect(() => file.select({ part: 'ema' })).toThrow(/no tensors in "ema"/);
  });

  it('a tensor that was saved alone is the input', () => {
    using file = Checkpoint.open(join(here, 'bare-tensor.pt'));
    const whole = file.whole();
    expect(whole instanceof Map).toBe(false);
    if (!(whole instanceof Map)) expect(whole.read()).toHaveLength(whole.shape[0]!);
  });

  it('what torch.compile puts before every name is taken off', () => {
    using file = Checkpoint.open(join(here, 'compiled-prefix.pt'));
    expect([...file.select().keys()]).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
  });

  it('and what parallel training and PyTorch Lightning put there, each once', () => {
    const w = tensor({ key: '0', elements: 1 }, [1], [1]);
    const names = (root: Parameters<typeof dict>[0]): string[] => {
      const file = open(zip(archive(dict(root), { 0: floats(1) })));
      return [...file.select().keys()];
    };
    // A record within a record has no beginning and no end.
    const inner = (of: Parameters<typeof dict>[0]): Uint8Array =>
      dict(of).slice(op.start.length, -op.stop.length);
    const version = { 'pytorch-lightning_version': inner({}) };
    expect(names({ 'module._orig_mod.a.w': w, 'module._orig_mod.b': w })).toEqual(['a.w', 'b']);
    expect(names({ '_orig_mod.module.a': w, '_orig_mod.module.module.b': w })).toEqual([
      'a',
      'module.b',
    ]);
    expect(names({ 'module.a': w, b: w })).toEqual(['module.a', 'b']);
    const trained = { 'model.a': w, 'model.model.b': w };
    expect(names({ ...version, state_dict: inner(trained) })).toEqual(['a', 'model.b']);
    expect(names({ ...version, state_dict: inner({ 'model.model.b': w }) })).toEqual(['model.b']);
    // Not from Lightning: it is a part of the model.
    expect(names({ state_dict: inner(trained) })).toEqual(['model.a', 'model.model.b']);
  });

  it('any view is read as its strides say', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 3, maxLength: 3 }),
        fc.nat(3),
        (shape, steps, offset) => {
          const strides = shape.map((_, i) => steps[i]!);
          const last = offset + shape.reduce((n, d, i) => n + (d - 1) * strides[i]!, 0);
          const data = Array.from({ length: last + 1 }, (_, i) => i);
          const pickle = dict({
            w: tensor({ key: '0', elements: last + 1 }, shape, strides, offset),
          });
          const got = open(zip(archive(pickle, { 0: floats(...data) }))).read('w');
          let want = [offset];
          for (const [i, d] of shape.entries()) {
            want = want.flatMap((v) => Array.from({ length: d }, (_, k) => v + k * strides[i]!));
          }
          expect([...got.data]).toEqual(want);
        },
      ),
    );
  });
});

describe('what is refused', () => {
  const refused = (bytes: Uint8Array, why: RegExp): void => {
    let error: unknown;
    try {
      const file = open(bytes);
      for (const name of file.tensors.keys()) file.read(name);
    } catch (e) {
      error = e;
    }
    expect(isTenonError(error) ? error.message : error).toMatch(why);
  };
  const good = dict({ w: tensor({ key: '0', elements: 2 }, [2], [1]) });
  const one = { 0: floats(1, 2) };

  it.each([
    [
      'a call of a system function',
      [op.global('os', 'system'), op.text('id')],
      /asks for "os.system"/,
    ],
    ['eval', [op.global('builtins', 'eval')], /asks for "builtins.eval"/],
    [
      'bytes that torch would unpickle',
      [op.global('torch.storage', '_load_from_bytes')],
      /asks for/,
    ],
    ['a name with tricks', [op.global('collections', 'OrderedDict.__class__')], /asks for/],
    ['the opcode INST', [Uint8Array.of(0x28, 0x69)], /opcode 0x69/],
    ['an extension', [Uint8Array.of(0x82, 1)], /opcode 0x82/],
    ['an integer longer than the file', [Uint8Array.of(0x8a, 200)], /cut off/],
    ['eval by its old name', [op.global('__builtin__', 'eval')], /asks for "__builtin__.eval"/],
    ['getattr', [op.global('builtins', 'getattr')], /asks for "builtins.getattr"/],
    ['a string longer than the file', [Uint8Array.of(0x58, 255, 255, 255, 255)], /cut off/],
    ['a memo that is empty', [Uint8Array.of(0x68, 7)], /damaged/],
    ['an empty stack', [Uint8Array.of(0x52)], /damaged/],
  ] as const)('%s', (_, code, why) => {
    const body = code.flatMap((c) => [...c]);
    refused(zip(archive(Uint8Array.from([...op.start, ...body, ...op.stop]))), why);
  });

  it.each([
    [
      'a tensor larger than its storage',
      tensor({ key: '0', elements: 2 }, [3], [1]),
      /does not lie/,
    ],
    ['an offset outside', tensor({ key: '0', elements: 2 }, [1], [1], 2), /does not lie/],
    ['a negative offset', tensor({ key: '0', elements: 2 }, [1], [1], -1), /does not lie/],
    ['a negative stride', tensor({ key: '0', elements: 2 }, [2], [-1], 1), /no shape/],
    [
      'a storage that is not there',
      tensor({ key: '9', elements: 2 }, [2], [1]),
      /no entry data\/9/,
    ],
    ['a storage that claims more', tensor({ key: '0', elements: 200 }, [2], [1]), /200 elements/],
    [
      'a type of storage that is none',
      tensor({ type: 'Size', key: '0', elements: 2 }, [2], [1]),
      /no storage/,
    ],
    [
      'one number read a billion times',
      tensor({ key: '0', elements: 2 }, [2 ** 30], [0]),
      /repeats/,
    ],
    [
      'an overflowing shape',
      tensor({ key: '0', elements: 2 }, [2 ** 30, 2 ** 30], [0, 0]),
      /many elements/,
    ],
  ] as const)('%s', (_, w, why) => {
    refused(zip(archive(dict({ w }), one)), why);
  });

  const bomb = new Uint8Array(80_000_000);
  it.each<[string, Part[], RegExp]>([
    [
      'a zip bomb',
      [{ name: 'a/data.pkl', data: bomb, deflate: true }],
      /claim to unpack to 80000000/,
    ],
    [
      'an entry that unpacks to more than it says',
      [{ name: 'a/data.pkl', data: bomb.subarray(0, 1000), deflate: true, claims: { size: 10 } }],
      /does not unpack to its 10 bytes/,
    ],
    [
      'entries that overlap',
      [...archive(good, one), { name: 'b', data: floats(1), claims: { header: 0 } }],
      /overlaps/,
    ],
    [
      'a stored entry of two sizes',
      [{ name: 'a/data.pkl', data: good, claims: { size: 5 } }],
      /is stored as it is/,
    ],
    ['a name twice', [...archive(good, one), ...archive(good, one)], /twice/],
    [
      'an unknown method',
      [{ name: 'a/data.pkl', data: good, claims: { method: 12 } }],
      /not supported/,
    ],
    ['an encrypted entry', [{ name: 'a/data.pkl', data: good, claims: { flags: 1 } }], /encrypted/],
    [
      'an entry beyond the file',
      [{ name: 'a/data.pkl', data: good, claims: { header: 1e6 } }],
      /overlaps the directory/,
    ],
    ['no pickle', [{ name: 'readme', data: good }], /no data.pkl/],
    [
      'another byte order',
      [...archive(good, one), { name: 'a/byteorder', data: new TextEncoder().encode('big') }],
      /big/,
    ],
  ])('%s', (_, parts, why) => {
    refused(zip(parts), why);
  });

  it('records that share parts without end', () => {
    // l0 = [], l1 = [l0, l0, ...], l2 = [l1, l1, ...]: a billion paths in a few bytes.
    const level = [0x28, ...Array.from({ length: 40 }, () => [0x68, 0]).flat(), 0x6c, 0x71, 0];
    const body = [0x5d, 0x71, 0, ...Array.from({ length: 8 }, () => level).flat()];
    refused(zip(archive(Uint8Array.from([...op.start, ...body, ...op.stop]))), /unfolds to more/);
  });

  it('a record within itself', () => {
    const body = [0x5d, 0x71, 0, 0x68, 0, 0x61];
    refused(zip(archive(Uint8Array.from([...op.start, ...body, ...op.stop]))), /nested more than/);
  });

  it('the format before PyTorch 1.6', () => {
    refused(Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc), /before 1.6/);
  });

  it('a pickle without an archive, and a pickled module with what to do instead', () => {
    refused(Uint8Array.of(0x80, 4, 0x95, 10, 0, 0, 0, 0), /is a bare pickle/);
    const code = op.global('torch.nn.modules.container', 'Sequential');
    const whole = zip(archive(Uint8Array.from([...op.start, ...code, ...op.stop])));
    expect(() => open(whole)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('model.state_dict()') }),
    );
  });

  it('any damage: an error for users, or the same names', () => {
    const whole = zip(archive(good, one));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, value, cut) => {
        const broken = whole.slice(0, cut === 0 ? whole.length : cut);
        if (at < broken.length) broken[at] = value;
        try {
          const file = open(broken);
          for (const name of file.tensors.keys()) file.read(name);
        } catch (e) {
          expect(isTenonError(e) ? 'an error for users' : e).toBe('an error for users');
        }
      }),
      { numRuns: 500 },
    );
  });
});
