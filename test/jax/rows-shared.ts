/**
 * Values that are read where they have a derivative and where they have none: under stop, steps, in
 * comparisons and places, in branches of which one is taken. Branches without a value where they are not
 * taken.
 */
import type { Picks } from '../proof/picks.ts';
import {
  alike,
  bounded,
  condition,
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
  choice,
  count,
  type Dim,
  type Expr,
  type Int,
  index,
  int,
  lit,
  map,
  mul,
  type Place,
  read,
  real,
  sub,
} from './tree.ts';

/** Somewhere in `v`, with no derivative; off the steps for numbers of three decimals. */
export function still(p: Picks, v: Expr): Expr {
  return p.one<() => Expr>([
    () => ({ k: 'stop', x: v }),
    () => mul(lit(2), { k: 'stop', x: v }),
    () => map('floor', add(mul(lit(3.1), v), lit(0.05713))),
    () => map('round', add(mul(lit(2.7), v), lit(0.03131))),
    () => map('ceil', sub(mul(lit(1.9), v), lit(0.04713))),
    () => map('sign', sub(v, lit(0.13715))),
    () => real(steps(v)),
    () => ({ k: 'stop', x: mul(map('sin', v), v) }),
  ])();
}

const steps = (v: Expr): Int => ({ k: 'floor', of: add(mul(lit(4.3), v), lit(0.01273)) });

/** `if c then v else still(v)`, either way round, and more of it. */
function shared(p: Picks, x: Expr, v: Expr, z: Expr): Expr {
  const [yes, no] = p.one([
    [v, still(p, v)],
    [still(p, v), mul(v, z)],
    [mul(v, z), add(z, still(p, v))],
  ] as const);
  const c = condition(p, p.one([x, v]));
  const e = choice(c, yes, no);
  return p.one([() => e, () => add(e, mul(lit(0.2), still(p, v))), () => mul(e, map('cos', v))])();
}

const vectors: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const v = s.fresh('v');
  const value = overVector(s, d, (i) => bounded(p, mixed(p, read(a.name, i), read(b.name, i))));
  const body = overVector(s, d, (i) => {
    const own = read(v, i);
    const e = shared(p, read(a.name, i), own, read(b.name, i));
    const e2: Int = { k: 'floor', of: add(mul(lit(3.7), own), lit(0.03793)) };
    return p.one<() => Expr>([
      () => e,
      () => e,
      () =>
        add(
          mul(lit(0.6), e),
          mul(own, read(a.name, { k: p.one(['clamp', 'wrap']), e: e2, dim: d })),
        ),
      () =>
        add(
          e,
          reduced(s, 'mean', d, (k) => read(v, k)),
        ),
    ])();
  });
  return { value: { k: 'let', name: v, value, body }, dims: [d] };
};

const inFolds: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const [h, l, v] = [s.fresh('h'), s.fresh('l'), s.fresh('v')];
  const value = overVector(s, d, (i) =>
    bounded(p, add(read(h, i), mul(lit(0.3), read(a.name, i)))),
  );
  const body = overVector(s, d, (i) =>
    mul(lit(0.7), shared(p, read(h, i), read(v, i), read(a.name, i))),
  );
  const next: Expr = { k: 'let', name: v, value, body };
  const carries = [{ of: 'f32', name: h, init: { k: 'name', name: a.name }, next }] as const;
  return { value: { k: 'fold', carries, step: l, steps: p.one([2, 1, 3, 4]), take: 0 }, dims: [d] };
};

const numbers: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const v = s.fresh('v');
  const t: Expr = { k: 'name', name: 't' };
  const x = reduced(s, 'mean', d, (k) => mul(read(a.name, k), add(t, lit(0.4))));
  const body = shared(p, t, { k: 'name', name: v }, t);
  return { value: { k: 'let', name: v, value: bounded(p, x), body }, dims: [] };
};

/** A branch that has no value where it is not taken. */
const guards: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const value = overVector(s, d, (i) => {
    const x = read(a.name, i);
    const guarded: Expr = {
      ...{ k: 'guarded', f: p.one(['sqrt', 'log'] as const), x, edge: p.one([0.13715, -0.21715]) },
      no: mul(lit(0.3), read(b.name, i)),
    };
    return map('tanh', p.one([() => guarded, () => mul(guarded, read(b.name, i))])());
  });
  return { value, dims: [d] };
};

/** A term of whole numbers, each operation of which wraps. */
function term(p: Picks, s: Scope, i: string, d: Dim, depth: number): Int {
  const literal = p.one([2, 3, 7, -1, -2, -3, 0, 1, 5, 2 ** 31 - 1, -(2 ** 31), 65536, 46341]);
  const leaf = (): Int =>
    p.one<() => Int>([
      () => index(i),
      () => count('n'),
      () => count('d'),
      () => ({
        ...{ k: 'entry', of: p.one(s.whole).name },
        at: { k: 'wrap', e: int('+', index(i), p.below(5)), dim: s.sizes[1] },
      }),
      () => ({ k: 'whole', n: literal }),
    ])();
  if (depth === 0) return leaf();
  const [a, b] = [term(p, s, i, d, depth - 1), term(p, s, i, d, depth - 1)];
  return p.one<() => Int>([
    () => int('//', a, b),
    () => int('%', a, b),
    () => int('//', a, b),
    () => int('%', a, b),
    () => int('+', a, b),
    () => int('-', a, b),
    () => int('*', a, b),
    () => ({ k: 'pick', op: p.one(['min', 'max'] as const), a, b }),
    leaf,
  ])();
}

const wholeNumbers: Row = (p, s) => {
  // A table of the size that `ks` has, so that terms read it too.
  const d = s.sizes[1];
  const over = { name: s.fresh('i'), dim: d };
  return { value: { k: 'whole table', over, body: term(p, s, over.name, d, 2) }, dims: [d] };
};

const wholeFactors: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const value = overVector(s, d, (i) => {
    const e = term(p, s, i, d, 1);
    const x = read(a.name, i);
    return p.one<() => Expr>([
      () => mul(x, real(int('%', e, 5))),
      () =>
        choice(
          { k: 'ints', op: p.one(['<', '>', '==', '!='] as const), a: e, b: count('d') },
          map('sin', x),
          mul(lit(0.5), x),
        ),
      () => mul(x, map('sin', mul(lit(0.001), real(int('%', e, 1009))))),
      () =>
        bounded(
          p,
          read(a.name, { k: p.one(['wrap', 'clamp'] as const), e: int('%', e, 31), dim: d }),
        ),
    ])();
  });
  return { value, dims: [d] };
};

/** At the place of an extreme. */
const extremes: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const over = { name: s.fresh('k'), dim: d };
  const e: Int = {
    ...{ k: 'extremum', op: p.one(['argmax', 'argmin'] as const), over },
    body: mixed(p, read(a.name, over.name), read(b.name, over.name)),
  };
  const value = overVector(s, d, (i) =>
    mixed(p, read(b.name, { k: 'wrap', e: int('+', e, index(i)), dim: d }), read(a.name, i)),
  );
  return { value, dims: [d] };
};

/** At indices that are data. */
const labelled: Row = (p, s) => {
  const [rows, d] = s.sizes;
  const all = ofRank(s, 1).filter((t) => t.dims[0]!.text === rows.text);
  const [a, b] = [p.one(all), alike(p, s, d)];
  const value = overVector(s, d, (i) => {
    const label: Int = { k: 'entry', of: 'labels', at: { k: 'at', e: index(i) } };
    const place: Place = p.one<() => Place>([
      () => ({ k: 'at', e: label }),
      () => ({ k: 'wrap', e: int('-', int('*', label, 2), index(i)), dim: rows }),
      () => ({ k: 'clamp', e: int('+', label, 1), dim: rows }),
    ])();
    return mixed(p, read(a.name, place), read(b.name, i));
  });
  return { value, dims: [d] };
};

export const sharedRows: Readonly<Record<string, Row>> = {
  'shared vectors, no derivative': vectors,
  'shared in folds, no derivative': inFolds,
  'shared numbers, no derivative': numbers,
  'branches without a value': guards,
  'whole numbers': wholeNumbers,
  'whole numbers as factors and places': wholeFactors,
  'places of extremes': extremes,
  'places of data': labelled,
};
