/**
 * What the whole numbers of a nest can be: the range of every kernel expression, also in the branch of
 * a select, where its condition is known to hold.
 *
 * Invariant: at every point of the nest at which the conditions of a context hold, the value of an
 * expression lies in its range; outside of them nothing is said, and nothing is asked, because a
 * select takes the other branch.
 */
import { ixZero } from '../core/ix.ts';
import type { Dtype, Guard, Ix, Prim } from '../core.ts';
import type { BufId, KExpr, KIx } from '../plan.ts';
import { guardKey } from '../schedule/flat.ts';
import {
  addForm,
  type Box,
  boundForm,
  type Condition,
  type Form,
  formOf,
  formOfIx,
  type Known,
  narrowed,
  plainly,
} from './form.ts';
import { Keys } from './keys.ts';
import type { Range } from './range.ts';
import * as R from './range.ts';

type PrimExpr = Extract<KExpr, { k: 'prim' }>;

/** Conditions that hold together, one inside another. */
export class Context {
  readonly outer: Context | undefined;
  readonly conditions: readonly Condition[];
  readonly known: Known;
  readonly ranges = new Map<KExpr, Range>();
  readonly settled = new Map<KExpr, KExpr>();
  /** Contexts of the branches inside, by condition. */
  readonly inner = new Map<string, Context>();

  constructor(known: Known, conditions: readonly Condition[], outer?: Context) {
    this.known = known;
    this.conditions = conditions;
    this.outer = outer;
  }
}

export class Values {
  readonly #box: Box;
  readonly #buffer: (b: BufId) => Range;
  readonly #forms = new Map<KExpr, Form>();
  readonly keys = new Keys();
  /** Where nothing is known but the extents of the axes. */
  readonly root: Context;

  constructor(box: Box, buffer: (b: BufId) => Range) {
    this.#box = box;
    this.#buffer = buffer;
    this.root = new Context(plainly(box), []);
  }

  of(e: KExpr, cx: Context = this.root): Range {
    const known = cx.ranges.get(e);
    if (known) return known;
    const here = cx.outer ? this.#settled(e, cx) : e;
    let out = this.#structure(here, cx);
    // What is known of a value or of a sum of values, besides what follows from its parts.
    if (cx.outer && here.k !== 'const' && isWhole(here.t) && !R.isNothing(out))
      out = R.meet(out, boundForm(this.form(here), cx.known, cx.conditions));
    cx.ranges.set(e, out);
    return out;
  }

  /** The same value where selects are gone that the context decides: conditions speak of such values. */
  #settled(e: KExpr, cx: Context): KExpr {
    if (e.k !== 'prim') return e;
    const known = cx.settled.get(e);
    if (known) return known;
    const [c, a, b] = e.args as [KExpr, KExpr, KExpr];
    const cond = e.op === 'select' ? this.of(c, cx) : R.rangeOfType.bool;
    let out: KExpr = e;
    if (cond.lo === cond.hi) out = this.#settled(cond.lo === 1 ? a : b, cx);
    else {
      const args = e.args.map((x) => this.#settled(x, cx));
      if (args.some((x, i) => x !== e.args[i])) out = { ...e, args };
    }
    cx.settled.set(e, out);
    return out;
  }

  ofIx(ix: Ix, cx: Context = this.root): Range {
    return boundForm(formOfIx(ix), cx.known, cx.conditions);
  }

  #structure(e: KExpr, cx: Context): Range {
    switch (e.k) {
      case 'const':
        return isWhole(e.t) || e.t === 'bool' ? R.only(e.v) : R.anything;
      case 'index':
        return wrapped(e.t, this.ofIx(e.ix, cx));
      case 'load': {
        if (e.t === 'f32') return R.anything;
        const at = this.guarded(e.guard, cx);
        const value = this.#buffer(e.buf);
        return at === 'never' ? R.only(0) : at === cx ? value : R.union(value, R.only(0));
      }
      case 'checked':
        return R.union(R.meet(this.of(e.e, cx), { lo: 0, hi: e.extent - 1 }), R.only(0));
      case 'prim':
        return this.#prim(e, cx);
    }
  }

  #prim(e: PrimExpr, cx: Context): Range {
    if (e.t === 'f32') return R.anything;
    if (e.op === 'select') return this.#select(e, cx);
    const args = e.args.map((a) => this.of(a, cx));
    if (args.some(R.isNothing)) return R.nothing;
    return wrapped(e.t, rules[e.op](args, e.t, e.args[0]!.t));
  }

  #select(e: PrimExpr, cx: Context): Range {
    const [c, a, b] = e.args as [KExpr, KExpr, KExpr];
    const cond = this.of(c, cx);
    if (R.isNothing(cond)) return R.nothing;
    const yes = cond.hi === 0 ? R.nothing : this.of(a, this.branch(c, true, cx));
    const no = cond.lo === 1 ? R.nothing : this.of(b, this.branch(c, false, cx));
    return R.union(yes, no);
  }

  // ------------------------------------------------------------------ contexts

  /** Where a condition holds, or does not. */
  branch(c: KExpr, holds: boolean, cx: Context): Context {
    return this.#inside(cx, `${this.keys.of(c)} ${holds}`, () => this.#conditions(c, holds));
  }

  /** Where guards hold: this very context when they always do. */
  guarded(guard: readonly Guard[], cx: Context): Context | 'never' {
    const open: Guard[] = [];
    for (const g of guard) {
      const r = this.ofIx(g.e, cx);
      if (r.hi < g.lo || r.lo >= g.hi) return 'never';
      if (r.lo < g.lo || r.hi >= g.hi) open.push(g);
    }
    if (open.length === 0) return cx;
    // All of them: one that always holds may still say how an offset is put together.
    const conditions = (): Condition[] =>
      guard.map((g) => ({ form: formOfIx(g.e), lo: g.lo, hi: g.hi - 1 }));
    return this.#inside(cx, guardKey(guard), conditions);
  }

  #inside(cx: Context, key: string, made: () => readonly Condition[]): Context {
    const before = cx.inner.get(key);
    if (before) return before;
    const conditions = [...cx.conditions, ...made()];
    const known = narrowed(plainly(this.#box), conditions);
    const out = new Context(known, conditions, cx);
    cx.inner.set(key, out);
    return out;
  }

  #conditions(c: KExpr, holds: boolean): Condition[] {
    if (c.k !== 'prim') return [];
    const [a, b] = c.args as [KExpr, KExpr];
    if (c.op === 'not') return this.#conditions(a, !holds);
    if (c.op === (holds ? 'and' : 'or'))
      return [...this.#conditions(a, holds), ...this.#conditions(b, holds)];
    const gap = comparisons[c.op]?.[holds ? 'yes' : 'no'];
    if (!gap || !isWhole(a.t)) return [];
    return [{ form: addForm(this.form(a), this.form(b), -1), ...gap }];
  }

  // ------------------------------------------------------------------ linear forms

  /** A whole number as a linear form, exactly; what is not linear is opaque. */
  form(e: KExpr): Form {
    const known = this.#forms.get(e);
    if (known) return known;
    const exact = e.t === 'int' || this.#isExact(e);
    const out = (exact && this.#linear(e)) || formOf(this.keys.of(e), this.of(e));
    this.#forms.set(e, out);
    return out;
  }

  /** Whether a value of 32 bits is that of its operation without wrapping. */
  #isExact(e: KExpr): boolean {
    if (e.k === 'const') return true;
    if (e.k === 'index') return R.fits32(this.ofIx(e.ix));
    if (e.k !== 'prim' || !linearOps.has(e.op)) return false;
    const args = e.args.map((a) => this.of(a));
    return R.within(rules[e.op](args, 'int', e.args[0]!.t), R.rangeOfType[e.t]);
  }

  #linear(e: KExpr): Form | undefined {
    if (e.k === 'const') return formOfIx({ c: e.v, terms: [] });
    if (e.k === 'index') return formOfIx(e.ix);
    if (e.k !== 'prim' || !linearOps.has(e.op)) return undefined;
    const [a, b] = e.args as [KExpr, KExpr];
    switch (e.op) {
      case 'add':
        return addForm(this.form(a), this.form(b));
      case 'sub':
        return addForm(this.form(a), this.form(b), -1);
      case 'neg':
        return addForm(zeroForm, this.form(a), -1);
      case 'mul': {
        const by = a.k === 'const' ? a : b.k === 'const' ? b : undefined;
        return by?.k === 'const' && by.v !== 0
          ? addForm(zeroForm, this.form(by === a ? b : a), by.v)
          : undefined;
      }
      // A cast that is exact, and a mark for differentiation.
      default:
        return isWhole(a.t) ? this.form(a) : undefined;
    }
  }

  /** A flat offset as a form. `opened`: its values as sums of what they are made of. */
  offset(at: KIx, cx: Context, opened: boolean): Form {
    return at.dyn.reduce((f, d) => {
      const promised: Range = { lo: 0, hi: d.extent - 1 };
      const form = opened
        ? this.form(d.e)
        : formOf(this.keys.of(d.e), R.meet(this.of(d.e, cx), promised));
      return addForm(f, form, d.m);
    }, formOfIx(at.ix));
  }
}

const zeroForm: Form = { ix: ixZero, rest: [] };
const isWhole = (t: Dtype): boolean => t === 'int' || t === 'i32' || t === 'u32';

/** What a value is after it has been wrapped to its type. */
const wrapped = (t: Dtype, r: Range): Range =>
  R.within(r, R.rangeOfType[t]) ? r : R.rangeOfType[t];

/** Of a - b, where a comparison of a and b holds (or does not). */
const comparisons: Partial<
  Record<
    Prim,
    { readonly yes?: { lo: number; hi: number }; readonly no?: { lo: number; hi: number } }
  >
> = {
  lt: { yes: { lo: -Infinity, hi: -1 }, no: { lo: 0, hi: Infinity } },
  le: { yes: { lo: -Infinity, hi: 0 }, no: { lo: 1, hi: Infinity } },
  gt: { yes: { lo: 1, hi: Infinity }, no: { lo: -Infinity, hi: 0 } },
  ge: { yes: { lo: 0, hi: Infinity }, no: { lo: -Infinity, hi: -1 } },
  eq: { yes: { lo: 0, hi: 0 } },
  ne: { no: { lo: 0, hi: 0 } },
};

const linearOps: ReadonlySet<Prim> = new Set<Prim>(['add', 'sub', 'neg', 'mul', 'cast', 'stop']);

/** From the ranges of the arguments; `t` is the type of the node, `from` that of its first argument. */
type Rule = (a: readonly Range[], t: Dtype, from: Dtype) => Range;

const one =
  (f: (a: Range) => Range): Rule =>
  (a) =>
    f(a[0]!);
const two =
  (f: (a: Range, b: Range) => Range): Rule =>
  (a) =>
    f(a[0]!, a[1]!);
const whole: Rule = (_a, t) => R.rangeOfType[t];
/** 1 where the difference of the arguments is surely in the range, 0 where it surely is not. */
const test =
  (op: Prim): Rule =>
  ([a, b], _t, from) => {
    if (from === 'f32') return R.rangeOfType.bool;
    const d = R.sub(a!, b!);
    const { yes, no } = comparisons[op]!;
    if (yes ? R.within(d, yes) : d.lo > 0 || d.hi < 0) return R.only(1);
    if (no ? R.within(d, no) : d.lo > 0 || d.hi < 0) return R.only(0);
    return R.rangeOfType.bool;
  };

const rules: Readonly<Record<Prim, Rule>> = {
  add: two(R.add),
  sub: two(R.sub),
  mul: two(R.mul),
  div: whole,
  idiv: two(R.idiv),
  mod: two(R.mod),
  pow: whole,
  neg: one(R.neg),
  eq: test('eq'),
  ne: test('ne'),
  lt: test('lt'),
  le: test('le'),
  gt: test('gt'),
  ge: test('ge'),
  and: two(R.min),
  or: two(R.max),
  not: one((a) => ({ lo: 1 - a.hi, hi: 1 - a.lo })),
  min: two(R.min),
  max: two(R.max),
  abs: one(R.abs),
  sign: one(R.sign),
  floor: whole,
  ceil: whole,
  round: whole,
  exp: whole,
  log: whole,
  sqrt: whole,
  sin: whole,
  cos: whole,
  tanh: whole,
  erf: whole,
  isfinite: whole,
  select: ([, a, b]) => R.union(a!, b!),
  cast: ([a], t, from) =>
    from === 'f32'
      ? R.rangeOfType[t]
      : t === 'bool'
        ? { lo: a!.lo > 0 || a!.hi < 0 ? 1 : 0, hi: a!.lo === 0 && a!.hi === 0 ? 0 : 1 }
        : a!,
  f16: whole,
  bf16: whole,
  stop: one((a) => a),
  bits0: whole,
  bits1: whole,
};
