/**
 * One nest of a plan for machines of 32 bits: its arithmetic narrowed, and each of its accesses shown to
 * be in range or checked. This is a proof of its own: nothing is taken from the type checker but what
 * the host has validated.
 *
 * An access is shown to be in range when the range of its offset, under its guards, lies in the buffer:
 * as a sum of the ranges of its parts; else as a combination of the guards and a rest; else point by
 * point. A data-dependent part of the offset that may leave the extent it was promised is checked by
 * itself; if the offset still may leave the buffer, it is checked as a whole.
 */

import type { Span } from '../../dsl/source.ts';
import { ixZero } from '../core/ix.ts';
import type { Axis, Guard } from '../core.ts';
import type { Buf, BufId, KExpr, KIx, KNest } from '../plan.ts';
import { eachKExpr } from '../schedule/flat.ts';
import { boxOver } from './buffers.ts';
import { enumerated, enumeratedValue } from './enumerate.ts';
import { type Box, boundForm, type Form, rangeOfForm } from './form.ts';
import { cast, i32, indexInt, int, mapSame, Narrow, prim } from './narrow.ts';
import type { Range } from './range.ts';
import * as R from './range.ts';
import { tooLarge } from './refuse.ts';
import { type Context, Values } from './values.ts';

/** What a nest needs from its plan. */
export type Surroundings = {
  readonly bufs: readonly Buf[];
  readonly range: (b: BufId) => Range;
  /** The number of a check that says what happened and where. */
  readonly site: (span: Span | undefined, what: string) => number;
  /** Told of every access: whether data decides its place, and whether it is checked. */
  readonly count: (data: boolean, checked: boolean) => void;
};

type Load = Extract<KExpr, { k: 'load' }>;
/** Where an access goes; `cond` is what guards say that do not fit 32 bits. */
type Target = { readonly at: KIx; readonly guard: readonly Guard[]; readonly cond?: KExpr };

/** The nest inside `around`: the loops of the plan and the grid of its kernel. */
export function boundNest(n: KNest, around: readonly Axis[], plan: Surroundings): KNest {
  const outer = [...around, ...n.axes];
  if (isEmpty(outer)) return hasInt(n) ? { ...n, body: zero(n.body), store: nowhere(n.store) } : n;
  // What is stored stands outside of the reduction, whose axes may have names of the grid.
  const ends = new Accesses(outer, n.spans[0], plan);
  const inside = n.red.length === 0 ? ends : new Accesses([...outer, ...n.red], n.spans[0], plan);
  const body = !isEmpty(n.red) ? inside.narrow.node(n.body) : hasInt(n) ? zero(n.body) : n.body;
  const store = ends.store(n.store);
  return body === n.body && store === n.store ? n : { ...n, body, store };
}

const isEmpty = (axes: readonly Axis[]): boolean => axes.some((a) => a.extent === 0);
const zero = (e: KExpr): KExpr => ({ k: 'const', t: e.t, v: 0 });
const never: Guard = { e: ixZero, lo: 1, hi: 1 };
const nowhere = (s: KNest['store']): KNest['store'] => ({
  ...s,
  at: { ix: ixZero, dyn: [] },
  guard: [never],
});

function hasInt(n: KNest): boolean {
  let found = false;
  const seen = new Set<KExpr>();
  const visit = (e: KExpr): void => {
    if (e.t === 'int') found = true;
  };
  eachKExpr(n.body, visit, seen);
  for (const d of n.store.at.dyn) eachKExpr(d.e, visit, seen);
  return found;
}

/** Whether memory decides a place, and not the loops alone. */
function isData(e: KExpr): boolean {
  let found = false;
  eachKExpr(e, (x) => {
    if (x.k === 'load') found = true;
  });
  return found;
}

class Accesses {
  readonly #plan: Surroundings;
  readonly #span: Span | undefined;
  readonly #values: Values;
  readonly #box: Box;
  readonly narrow: Narrow;

  constructor(axes: readonly Axis[], span: Span | undefined, plan: Surroundings) {
    this.#plan = plan;
    this.#span = span;
    const box = boxOver(axes);
    this.#box = box;
    this.#values = new Values(box, plan.range);
    const refuse = (r: Range): never => {
      throw tooLarge(r, axes, span);
    };
    this.narrow = new Narrow(this.#values, box, (e) => this.#load(e), refuse);
  }

  #load(e: Load): KExpr {
    const buf = this.#plan.bufs[e.buf]!;
    const cx = this.#values.guarded(e.guard, this.#values.root);
    if (cx === 'never') {
      const plain = buf.words > 0 && e.at.dyn.length === 0 && this.narrow.exact(e.at.ix);
      return plain ? e : zero(e);
    }
    const { at, guard, cond } = this.#target(buf, e.at, e.guard, cx, 'reads outside of');
    // An empty buffer has no word to read in place of another; a value that is checked for it is 0.
    const [only] = at.dyn;
    if (buf.words === 0) return only?.e.k === 'checked' ? cast(e.t, only.e) : zero(e);
    if (cond) {
      const ix: KIx = { ix: ixZero, dyn: at.dyn.map((d) => ({ ...d, e: chosen(cond, d.e, 0) })) };
      return prim('select', e.t, cond, { ...e, at: ix, guard }, zero(e));
    }
    return at === e.at && guard === e.guard ? e : { ...e, at, guard };
  }

  store(s: KNest['store']): KNest['store'] {
    const buf = this.#plan.bufs[s.buf]!;
    const cx = this.#values.guarded(s.guard, this.#values.root);
    if (cx === 'never') return nowhere(s);
    const { at, guard, cond } = this.#target(buf, s.at, s.guard, cx, 'writes outside of');
    if (cond) {
      // Where such a guard fails, the place is one that is not there.
      const extent = buf.words;
      const e = chosen(cond, at.dyn[0]!.e, -1);
      const silent: KExpr = { k: 'checked', t: 'i32', e, extent, site: undefined };
      return { ...s, at: { ix: ixZero, dyn: [{ m: 1, e: silent, extent }] }, guard };
    }
    return at === s.at && guard === s.guard ? s : { ...s, at, guard };
  }

  /** The place of an access in `cx`, where its guards hold. */
  #target(buf: Buf, at: KIx, given: readonly Guard[], cx: Context, what: string): Target {
    const { narrow } = this;
    const { guard, cond } = this.#guards(given);
    let checked = at.dyn.some((d) => d.e.k === 'checked' && d.e.site !== undefined);
    const check = (e: KExpr, extent: number): KExpr => {
      checked = true;
      const open = cx === narrow.root ? e : chosen(this.#holds(given), e, 0);
      const site = this.#plan.site(this.#span, `${what} \`${buf.name}\``);
      return { k: 'checked', t: 'i32', e: open, extent, site };
    };
    // A place that was checked before stays as it is.
    const promised = mapSame(at.dyn, (d) => {
      const promise: Range = { lo: 0, hi: d.extent - 1 };
      if (R.within(this.#values.of(d.e, cx), promise)) return d;
      const tried = enumeratedValue(d.e, this.#box);
      if (tried !== undefined && R.within(tried, promise)) return d;
      return { ...d, e: check(this.#clamped(d.e, d.extent, cx), d.extent) };
    });
    const dyn = mapSame(promised, (d) => {
      const e = narrow.low(d.e, cx);
      return e === d.e ? d : { ...d, e };
    });
    const shown = this.#isWithin({ ix: at.ix, dyn: promised }, buf.words, cx);
    const ix = narrow.exact(at.ix);
    let out = dyn === at.dyn && ix === at.ix ? at : { ix: ix ?? at.ix, dyn };
    if (!shown || ix === undefined || cond) {
      const sum = promised.reduce(
        (s, d) => prim('add', 'int', s, prim('mul', 'int', cast('int', d.e), int(d.m))),
        narrow.sum(at.ix),
      );
      const e = shown ? narrow.low(sum, cx) : check(this.#clamped(sum, buf.words, cx), buf.words);
      out = { ix: ixZero, dyn: [{ m: 1, e, extent: buf.words }] };
    }
    this.#plan.count(
      at.dyn.some((d) => isData(d.e)),
      checked,
    );
    return { at: out, guard, ...(cond ? { cond } : {}) };
  }

  /** An i32 that is in [0, extent) exactly where e is. */
  #clamped(e: KExpr, extent: number, cx: Context): KExpr {
    if (R.fits32(this.#values.of(e, cx))) return this.narrow.low(e, cx);
    const least = prim('max', 'int', e, int(-1));
    return this.narrow.low(prim('min', 'int', least, int(extent)), cx);
  }

  // ------------------------------------------------------------------ guards

  /** The guards whose forms fit 32 bits, and whether the others hold. */
  #guards(given: readonly Guard[]): { readonly guard: readonly Guard[]; readonly cond?: KExpr } {
    const wide: Guard[] = [];
    const kept = mapSame(given, (g) => {
      const e = this.narrow.exact(g.e);
      const r = this.#values.ofIx(g.e);
      if (e === undefined || !R.fits32(r)) {
        wide.push(g);
        return g;
      }
      const inside = g.lo >= R.rangeOfType.i32.lo && g.hi <= R.rangeOfType.i32.hi;
      if (e === g.e && inside) return g;
      return { e, lo: Math.max(g.lo, r.lo), hi: Math.min(g.hi, r.hi + 1) };
    });
    if (wide.length === 0) return { guard: kept };
    return { guard: kept.filter((g) => !wide.includes(g)), cond: this.#holds(wide) };
  }

  #holds(guard: readonly Guard[]): KExpr {
    const tests = guard.flatMap((g) => {
      const e = indexInt(g.e);
      return [prim('ge', 'bool', e, int(g.lo)), prim('lt', 'bool', e, int(g.hi))];
    });
    return this.narrow.node(tests.reduce((a, b) => prim('and', 'bool', a, b)));
  }

  // ------------------------------------------------------------------ proofs

  /** Whether an offset is shown to lie in [0, words). */
  #isWithin(at: KIx, words: number, cx: Context): boolean {
    const { known, conditions } = cx;
    const whole: Range = { lo: 0, hi: words - 1 };
    const closed = this.#values.offset(at, cx, false);
    if (R.within(rangeOfForm(closed, known), whole)) return true;
    const opened = at.dyn.length > 0 ? this.#values.offset(at, cx, true) : closed;
    const combined = (f: Form): boolean => R.within(boundForm(f, known, conditions), whole);
    if (combined(closed) || (opened !== closed && combined(opened))) return true;
    const tried = enumerated(closed, known, conditions);
    return tried !== undefined && R.within(tried, whole);
  }
}

/** e where the condition holds. */
const chosen = (cond: KExpr, e: KExpr, other: number): KExpr =>
  prim('select', 'i32', cond, e, i32(other));
