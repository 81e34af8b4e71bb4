/** Bindings that are folds and scans. Rows as row.ts says; rows.ts holds the table. */
import { addParam, binder, inLoop, need } from './draft.ts';
import { drawName, drawSize } from './draw-size.ts';
import {
  add,
  array,
  at,
  bindLet,
  f32,
  i32,
  idx,
  mul,
  read,
  real,
  record,
  recordType,
  sub,
  v,
} from './make.ts';
import { drawRead, drawScalar, summed } from './reads.ts';
import type { Row } from './row.ts';
import { atLeast, int } from './sizes.ts';
import type { Expr } from './tree.ts';

const fold =
  (k: 'fold' | 'scan'): Row =>
  (d) => {
    const l = binder(d, drawName(d));
    const s = d.fresh('s');
    const next = inLoop(d, l.size, () => summed(drawScalar(d, l)));
    const body = d.p.chance(50) ? add(v(s), next) : sub(next, v(s));
    const value: Expr = { k, name: s, type: f32, init: real(0), binder: l, body };
    return { value, type: k === 'fold' ? f32 : array(f32, l.size) };
  };

/** An index is carried: where it points next is data. */
const foldIndex =
  (k: 'fold' | 'scan'): Row =>
  (d) => {
    const l = binder(d, drawName(d));
    const size = drawSize(d);
    need(d, atLeast(size, 1));
    const [s, start] = [d.fresh('s'), d.fresh('start')];
    const to = addParam(d, 'to', array(idx(size), size));
    const body = read(v(to.name), [size], at(v(s)));
    const folded: Expr = {
      k,
      name: s,
      type: idx(size),
      init: v(start),
      binder: { ...l, elide: false },
      body,
    };
    const value = bindLet(start, int(0), folded, idx(size));
    const type = k === 'fold' ? idx(size) : array(idx(size), l.size);
    return { value, type, stem: 'reached' };
  };

const foldRecord: Row = (d) => {
  const l = binder(d, drawName(d));
  const s = d.fresh('s');
  const next = inLoop(d, l.size, () => summed(drawRead(d, l)));
  const part = (label: string): Expr => ({ k: 'field', target: v(s), label });
  const type = recordType({ a: f32, b: f32 });
  const body = record({ a: add(part('b'), next), b: part('a') });
  const init = record({ a: real(0), b: real(1) });
  return { value: { k: 'fold', name: s, type, init, binder: l, body }, type, stem: 'r' };
};

/** A whole number is carried, in 32 bits. */
const foldInteger: Row = (d) => {
  const l = { ...binder(d, drawName(d)), elide: false };
  const [s, start] = [d.fresh('s'), d.fresh('start')];
  const body = add(mul(v(s), int(d.p.one([3, 31, 65537]))), v(l.name));
  const folded: Expr = { k: 'fold', name: s, type: i32, init: v(start), binder: l, body };
  const n = bindLet(start, int(7), folded, i32);
  return { value: n, type: i32, stem: 'n' };
};

export const foldRows: Readonly<Record<string, Row>> = {
  fold: fold('fold'),
  scan: fold('scan'),
  'fold of an index': foldIndex('fold'),
  'scan of an index': foldIndex('scan'),
  'fold of a record': foldRecord,
  'fold of an integer': foldInteger,
};
