/**
 * Bindings of trees and of random draws. Rows as row.ts says; rows.ts holds the table.
 */
import { addParam, binder, type Draft, need } from './draft.ts';
import { drawName, drawSize } from './draw-size.ts';
import { anyKey } from './forms-data.ts';
import {
  add,
  array,
  at,
  cast,
  f32,
  idx,
  keyType,
  loop,
  mul,
  op,
  recordType,
  sub,
  tuple,
  v,
} from './make.ts';
import { isF32, number } from './reads.ts';
import type { Row } from './row.ts';
import { asExpr, atLeast, int, nat, plus, times } from './sizes.ts';
import type { Expr, Index, OneBinder, Size, Type } from './tree.ts';

// ---------------------------------------------------------------- trees

/** How many scalars of a tree are not `fixed`. */
export function leafCount(t: Type): Size {
  switch (t.k) {
    case 'tensor':
      return [leafCount(t.of), ...t.dims].reduce((a, b) => times(a, b));
    case 'record':
      return t.fields
        .filter((f) => !f.fixed)
        .reduce<Size>((n, f) => plus(n, leafCount(f.type)), nat(0));
    default:
      return nat(1);
  }
}

/** Of f32 alone, but for what is fixed. */
export const isTree = (t: Type): boolean =>
  t.k === 'tensor'
    ? isTree(t.of)
    : t.k === 'record'
      ? t.fields.every((f) => isTree(f.type))
      : isF32(t);

const shapes: readonly ((d: Draft) => Type)[] = [
  (d) => array(f32, drawSize(d)),
  (d) => recordType({ a: array(f32, drawSize(d)), b: array(f32, drawName(d)) }),
  (d) => recordType({ a: array(f32, drawSize(d)), b: f32 }),
  (d) => recordType({ a: array(f32, drawSize(d)), b: f32 }, ['b']),
  (d) => recordType({ a: f32, b: array(f32, drawName(d)) }, d.p.chance(40) ? ['a', 'b'] : ['a']),
  (d) => array(recordType({ a: f32, b: array(f32, drawName(d)) }), drawName(d)),
];

export const drawTreeType = (d: Draft): Type => d.p.one(shapes)(d);

type Tree = { readonly e: Expr; readonly type: Type };

function drawTree(d: Draft): Tree {
  const there = d.bindings.filter((b) => isTree(b.type) && b.type.k !== 'scalar');
  if (there.length > 0 && d.p.chance(50)) {
    const { name, type } = d.p.one(there);
    return { e: v(name), type };
  }
  const type = drawTreeType(d);
  return { e: v(addParam(d, 't', type).name), type };
}

const hasLeaves = (t: Type): boolean => !(leafCount(t).k === 'nat');

const reduceTree =
  (ops: readonly ('sum' | 'prod' | 'max' | 'min' | 'mean')[]): Row =>
  (d) => {
    const t = drawTree(d);
    const o = d.p.one(ops);
    if (o !== 'sum' && o !== 'prod') {
      // A tree of nothing but fixed leaves has no largest.
      if (!hasLeaves(t.type) && !isF32(t.type)) return undefined;
      need(d, atLeast(leafCount(t.type), 1));
    }
    const a = d.fresh('a');
    const body = d.p.chance(60) ? v(a) : mul(number(d), v(a));
    return {
      value: { k: 'reduceTree', op: o, names: [a], trees: [t.e], body, of: 'f32' },
      type: f32,
    };
  };

const sumOfTwo: Row = (d) => {
  const t = drawTree(d);
  const other = addParam(d, 't', t.type);
  const [a, b] = [d.fresh('a'), d.fresh('b')];
  const body = sub(mul(real2, v(a)), v(b));
  const trees = [t.e, v(other.name)];
  return {
    value: { k: 'reduceTree', op: 'sum', names: [a, b], trees, body, of: 'f32' },
    type: f32,
  };
};
const real2: Expr = { k: 'real', value: 2 };

const each: Row = (d) => {
  const t = drawTree(d);
  const a = d.fresh('a');
  const body = mul(number(d), v(a));
  return { value: { k: 'each', names: [a], trees: [t.e], body }, type: t.type, stem: 't' };
};

const eachOfTwo: Row = (d) => {
  const t = drawTree(d);
  const [a, b] = [d.fresh('a'), d.fresh('b')];
  const other = addParam(d, 't', t.type);
  const trees = [t.e, v(other.name)];
  const body = sub(v(a), mul(real2, v(b)));
  return { value: { k: 'each', names: [a, b], trees, body }, type: t.type, stem: 't' };
};

// ---------------------------------------------------------------- draws

/** Below 2^20 values of each: their tuple has more places than 32 bits count. */
const wide = [2 ** 20, 1281167, 4, 32, 3];

const drawTuple: Row = (d) => {
  const i = { ...binder(d, drawName(d)), elide: false };
  const data = Array.from({ length: 1 + d.p.below(3) }, () => nat(d.p.one(wide)));
  const given = data.map((size) => addParam(d, 'at', idx(size)));
  const places = [...given.map((g) => at(v(g.name))), at(v(i.name))];
  const counter = tuple(places, [...data, i.size]);
  return { value: loop([i], draw(d, counter)), type: array(f32, i.size), stem: 'drawn' };
};

const draw = (d: Draft, counter: Index): Expr => ({
  ...{
    k: 'draw',
    what: d.p.one(['uniform', 'uniform', 'normal'] as const),
    key: anyKey(d),
    counter,
  },
});

const drawNumber: Row = (d) => {
  const i = { ...binder(d, drawName(d)), elide: false };
  const c = d.p.one([1, 3, 2 ** 31 - 1, 2 ** 30 + 1]);
  const counter = c === 1 ? v(i.name) : add(mul(mul(int(c), int(c)), v(i.name)), int(5));
  return { value: loop([i], draw(d, at(counter))), type: array(f32, i.size), stem: 'drawn' };
};

const drawIndices: Row = (d) => {
  const [i, j] = [binder(d, drawName(d)), binder(d, drawSize(d))];
  const over: readonly OneBinder[] = [i, j].map((b) => ({ ...b, elide: false }));
  const counter = tuple(
    over.map((b) => at(v(b.name))),
    over.map((b) => b.size),
  );
  return { value: loop(over, draw(d, counter)), type: array(f32, i.size, j.size), stem: 'drawn' };
};

const split: Row = (d) => {
  const i = int(d.p.below(5));
  const value: Expr = { k: 'draw', what: 'split', key: anyKey(d), counter: at(i) };
  return { value, type: keyType, stem: 'key' };
};

/** A draw by another range than the one that is declared for it. */
const randint: Row = (d) => {
  const size = drawSize(d);
  need(d, atLeast(size, 1));
  const i = { ...binder(d, drawName(d)), elide: false };
  const [n, body] = [
    d.fresh('n'),
    { k: 'draw', what: 'randint', key: anyKey(d), counter: at(v(i.name)), size, written: true },
  ] as const;
  const declared = d.p.chance(50) ? size : plus(size, d.p.one([1, 47]));
  const zero = op('//', v(n), asExpr(size));
  const value: Expr = {
    k: 'let',
    name: n,
    type: idx(declared),
    value: body,
    body: cast('f32', zero),
  };
  return { value: loop([i], value), type: array(f32, i.size) };
};

export const dataRows: Readonly<Record<string, Row>> = {
  'sum of a tree': reduceTree(['sum', 'prod']),
  'max of a tree': reduceTree(['max', 'min', 'mean']),
  'sum of two trees': sumOfTwo,
  each,
  'each of two trees': eachOfTwo,
  'draw by a tuple of data': drawTuple,
  'draw by a number': drawNumber,
  'draw by a tuple': drawIndices,
  split,
  'randint declared': randint,
};
