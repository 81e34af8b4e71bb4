/**
 * Core expressions to kernel expressions: every read becomes a flat offset into the buffer that
 * holds its variable (a place), with data-dependent indices taken out of the affine part.
 *
 * Invariant: sharing is kept (a core DAG node becomes one kernel DAG node), and a load whose guards
 * fail gives 0 without its address being formed. Arithmetic on indices that data decides is exact (of
 * type int); compiler/bounds finds what of it 32 bits can hold.
 */

import { addIx, type Extents, interval, ixZero, normalIx, scaleIx, subIx } from '../core/ix.ts';
import type { Dtype, Expr, Guard, Ix, Prim, SegSum } from '../core.ts';
import type { BufId, KExpr, KIx } from '../plan.ts';
import { hasVal } from './flat.ts';

/** Where a variable lives: row-major cells of a buffer, `strides` words apart, from `base`. */
export type Place = {
  readonly buf: BufId;
  readonly base: Ix;
  readonly strides: readonly number[];
};

export function rowMajor(shape: readonly number[]): number[] {
  const s = new Array<number>(shape.length);
  let n = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    s[i] = n;
    n *= shape[i]!;
  }
  return s;
}

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const prim = (op: Prim, t: Dtype, ...args: KExpr[]): KExpr => ({
  k: 'prim',
  t,
  op,
  args,
});
const int = (v: number): KExpr => ({ k: 'const', t: 'int', v });
const cast = (t: Dtype, e: KExpr): KExpr => (e.t === t ? e : prim('cast', t, e));

/** Translates the expressions of one statement; `placeOf` finds a variable by its id. */
export class Access {
  readonly #placeOf: (id: number) => Place;
  readonly #extents: Extents;
  readonly #memo = new Map<Expr, KExpr>();

  constructor(placeOf: (id: number) => Place, extents: Extents) {
    this.#placeOf = placeOf;
    this.#extents = extents;
  }

  expr(e: Expr): KExpr {
    const done = this.#memo.get(e);
    if (done) return done;
    const out = this.#expr(e);
    this.#memo.set(e, out);
    return out;
  }

  #expr(e: Expr): KExpr {
    switch (e.k) {
      case 'const':
        return e;
      case 'index':
        if (!hasVal(e.ix)) return { k: 'index', t: e.t, ix: e.ix };
        return cast(e.t, this.int(e.ix));
      case 'prim':
        return { k: 'prim', t: e.t, op: e.op, args: e.args.map((a) => this.expr(a)) };
      case 'read': {
        const place = this.#placeOf(e.x.id);
        const { plain, ok } = this.#guards(e.guard);
        if (ok === undefined)
          return {
            k: 'load',
            t: e.t,
            buf: place.buf,
            at: this.flat(place, e.ix, e.x.shape),
            guard: plain,
          };
        // An index may be in range only where the data-dependent guards hold: elsewhere it is 0.
        const free = (ix: Ix, d: number): boolean =>
          !hasVal(ix) && this.#inRange(ix, e.x.shape[d]!, plain);
        const fixed = e.ix.map((ix, d) => (free(ix, d) ? ix : ixZero));
        const rest = this.flat(place, fixed, e.x.shape);
        const dyn = e.ix.flatMap((ix, d) =>
          free(ix, d)
            ? []
            : [{ m: place.strides[d]!, e: chosen(ok, this.int(ix)), extent: e.x.shape[d]! }],
        );
        const at: KIx = { ix: rest.ix, dyn };
        const load: KExpr = { k: 'load', t: e.t, buf: place.buf, at, guard: plain };
        return prim('select', e.t, ok, load, { k: 'const', t: e.t, v: 0 });
      }
    }
  }

  /** Whether an index that only axes decide is within an extent, as intervals and its guard show. */
  #inRange(ix: Ix, extent: number, guards: readonly Guard[]): boolean {
    let { lo, hi } = interval(ix, this.#extents);
    for (const g of guards) {
      const ahead = subIx(ix, g.e);
      if (ahead.terms.length > 0) continue;
      lo = Math.max(lo, g.lo + ahead.c);
      hi = Math.min(hi, g.hi - 1 + ahead.c);
    }
    return lo >= 0 && hi < extent;
  }

  /** Guards that only axes decide, and whether those hold that data decides. */
  #guards(all: readonly Guard[]): { readonly plain: Guard[]; readonly ok: KExpr | undefined } {
    const plain = all.filter((g) => !hasVal(g.e));
    const [first, ...more] = all.filter((g) => hasVal(g.e)).map((g) => this.#holds(g));
    return { plain, ok: first && more.reduce((a, b) => prim('and', 'bool', a, b), first) };
  }

  /**
   * Where a sum goes whose guards data may decide: where they fail, 0 is added to a cell that differs
   * only in the indices that data decides, so that cells of a grid still meet nowhere.
   */
  sum(place: Place, s: Pick<SegSum, 'at' | 'guard' | 'body' | 'v'>) {
    const { plain, ok } = this.#guards(s.guard);
    const body = this.expr(s.body);
    if (ok === undefined) return { at: this.flat(place, s.at, s.v.shape), guard: plain, body };
    const rest = this.flat(
      place,
      s.at.map((e) => (hasVal(e) ? ixZero : e)),
      s.v.shape,
    );
    const dyn = s.at.flatMap((e, d) => {
      if (!hasVal(e)) return [];
      return [{ m: place.strides[d]!, e: chosen(ok, this.int(e)), extent: s.v.shape[d]! }];
    });
    const zero: KExpr = { k: 'const', t: s.body.t, v: 0 };
    return {
      at: { ix: rest.ix, dyn },
      guard: plain,
      body: prim('select', s.body.t, ok, body, zero),
    };
  }

  #holds(g: Guard): KExpr {
    const e = this.int(g.e);
    return prim('and', 'bool', prim('ge', 'bool', e, int(g.lo)), prim('lt', 'bool', e, int(g.hi)));
  }

  /**
   * The offset of cell `ix` of a variable of this shape. What data decides must not be negative: a
   * quotient of it may be, in a sum that is not, so there the whole index is one value.
   */
  flat(place: Place, ix: readonly Ix[], shape: readonly number[]): KIx {
    let at = place.base;
    const dyn: { m: number; e: KExpr; extent: number }[] = [];
    ix.forEach((e, d) => {
      const stride = place.strides[d]!;
      if (e.terms.some((t) => (t.a.k === 'div' || t.a.k === 'mod') && hasVal(t.a.e))) {
        dyn.push({ m: stride, e: this.int(e), extent: shape[d]! });
        return;
      }
      const rest: Ix['terms'][number][] = [];
      for (const t of e.terms) {
        if (t.a.k === 'val') dyn.push({ m: t.m * stride, e: this.expr(t.a.e), extent: t.a.extent });
        else rest.push(t);
      }
      at = addIx(at, scaleIx(normalIx(e.c, rest), stride));
    });
    return { ix: at, dyn };
  }

  /** The value of an index as an exact expression; data-dependent atoms become arithmetic. */
  int(e: Ix): KExpr {
    if (!hasVal(e)) return { k: 'index', t: 'int', ix: e };
    let sum: KExpr | undefined;
    const rest: Ix['terms'][number][] = [];
    for (const t of e.terms) {
      const a = t.a;
      if (a.k !== 'val' && (a.k === 'axis' || !hasVal(a.e))) {
        rest.push(t);
        continue;
      }
      const v =
        a.k === 'val'
          ? cast('int', this.expr(a.e))
          : prim(a.k === 'div' ? 'idiv' : 'mod', 'int', this.int(a.e), int(a.by));
      const term = t.m === 1 ? v : prim('mul', 'int', v, int(t.m));
      sum = sum ? prim('add', 'int', sum, term) : term;
    }
    const affine = normalIx(e.c, rest);
    if (affine.c === 0 && affine.terms.length === 0) return sum ?? int(0);
    const base: KExpr = { k: 'index', t: 'int', ix: affine };
    return sum ? prim('add', 'int', sum, base) : base;
  }
}

/** An index where the guards hold, and 0 elsewhere. */
const chosen = (ok: KExpr, e: KExpr): KExpr => prim('select', 'int', ok, e, int(0));

export const shift = (p: Place, by: Ix): Place => ({ ...p, base: addIx(p.base, by) });
