/**
 * Products and sums whose operands are read at quotients and remainders (block scales, repeated rows),
 * reversed, shifted, padded, in pairs, on either side of a joining; windows, alone and in folds.
 */
import type { Picks } from '../proof/picks.ts';
import {
  alike,
  binder,
  bounded,
  factors,
  last,
  mixed,
  ofRank,
  overVector,
  type Row,
  reduced,
  type Scope,
  vector,
} from './scope.ts';
import {
  add,
  at,
  choice,
  type Dim,
  div,
  type Expr,
  type Int,
  index,
  int,
  lit,
  loop,
  map,
  mul,
  type Place,
  read,
  real,
  sub,
  sum,
  whole,
} from './tree.ts';

const divisors = [2, 3, 4, 5, 8, 16];

/** A place at most k for k from 0: in range of the same dimension. */
function within(p: Picks, k: string, d: Dim): Place {
  const i = index(k);
  const q = p.one(divisors);
  return p.one<() => Place>([
    () => at(int('//', i, q)),
    () => last(d, k),
    () => at(int('-', i, int('//', i, q))),
    () => at(int('//', int('+', i, 1), 2)),
    () => at(int('%', i, { k: 'size', dim: d })),
    () => at(i),
  ])();
}

/** A factor that is read at a quotient or remainder of k. */
function scale(p: Picks, v: string, k: string, d: Dim): Expr {
  const i = index(k);
  const q = p.one(divisors);
  const padded = (e: Int, other: number): Expr => ({
    ...{ k: 'read', of: v, at: [{ k: 'padded', e, dim: d }], other: lit(other) },
  });
  return p.one<() => Expr>([
    () => read(v, at(int('//', i, q))),
    () => padded(int('-', int('//', i, q), 1), 0.3),
    () => padded(int('*', i, q), 0.7),
    () => padded(int('+', int('*', int('//', i, q), q), int('%', i, 2)), 0.4),
    () => read(v, within(p, k, d)),
    () => mul(read(v, k), real(int('-', int('%', i, q), 1))),
    () =>
      choice(
        { k: 'ints', op: '<', a: int('%', i, q), b: whole(2) },
        lit(0.5),
        read(v, at(int('//', i, q))),
      ),
    () => read(v, { k: 'wrap', e: int('*', i, q), dim: d }),
  ])();
}

const blockScales: Row = (p, s) => {
  const [a, b] = factors(p, s);
  const [rows, d, cols] = [a.dims[0]!, a.dims[1]!, b.dims[1]!];
  const v = ofRank(s, 1).filter((x) => x.dims[0]!.text === d.text);
  if (v.length === 0) return undefined;
  const [i, j] = [binder(s, rows), binder(s, cols, 'j')];
  const product = reduced(s, 'sum', d, (k) => {
    const f = scale(p, p.one(v).name, k, d);
    const [x, y] = [read(a.name, i.name, k), read(b.name, k, j.name)];
    return p.one([
      () => mul(x, mul(y, f)),
      () => mul(mul(x, f), y),
      () => mul(mul(x, y), f),
      () => mul(add(x, f), y),
      () => mul(mul(f, x), mul(y, f)),
    ])();
  });
  const value = loop([i, j], div(product, lit(2 + Math.min(d.extent, 8))));
  return { value, dims: [rows, cols] };
};

const computedOperands: Row = (p, s) => {
  const [a, b] = factors(p, s);
  const [rows, d, cols] = [a.dims[0]!, a.dims[1]!, b.dims[1]!];
  const [i, j] = [binder(s, rows), binder(s, cols, 'j')];
  const product = reduced(s, 'sum', d, (k) => {
    const x = read(a.name, within(p, i.name, rows), within(p, k, d));
    const shift = p.one([int('-', index(k), 1), int('+', index(k), 1), int('*', index(k), 2)]);
    const y: Expr = p.one<() => Expr>([
      () => read(b.name, within(p, k, d), j.name),
      () => read(b.name, k, within(p, j.name, cols)),
      () => ({
        ...{ k: 'read', of: b.name, other: lit(0.1) },
        at: [{ k: 'padded', e: shift, dim: d }, at(index(j.name))],
      }),
    ])();
    return p.one([() => mul(x, y), () => mul(x, map('sin', y)), () => mul(map('tanh', x), y)])();
  });
  return { value: loop([i, j], mul(lit(0.3), product)), dims: [rows, cols] };
};

/** Rows that are repeated, then a product: what the repeat makes is read at `i // q`. */
const repeatedRows: Row = (p, s) => {
  const [a, b] = factors(p, s);
  const [rows, d, cols] = [a.dims[0]!, a.dims[1]!, b.dims[1]!];
  const q = p.one([2, 3, 4]);
  if (rows.extent * q > 80) return undefined;
  const most: Dim = {
    text: `${q}*${rows.text.includes(' ') ? `(${rows.text})` : rows.text}`,
    extent: q * rows.extent,
  };
  const repeated = s.fresh('r');
  const [i, k] = [binder(s, most), binder(s, d, 'k')];
  const value = loop([i, k], read(a.name, at(int('//', index(i.name), q)), k.name));
  const [u, j] = [binder(s, most), binder(s, cols, 'j')];
  const body = loop(
    [u, j],
    reduced(s, 'sum', d, (l) =>
      mul(lit(0.3), mul(read(repeated, u.name, l), read(b.name, l, j.name))),
    ),
  );
  return { value: { k: 'let', name: repeated, value, body }, dims: [most, cols] };
};

const pairs: Row = (p, s) => {
  const a = p.one(ofRank(s, 2));
  const [x, y] = a.dims as [Dim, Dim];
  if (x.extent * y.extent > 160) return undefined;
  const wrapped = (d: Dim): string => (d.text.includes(' ') ? `(${d.text})` : d.text);
  const flat: Dim = { text: `${wrapped(x)}*${wrapped(y)}`, extent: x.extent * y.extent };
  const n = s.fresh('z');
  const by = binder(s, flat);
  // A flat vector of the matrix, by quotient and remainder, and a matrix of it again.
  const value = loop(
    [by],
    read(
      a.name,
      at(int('//', index(by.name), { k: 'size', dim: y })),
      at(int('%', index(by.name), { k: 'size', dim: y })),
    ),
  );
  const [i, j] = [binder(s, x), binder(s, y, 'j')];
  const pair = read(n, { k: 'pair', a: index(i.name), b: index(j.name), inner: y });
  const body = loop([i, j], bounded(p, pair));
  return { value: { k: 'let', name: n, value, body }, dims: [x, y] };
};

const joined: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const [b, e] = vector(p, s);
  const both: Dim = { text: `${d.text} + ${e.text}`, extent: d.extent + e.extent };
  if (both.extent > 140 || e.text.includes('+')) return undefined;
  const n = s.fresh('z');
  const value: Expr = {
    k: 'join',
    parts: [overVector(s, d, (i) => bounded(p, read(a.name, i))), { k: 'name', name: b.name }],
  };
  const body = p.one<() => Expr>([
    () => overVector(s, both, (i) => bounded(p, read(n, i))),
    () => overVector(s, both, (i) => read(n, within(p, i, both))),
  ])();
  return { value: { k: 'let', name: n, value, body }, dims: [both] };
};

const place = (e: Int, of: string, d: Dim, other: Expr): Expr => ({
  ...{ k: 'read', of, at: [{ k: 'padded', e, dim: d }], other },
});

function window(p: Picks, s: Scope, of: string, d: Dim, i: string): Expr {
  const width: Dim = { text: p.one(['3', '2', '4', '8']), extent: 0 };
  const w: Dim = { ...width, extent: Number(width.text) };
  return reduced(s, 'sum', w, (k) => {
    const e = p.one<() => Int>([
      () => int('-', int('+', index(i), index(k)), 1),
      () => int('+', index(i), int('*', index(k), 2)),
      () => int('-', int('*', index(i), 2), index(k)),
      () => int('-', index(i), index(k)),
    ])();
    return mul(lit(0.3), bounded(p, place(e, of, d, p.one([lit(0), lit(0.2)]))));
  });
}

const windows: Row = (p, s) => {
  const [a, d] = vector(p, s);
  return { value: overVector(s, d, (i) => window(p, s, a.name, d, i)), dims: [d] };
};

/** Windows that move with the steps of a fold, or over what is carried. */
const windowsInFolds: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const [h, l] = [s.fresh('h'), s.fresh('l')];
  const next = overVector(s, d, (i) => {
    const w: Dim = { text: '3', extent: 3 };
    const over = (of: string, from: Int): Expr =>
      reduced(s, 'sum', w, (k) =>
        mul(lit(0.3), bounded(p, place(int('+', from, index(k)), of, d, lit(0.1)))),
      );
    return p.one<() => Expr>([
      () => mixed(p, over(h, index(i)), read(b.name, i)),
      () => mixed(p, over(a.name, int('+', index(i), index(l))), read(h, i)),
      () => add(mul(lit(0.5), read(h, i)), over(b.name, int('-', index(l), index(i)))),
    ])();
  });
  const carries = [{ of: 'f32', name: h, init: { k: 'name', name: a.name }, next }] as const;
  const steps = p.one([2, 1, 3, 4, 5]);
  return { value: { k: 'fold', carries, step: l, steps, take: 0 }, dims: [d] };
};

const columns: Row = (p, s) => {
  const a = p.one(ofRank(s, 2));
  const [x, y] = a.dims as [Dim, Dim];
  const along = p.one([0, 1]);
  const [kept, gone] = along === 0 ? [y, x] : [x, y];
  const op = p.one(['mean', 'max', 'min', 'prod', 'sum'] as const);
  const value = overVector(s, kept, (i) =>
    reduced(s, op, gone, (k) => {
      const v = along === 0 ? read(a.name, k, i) : read(a.name, i, k);
      if (op === 'prod') return add(lit(1), mul(lit(0.1), map('sin', v)));
      return op === 'sum' ? mul(lit(1 / 8), v) : v;
    }),
  );
  return { value, dims: [kept] };
};

const total: Row = (p, s) => {
  const a = p.one(ofRank(s, 2));
  const [i, j] = [binder(s, a.dims[0]!), binder(s, a.dims[1]!, 'j')];
  const x = read(a.name, i.name, j.name);
  return { value: map('sin', mul(lit(0.1), sum([i, j], bounded(p, sub(x, lit(0.1)))))), dims: [] };
};

export const productRows: Readonly<Record<string, Row>> = {
  'block scales': blockScales,
  'computed operands': computedOperands,
  'repeated rows': repeatedRows,
  'pairs as one dimension': pairs,
  joinings: joined,
  windows,
  'windows in folds': windowsInFolds,
  'reductions of rows and columns': columns,
  'reductions of matrices': total,
};
