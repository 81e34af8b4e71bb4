/**
 * Derivatives inside programs: nests of operators to the second order (the gradient of the loss is one more),
 * of functions that use values around them, and functions with rules, which may be given such functions.
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
  type Tensor,
  vector,
} from './scope.ts';
import {
  above,
  add,
  choice,
  count,
  type Dim,
  type Expr,
  lit,
  map,
  mul,
  name,
  type RuleCall,
  read,
} from './tree.ts';

/** A number of all of these. */
const ofAll = (p: Picks, [first, ...rest]: readonly Expr[]): Expr =>
  rest.reduce((e, x) => mixed(p, e, x), first!);

function numberBody(p: Picks, s: Scope, z: Expr, outer: readonly Expr[]): Expr {
  const all = ofAll(p, [z, ...outer]);
  const [c, l] = [s.fresh('c'), s.fresh('l')];
  return p.one<() => Expr>([
    () => all,
    () => all,
    () => ({ k: 'power', x: all, n: 3 }),
    () => choice(above(z, 0.13715), all, mul({ k: 'power', x: z, n: 2 }, p.one(outer))),
    () => ({
      ...{ k: 'fold', step: l, steps: p.one([2, 3]), take: 0 },
      carries: [{ of: 'f32', name: c, init: z, next: mixed(p, name(c), p.one(outer)) }],
    }),
    () => mul(all, { k: 'stop', x: map('cos', z) }),
    () => ({ k: 'checkpoint', name: c, body: mixed(p, name(c), p.one(outer)), x: all }),
  ])();
}

/** `order` operators around a function of one number; the inner ones may use what is outside. */
function nestOfNumbers(p: Picks, s: Scope, order: number, x: Expr, outer: readonly Expr[]): Expr {
  if (order === 0) return numberBody(p, s, x, outer);
  const z = s.fresh('z');
  const body = mixed(p, nestOfNumbers(p, s, order - 1, name(z), [x, ...outer]), name(z));
  const dir = p.one([...outer, lit(0.7)]);
  return p.one<() => Expr>([
    () => ({ k: 'grad', name: z, body, x }),
    () => ({ k: 'jvp', name: z, body, x, dir }),
    () => ({ k: 'vjp', name: z, body, x, dir }),
  ])();
}

const numbers: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const order = p.one([2, 1]);
  const value = overVector(s, d, (i) =>
    map(
      'sin',
      mul(lit(0.4), nestOfNumbers(p, s, order, read(a.name, i), [read(b.name, i), name('t')])),
    ),
  );
  return { value, dims: [d] };
};

/** A number of a vector `z` and another one. */
function vectorBody(p: Picks, s: Scope, z: string, other: string, d: Dim): Expr {
  return reduced(s, p.one(['mean', 'sum', 'max'] as const), d, (k) => {
    const x = mixed(p, read(z, k), read(other, k));
    return p.one<() => Expr>([
      () => x,
      () => mul(read(z, k), x),
      () => choice(condition(p, read(z, k)), x, map('sin', read(z, k))),
    ])();
  });
}

/** A gradient, tangent or cotangent of a vector, once or twice. */
const vectors: Row = (p, s) => {
  const few = ofRank(s, 1).filter((t) => t.dims[0]!.extent <= 13);
  if (few.length === 0) return undefined;
  const a = p.one(few);
  const d = a.dims[0]!;
  const b = alike(p, s, d);
  const mapOf = (z: string, other: string): Expr =>
    overVector(s, d, (i) => mixed(p, read(z, i), read(other, i)));
  const once = (x: string, other: string, dir: Tensor): Expr => {
    const z = s.fresh('z');
    return p.one<() => Expr>([
      () => ({ k: 'grad', name: z, body: vectorBody(p, s, z, other, d), x: name(x) }),
      () => ({ k: 'jvp', name: z, body: mapOf(z, other), x: name(x), dir: name(dir.name) }),
      () => ({ k: 'vjp', name: z, body: mapOf(z, other), x: name(x), dir: name(dir.name) }),
    ])();
  };
  if (p.below(2) === 0) return { value: once(a.name, b.name, b), dims: [d] };
  const [z, g] = [s.fresh('z'), s.fresh('g')];
  // A gradient of a number of a derivative, at z.
  const body: Expr = {
    ...{ k: 'let', name: g, value: once(z, a.name, b) },
    body: vectorBody(p, s, g, b.name, d),
  };
  return { value: { k: 'grad', name: z, body, x: name(a.name) }, dims: [d] };
};

/** Functions of values around them, called in loops and under derivatives. */
const closures: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const [g, v] = [s.fresh('g'), s.fresh('v')];
  const around = p.one<() => Expr>([
    () => name('t'),
    () => reduced(s, 'mean', d, (k) => read(b.name, k)),
  ])();
  const of = mixed(p, name(v), around);
  const call = (x: Expr): Expr => ({ k: 'apply', fn: g, x });
  const [h, l, z] = [s.fresh('h'), s.fresh('l'), s.fresh('z')];
  const body = p.one<() => Expr>([
    () => overVector(s, d, (i) => call(call(read(a.name, i)))),
    () => ({
      ...{ k: 'fold', step: l, steps: p.one([2, 3]), take: 0 },
      carries: [
        { of: 'f32', name: h, init: name(a.name), next: overVector(s, d, (i) => call(read(h, i))) },
      ],
    }),
    () =>
      overVector(s, d, (i) => ({
        ...{ k: 'grad', name: z, body: mul(call(name(z)), call(name('t'))), x: read(a.name, i) },
      })),
    () =>
      overVector(s, d, (i) => ({
        ...{ k: 'jvp', name: z, body: call(mul(name(z), read(b.name, i))) },
        ...{ x: read(a.name, i), dir: read(b.name, i) },
      })),
  ])();
  return { value: { k: 'closure', fn: g, name: v, of, body }, dims: [d] };
};

const rule = (call: RuleCall): Expr => ({ k: 'rule', call });

/** A number by way of a rule. */
const ruled = (p: Picks, x: Expr, u: Expr): Expr =>
  p.one<() => Expr>([
    () => rule({ f: 'gate', x, u }),
    () => rule({ f: 'half', x }),
    () => rule({ f: 'steep', x, u }),
    () => mul(rule({ f: 'ident', x }), u),
    () => rule({ f: 'gate', x: rule({ f: 'half', x }), u: rule({ f: 'steep', x: u, u: x }) }),
    () => rule({ f: 'half', x: rule({ f: 'gate', x: u, u: x }) }),
  ])();

const rules: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  s.ruled.yes = true;
  const [h, l, z] = [s.fresh('h'), s.fresh('l'), s.fresh('z')];
  const u = (i: string): Expr => p.one([read(b.name, i), name('t')]);
  const value = p.one<() => Expr>([
    () => overVector(s, d, (i) => map('sin', ruled(p, read(a.name, i), u(i)))),
    () =>
      overVector(s, d, (i) =>
        add(mul(lit(0.5), read(a.name, i)), map('tanh', ruled(p, read(a.name, i), u(i)))),
      ),
    () => ({
      ...{ k: 'fold', step: l, steps: p.one([2, 3]), take: 0 },
      carries: [
        {
          ...{ of: 'f32', name: h, init: name(a.name) },
          next: overVector(s, d, (i) => mul(lit(0.6), map('sin', ruled(p, read(h, i), u(i))))),
        },
      ],
    }),
    () => {
      const x = name(a.name);
      const leaned = rule({
        f: 'leaned',
        x,
        n: p.one([count('n'), count('d'), { k: 'whole', n: 2 }]),
      });
      const v = s.fresh('v');
      const body = overVector(s, d, (i) => map('sin', mul(lit(0.5), read(v, i))));
      return { k: 'let', name: v, value: leaned, body };
    },
    () =>
      overVector(s, d, (i) => ({
        ...{ k: 'grad', name: z, body: map('sin', ruled(p, name(z), u(i))), x: read(a.name, i) },
      })),
    () =>
      overVector(s, d, (i) => ({
        ...{ k: 'jvp', name: z, body: map('tanh', ruled(p, name(z), u(i))) },
        ...{ x: read(a.name, i), dir: read(b.name, i) },
      })),
  ])();
  return { value, dims: [d] };
};

/** Functions with rules that are given functions of values around them. */
const functionsToRules: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  s.ruled.yes = true;
  const v = s.fresh('v');
  const value = p.one<() => Expr>([
    () =>
      overVector(s, d, (i) => ({
        ...{ k: 'higher', f: 'through', name: v, x: read(a.name, i) },
        body: ofAll(p, [name(v), read(b.name, i), name('t')]),
        captured: { reals: [b.name, 't'], ints: [i] },
      })),
    () => ({
      ...{ k: 'higher', f: 'mapped', name: v, x: name(a.name) },
      body: bounded(p, mul(name(v), name('t'))),
      captured: { reals: ['t'], ints: [] },
    }),
    () => {
      const body = reduced(s, 'mean', d, (k) => mixed(p, read(v, k), read(b.name, k)));
      const number: Expr = {
        ...{ k: 'higher', f: 'along', name: v, body, x: name(a.name) },
        captured: { reals: [b.name], ints: [] },
      };
      const y = s.fresh('y');
      const rest = overVector(s, d, (i) => mul(name(y), read(a.name, i)));
      return { k: 'let', name: y, value: number, body: rest };
    },
    () => {
      const z = s.fresh('z');
      return overVector(s, d, (i) => ({
        ...{ k: 'grad', name: z, x: read(a.name, i) },
        body: {
          ...{ k: 'higher', f: 'through', name: v, x: name(z) },
          body: ofAll(p, [name(v), name(z), name('t')]),
          captured: { reals: [z, 't'], ints: [] },
        },
      }));
    },
  ])();
  return { value, dims: [d] };
};

/** A step of descent on what is carried. */
const descent: Row = (p, s) => {
  const [a, d] = vector(p, s);
  const b = alike(p, s, d);
  const [h, l, z, g] = ['h', 'l', 'z', 'g'].map(s.fresh) as [string, string, string, string];
  const gradient: Expr = { k: 'grad', name: z, body: vectorBody(p, s, z, b.name, d), x: name(h) };
  const body = overVector(s, d, (i) => add(mul(lit(0.8), read(h, i)), mul(lit(-0.1), read(g, i))));
  const next: Expr = { k: 'let', name: g, value: gradient, body };
  const carries = [{ of: 'f32', name: h, init: name(a.name), next }] as const;
  return { value: { k: 'fold', carries, step: l, steps: p.one([2, 1, 3]), take: 0 }, dims: [d] };
};

export const nestRows: Readonly<Record<string, Row>> = {
  'nested derivatives of numbers': numbers,
  'derivatives of vectors': vectors,
  'functions of active values': closures,
  'functions with rules': rules,
  'functions as arguments of rules': functionsToRules,
  'derivatives in folds': descent,
};
