/**
 * Index forms over sizes: alone, shifted, flipped, strided, divided; tuples, and the parts of a sum.
 * Rows as form.ts says; forms.ts holds the table.
 */
import { binder, need } from './draft.ts';
import { drawName, drawSize, plainName } from './draw-size.ts';
import { type Form, formed, index, placed } from './form.ts';
import { add, at, div, mod, mul, sub, tuple, v } from './make.ts';
import { asExpr, atLeast, fact, group, int, isSum, nat, plus, times } from './sizes.ts';
import type { Index, OneBinder, Size } from './tree.ts';

const bare: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  return formed(e, i.size, binders);
};

const part: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  return placed(d, e, plus(i.size, d.p.chance(50) ? drawName(d) : 1 + d.p.below(3)), binders);
};

const shift: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const c = 1 + d.p.below(3);
  return placed(d, add(e, int(c)), plus(i.size, c), binders);
};

const window: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const j = binder(d, drawName(d));
  return placed(d, add(e, v(j.name)), plus(i.size, j.size), [...binders, j]);
};

const flip: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  return placed(d, sub(sub(asExpr(i.size), int(1)), e), i.size, binders);
};

const stride: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const c = 2 + d.p.below(3);
  const r = d.p.below(c);
  const place = r === 0 ? mul(int(c), e) : add(mul(int(c), e), int(r));
  return placed(d, place, times(nat(c), i.size), binders);
};

/** Row and column by hand: `i*K + j`. */
const byHand: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const j = binder(d, drawName(d));
  const place = add(mul(e, asExpr(j.size)), v(j.name));
  return placed(d, place, times(i.size, j.size), [...binders, j]);
};

const constant: Form = (d) => {
  const c = d.p.below(3);
  if (d.p.chance(40)) return placed(d, int(c), plus(drawSize(d), c + 1), []);
  const dim = drawSize(d);
  need(d, atLeast(dim, c + 1));
  return formed(int(c), dim, []);
};

const last: Form = (d) => {
  const dim = drawSize(d);
  need(d, atLeast(dim, 1));
  return placed(d, sub(asExpr(dim), int(1)), dim, []);
};

/** Half of it, of which nothing says that it is whole. */
const middle: Form = (d) => {
  const dim = drawSize(d);
  need(d, atLeast(dim, 1));
  return formed(div(asExpr(dim), int(2 + d.p.below(2))), dim, []);
};

const quotient: Form = (d, base) => {
  const c = 2 + d.p.below(3);
  if (base !== undefined) return placed(d, div(v(base.name), int(c)), base.size, []);
  const dim = drawSize(d);
  const i = binder(d, times(nat(c), dim));
  return placed(d, div(v(i.name), int(c)), dim, [i]);
};

const quotientBySize: Form = (d) => {
  const [dim, by] = [drawSize(d), drawName(d)];
  const i = binder(d, times(dim, by));
  return placed(d, div(v(i.name), asExpr(by)), dim, [i]);
};

const remainder: Form = (d, base) => {
  const { e, binders } = index(d, base);
  const c = 2 + d.p.below(4);
  const off = d.p.below(4);
  return placed(d, mod(off === 0 ? e : sub(e, int(off)), int(c)), nat(c), binders);
};

const remainderBySize: Form = (d, base) => {
  const { e, binders } = index(d, base);
  const dim = drawSize(d);
  need(d, atLeast(dim, 1));
  return formed(
    mod(add(mul(int(2 + d.p.below(3)), e), int(d.p.below(3))), asExpr(dim)),
    dim,
    binders,
  );
};

/** `i - j + N - 1`: both directions of a difference. */
const difference: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const j = binder(d, drawName(d));
  const place = add(sub(e, v(j.name)), sub(asExpr(j.size), int(1)));
  return placed(d, place, plus(i.size, j.size), [...binders, j]);
};

// ---------------------------------------------------------------- tuples and parts

const tupleOf = (parts: readonly Index[], ranges: readonly Size[]) => ({
  ix: tuple(parts, ranges),
  dim: ranges.map(group).reduce((a, b) => times(a, b)),
});

const pair: Form = (d, base) => {
  const { i, e, binders } = index(d, base);
  const j = binder(d, drawName(d));
  const flat = tupleOf([at(e), at(v(j.name))], [i.size, j.size]);
  return { ...flat, binders: [...binders, j] };
};

/** Of arithmetic, which is in its range by itself. */
const tupleOfForms =
  (first: readonly Form[], second: readonly Form[]): Form =>
  (d, base) => {
    const a = d.p.one(first)(d, base);
    const b = d.p.one(second)(d);
    if (a === undefined || b === undefined) return undefined;
    return { ...tupleOf([a.ix, b.ix], [a.dim, b.dim]), binders: [...a.binders, ...b.binders] };
  };

const simple: readonly Form[] = [bare, flip, stride, remainder, shift];
const nested = tupleOfForms([pair, bare], [pair, stride]);

const side =
  (k: 'left' | 'right'): Form =>
  (d, base) => {
    const inner = d.p.one([bare, flip, bare, shift])(d, base);
    const other = plainName(d);
    if (inner === undefined || isSum(inner.dim)) return undefined;
    const dim = k === 'left' ? plus(inner.dim, other) : plus(other, inner.dim);
    return { ...inner, ix: { k, part: inner.ix, size: inner.dim }, dim };
  };

const rightOfRight: Form = (d, base) => {
  const inner = bare(d, base)!;
  if (isSum(inner.dim)) return undefined;
  const [a, b] = [nat(1 + d.p.below(2)), plainName(d)];
  const rest = plus(b, inner.dim);
  const deeper: Index = { k: 'right', part: inner.ix, size: inner.dim };
  return {
    ...inner,
    ix: { k: 'right', part: deeper, size: rest },
    dim: plus(plus(a, b), inner.dim),
  };
};

// ---------------------------------------------------------------- too large

/** A size that no number holds, as an index and as the extents of a tuple. */
const huge: Form = (d) => {
  const n = plainName(d);
  // Right where N is 0 or 1, and mostly said to be so.
  const right = !d.p.chance(40);
  need(d, right ? fact(n, '<=', nat(1)) : atLeast(n, 1));
  const times = 25 + d.p.below(8);
  const place = Array.from({ length: times }).reduce<ReturnType<typeof asExpr>>(
    (product) => mul(product, asExpr(n)),
    asExpr(n),
  );
  return formed(place, right ? nat(2) : n, []);
};

const hugeTuple: Form = (d) => {
  if (!d.p.chance(40)) return pair(d);
  const [a, b, n] = [plainName(d), plainName(d), plainName(d)];
  const power = (s: Size): Size => ({ k: 'op', op: '^', left: s, right: nat(13 + d.p.below(2)) });
  const over: readonly OneBinder[] = [binder(d, power(a)), binder(d, power(b))];
  const [i, j] = over as [OneBinder, OneBinder];
  return { ix: tuple([at(v(i.name)), at(v(j.name))], [i.size, j.size]), dim: n, binders: over };
};

export const plainForms: Readonly<Record<string, Form>> = {
  'index alone': bare,
  'index of a part': part,
  'index + 1': shift,
  'sum of indices': window,
  'N - 1 - index': flip,
  '2*index + 1': stride,
  'i*K + j': byHand,
  'constant index': constant,
  'last index': last,
  'N//2': middle,
  'index // 2': quotient,
  'index // K': quotientBySize,
  'index % 3': remainder,
  'index % N': remainderBySize,
  'i - j': difference,
  'tuple index': pair,
  'tuple of arithmetic': tupleOfForms(simple, simple),
  'nested tuple': nested,
  left: side('left'),
  right: side('right'),
  'right right': rightOfRight,
  'huge index': huge,
  'huge tuple': hugeTuple,
};
