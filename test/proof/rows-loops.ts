/**
 * Bindings that are loops: `for`, reductions, folds and scans, loops that may be empty around what
 * could not be had otherwise, concatenations. Rows as row.ts says; rows.ts holds the table.
 */
import { binder, type Draft, inLoop, need } from './draft.ts';
import { drawName, drawSize } from './draw-size.ts';
import { index } from './form.ts';
import { anyI32, anyInt } from './forms-data.ts';
import {
  add,
  array,
  at,
  bindLet,
  cast,
  f32,
  i32,
  idx,
  loop,
  mod,
  mul,
  op,
  read,
  real,
  record,
  recordType,
  reduce,
  sub,
  v,
} from './make.ts';
import {
  drawRead,
  drawScalar,
  number,
  summed,
  tensorOf,
  type Under,
  under,
  wrappedValue,
} from './reads.ts';
import type { Row } from './row.ts';
import { asExpr, atLeast, group, int, isSum, nat, plus, times } from './sizes.ts';
import type { Expr, Index, OneBinder, Size } from './tree.ts';

const sizesOf = (binders: readonly OneBinder[]): readonly Size[] => binders.map((b) => b.size);

/** Over one index at least. */
function looped(d: Draft): Under {
  const u = drawScalar(d);
  return u.binders.length > 0 ? u : { ...u, binders: [binder(d, drawName(d))] };
}

const forRow: Row = (d) => {
  const { value, binders } = looped(d);
  return { value: loop(binders, value), type: array(f32, ...sizesOf(binders)) };
};

/** Two indices make one dimension. */
const forTuple: Row = (d) => {
  const { value, binders } = looped(d);
  const all = binders.length > 1 ? binders : [...binders, binder(d, drawName(d))];
  const [a, b, ...rest] = all as [OneBinder, OneBinder];
  const type = array(f32, times(group(a.size), group(b.size)), ...sizesOf(rest));
  return { value: loop([{ k: 'tuple', items: [a, b] }, ...rest], value), type };
};

const sum: Row = (d) => ({ value: summed(drawScalar(d)), type: f32 });

const product: Row = (d) => {
  const { value, binders } = looped(d);
  return { value: reduce('prod', binders, value), type: f32 };
};

const overSome = (d: Draft, binders: readonly OneBinder[]): void => {
  for (const b of binders) need(d, atLeast(b.size, 1));
};

const extreme =
  (o: 'max' | 'min' | 'mean'): Row =>
  (d) => {
    const { value, binders } = looped(d);
    overSome(d, binders);
    return { value: reduce(o, binders, value), type: f32 };
  };

/** An index that later reads can use. */
const best: Row = (d) => {
  const { value, binders } = looped(d);
  const [first, second] = binders;
  overSome(d, binders);
  const o = d.p.one(['argmax', 'argmin'] as const);
  if (second === undefined || binders.length > 2) {
    const body = binders.length === 1 ? value : summed({ value, binders: binders.slice(1) });
    return { value: reduce(o, [first!], body), type: idx(first!.size), stem: 'best' };
  }
  const over = times(group(first!.size), group(second.size));
  return {
    value: reduce(o, [{ k: 'tuple', items: binders }], value),
    type: idx(over),
    stem: 'best',
  };
};

/** `all` and `any` decide a choice. */
const truth: Row = (d) => {
  const { value, binders } = looped(d);
  const right = number(d);
  const cond = reduce(d.p.one(['all', 'any'] as const), binders, {
    ...{ k: 'compare', op: d.p.one(['<=', '>'] as const), left: value, right },
  });
  return { value: { k: 'if', cond, yes: number(d), no: summed(drawRead(d)) }, type: f32 };
};

// ---------------------------------------------------------------- loops that may be empty

/** Inside a loop its range is not empty: `for i. x[i] - x[0]`. */
const emptyLoop: Row = (d) => {
  const i = binder(d, drawSize(d));
  const inner = inLoop(d, i.size, () => summed(drawScalar(d, i)));
  if (d.p.chance(50)) return { value: loop([i], inner), type: array(f32, i.size) };
  // What can be taken out of the loop stands in a `let`.
  const first = d.fresh('first');
  const body = bindLet(first, inner, sub(v(first), cast('f32', v(i.name))));
  return { value: loop([i], body), type: array(f32, i.size) };
};

/** The same with what is hoisted from two loops. */
const emptyLoops: Row = (d) => {
  const [i, j] = [binder(d, drawSize(d)), binder(d, drawName(d))];
  const inner = under(d, [i, j], () => summed(drawScalar(d)));
  const body = add(inner, cast('f32', sub(v(i.name), v(j.name))));
  return {
    value: loop(
      [
        { ...i, elide: false },
        { ...j, elide: false },
      ],
      body,
    ),
    type: array(f32, i.size, j.size),
  };
};

/** Divided by a size, which may be 0 where the loop is empty. */
const quotients: Row = (d) => {
  const i = binder(d, drawName(d));
  const by = d.p.chance(60) ? i.size : drawName(d);
  const n = op(d.p.one(['//', '%']), add(mul(int(7), v(i.name)), anyI32(d)), asExpr(by));
  const body = cast('f32', mod(n, int(5)));
  return { value: loop([{ ...i, elide: false }], body), type: array(f32, i.size) };
};

// ---------------------------------------------------------------- tensors made and taken apart

const integers: Row = (d) => {
  const i = { ...binder(d, drawName(d)), elide: false };
  const n = inLoop(d, i.size, () => anyInt(d, v(i.name)));
  return { value: loop([i], add(n, int(1))), type: array(i32, i.size), stem: 'ns' };
};

const concatenated: Row = (d) => {
  const [a, b] = [tensorOf(d, [drawName(d)]), tensorOf(d, [drawSize(d)])];
  const [m, n] = [a.dims[0]!, b.dims[0]!];
  const parts = [a, b].map(({ e }) => ({ spread: true, value: e }));
  const first = { spread: false, value: number(d) };
  const withFirst = d.p.chance(50);
  const e: Expr = { k: 'array', items: withFirst ? [first, ...parts] : parts };
  const dim = withFirst ? plus(plus(nat(1), m), n) : plus(m, n);
  return { value: e, type: array(f32, dim) };
};

/** Read back by its parts. */
const concatenatedParts: Row = (d) => {
  const made = concatenated(d)!;
  const t = d.fresh('t');
  const { dims } = made.type.k === 'tensor' ? made.type : { dims: [] };
  const sum = dims[0]!;
  if (sum.k !== 'op') return made;
  const [left, right] = [sum.left, sum.right];
  // Of a sum with three parts, or with sums in it, `left` and `right` are other parts.
  const byPart = !isSum(left) && !isSum(right);
  const make = d.p.one([
    (i: OneBinder): Index => at(add(v(i.name), asExpr(left))),
    (i: OneBinder): Index =>
      byPart ? { k: 'right', part: at(v(i.name)), size: right } : at(add(v(i.name), asExpr(left))),
    (i: OneBinder): Index =>
      byPart ? { k: 'left', part: at(v(i.name)), size: left } : at(v(i.name)),
  ]);
  const i = { ...binder(d, right), elide: false };
  const ix = make(i);
  const over = ix.k === 'left' ? { ...i, size: left } : i;
  const body = read(v(t), dims, ix);
  const value = bindLet(t, made.value, loop([over], body));
  return { value, type: array(f32, over.size) };
};

const elementwise: Row = (d) => {
  const dims = [drawSize(d)];
  const [a, b] = [tensorOf(d, dims), tensorOf(d, dims)];
  const value = d.p.one([
    () => op(d.p.one(['+', '-']), a.e, b.e),
    () => mul(number(d), a.e),
    () => sub(a.e, mul(real(2), b.e)),
  ])();
  return { value, type: array(f32, ...a.dims) };
};

const records: Row = (d) => {
  const { i, e } = index(d, undefined, () => drawName(d));
  const inner = inLoop(d, i.size, () => summed(drawRead(d, i)));
  const type = array(recordType({ a: f32, b: f32 }), i.size);
  const value = record({ a: inner, b: cast('f32', add(e, int(1))) });
  return { value: loop([{ ...i, elide: false }], value), type, stem: 'rs' };
};

const recordRow: Row = (d) => {
  const u = looped(d);
  const value = record({ a: loop(u.binders, u.value), b: summed(drawRead(d)) });
  const type = recordType({ a: array(f32, ...sizesOf(u.binders)), b: f32 });
  return { value, type, stem: 'r' };
};

/** Values of 32 bits, and a row read whole. */
const values: Row = (d) => {
  const i = { ...binder(d, drawName(d)), elide: false };
  const value = inLoop(d, i.size, () => wrappedValue(d, i));
  return { value: loop([i], value), type: array(f32, i.size) };
};

const rowOf: Row = (d) => {
  const i = binder(d, drawName(d));
  const rest = drawSize(d);
  const t = tensorOf(d, [i.size, rest]);
  if (t.e.k !== 'var' || t.dims.length < 2) return undefined;
  const e = loop([i], read(t.e, t.dims, at(v(i.name))));
  return { value: e, type: array(f32, i.size, t.dims[1]!) };
};

export const loopRows: Readonly<Record<string, Row>> = {
  for: forRow,
  'for of a tuple': forTuple,
  sum,
  prod: product,
  max: extreme('max'),
  min: extreme('min'),
  mean: extreme('mean'),
  'argmax as a value': best,
  'all and any': truth,
  'in a loop': emptyLoop,
  'in two loops': emptyLoops,
  'quotient in a loop': quotients,
  'tensor of integers': integers,
  concatenation: concatenated,
  'parts of a concatenation': concatenatedParts,
  'tensor arithmetic': elementwise,
  'records in a loop': records,
  record: recordRow,
  values,
  rows: rowOf,
};
