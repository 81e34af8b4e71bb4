/**
 * What loops carry: parts of a whole, views of it, what no step reads, fields that change places or wait,
 * whole numbers beside them; none, one, even and odd numbers of steps.
 */
import type { Picks } from '../proof/picks.ts';
import {
  alike,
  bounded,
  last,
  mixed,
  ofRank,
  overVector,
  type Row,
  reduced,
  vector,
} from './scope.ts';
import {
  add,
  at,
  type Carry,
  count,
  type Dim,
  type Expr,
  type Int,
  index,
  int,
  lit,
  loop,
  map,
  mul,
  name,
  read,
  real,
} from './tree.ts';

const steps = (p: Picks): number => p.one([2, 1, 4, 3, 0, 5, 6]);

const f32 = (n: string, init: Expr, next: Expr): Carry => ({ of: 'f32', name: n, init, next });

/** A carry that is two parts, which steps read or not. */
const parts: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const [z, e] = vector(p, s);
  const both: Dim = { text: `${d.text} + ${e.text}`, extent: d.extent + e.extent };
  if (both.extent > 140 || e.text.includes('+')) return undefined;
  const [y, k, l, u, v] = ['y', 'k', 'l', 'p', 'q'].map(s.fresh) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const first = overVector(s, d, (i) =>
    p.one<() => Expr>([
      () => mul(lit(0.5), read(k, i)),
      () =>
        reduced(s, 'max', e, (j) => ({ k: 'pick', op: 'max', a: read(k, i), b: read(z.name, j) })),
      () => map('sin', add(read(k, i), real(index(l)))),
      () => add(mul(lit(0.5), read(y, i)), read(k, i)),
      () => mul(lit(0.6), read(y, at(int('-', int('-', { k: 'size', dim: both }, 1), index(i))))),
    ])(),
  );
  const second = overVector(s, e, (j) =>
    p.one<() => Expr>([
      () => reduced(s, 'mean', d, (i) => map('abs', mul(read(k, i), read(z.name, j)))),
      () => map('cos', add(read(z.name, j), mul(lit(0.3), read(k, at(int('*', index(l), 0)))))),
      () => add(mul(lit(0.6), read(y, at(int('+', { k: 'size', dim: d }, index(j))))), lit(0.1)),
      () => read(z.name, j),
    ])(),
  );
  const padded = (of: string, dim: Dim, place: Int): Expr => ({
    ...{ k: 'read', of, at: [{ k: 'padded', e: place, dim }], other: lit(0) },
  });
  const made: Expr = p.one<() => Expr>([
    () =>
      overVector(s, both, (i) =>
        add(padded(u, d, index(i)), padded(v, e, int('-', index(i), { k: 'size', dim: d }))),
      ),
    () => ({ k: 'join', parts: [name(u), name(v)] }),
    () => ({ k: 'join', parts: [overVector(s, d, (i) => map('sin', read(u, i))), name(v)] }),
  ])();
  const nextY: Expr = {
    ...{ k: 'let', name: u, value: first },
    body: { k: 'let', name: v, value: second, body: made },
  };
  const nextK = p.one<() => Expr>([
    () => overVector(s, d, (i) => add(mul(lit(0.9), read(k, i)), lit(0.1))),
    () => name(k),
    () => overVector(s, d, (i) => map('tanh', add(read(k, i), mul(lit(0.2), read(a.name, i))))),
  ])();
  const start = p.one<() => Expr>([
    () => overVector(s, both, () => lit(1)),
    () => ({ k: 'join', parts: [name(a.name), name(z.name)] }),
    () => overVector(s, both, (i) => mul(lit(0.1), real(index(i)))),
  ])();
  const carries = [f32(y, start, nextY), f32(k, name(a.name), nextK)];
  const value: Expr = { k: 'fold', carries, step: l, steps: steps(p), take: p.one([0, 0, 1]) };
  return { value, dims: [value.k === 'fold' && value.take === 1 ? d : both] };
};

/** Views of what is carried. */
const views: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const [h, l] = [s.fresh('h'), s.fresh('l')];
  const next = overVector(s, d, (i) => {
    const padded = (e: Int, other: Expr): Expr => ({
      ...{ k: 'read', of: h, at: [{ k: 'padded', e, dim: d }], other },
    });
    return p.one<() => Expr>([
      () => read(h, last(d, i)),
      () => read(h, { k: 'wrap', e: int('+', index(i), 1), dim: d }),
      () => read(h, at(int('-', index(i), int('//', index(i), 2)))),
      () => padded(int('-', index(i), 1), lit(0.2)),
      () => padded(int('+', index(i), 1), read(h, at(int('*', index(i), 0)))),
      () => add(mul(lit(0.5), read(h, at(int('//', index(i), 2)))), mul(lit(0.3), read(b.name, i))),
      () => mixed(p, read(h, last(d, i)), read(h, i)),
      () => read(h, { k: 'wrap', e: int('+', index(i), index(l)), dim: d }),
    ])();
  });
  const carries = [f32(h, name(a.name), next)];
  return { value: { k: 'fold', carries, step: l, steps: steps(p), take: 0 }, dims: [d] };
};

/** Fields that change places, wait, or are computed of each other. */
const swapped: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const [b, c] = [alike(p, s, d), alike(p, s, d)];
  const names = ['u', 'v', 'w'].map(s.fresh) as [string, string, string];
  const l = s.fresh('l');
  const [u, v, w] = names;
  const order = p.one([
    [v, u, w],
    [v, w, u],
    [w, u, v],
    [u, u, v],
    [v, v, w],
  ] as const);
  const through = (x: string): Expr =>
    p.one<() => Expr>([
      () => name(x),
      () => name(x),
      () => overVector(s, d, (i) => bounded(p, read(x, i))),
      () => overVector(s, d, (i) => mixed(p, read(x, i), read(p.one(names), i))),
    ])();
  const inits = p.one([
    [a, b, c],
    [a, a, a],
    [b, a, b],
  ] as const);
  const carries = names.map((n, i) => f32(n, name(inits[i]!.name), through(order[i]!)));
  return { value: { k: 'fold', carries, step: l, steps: steps(p), take: p.below(3) }, dims: [d] };
};

/** What is carried and not read, or only handed on; whole numbers that count. */
const blind: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const [y, k, n, l] = ['y', 'k', 'n', 'l'].map(s.fresh) as [string, string, string, string];
  const nextY = p.one<() => Expr>([
    () => overVector(s, d, (i) => mul(read(b.name, i), real(int('+', int('%', index(l), 3), 1)))),
    () => name(k),
    () => overVector(s, d, (i) => add(mul(lit(0.5), read(k, i)), real(count(n)))),
    () => name(b.name),
  ])();
  const nextK = p.one<() => Expr>([
    () => overVector(s, d, (i) => add(mul(lit(0.9), read(k, i)), lit(0.1))),
    () => name(k),
    () => overVector(s, d, (i) => map('sin', add(read(k, i), mul(lit(0.1), real(count(n)))))),
    () => name(b.name),
  ])();
  const nextN = p.one([int('+', count(n), 1), count(n), index(l), int('*', count(n), 3)]);
  const carries: Carry[] = [
    f32(y, name(p.one([a, b]).name), nextY),
    f32(k, name(a.name), nextK),
    { of: 'i32', name: n, init: { k: 'whole', n: p.one([0, 1]) }, next: nextN },
  ];
  return { value: { k: 'fold', carries, step: l, steps: steps(p), take: p.below(2) }, dims: [d] };
};

/** Rows and columns of a matrix, carried on. */
const matrices: Row = (p, s) => {
  const all = ofRank(s, 2).filter((t) => t.dims[0]!.extent * t.dims[1]!.extent <= 400);
  if (all.length === 0) return undefined;
  const a = p.one(all);
  const [r, c] = a.dims as [Dim, Dim];
  const [h, l] = [s.fresh('h'), s.fresh('l')];
  const [i, j] = [
    { name: s.fresh('i'), dim: r },
    { name: s.fresh('j'), dim: c },
  ];
  const shifted: Expr = {
    ...{ k: 'read', of: h, other: lit(0.3) },
    at: [{ k: 'padded', e: int('-', index(i.name), 1), dim: r }, at(index(j.name))],
  };
  const next = loop(
    [i, j],
    p.one<() => Expr>([
      () => read(h, last(r, i.name), j.name),
      () => mul(lit(0.9), read(h, i.name, last(c, j.name))),
      () => shifted,
      () =>
        map(
          'tanh',
          add(
            read(h, i.name, j.name),
            reduced(s, 'mean', r, (k) => read(h, k, j.name)),
          ),
        ),
      () => read(h, { k: 'wrap', e: int('+', index(i.name), index(l)), dim: r }, j.name),
      () => mixed(p, read(h, i.name, j.name), read(a.name, last(r, i.name), j.name)),
    ])(),
  );
  const carries = [f32(h, name(a.name), next)];
  return { value: { k: 'fold', carries, step: l, steps: steps(p), take: 0 }, dims: [r, c] };
};

/** A fold inside a loop, over a number. */
const inLoops: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const value = overVector(s, d, (i) => {
    const [c, l] = [s.fresh('c'), s.fresh('l')];
    const next = mixed(p, name(c), p.one([read(b.name, i), name('t')]));
    const carries = [f32(c, read(a.name, i), next)];
    return { k: 'fold', carries, step: l, steps: steps(p), take: 0 };
  });
  return { value, dims: [d] };
};

export const carryRows: Readonly<Record<string, Row>> = {
  'parts as carries': parts,
  'views as carries': views,
  'swapped carries': swapped,
  'blind carries': blind,
  'carried matrices': matrices,
  'folds in loops': inLoops,
};
