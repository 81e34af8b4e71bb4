/**
 * The rules of the core IR, as data: a row says what holds and how to find a breach of it (the idea
 * of tinygrad's uop/spec.py). verify.ts walks a program and asks them; the rules about scopes, which
 * need the walk, are there.
 *
 * Ranges that intervals cannot prove are enumerated when the axes involved are few; larger ones are
 * left to the reference interpreter, which checks every access.
 */
import type { AxisId, Custom, Dtype, Expr, Fold, Guard, Ix, Nest, SegSum, Var } from '../core.ts';
import { reduceType, sizeOf } from './build.ts';
import { eachVal, freeAxesIx, type Read } from './expr.ts';
import { decideGuard, type Extents, eachAtom, evalIx, interval, isConst, subIx } from './ix.ts';
import { compareAtoms, sameAtom } from './key.ts';
import { primType } from './prim.ts';

/** Where a node stands. */
export type Place = {
  readonly extents: Extents;
  /** Axes that may occur here. */
  readonly axes: ReadonlySet<AxisId>;
  readonly visible: ReadonlySet<number>;
  /** An axis in scope has extent 0: nothing runs here, so nothing leaves its range. */
  readonly empty: boolean;
};

/** `breach` describes what is wrong, or gives undefined. */
export type Rule<T> = {
  readonly says: string;
  readonly breach: (x: T, at: Place) => string | undefined | false;
};

const shapeText = (x: { readonly shape: readonly number[] }) => `[${x.shape.join(', ')}]`;
export const varText = (x: Var) => `${x.name}: ${x.t}${shapeText(x)}`;
const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((n, i) => n === b[i]);
const alike = (a: Var, b: Var) => a.t === b.t && sameShape(a.shape, b.shape);
const isNumeric = (t: string) => t !== 'bool';

// ---------------------------------------------------------------- indices and expressions

export const ixRules: readonly Rule<Ix>[] = [
  {
    says: 'an index has integer coefficients, none zero',
    breach: (ix) =>
      (!Number.isSafeInteger(ix.c) && `constant ${ix.c}`) ||
      ix.terms
        .map((t) => (Number.isSafeInteger(t.m) && t.m !== 0 ? undefined : `multiplier ${t.m}`))
        .find((s) => s !== undefined),
  },
  {
    says: 'the terms of an index are sorted and no atom is repeated',
    breach: (ix) =>
      ix.terms.some((t, i) => {
        const before = ix.terms[i - 1];
        return before !== undefined && (compareAtoms(before.a, t.a) > 0 || sameAtom(before.a, t.a));
      }) && 'unsorted or repeated terms',
  },
  {
    says: 'div and mod are by a positive integer',
    breach: (ix) => {
      const bad = ix.terms.find(
        ({ a }) => (a.k === 'div' || a.k === 'mod') && !(Number.isSafeInteger(a.by) && a.by > 0),
      );
      return bad && 'by' in bad.a && `${bad.a.k} by ${bad.a.by}`;
    },
  },
  {
    says: 'a data-dependent index is a whole number with a positive extent',
    breach: (ix) => {
      const bad = ix.terms.find(
        ({ a }) => a.k === 'val' && ((a.e.t !== 'i32' && a.e.t !== 'int') || !(a.extent > 0)),
      );
      return bad?.a.k === 'val' && `${bad.a.e.t} below ${bad.a.extent}`;
    },
  },
  {
    says: 'an axis in an index is bound by the statement or by an enclosing fold',
    breach: (ix, at) => {
      let bad: AxisId | undefined;
      eachAtom(ix, (a) => {
        if (a.k === 'axis' && !at.axes.has(a.id)) bad = a.id;
      });
      return bad !== undefined && `axis #${bad} is not in scope`;
    },
  },
];

export const readRules: readonly Rule<Read>[] = [
  {
    says: 'a read has one index per dimension',
    breach: (r) => r.ix.length !== r.x.shape.length && `${r.ix.length} for ${varText(r.x)}`,
  },
  {
    says: 'a read has the dtype of its variable',
    breach: (r) => r.t !== r.x.t && `${r.t} from ${varText(r.x)}`,
  },
  {
    says: 'a read variable is defined before its use',
    breach: (r, at) => !at.visible.has(r.x.id) && `${r.x.name}#${r.x.id} is not defined here`,
  },
  {
    says: 'a read is in range wherever its guards hold',
    breach: (r, at) => outOfRange(r.ix, r.x.shape, r.guard, at),
  },
];

export const exprRules: readonly Rule<Expr>[] = [
  {
    says: 'a primitive takes arguments of its dtypes and gives the dtype of its rule',
    breach: (e) => {
      if (e.k !== 'prim') return undefined;
      const from = e.args.map((a) => a.t);
      if (e.op === 'cast') return badCast(from, e.t);
      const want = primType[e.op](from);
      return want !== e.t && `${e.op}(${from.join(', ')}): ${e.t}`;
    },
  },
  {
    says: 'a constant is a value of its dtype',
    breach: (e) => e.k === 'const' && !isValue(e.t, e.v) && `${e.v}: ${e.t}`,
  },
];

/** Whole numbers without a size come from and go to stored ones only. */
function badCast(from: readonly Dtype[], to: Dtype): string | false {
  const [t] = from;
  if (t === undefined || from.length !== 1) return `cast of ${from.length} arguments`;
  const whole = (x: Dtype) => x === 'i32' || x === 'u32';
  const ok = to === 'int' ? whole(t) : t === 'int' ? whole(to) : true;
  return !ok && `cast from ${t} to ${to}`;
}

function isValue(t: string, v: number): boolean {
  switch (t) {
    case 'f32':
      return true;
    case 'i32':
      return (v | 0) === v;
    case 'u32':
      return v >>> 0 === v;
    case 'int':
      return Number.isSafeInteger(v);
    default:
      return v === 0 || v === 1;
  }
}

// ---------------------------------------------------------------- ranges

const enumerable = 4096;

/** A description of an access that can leave its tensor, if one is certain. */
function outOfRange(
  ixs: readonly Ix[],
  shape: readonly number[],
  guard: readonly Guard[],
  { extents, empty }: Place,
): string | undefined {
  if (empty || guard.some((g) => decideGuard(g, extents) === 'never')) return undefined;
  for (let d = 0; d < ixs.length; d++) {
    const ix = ixs[d]!;
    const n = shape[d]!;
    const r = guardedInterval(ix, guard, extents);
    if (r.lo >= 0 && r.hi < n) continue;
    const bad = counterexample(ix, n, guard, extents);
    if (bad !== undefined) return `index ${d} of extent ${n} ${bad}`;
  }
  return undefined;
}

/** The interval of an index, cut by the guards on the same form shifted by a constant. */
function guardedInterval(ix: Ix, guard: readonly Guard[], extents: Extents) {
  let { lo, hi } = interval(ix, extents);
  for (const g of guard) {
    const d = subIx(ix, g.e);
    if (!isConst(d)) continue;
    lo = Math.max(lo, g.lo + d.c);
    hi = Math.min(hi, g.hi - 1 + d.c);
  }
  return { lo, hi };
}

function counterexample(
  ix: Ix,
  n: number,
  guard: readonly Guard[],
  extents: Extents,
): string | undefined {
  let dynamic = false;
  for (const e of [ix, ...guard.map((g) => g.e)]) {
    eachVal(e, () => {
      dynamic = true;
    });
  }
  const ids = new Set<AxisId>(freeAxesIx(ix));
  for (const g of guard) for (const id of freeAxesIx(g.e)) ids.add(id);
  const axes = [...ids].map((id) => ({ id, extent: extents(id) ?? 0 }));
  const points = sizeOf(axes.map((a) => a.extent));
  if (dynamic || points > enumerable) return undefined;
  const value = new Map<AxisId, number>();
  const axis = (id: AxisId) => value.get(id)!;
  for (let p = 0; p < points; p++) {
    let rest = p;
    for (const a of axes) {
      value.set(a.id, rest % a.extent);
      rest = Math.floor(rest / a.extent);
    }
    const holds = guard.every((g) => {
      const v = evalIx(g.e, axis);
      return g.lo <= v && v < g.hi;
    });
    const v = evalIx(ix, axis);
    if (holds && (v < 0 || v >= n)) return `is ${v}`;
  }
  return undefined;
}

// ---------------------------------------------------------------- statements

export const nestRules: readonly Rule<Nest>[] = [
  {
    says: 'the shape of a nest is the extents of its axes',
    breach: (s) =>
      !sameShape(
        s.v.shape,
        s.axes.map((a) => a.extent),
      ) && `${varText(s.v)} over [${s.axes.map((a) => a.extent).join(', ')}]`,
  },
  {
    says: 'a nest has reduction axes exactly when it has a reduction',
    breach: (s) => (s.op === null) !== (s.red.length === 0) && `${s.op} over ${s.red.length} axes`,
  },
  {
    says: 'a nest has the dtype of its reduction or body',
    breach: (s) => s.v.t !== reduceType(s.op, s.body.t) && `${s.v.t} from ${s.body.t}`,
  },
  {
    says: 'a reduction fits the dtype of its body',
    breach: (s) =>
      s.op !== null &&
      (s.op === 'all' || s.op === 'any') === isNumeric(s.body.t) &&
      `${s.op} of ${s.body.t}`,
  },
  {
    says: 'argmax and argmin reduce over exactly one axis',
    breach: (s) =>
      (s.op === 'argmax' || s.op === 'argmin') && s.red.length !== 1 && `${s.red.length} axes`,
  },
  {
    says: 'max, min, argmax and argmin reduce over something',
    breach: (s) =>
      (s.op === 'max' || s.op === 'min' || s.op === 'argmax' || s.op === 'argmin') &&
      s.red.some((a) => a.extent === 0) &&
      sizeOf(s.v.shape) > 0 &&
      'an empty range',
  },
];

export const segsumRules: readonly Rule<SegSum>[] = [
  {
    says: 'a segment sum has one target index per dimension',
    breach: (s) => s.at.length !== s.v.shape.length && `${s.at.length} for ${varText(s.v)}`,
  },
  {
    says: 'a segment sum adds numbers of its dtype',
    breach: (s) => (s.v.t !== s.body.t || !isNumeric(s.v.t)) && `${s.v.t} from ${s.body.t}`,
  },
  {
    says: 'a segment sum stores in range wherever its guards hold',
    breach: (s, at) => outOfRange(s.at, s.v.shape, s.guard, at),
  },
];

export const foldRules: readonly Rule<Fold>[] = [
  {
    says: 'a fold steps through its axis',
    breach: (s) => s.l.extent !== s.trip && `${s.trip} steps over extent ${s.l.extent}`,
  },
  {
    says: 'a carry has one shape and dtype',
    breach: (s) => {
      const bad = s.carry.find((c) => ![c.init, c.next, c.out].every((x) => alike(c.in, x)));
      return bad && [bad.in, bad.init, bad.next, bad.out].map((x) => varText(x)).join(', ');
    },
  },
  {
    says: 'ys stack their elements',
    breach: (s) => {
      const bad = s.ys.find(
        (y) => y.v.t !== y.elem.t || !sameShape(y.v.shape, [s.trip, ...y.elem.shape]),
      );
      return bad && `${varText(bad.v)} of ${varText(bad.elem)}`;
    },
  },
  {
    says: 'an accumulator starts alike and adds the whole or a leading slice',
    breach: (s) => {
      const bad = s.acc.find(
        (a) =>
          !alike(a.v, a.init) ||
          a.add.t !== a.v.t ||
          !isNumeric(a.v.t) ||
          (a.at !== null && a.v.shape.length === 0) ||
          !sameShape(a.add.shape, a.at === null ? a.v.shape : a.v.shape.slice(1)),
      );
      return bad && `${varText(bad.v)} = ${varText(bad.init)} += ${varText(bad.add)}`;
    },
  },
  {
    says: 'an accumulator slice is affine in the steps and in range',
    breach: (s, at) => {
      for (const a of s.acc) {
        if (a.at === null) continue;
        if (a.at.terms.some((t) => t.a.k !== 'axis')) return 'not affine';
        for (const id of freeAxesIx(a.at)) if (!at.axes.has(id)) return `axis #${id}`;
        const bad = outOfRange([a.at], a.v.shape.slice(0, 1), [], at);
        if (bad !== undefined) return bad;
      }
      return undefined;
    },
  },
];

export const customRules: readonly Rule<Custom>[] = [
  {
    says: 'tangents are shaped like what they are tangents of',
    breach: (s) => {
      const { dins, douts } = s.jvp;
      const ok = (xs: readonly Var[], ds: readonly Var[]) =>
        xs.length === ds.length && xs.every((x, i) => alike(x, ds[i]!));
      return !(ok(s.ins, dins) && ok(s.outs, douts)) && 'other shapes';
    },
  },
];
