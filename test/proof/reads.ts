/**
 * Reads of tensors by forms that were drawn, and f32 scalars made of them: values stay small multiples
 * of 1/8, so that devices can be compared exactly.
 */
import { addParam, type Draft, inLoop } from './draft.ts';
import { drawName, otherName } from './draw-size.ts';
import type { Formed } from './form.ts';
import { drawForm } from './forms.ts';
import { anyInt } from './forms-data.ts';
import {
  add,
  array,
  at,
  bindLet,
  cast,
  f32,
  field,
  loop,
  mod,
  mul,
  one,
  op,
  read,
  real,
  recordType,
  v,
} from './make.ts';
import { printSize } from './print.ts';
import { asExpr, int, plus, sameSize } from './sizes.ts';
import type { Expr, Index, OneBinder, Size, Type } from './tree.ts';

/** A scalar under the loops of its indices. */
export type Under = { readonly value: Expr; readonly binders: readonly OneBinder[] };

export const isF32 = (t: Type): boolean => t.k === 'scalar' && t.of === 'f32';
const sameDims = (a: readonly Size[], b: readonly Size[]): boolean =>
  a.length === b.length && a.every((d, i) => sameSize(d, b[i]!));

export const number = (d: Draft): Expr => real(d.p.one([1, 2, -1, 0.5, 3]));

/** As many elements as asked for, or one too few or something else. */
function nearly(d: Draft, dims: readonly Size[], byForm = false): readonly Size[] {
  const [first, ...rest] = dims;
  if (first === undefined || !d.deviates()) return dims;
  // One more would be another part.
  if (byForm) return [otherName(d, first), ...rest];
  if (first.k === 'nat') return [plus(first, first.value > 0 ? -1 : 1), ...rest];
  return [d.p.one([otherName(d, first), plus(first, 1)]), ...rest];
}

export type Held = { readonly e: Expr; readonly dims: readonly Size[] };

const writtenAs = (a: readonly Size[], b: readonly Size[]): boolean =>
  a.length === b.length && a.every((d, i) => printSize(d) === printSize(b[i]!));

/**
 * A tensor of f32 of these dimensions: there already, a parameter, or made in place. Where its parts
 * are read (`byForm`) they are written in just this way.
 */
export function tensorOf(d: Draft, dims: readonly Size[], byForm = false): Held {
  const fits = byForm ? writtenAs : sameDims;
  const there = d.bindings.filter(
    ({ type: t }) => t.k === 'tensor' && isF32(t.of) && fits(t.dims, dims),
  );
  if (there.length > 0 && d.p.chance(70)) {
    const { name, type } = d.p.one(there);
    return { e: v(name), dims: type.k === 'tensor' ? type.dims : dims };
  }
  if (d.p.chance(15)) {
    d.used.add('tensor made in place');
    const over = dims.map((s) => one(d.fresh('i'), s));
    const value = add(
      cast('f32', mod(add(v(over[0]!.name), int(d.p.below(3))), int(5))),
      number(d),
    );
    return { e: loop(over, value), dims };
  }
  const own = nearly(d, dims, byForm);
  return { e: v(addParam(d, 'x', array(f32, ...own)).name), dims: own };
}

/** A `let` for what is no name. */
function named(d: Draft, t: Held, use: (e: Expr) => Expr): Expr {
  if (t.e.k === 'var') return use(t.e);
  const x = d.fresh('x');
  return bindLet(x, t.e, use(v(x)));
}

type Access = (d: Draft, dims: readonly Size[], ix: readonly Index[], orElse?: Expr) => Expr;

/** What makes an index of any integer makes one of the dimension that is really read. */
function meant(ix: Index, dim: Size): Index {
  if (ix.k !== 'at') return ix;
  const { e } = ix;
  if (e.k === 'pick' || (e.k === 'draw' && e.what === 'randint' && e.written !== true)) {
    return at({ ...e, size: dim });
  }
  return ix;
}

const readOf = (t: Expr, dims: readonly Size[], ix: readonly Index[], orElse?: Expr): Expr => {
  const e = read(t, dims, ...ix.map((x, i) => meant(x, dims[i]!)));
  return orElse === undefined || e.k !== 'read' ? e : { ...e, orElse };
};

const hasParts = (ix: readonly Index[]): boolean => ix.some((i) => i.k !== 'at');

const plain: Access = (d, dims, ix, orElse) => {
  const t = tensorOf(d, dims, hasParts(ix));
  return named(d, t, (e) => readOf(e, t.dims, ix, orElse));
};

/** How elements are reached. */
export const accesses: Readonly<Record<string, Access>> = {
  'plain read': plain,
  'read of a row': (d, dims, ix, orElse) => {
    const [first, ...rest] = ix;
    if (rest.length === 0 || orElse !== undefined) return plain(d, dims, ix, orElse);
    const t = tensorOf(d, dims, hasParts(ix));
    return named(d, t, (e) =>
      readOf(readOf(e, t.dims.slice(0, 1), [first!]), t.dims.slice(1), rest),
    );
  },
  'read of a field': (d, dims, ix, orElse) => {
    const own = nearly(d, dims, hasParts(ix));
    const r = addParam(d, 'r', recordType({ a: array(f32, ...own), b: f32 }));
    return readOf(field(v(r.name), 'a'), own, ix, orElse);
  },
  'array of records': (d, dims, ix, orElse) => {
    if (orElse !== undefined) return plain(d, dims, ix, orElse);
    const own = nearly(d, dims, hasParts(ix));
    const [first, ...rest] = own;
    const inner = recordType({ a: array(f32, ...rest), b: f32 });
    const r = addParam(d, 'rs', array(inner, first!));
    const a = field(readOf(v(r.name), [first!], ix.slice(0, 1)), 'a');
    return rest.length === 0 ? a : readOf(a, rest, ix.slice(1));
  },
  'read by a function': (d, dims, ix, orElse) => {
    if (hasParts(ix) || orElse !== undefined) return plain(d, dims, ix, orElse);
    const t = tensorOf(d, dims);
    const places = ix
      .map((i, n) => meant(i, t.dims[n]!))
      .flatMap((i) => (i.k === 'at' ? [i.e] : []));
    const [g, js] = [d.fresh('get'), ix.map(() => d.fresh('j'))];
    return named(d, t, (e) => {
      const body = readOf(
        e,
        t.dims,
        js.map((j) => at(v(j))),
      );
      const call: Expr = { k: 'apply', fn: g, args: places };
      return bindLet(g, { k: 'lambda', params: js, body }, call);
    });
  },
};
const accessRows = ['plain read', 'plain read', 'plain read', ...Object.keys(accesses)];

/** One read, at one or two forms; `base` is an index that it may use. */
export function drawRead(d: Draft, base?: OneBinder): Under {
  const forms: Formed[] = [drawForm(d, base)];
  if (d.p.chance(25)) forms.push(drawForm(d));
  return readBy(d, forms);
}

export function readBy(d: Draft, forms: readonly Formed[]): Under {
  const row = d.p.one(accessRows);
  d.used.add(row);
  const orElse = forms.find((f) => f.orElse !== undefined)?.orElse;
  const ix = forms.map((f) => f.ix);
  const value = accesses[row]!(
    d,
    forms.map((f) => f.dim),
    ix,
    orElse,
  );
  const wrapped = forms.reduce((e, f) => f.wrap?.(e) ?? e, value);
  return { value: wrapped, binders: forms.flatMap((f) => f.binders) };
}

// ---------------------------------------------------------------- scalars

export const under = <T>(d: Draft, binders: readonly OneBinder[], f: () => T): T =>
  binders.reduce<() => T>((g, b) => () => inLoop(d, b.size, g), f)();

/** An integer as a small number, through the 32 bits that values have. */
export function wrappedValue(d: Draft, base?: OneBinder): Expr {
  d.used.add('f32(integer)');
  const n = anyInt(d, base === undefined ? undefined : v(base.name));
  return cast('f32', mod(n, int(2 + d.p.below(6))));
}

type Made = (d: Draft, a: Under) => Under;

const second = (d: Draft, a: Under): Under => under(d, a.binders, () => drawRead(d, a.binders[0]));

export const makes: Readonly<Record<string, Made>> = {
  'a read': (_d, a) => a,
  'a multiple': (d, a) => ({ ...a, value: mul(number(d), a.value) }),
  'two reads': (d, a) => {
    const b = second(d, a);
    const o = d.p.one(['-', '+'] as const);
    return { value: op(o, a.value, b.value), binders: [...a.binders, ...b.binders] };
  },
  'a number added': (d, a) => ({
    ...a,
    value: add(
      a.value,
      under(d, a.binders, () => wrappedValue(d, a.binders[0])),
    ),
  }),
  'if on data': (d, a) => {
    const b = second(d, a);
    const i = a.binders[0];
    const left = i === undefined ? wrappedValue(d) : v(i.name);
    const right = i === undefined ? real(1) : int(1 + d.p.below(3));
    const cond: Expr = { k: 'compare', op: d.p.one(['<', '==', '>=']), left, right };
    return {
      value: { k: 'if', cond, yes: a.value, no: b.value },
      binders: [...a.binders, ...b.binders],
    };
  },
  'if on sizes': (d, a) => {
    const left = asExpr(drawName(d));
    const cond: Expr = {
      k: 'compare',
      op: d.p.one(['>=', '<', '==']),
      left,
      right: int(d.p.below(4)),
    };
    const b = d.p.chance(50) ? { value: number(d), binders: [] } : second(d, a);
    return {
      value: { k: 'if', cond, yes: a.value, no: b.value },
      binders: [...a.binders, ...b.binders],
    };
  },
};
const makeRows = ['a read', 'two reads', 'two reads', ...Object.keys(makes)];

/** An f32 made of reads. */
export function drawScalar(d: Draft, base?: OneBinder): Under {
  const row = d.p.one(makeRows);
  d.used.add(row);
  return makes[row]!(d, drawRead(d, base));
}

/** A scalar that goes over no index but the given ones: the others are summed. */
export function summed(u: Under): Expr {
  return u.binders.length === 0
    ? u.value
    : { k: 'reduce', op: 'sum', binders: u.binders, body: u.value, of: 'f32' };
}
