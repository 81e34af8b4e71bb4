/**
 * What a row of the tables of index forms gives: an index, the dimension it needs, and the loop indices
 * it goes over.
 *
 * Invariant: for all values of its indices the place lies in the dimension, given the facts that the row
 * saw to; but where the program deviates, there it is off by one.
 */
import { binder, type Draft } from './draft.ts';
import { drawSize } from './draw-size.ts';
import { add, at, sub, v } from './make.ts';
import { int, plus } from './sizes.ts';
import type { Expr, Index, OneBinder, Size } from './tree.ts';

export type Formed = {
  readonly ix: Index;
  readonly dim: Size;
  /** The indices that were made for it; a given one is not among them. */
  readonly binders: readonly OneBinder[];
  /** Put around the read: `let`s of integers. */
  readonly wrap?: (e: Expr) => Expr;
  /** Of a padded read. */
  readonly orElse?: Expr;
};

/** `base` is an index to use, where there is one already. */
export type Form = (d: Draft, base?: OneBinder) => Formed | undefined;

export type Used = {
  readonly i: OneBinder;
  readonly e: Expr;
  readonly binders: readonly OneBinder[];
};

/** The given index, or a new one. */
export function index(d: Draft, base: OneBinder | undefined, size?: () => Size): Used {
  const i = base ?? binder(d, (size ?? (() => drawSize(d)))());
  return { i, e: v(i.name), binders: base === undefined ? [i] : [] };
}

export const formed = (e: Expr, dim: Size, binders: readonly OneBinder[]): Formed => ({
  ...{ ix: at(e), dim, binders },
});

/** An index by arithmetic, which may be off by one. */
export function placed(d: Draft, e: Expr, dim: Size, binders: readonly OneBinder[]): Formed {
  if (!d.deviates()) return formed(e, dim, binders);
  const longer = (b: OneBinder): OneBinder => ({ ...b, size: plus(b.size, 1), elide: false });
  return d.p.one([
    () => formed(add(e, int(1)), dim, binders),
    () => formed(sub(e, int(1)), dim, binders),
    () =>
      formed(
        e,
        dim,
        binders.map((b, k) => (k === 0 ? longer(b) : b)),
      ),
    () => formed(e, dim.k === 'nat' ? plus(dim, -1) : plus(dim, 1), binders),
  ])();
}
