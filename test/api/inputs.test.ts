/**
 * Data at the door of a program: every way of giving a tree finds the same leaves, sizes follow from
 * shapes, and what does not fit is refused by name.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeafSpec } from '../../compiler/elaborate/interface.ts';
import { evalSize } from '../../compiler/elaborate/sizes.ts';
import { add, evaluate, sub } from '../../dsl/size.ts';
import type { Size, Type } from '../../dsl/typed.ts';
import { flatten, type Given, gather } from '../../runtime/api/gather.ts';
import { inferSizes } from '../../runtime/api/infer.ts';
import { ingest, type Piece } from '../../runtime/api/ingest.ts';
import { leavesOf, type SymbolicLeaf } from '../../runtime/api/leaves.ts';
import { elements, type Inputs, type LazyLeaf, type Tree } from '../../runtime/api/tensor.ts';
import { type Leaf, stateDict, unflatten } from '../../runtime/api/trees.ts';

// ---------------------------------------------------------------- types and values by hand

const size = (...factors: (string | number)[]): Size => {
  const c = factors.reduce<number>((a, f) => (typeof f === 'number' ? a * f : a), 1);
  const v = factors.filter((f) => typeof f === 'string').sort();
  return [{ c, v }];
};
const dim = (s: Size) => ({ size: s, form: { k: 'atom', size: s } as const });
const f32: Type = { k: 'scalar', s: 'f32' };
const tensor = (elem: Type, ...dims: Size[]): Type => ({ k: 'tensor', dims: dims.map(dim), elem });
const record = (fields: Record<string, Type>): Type => ({
  k: 'record',
  fields: Object.entries(fields).map(([label, type]) => ({ label, type, fixed: false })),
});

/** Linear[I, O], and a stack of L of them between two others. */
const linear = record({ weight: tensor(f32, size('O'), size('I')), bias: tensor(f32, size('O')) });
const model = record({ first: linear, blocks: tensor(record({ 0: linear }), size('L')) });
const sizeParams = ['I', 'O', 'L'].map((name) => ({ name }));

const specs = (leaves: readonly SymbolicLeaf[], sizes: ReadonlyMap<string, number>): LeafSpec[] =>
  leaves.map((l) => {
    const at = (s: Size) => evaluate(s, (n) => sizes.get(n))!;
    return {
      path: l.path.map((s) => (typeof s === 'string' ? s : { over: at(s.over) })),
      shape: l.dims.map(at),
      scalar: l.scalar,
      fixed: l.fixed,
      ...(l.bound === undefined ? {} : { bound: at(l.bound) }),
    };
  });

const filled = (spec: LeafSpec, seed: number): Leaf => ({
  spec,
  data: Float32Array.from({ length: elements(spec.shape) }, (_, i) => seed * 1000 + i),
});

/** A leaf whose pieces must follow each other without a gap. */
function whole({ shape }: LeafSpec, pieces: Iterable<Piece>): Float32Array {
  const out = new Float32Array(elements(shape));
  let next = 0;
  for (const { at = 0, data } of pieces) {
    expect(at).toBe(next);
    out.set(data, at);
    next += data.length;
  }
  expect(next).toBe(out.length);
  return out;
}

/** A function that states nothing of its sizes. */
const none = { derived: [], facts: [] };

const enter = (type: Type, inputs: Inputs): { sizes: Map<string, number>; leaves: Leaf[] } => {
  const params = [{ name: 'p', leaves: leavesOf(type, 'p') }];
  const gathered = gather(params, flatten(inputs));
  const sizes = inferSizes(sizeParams, none, params, gathered, {});
  const leaves = specs(params[0]!.leaves, sizes).map((spec, i) => ({
    spec,
    data: whole(spec, ingest('p', spec, gathered.get('p')![i]!)),
  }));
  return { sizes, leaves };
};

/** Splits stacked leaves of `blocks` into an array of records. */
const itemised = (leaves: readonly Leaf[], count: number): Tree => {
  const dict = stateDict(leaves);
  const block = (i: number) => ({
    0: { weight: dict.get(`blocks.${i}.0.weight`)!, bias: dict.get(`blocks.${i}.0.bias`)! },
  });
  return {
    first: { weight: dict.get('first.weight')!, bias: dict.get('first.bias')! },
    blocks: Array.from({ length: count }, (_, i) => block(i)),
  };
};

describe('trees', () => {
  const some = fc.record({
    I: fc.integer({ min: 1, max: 4 }),
    O: fc.integer({ min: 1, max: 4 }),
    L: fc.integer({ min: 1, max: 12 }),
  });

  it('are the same however they are given: stacked, item by item, as a state dict', () => {
    fc.assert(
      fc.property(some, (s) => {
        const sizes = new Map(Object.entries(s));
        const leaves = specs(leavesOf(model, 'p'), sizes).map(filled);
        const forms: Tree[] = [
          unflatten(leaves) as Tree,
          stateDict(leaves),
          itemised(leaves, s.L),
          new Map([...stateDict(leaves)].reverse()),
        ];
        for (const form of forms) {
          const got = enter(model, { p: form });
          expect(got.sizes).toEqual(sizes);
          expect(got.leaves.map((l) => [...l.data])).toEqual(leaves.map((l) => [...l.data]));
        }
      }),
    );
  });

  it('name items as a PyTorch state dict does', () => {
    const sizes = new Map(Object.entries({ I: 2, O: 3, L: 2 }));
    const leaves = specs(leavesOf(model, 'p'), sizes).map(filled);
    expect([...stateDict(leaves, 'p').keys()]).toEqual([
      'p.first.weight',
      'p.first.bias',
      'p.blocks.0.0.weight',
      'p.blocks.1.0.weight',
      'p.blocks.0.0.bias',
      'p.blocks.1.0.bias',
    ]);
  });

  it('refuse what fits no leaf, and list all of it', () => {
    const give = { p: { first: { weight: [[1]], bias: [1], gain: [1] } }, q: 3 };
    expect(() => enter(model, give)).toThrow(/p\.first\.gain, q/);
  });

  it('name the one item that is missing', () => {
    const sizes = new Map(Object.entries({ I: 2, O: 3, L: 3 }));
    const dict = stateDict(specs(leavesOf(model, 'p'), sizes).map(filled));
    dict.delete('blocks.1.0.bias');
    expect(() => enter(model, { p: dict })).toThrow(/^p\.blocks\.1\.0\.bias is missing$/);
  });

  it('refuse an item of another shape by its name', () => {
    const sizes = new Map(Object.entries({ I: 2, O: 3, L: 3 }));
    const dict = stateDict(specs(leavesOf(model, 'p'), sizes).map(filled));
    dict.set('blocks.2.0.bias', { dtype: 'f32', shape: [4], data: new Float32Array(4) });
    expect(() => enter(model, { p: dict })).toThrow(
      /p\.blocks\.2\.0\.bias has shape \[4\], expected \[3\]/,
    );
  });

  it('keep a label that JavaScript treats specially', () => {
    const t = record({ ['__proto__']: f32 });
    const [spec] = specs(leavesOf(t, 'p'), new Map());
    const out = unflatten([{ spec: spec!, data: Float32Array.of(5) }]);
    expect(Object.entries(out)).toEqual([['__proto__', 5]]);
  });

  it('say that a function is no data', () => {
    const t: Type = { k: 'fn', params: [f32], result: f32 };
    expect(() => leavesOf(record({ f: t }), 'parameter p of g')).toThrow(/parameter p of g/);
  });
});

describe('sizes', () => {
  const leaf = (...dims: Size[]): SymbolicLeaf => ({ path: [], dims, scalar: 'f32', fixed: false });
  const whole = (shape: readonly number[]): Given => ({
    k: 'whole',
    value: { shape, data: new Float32Array(elements(shape)) },
  });
  const infer = (
    names: readonly string[],
    given: readonly [leaf: SymbolicLeaf, shape: readonly number[]][],
    explicit: Record<string, number> = {},
  ) => {
    const params = given.map(([l], i) => ({ name: `x${i}`, leaves: [l] }));
    const gathered = new Map(given.map(([, shape], i) => [`x${i}`, [whole(shape)]]));
    return inferSizes(
      names.map((name) => ({ name })),
      none,
      params,
      gathered,
      explicit,
    );
  };

  it('come back from any shapes that determine them one after another', () => {
    const value = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(value, value, value, fc.integer({ min: 0, max: 5 }), (a, b, c, k) => {
        // B is known from A*B once A is, C from B*C + k once B is, and A from A^2.
        const plus: Size = [...size('B', 'C'), ...(k === 0 ? [] : [{ c: k, v: [] }])];
        const got = infer(
          ['A', 'B', 'C'],
          [
            [leaf(plus), [b * c + k]],
            [leaf(size(3, 'A', 'B')), [3 * a * b]],
            [leaf(size('A', 'A')), [a * a]],
          ],
        );
        expect(Object.fromEntries(got)).toEqual({ A: a, B: b, C: c });
      }),
    );
  });

  it('are whole numbers without bound on the way to a small one', () => {
    const squares: Size = sub(size('D', 'D'), size('M', 'M'));
    const [D, M] = [5_000_000_000, 5_000_000_000];
    expect(infer(['D', 'M'], [[leaf(squares), [0]]], { D, M }).get('D')).toBe(D);
    expect(() => infer(['D', 'M'], [[leaf(squares), [1]]], { D, M })).toThrow(/\[1\].*= \[0\]/);
    const more: Size = add(squares, size('K'));
    expect(infer(['D', 'M', 'K'], [[leaf(more), [7]]], { D, M }).get('K')).toBe(7);
    expect(evalSize(more, new Map(Object.entries({ D, M, K: 7 })))).toBe(7);
  });

  it('need one factor of a product to be given, and say where it appears', () => {
    const x: [SymbolicLeaf, number[]] = [leaf(size('H', 'E')), [12]];
    expect(() => infer(['H', 'E'], [x])).toThrow(/H, E: H appears in E\*H = 12 \(x0\)|H\*E = 12/);
    expect(infer(['H', 'E'], [x], { H: 3 }).get('E')).toBe(4);
  });

  it('that contradict each other name both leaves', () => {
    expect(() =>
      infer(
        ['N'],
        [
          [leaf(size('N')), [3]],
          [leaf(size('N'), size(2)), [4, 2]],
        ],
      ),
    ).toThrow(
      /x1 has shape \[4, 2\], expected \[N, 2\] = \[3, 2\] \(N = 3 since x0 has shape \[3\]/,
    );
  });

  it('refuse a number that no size gives', () => {
    expect(() => infer(['N'], [[leaf(size(2, 'N')), [7]]])).toThrow(/x0 has shape \[7\].*2\*N/);
  });

  it('refuse another number of dimensions', () => {
    expect(() => infer(['N'], [[leaf(size('N')), [3, 1]]])).toThrow(
      /x0 has shape \[3, 1\], expected 1 dimensions? \[N\]/,
    );
  });

  it('follow from a fact in both directions', () => {
    const derived = [{ name: 'D/2', of: size('D'), per: 2 }];
    const params = [{ name: 'x', leaves: [leaf(size(2, 'D/2'))] }];
    const got = inferSizes(
      [{ name: 'D' }],
      { ...none, derived },
      params,
      new Map([['x', [whole([6])]]]),
      {},
    );
    expect(Object.fromEntries(got)).toEqual({ D: 6 });
  });

  it('follow from an equation that the function states', () => {
    const span = { file: 'a.tn', start: 0, end: 0 };
    const [left, right] = [size('N'), size('H', 'W')];
    const fact = { left, op: '==', right, equals: [], text: 'N == H*W', span } as const;
    const params = [{ name: 'x', leaves: [leaf(size('N'))] }];
    const sizes = ['N', 'H', 'W'].map((name) => ({ name }));
    const given = new Map([['x', [whole([6])]]]);
    const got = inferSizes(sizes, { ...none, facts: [fact] }, params, given, { H: 2 });
    expect(Object.fromEntries(got)).toEqual({ N: 6, H: 2, W: 3 });
  });

  it('take a default when nothing tells them', () => {
    const got = inferSizes([{ name: 'S', init: size(1) }], none, [], new Map(), {});
    expect(got.get('S')).toBe(1);
  });

  it('refuse a name the function does not have', () => {
    expect(() => infer(['N'], [], { M: 3 })).toThrow(/no size M/);
  });
});

describe('leaves', () => {
  const spec = (scalar: LeafSpec['scalar'], shape: number[], bound?: number): LeafSpec => ({
    path: ['y'],
    shape,
    scalar,
    fixed: false,
    ...(bound === undefined ? {} : { bound }),
  });
  it('of a stack are read one item at a time, when they are wanted', () => {
    const stack: LeafSpec = { ...spec('f32', [3, 2]), path: [{ over: 3 }, 'y'] };
    const asked: number[] = [];
    const items = [0, 1, 2].map((i) => ({
      at: [i],
      value: { shape: [2], read: () => Float32Array.of(asked.push(i), 0) },
    }));
    const pieces = ingest('p', stack, { k: 'items', items });
    expect(asked).toEqual([]);
    expect(pieces.next().value).toEqual({ at: 0, data: Float32Array.of(1, 0) });
    expect(asked).toEqual([0]);
    expect([...pieces].map((p) => p.at)).toEqual([2, 4]);
  });

  /** Elements of a leaf so large that it comes in parts, all in one small array. */
  const inParts = (shape: number[], element: (i: number) => number) => {
    const asked: number[] = [];
    const room = new Float32Array(2 ** 18);
    const part = (from: number, to: number): Float32Array => {
      asked.push(to - from);
      for (let i = 0; from + i < to; i++) room[i] = element(from + i);
      return room.subarray(0, to - from);
    };
    const read = (): never => expect.fail('it has parts');
    return { asked, leaf: { shape, read, part } };
  };

  it('are taken in parts where they offer them, and are the same', () => {
    const shape = [3, 2 ** 18 - 5];
    const stack: LeafSpec = { ...spec('f32', shape), path: [{ over: 3 }, 'y'] };
    const one = inParts(shape, (i) => i % 1013);
    const expected = Float32Array.from({ length: elements(shape) }, (_, i) => i % 1013);
    expect(whole(stack, ingest('p', stack, { k: 'whole', value: one.leaf }))).toEqual(expected);
    expect(one.asked).toEqual([2 ** 18, 2 ** 18, 2 ** 18 - 15]);
    const items = [0, 1, 2].map((i) => ({
      at: [i],
      value: inParts(shape.slice(1), (j) => (i * shape[1]! + j) % 1013).leaf,
    }));
    expect(whole(stack, ingest('p', stack, { k: 'items', items }))).toEqual(expected);
  });

  it('in parts are checked as whole ones are, and name the element', () => {
    const s = spec('f32', [2, 2 ** 18]);
    const enterParts = (value: LazyLeaf) => [
      ...ingest('p', s, { k: 'whole', value }, { finite: true }),
    ];
    const bad = inParts([2, 2 ** 18], (i) => (i === 2 ** 18 + 7 ? Infinity : 0)).leaf;
    expect(() => enterParts(bad)).toThrow(/^p\.y\[1, 7\] is Infinity/);
    expect(() => enterParts({ ...bad, shape: [2 ** 19] })).toThrow(/has shape \[524288\]/);
    expect(() => enterParts({ ...bad, part: () => Float32Array.of(1) })).toThrow(
      /gave 1 elements when asked for those from 0 to 262144/,
    );
    const none = { ...spec('f32', [0, 4]) };
    const empty = inParts([0, 4], () => 0).leaf;
    expect([...ingest('p', none, { k: 'whole', value: empty })]).toEqual([
      { at: 0, data: new Float32Array() },
    ]);
  });

  const enterLeaf = (s: LeafSpec, value: Tree, finite = false) =>
    [...ingest('p', s, { k: 'whole', value: flatten({ v: value }).get('v')! }, { finite })][0]!
      .data;

  it('hold indices in range only, and name the element', () => {
    const s = spec('idx', [2, 3], 11);
    expect([...enterLeaf(s, new BigInt64Array([0n, 1n, 2n, 3n, 4n, 10n]))]).toEqual([
      0, 1, 2, 3, 4, 10,
    ]);
    expect(() => enterLeaf(s, Int32Array.of(0, 1, 2, 3, 11, 5))).toThrow(
      /^p\.y\[1, 1\] is 11, outside idx\[11\]$/,
    );
    expect(() => enterLeaf(s, Int32Array.of(0, -1, 2, 3, 4, 5))).toThrow(/p\.y\[0, 1\] is -1/);
    expect(() =>
      enterLeaf(s, [
        [0, 1, 2],
        [3, 4, 0.5],
      ]),
    ).toThrow(/p\.y\[1, 2\] is 0\.5/);
  });

  it('take no array of another kind', () => {
    expect(() => enterLeaf(spec('f32', [2]), Int32Array.of(1, 2))).toThrow(
      /Int32Array, expected f32/,
    );
    expect(() => enterLeaf(spec('idx', [1], 4), Float32Array.of(1))).toThrow(/expected idx\[4\]/);
    expect(() => enterLeaf(spec('bool', [1]), Float32Array.of(1))).toThrow(/expected bool/);
  });

  it('pass device arrays through without a copy, and convert the others exactly', () => {
    const x = Float32Array.of(1, 2);
    expect(enterLeaf(spec('f32', [2]), x)).toBe(x);
    expect(enterLeaf(spec('f32', [2]), [0.5, 3])).toEqual(Float32Array.of(0.5, 3));
    expect(enterLeaf(spec('bool', [2]), [true, false])).toEqual(Int32Array.of(1, 0));
    expect(enterLeaf(spec('u32', [1]), [4294967295])).toEqual(Uint32Array.of(4294967295));
  });

  it('make a key of a seed, high word first', () => {
    expect(enterLeaf(spec('key', [2]), 2 ** 32 * 3 + 7)).toEqual(Uint32Array.of(3, 7));
    expect(enterLeaf(spec('key', [2]), [1, 2])).toEqual(Uint32Array.of(1, 2));
    expect(() => enterLeaf(spec('key', [2]), -1)).toThrow(/p\.y is a key/);
  });

  it('refuse NaN and infinities only when asked', () => {
    const s = spec('f32', [3]);
    expect(enterLeaf(s, Float32Array.of(1, Number.NaN, 2))).toHaveLength(3);
    expect(() => enterLeaf(s, Float32Array.of(1, Number.NaN, 2), true)).toThrow(/p\.y\[1\] is NaN/);
    expect(() => enterLeaf(spec('i32', [1]), [Number.NaN])).toThrow(/p\.y\[0\] is NaN/);
  });

  it('refuse ragged rows and a wrong length', () => {
    expect(() => enterLeaf(spec('f32', [2, 2]), [[1, 2], [3]])).toThrow(/not rectangular/);
    expect(() => enterLeaf(spec('f32', [2, 2]), new Float32Array(3))).toThrow(
      /3 elements, expected 4 of shape \[2, 2\]/,
    );
  });
});
