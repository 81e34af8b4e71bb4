/**
 * Index forms whose index is data: parameters of type idx[K] and chains of them, clamp and wrap of any
 * integer, argmax, draws, remainders of data, typed `let`s. Rows as form.ts says.
 */
import { randomInt } from './arith.ts';
import { addParam, binder, type Draft, need } from './draft.ts';
import { drawName, drawSize } from './draw-size.ts';
import { type Form, formed, index, placed } from './form.ts';
import { add, array, at, bindLet, i32, idx, keyType, mod, mul, read, sub, u32, v } from './make.ts';
import { asExpr, atLeast, int, nat, plus, sameSize, times } from './sizes.ts';
import type { Expr, Size, Type } from './tree.ts';

/** A binding of this type, or a parameter. */
export function ofType(d: Draft, stem: string, same: (t: Type) => boolean, type: Type): string {
  const there = d.bindings.filter((b) => same(b.type));
  if (there.length > 0 && d.p.chance(60)) return d.p.one(there).name;
  return addParam(d, stem, type).name;
}

const isScalar = (of: string) => (t: Type) => t.k === 'scalar' && t.of === of;
export const anyI32 = (d: Draft): Expr => v(ofType(d, 'n', isScalar('i32'), i32));
const anyU32 = (d: Draft): Expr => v(ofType(d, 'u', isScalar('u32'), u32));
export const anyKey = (d: Draft): Expr => v(ofType(d, 'key', isScalar('key'), keyType));

/** Any integer at all: data, indices, sizes. */
export function anyInt(d: Draft, base: Expr | undefined): Expr {
  const leaves = [...(base === undefined ? [] : [base]), anyI32(d), asExpr(drawName(d))];
  return randomInt(d.p, leaves, 1 + d.p.below(2));
}

/** An idx[dim] that is there or given. */
const given: Form = (d) => {
  const dim = drawSize(d);
  const there = d.bindings.flatMap((b) => (b.type.k === 'idx' ? [{ b, size: b.type.size }] : []));
  if (there.length > 0 && d.p.chance(60)) {
    const { b, size } = d.p.one(there);
    return formed(v(b.name), d.p.chance(70) ? size : plus(size, 1 + d.p.below(2)), []);
  }
  return placed(d, v(addParam(d, 'at', idx(dim)).name), dim, []);
};

/** The places of a tensor of indices: `x[at[i]]`, and of two: `x[at[to[i]]]`. */
const data: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const dim = drawSize(d);
  const at0 = addParam(d, 'at', array(idx(dim), i.size));
  const place = read(v(at0.name), [i.size], at(e));
  if (d.p.chance(25)) return placed(d, add(place, int(1)), plus(dim, 1), binders);
  return formed(place, dim, binders);
};

const chain: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const [dim, between] = [drawSize(d), drawName(d)];
  const low = d.deviates() ? plus(between, 1) : between;
  const inner = addParam(d, 'at', array(idx(low), i.size));
  const outer = addParam(d, 'at', array(idx(dim), between));
  const middle = read(v(inner.name), [i.size], at(e));
  return formed(read(v(outer.name), [between], at(middle)), dim, binders);
};

const pick =
  (how: 'clamp' | 'wrap', make: (d: Draft, e: Expr | undefined) => Expr): Form =>
  (d, base) => {
    const { e, binders } = d.p.chance(70)
      ? index(d, base, () => drawName(d))
      : { e: undefined, binders: [] };
    const dim = drawSize(d);
    need(d, atLeast(dim, 1));
    return formed({ k: 'pick', how, arg: make(d, e), size: dim }, dim, binders);
  };

const ofU32 = (d: Draft): Expr =>
  d.p.one([
    anyU32(d),
    add(anyU32(d), int(1 + d.p.below(3))),
    mul(anyU32(d), int(3)),
    sub(anyU32(d), int(2)),
  ]);

/** What an integer tensor holds, which are values of 32 bits. */
const stored: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const dim = drawSize(d);
  need(d, atLeast(dim, 1));
  const numbers = ofType(
    d,
    'ns',
    (t) =>
      t.k === 'tensor' &&
      isScalar('i32')(t.of) &&
      t.dims.length === 1 &&
      sameSize(t.dims[0]!, i.size),
    array(i32, i.size),
  );
  const n = read(v(numbers), [i.size], at(e));
  const how = d.p.one(['clamp', 'wrap'] as const);
  return formed({ k: 'pick', how, arg: add(n, int(d.p.below(3))), size: dim }, dim, binders);
};

/** `argmax j. y[j]` is an index of y. */
const best: Form = (d) => {
  const dim = drawSize(d);
  need(d, atLeast(dim, 1));
  const y = addParam(d, 'y', array({ k: 'scalar', of: 'f32' }, dim));
  const j = binder(d, dim);
  const body = read(v(y.name), [dim], at(v(j.name)));
  const op = d.p.one(['argmax', 'argmin'] as const);
  return placed(d, { k: 'reduce', op, binders: [j], body, of: 'f32' }, dim, []);
};

const drawn: Form = (d, base) => {
  const { e, binders } = index(d, base);
  const dim = drawSize(d);
  need(d, atLeast(dim, 1));
  const written = d.p.chance(50);
  const draw: Expr = {
    ...{ k: 'draw', what: 'randint', key: anyKey(d), counter: at(e), size: dim, written },
  };
  if (d.p.chance(40)) return formed(draw, dim, binders);
  // Of a smaller range than what is read, or the same.
  const n = d.fresh('n');
  const wide = d.p.chance(60) ? dim : plus(dim, d.p.one([1, 40]));
  const whole: Expr = { ...draw, written: true };
  // A draw is what the language makes of its bits; its quotient by the range is 0 however.
  const zero: Expr = { k: 'op', op: '//', left: v(n), right: asExpr(dim) };
  const [place, extent] = d.p.chance(60) ? [zero, nat(1)] : [v(n), wide];
  return {
    ...formed(place, extent, binders),
    wrap: (x) => bindLet(n, whole, x, idx(wide)),
  };
};

/** `n % 3` of any data. */
const remainder: Form = (d, base) => {
  const c = 2 + d.p.below(4);
  const n = !d.p.chance(20) ? anyInt(d, base === undefined ? undefined : v(base.name)) : anyU32(d);
  return placed(d, mod(n, int(c)), nat(c), []);
};

/** An integer that is declared to be an index. */
const typedLet: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const n = d.fresh('at');
  const made = d.p.one([
    { e: sub(sub(asExpr(i.size), int(1)), e), dim: i.size },
    { e: add(mul(int(2), e), int(1)), dim: times(nat(2), i.size) },
    { e: { k: 'op', op: '//', left: e, right: int(2) } as const, dim: i.size },
  ]);
  const value = d.deviates() ? add(made.e, int(1)) : made.e;
  const place = d.p.chance(70) ? v(n) : add(v(n), int(1));
  const extent: Size = place.k === 'var' ? made.dim : plus(made.dim, 1);
  return {
    ...formed(place, extent, binders),
    wrap: (x) => bindLet(n, value, x, idx(made.dim)),
  };
};

/** The first of something that is not empty: `let n: idx[N] = 0`. */
const literalLet: Form = (d) => {
  const dim = drawSize(d);
  const c = d.p.below(2);
  need(d, atLeast(dim, c + 1));
  const n = d.fresh('at');
  return { ...formed(v(n), dim, []), wrap: (x) => bindLet(n, int(c), x, idx(dim)) };
};

export const dataForms: Readonly<Record<string, Form>> = {
  'idx[K]': given,
  'idx[K][N]': data,
  'chain of idx': chain,
  clamp: pick('clamp', anyInt),
  wrap: pick('wrap', anyInt),
  'clamp of u32': pick('clamp', ofU32),
  'wrap of u32': pick('wrap', ofU32),
  'stored integer': stored,
  argmax: best,
  randint: drawn,
  'data % 3': remainder,
  'let n: idx[N]': typedLet,
  'let n: idx[N] = 0': literalLet,
};
