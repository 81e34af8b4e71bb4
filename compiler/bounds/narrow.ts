/**
 * Exact whole numbers as numbers of 32 bits, wherever the ranges show that this is the same.
 *
 * Three forms of an exact whole number e:
 *  - low(e) is an i32 that agrees with e modulo 2^32. Sums, products and choices of low words are low
 *    words of sums, products and choices. Where e fits 32 bits, low(e) is e.
 *  - wide(e) is an int, exactly e. It is what is left where low words do not do: under a quotient, a
 *    comparison or an extreme of numbers that do not fit.
 *  - in a context (the branch of a select) both have to be right only where its condition holds.
 *
 * Invariant: a node that does not change is the node it was; nodes that are shared stay shared.
 */
import { normalIx } from '../core/ix.ts';
import type { Dtype, Ix, Prim } from '../core.ts';
import type { KExpr } from '../plan.ts';
import { coarsely, exactIx } from './exact.ts';
import type { Box } from './form.ts';
import type { Range } from './range.ts';
import * as R from './range.ts';
import type { Context, Values } from './values.ts';

type PrimExpr = Extract<KExpr, { k: 'prim' }>;
type Load = Extract<KExpr, { k: 'load' }>;
type Index = Extract<KExpr, { k: 'index' }>;

export const prim = (op: Prim, t: Dtype, ...args: KExpr[]): KExpr => ({ k: 'prim', t, op, args });
export const int = (v: number): KExpr => ({ k: 'const', t: 'int', v });
export const i32 = (v: number): KExpr => ({ k: 'const', t: 'i32', v });
export const indexInt = (ix: Ix): KExpr => ({ k: 'index', t: 'int', ix });
export const cast = (t: Dtype, e: KExpr): KExpr => (e.t === t ? e : prim('cast', t, e));

/** Whose low words are those of the operation on low words. */
const ringOps: ReadonlySet<Prim> = new Set<Prim>([
  'add',
  'sub',
  'mul',
  'neg',
  'stop',
  'select',
  'cast',
]);

export class Narrow {
  readonly values: Values;
  readonly #box: Box;
  readonly #load: (e: Load) => KExpr;
  readonly #refuse: (r: Range) => never;
  readonly #nodes = new Map<Context, Map<KExpr, KExpr>>();
  readonly #wides = new Map<Context, Map<KExpr, KExpr>>();
  readonly #sums = new Map<Ix, KExpr>();
  readonly #spreads = new Map<Ix, KExpr>();
  readonly #exacts = new Map<Ix, Ix | undefined>();
  readonly #ints = new Map<KExpr, boolean>();

  /** `load` is what becomes of a load; `refuse` throws for a number that cannot be counted. */
  constructor(values: Values, box: Box, load: (e: Load) => KExpr, refuse: (r: Range) => never) {
    this.values = values;
    this.#box = box;
    this.#load = load;
    this.#refuse = refuse;
  }

  get root(): Context {
    return this.values.root;
  }

  /** An expression of a stored type. */
  node(e: KExpr, given: Context = this.root): KExpr {
    const cx = this.#mentionsInt(e) ? given : this.root;
    return remembered(this.#nodes, cx, e, () => this.#node(e, cx));
  }

  #node(e: KExpr, cx: Context): KExpr {
    switch (e.k) {
      case 'const':
        return e;
      case 'checked': {
        const inside = this.node(e.e, cx);
        return inside === e.e ? e : { ...e, e: inside };
      }
      case 'index':
        return this.#index(e);
      case 'load':
        return this.#load(e);
      case 'prim': {
        if (e.op === 'select' && this.#mentionsInt(e))
          return this.#select(e, cx, (x, inner) => this.node(x, inner));
        if (e.args[0]?.t !== 'int') return withArgs(e, (x) => this.node(x, cx));
        if (e.op === 'cast') return cast(e.t, this.low(e.args[0], cx));
        // A comparison.
        return e.args.every((x) => this.#fits(x, cx))
          ? withArgs(e, (x) => this.low(x, cx))
          : withArgs(e, (x) => this.wide(x, cx));
      }
    }
  }

  /** An i32 that agrees modulo 2^32 with a whole number. */
  low(e: KExpr, cx: Context): KExpr {
    if (e.t !== 'int') return this.node(e, cx);
    return remembered(this.#nodes, cx, e, () => this.#lowOutside(e, cx) ?? this.#low(e, cx));
  }

  /** What does outside of the context, if that needs nothing wide: then it is shared. */
  #lowOutside(e: KExpr, cx: Context): KExpr | undefined {
    if (!cx.outer || !R.isExact(this.values.of(e, cx.outer))) return undefined;
    const out = this.low(e, cx.outer);
    return this.#mentionsInt(out) ? undefined : out;
  }

  #low(e: KExpr, cx: Context): KExpr {
    this.#countable(this.values.of(e, cx));
    if (e.k === 'const') return i32(e.v | 0);
    if (e.k === 'index') return this.#index({ k: 'index', t: 'i32', ix: e.ix });
    const p = asPrim(e);
    if (p.op === 'select') return this.#select(p, cx, (x, inner) => this.low(x, inner), 'i32');
    if (p.op === 'cast') return cast('i32', this.node(p.args[0]!, cx));
    if (this.#needsWide(p, cx)) return cast('i32', this.wide(p, cx));
    return prim(p.op, 'i32', ...p.args.map((x) => this.low(x, cx)));
  }

  /** Whether the operation is one on exact numbers only, and they do not fit. */
  #needsWide(e: PrimExpr, cx: Context): boolean {
    return !ringOps.has(e.op) && ![e, ...e.args].every((x) => this.#fits(x, cx));
  }

  /** An int, exactly the whole number. */
  wide(e: KExpr, cx: Context): KExpr {
    if (e.t !== 'int') return cast('int', this.node(e, cx));
    return remembered(this.#wides, cx, e, () => this.#wide(e, cx));
  }

  #wide(e: KExpr, cx: Context): KExpr {
    this.#countable(this.values.of(e, cx));
    if (e.k === 'const') return e;
    if (this.#fits(e, cx) && !(e.k === 'prim' && this.#needsWide(e, cx)))
      return cast('int', this.low(e, cx));
    if (e.k === 'index') return this.wide(this.#spread(e.ix), cx);
    const p = asPrim(e);
    if (p.op === 'cast') return withArgs(p, (x) => this.node(x, cx));
    if (p.op === 'select') return this.#select(p, cx, (x, inner) => this.wide(x, inner));
    return withArgs(p, (x) => this.wide(x, cx));
  }

  #select(e: PrimExpr, cx: Context, go: (x: KExpr, cx: Context) => KExpr, t: Dtype = e.t): KExpr {
    const [c, a, b] = e.args as [KExpr, KExpr, KExpr];
    const args = [
      this.node(c, cx),
      go(a, this.values.branch(c, true, cx)),
      go(b, this.values.branch(c, false, cx)),
    ];
    return t === e.t && args.every((x, i) => x === e.args[i]) ? e : { ...e, t, args };
  }

  #fits(e: KExpr, cx: Context): boolean {
    return R.fits32(this.values.of(e, cx));
  }

  /** Whether an int is computed in an expression, loads apart. */
  #mentionsInt(e: KExpr): boolean {
    const known = this.#ints.get(e);
    if (known !== undefined) return known;
    const inside = e.k === 'prim' ? e.args : e.k === 'checked' ? [e.e] : [];
    const out = e.t === 'int' || inside.some((a) => this.#mentionsInt(a));
    this.#ints.set(e, out);
    return out;
  }

  #countable(r: Range): void {
    if (!R.isExact(r)) this.#refuse(r);
  }

  // ------------------------------------------------------------------ indices

  /** An index of type i32: in a form that is exact, or what is computed instead. */
  #index(e: Index): KExpr {
    const ix = this.exact(e.ix);
    if (ix === undefined) return this.low(this.sum(e.ix), this.root);
    return ix === e.ix ? e : { ...e, ix };
  }

  /** The form of an index of which every dividend fits 32 bits, where there is one. */
  exact(ix: Ix): Ix | undefined {
    if (ix.terms.length === 0) return ix;
    if (this.#exacts.has(ix)) return this.#exacts.get(ix);
    this.#countable(coarsely(ix, this.#box));
    const out = exactIx(ix, this.#box);
    this.#exacts.set(ix, out);
    return out;
  }

  /** An index as an exact number, the quotients that do not fit as arithmetic. */
  sum(ix: Ix): KExpr {
    const known = this.#sums.get(ix);
    if (known) return known;
    const fits = ix.terms.filter((t) => this.exact({ c: 0, terms: [t] }) !== undefined);
    const parts = ix.terms.flatMap((t): KExpr[] => {
      const { a, m } = t;
      if (fits.includes(t) || (a.k !== 'div' && a.k !== 'mod')) return [];
      const v = prim(a.k === 'div' ? 'idiv' : 'mod', 'int', this.sum(a.e), int(a.by));
      return [m === 1 ? v : prim('mul', 'int', v, int(m))];
    });
    const out = parts.reduce((s, p) => prim('add', 'int', s, p), indexInt(normalIx(ix.c, fits)));
    this.#sums.set(ix, out);
    return out;
  }

  /** An index that does not fit 32 bits as a sum of terms that do. */
  #spread(ix: Ix): KExpr {
    const known = this.#spreads.get(ix);
    if (known) return known;
    const { c, terms } = this.exact(ix) ?? ix;
    const parts = terms.map(({ m, a }) => {
      const atom = { c: 0, terms: [{ m: 1, a }] };
      return prim('mul', 'int', this.exact(atom) ? indexInt(atom) : this.sum(atom), int(m));
    });
    const out = parts.reduce((s, p) => prim('add', 'int', s, p), int(c));
    this.#spreads.set(ix, out);
    return out;
  }
}

function asPrim(e: KExpr): PrimExpr {
  if (e.k === 'prim') return e;
  throw new Error(`bounds: a ${e.k} is no exact number`);
}

/** The node itself where its arguments stay what they are. */
function withArgs(e: PrimExpr, f: (a: KExpr) => KExpr): KExpr {
  const args = mapSame(e.args, f);
  return args === e.args ? e : { ...e, args };
}

/** map that gives the same array when no element changed. */
export function mapSame<T>(xs: readonly T[], f: (x: T) => T): readonly T[] {
  const out = xs.map(f);
  return out.every((x, i) => x === xs[i]) ? xs : out;
}

function remembered(
  memos: Map<Context, Map<KExpr, KExpr>>,
  cx: Context,
  e: KExpr,
  make: () => KExpr,
): KExpr {
  const memo = memos.get(cx) ?? new Map<KExpr, KExpr>();
  memos.set(cx, memo);
  const known = memo.get(e);
  if (known) return known;
  const out = make();
  memo.set(e, out);
  return out;
}
