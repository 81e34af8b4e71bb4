/**
 * Bindings that make their function one that takes functions or has defaults, and functions over any
 * type. Rows as row.ts says; rows.ts holds the table.
 */
import { addParam, binder, type Draft, need } from './draft.ts';
import { drawName } from './draw-size.ts';
import { drawForm } from './forms.ts';
import { anyInt } from './forms-data.ts';
import { add, array, at, f32, fnType, i32, idx, loop, mul, read, real, sub, v } from './make.ts';
import { drawRead, isF32, number, summed, under } from './reads.ts';
import type { Row } from './row.ts';
import { atLeast, int } from './sizes.ts';
import type { Expr, Fn, Type } from './tree.ts';

/** The index of a read given to a function instead: `f: idx[N] -> f32`. */
const ofIndex: Row = (d) => {
  if (d.root) return undefined;
  const form = drawForm(d);
  if (form.ix.k !== 'at' || form.orElse !== undefined) return undefined;
  const f = addParam(d, 'act', fnType([idx(form.dim)], f32));
  const call: Expr = { k: 'apply', fn: f.name, args: [form.ix.e] };
  const value = form.wrap?.(call) ?? call;
  // Where it goes over two, the rest is summed.
  const [first = binder(d, drawName(d)), ...rest] = form.binders.map((b) => ({
    ...b,
    elide: false,
  }));
  return {
    value: loop([{ ...first, elide: false }], summed({ value, binders: rest })),
    type: array(f32, first.size),
  };
};

const ofNumber: Row = (d) => {
  if (d.root) return undefined;
  const f = addParam(d, 'act', fnType([f32], f32));
  const u = drawRead(d);
  const call: Expr = { k: 'apply', fn: f.name, args: [u.value] };
  return { value: loop(u.binders, call), type: array(f32, ...u.binders.map((b) => b.size)) };
};

const ofInteger: Row = (d) => {
  if (d.root) return undefined;
  const f = addParam(d, 'act', fnType([i32], f32));
  const i = { ...binder(d, drawName(d)), elide: false };
  const n = under(d, [i], () => anyInt(d, v(i.name)));
  const call: Expr = { k: 'apply', fn: f.name, args: [add(n, int(1))] };
  return { value: loop([i], call), type: array(f32, i.size) };
};

/** A parameter that may be left out; its default sees the ones before it. */
const defaulted: Row = (d) => {
  const vectors = d.params.filter((p) => p.type.k === 'tensor' && isF32(p.type.of));
  const x =
    vectors.length > 0 && d.p.chance(75)
      ? d.p.one(vectors)
      : addParam(d, 'x', array(f32, drawName(d)));
  const dims = x.type.k === 'tensor' ? x.type.dims : [];
  const a = d.fresh('a');
  const tree = (op: 'sum' | 'prod' | 'max'): Expr => ({
    ...{ k: 'reduceTree', op, names: [a], trees: [v(x.name)], body: v(a), of: 'f32' },
  });
  const init = d.p.one([
    () => number(d),
    () => add(real(5), tree('prod')),
    () => tree('sum'),
    () => {
      for (const s of dims) need(d, atLeast(s, 2));
      return read(v(x.name), dims, ...dims.map(() => at(int(1))));
    },
    () => {
      for (const s of dims) need(d, atLeast(s, 1));
      return tree('max');
    },
  ])();
  const by = addParam(d, 'by', f32, init);
  const u = drawRead(d);
  return {
    value: loop(u.binders, mul(v(by.name), u.value)),
    type: array(f32, ...u.binders.map((b) => b.size)),
  };
};

export const functionRows: Readonly<Record<string, Row>> = {
  'function of an index': ofIndex,
  'function of a number': ofNumber,
  'function of an integer': ofInteger,
  'default argument': defaulted,
};

// ---------------------------------------------------------------- over any type

const S: Type = { k: 'var', name: 'S' };

type Generic = (d: Draft) => Pick<Fn, 'params' | 'result' | 'body'>;

const overTree = (
  op: 'sum' | 'prod' | 'max' | 'min' | 'mean',
  name: string,
  body = v('b'),
): Expr => ({
  ...{ k: 'reduceTree', op, names: ['b'], trees: [v(name)], body, of: 'f32' },
});

const generics: readonly Generic[] = [
  (d) => {
    const init = d.p.one([
      real(5),
      add(real(5), overTree('prod', 'x')),
      overTree('sum', 'x'),
      ...(d.deviates() ? [overTree('max', 'x')] : []),
    ]);
    const params = [
      { name: 'x', type: S },
      { name: 'by', type: f32, init },
    ];
    return { params, result: f32, body: add(v('by'), overTree('sum', 'x')) };
  },
  () => ({
    params: [
      { name: 'x', type: S },
      { name: 'y', type: S },
    ],
    result: S,
    body: {
      ...{ k: 'each', names: ['a', 'b'], trees: [v('x'), v('y')] },
      body: sub(v('a'), mul(real(2), v('b'))),
    },
  }),
  () => ({
    params: [
      { name: 'f', type: fnType([S], S) },
      { name: 'x', type: S },
    ],
    result: S,
    body: { k: 'apply', fn: 'f', args: [{ k: 'apply', fn: 'f', args: [v('x')] }] },
  }),
  (d) => ({
    params: [{ name: 'x', type: S }],
    result: f32,
    body: overTree(d.p.one(['sum', 'max', 'mean'] as const), 'x'),
  }),
];

/** A function over any type. */
export const genericFn = (d: Draft): Fn => ({
  ...{ name: d.name, sizes: [], types: ['S'], facts: [], ...d.p.one(generics)(d) },
});
