/**
 * The simplifying constructor of scalar expressions: folds constants, applies the identities of the
 * table (identities.ts), decides comparisons by index intervals and shares equal nodes.
 *
 * Invariant: the nodes it gives have no simpler form under the same extents, so simplifying again
 * changes nothing.
 */
import { bool, constE, indexE, type PrimExpr, prim, readE, zeroE } from '../core/expr.ts';
import { type Extents, fitsI32, interval, isConst, subIx, tidyIx } from '../core/ix.ts';
import type { Keys } from '../core/key.ts';
import { wrap } from '../core/scalar.ts';
import type { Dtype, Expr, Ix, Prim } from '../core.ts';
import { normalGuards } from './guards.ts';
import { type Args, affine, foldConstant, identities, largest } from './identities.ts';

export class Algebra {
  readonly extents: Extents;
  readonly #keys: Keys;
  readonly #finite = new Map<Expr, boolean>();

  constructor(extents: Extents, keys: Keys) {
    this.extents = extents;
    this.#keys = keys;
  }

  /**
   * The one node with this structure. Rules make no node they do not return, else it could become
   * that one node, and a simplified program would change into its equal.
   */
  share(e: Expr): Expr {
    return this.#keys.rep(e);
  }

  const(t: Dtype, v: number): Expr {
    return this.share(constE(t, v));
  }

  same(a: Expr, b: Expr): boolean {
    return a === b || this.#keys.expr(a) === this.#keys.expr(b);
  }

  /** A prim node, simplified; arguments are simplified already. */
  prim(op: Prim, ...args: Args): Expr {
    return this.#simplified(prim(op, ...args));
  }

  #simplified(e: PrimExpr): Expr {
    return this.share(foldConstant(e.op, e.args, e.t) ?? identities[e.op](e.args, this, e.t) ?? e);
  }

  /** A node whose children are simplified already. */
  node(e: Expr): Expr {
    switch (e.k) {
      case 'const':
        return this.share(e);
      case 'index':
        return this.index(e.ix, e.t, e);
      case 'prim':
        return this.#simplified(e);
      case 'read': {
        const guard = normalGuards(e.guard, this.extents);
        if (guard === 'never') return this.share(zeroE(e.t));
        const ix = e.ix.map((i) => tidyIx(i, this.extents));
        const same = guard === e.guard && ix.every((x, i) => x === e.ix[i]);
        return this.share(same ? e : readE(e.x, ix, guard));
      }
    }
  }

  /** The value of an index; `known` is a node for it as it is. */
  index(ix: Ix, t: 'i32' | 'int', known: Expr = indexE(ix, t)): Expr {
    const i = tidyIx(ix, this.extents);
    if (isConst(i)) return this.const(t, wrap(t, i.c));
    return this.share(i === ix ? known : indexE(i, t));
  }

  /** The affine combination of two whole numbers; of i32 when all values fit one. */
  combine(a: Expr, b: Expr, f: (a: Ix, b: Ix) => Ix | undefined): Expr | undefined {
    const [x, y] = [affine(a, this.extents), affine(b, this.extents)];
    if (x === undefined || y === undefined) return undefined;
    const out = f(x, y);
    if (out === undefined) return undefined;
    if (a.t === 'int') return this.index(out, 'int');
    return fitsI32(interval(out, this.extents)) ? this.index(out, 'i32') : undefined;
  }

  /** Decides a comparison by the interval of the difference of two indices. */
  decide(a: Expr, b: Expr, f: (lo: number, hi: number) => boolean | undefined): Expr | undefined {
    const [x, y] = [affine(a, this.extents), affine(b, this.extents)];
    if (x === undefined || y === undefined) return undefined;
    const { lo, hi } = interval(subIx(x, y), this.extents);
    const d = f(lo, hi);
    return d === undefined ? undefined : this.share(bool(d));
  }

  /** Whether the value is finite whatever the inputs are. */
  finite(e: Expr): boolean {
    let out = this.#finite.get(e);
    if (out === undefined) {
      out = this.#isFinite(e);
      this.#finite.set(e, out);
    }
    return out;
  }

  #isFinite(e: Expr): boolean {
    if (e.t !== 'f32') return true;
    if (e.k === 'const') return Math.abs(e.v) <= largest;
    if (e.k !== 'prim') return false;
    switch (e.op) {
      case 'sin':
      case 'cos':
      case 'tanh':
      case 'erf':
      case 'sign':
      case 'neg':
      case 'abs':
      case 'stop':
      case 'min':
      case 'max':
        return e.args.every((a) => this.finite(a));
      case 'select':
        return this.finite(e.args[1]!) && this.finite(e.args[2]!);
      // From an integer or a truth value: at most 2^32.
      case 'cast':
        return true;
      default:
        return false;
    }
  }
}
