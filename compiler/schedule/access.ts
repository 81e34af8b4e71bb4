/**
 * Core expressions to kernel expressions: every read becomes a flat offset into the buffer that
 * holds its variable (a place), with data-dependent indices taken out of the affine part.
 *
 * Invariant: sharing is kept (a core DAG node becomes one kernel DAG node), and a load whose guards
 * fail gives 0 without its address being formed.
 */

import { addIx, ixZero, normalIx, scaleIx } from '../core/ix.ts';
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
const int = (v: number): KExpr => ({ k: 'const', t: 'i32', v });

/** Translates the expressions of one statement; `placeOf` finds a variable by its id. */
export class Access {
  readonly #placeOf: (id: number) => Place;
  readonly #memo = new Map<Expr, KExpr>();

  constructor(placeOf: (id: number) => Place) {
    this.#placeOf = placeOf;
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
        return this.index(e.ix);
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
        // The index is in range only where the data-dependent guards hold: elsewhere read cell 0.
        const where = e.ix
          .map((ix, d) => prim('mul', 'i32', this.index(ix), int(place.strides[d]!)))
          .reduce((a, b) => prim('add', 'i32', a, b), int(0));
        const at: KIx = {
          ix: place.base,
          dyn: [{ m: 1, e: prim('select', 'i32', ok, where, int(0)), extent: size(e.x.shape) }],
        };
        const load: KExpr = { k: 'load', t: e.t, buf: place.buf, at, guard: plain };
        return prim('select', e.t, ok, load, { k: 'const', t: e.t, v: 0 });
      }
    }
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
      const safe = prim('select', 'i32', ok, this.index(e), int(0));
      return [{ m: place.strides[d]!, e: safe, extent: s.v.shape[d]! }];
    });
    const zero: KExpr = { k: 'const', t: s.body.t, v: 0 };
    return {
      at: { ix: rest.ix, dyn },
      guard: plain,
      body: prim('select', s.body.t, ok, body, zero),
    };
  }

  #holds(g: Guard): KExpr {
    const e = this.index(g.e);
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
        dyn.push({ m: stride, e: this.index(e), extent: shape[d]! });
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

  /** The value of an index as an expression; data-dependent atoms become arithmetic. */
  index(e: Ix): KExpr {
    if (!hasVal(e)) return { k: 'index', t: 'i32', ix: e };
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
          ? this.expr(a.e)
          : prim(a.k === 'div' ? 'idiv' : 'mod', 'i32', this.index(a.e), int(a.by));
      const term = t.m === 1 ? v : prim('mul', 'i32', v, int(t.m));
      sum = sum ? prim('add', 'i32', sum, term) : term;
    }
    const affine = normalIx(e.c, rest);
    if (affine.c === 0 && affine.terms.length === 0) return sum ?? int(0);
    const base: KExpr = { k: 'index', t: 'i32', ix: affine };
    return sum ? prim('add', 'i32', sum, base) : base;
  }
}

export const shift = (p: Place, by: Ix): Place => ({ ...p, base: addIx(p.base, by) });
