/**
 * The inverse of a store: gpu.js computes "what is at word t", a kernel says "store at at(axes)".
 *
 * Where the offset is a mixed radix number in its axes (strides descending, each larger than all
 * that follows can reach), the axes are the digits of t; a data-dependent index is a digit too, to
 * be compared with its value. Otherwise every axis is run through and the offset compared with t.
 */
import { addIx, ixConst } from '../../core/ix.ts';
import type { Axis, AxisId, Ix } from '../../core.ts';
import type { KExpr, KNest } from '../../plan.ts';

export type Digit = {
  readonly stride: number;
  readonly extent: number;
  /** The axis is extent - 1 - digit. */
  readonly reversed: boolean;
  readonly is:
    | { readonly k: 'axis'; readonly id: AxisId }
    | { readonly k: 'value'; readonly e: KExpr };
};

export type Inverse = {
  /** Offset of the first word, in terms of loop axes only. */
  readonly base: Ix;
  readonly digits: readonly Digit[];
  /** Every word of the buffer is hit: nothing to check, nothing to keep. */
  readonly total: boolean;
};

/** Undefined where the offset is no mixed radix number in the kernel's axes. */
export function inverseOf(n: KNest, own: readonly Axis[], words: number): Inverse | undefined {
  const extents = new Map(own.map((a) => [a.id, a.extent]));
  let base: Ix = ixConst(n.store.at.ix.c);
  const digits: Digit[] = [];
  const add = (m: number, extent: number, is: Digit['is']): void => {
    // A reversed digit counts down from its end.
    if (m < 0) base = addIx(base, ixConst(m * (extent - 1)));
    digits.push({ stride: Math.abs(m), extent, reversed: m < 0, is });
  };
  for (const t of n.store.at.ix.terms) {
    if (t.a.k === 'axis') {
      const extent = extents.get(t.a.id);
      if (extent === undefined) base = addIx(base, { c: 0, terms: [t] });
      else if (extent > 1) add(t.m, extent, t.a);
    } else if (mentions({ c: 0, terms: [t] }, extents)) return undefined;
    else base = addIx(base, { c: 0, terms: [t] });
  }
  for (const d of n.store.at.dyn) add(d.m, d.extent, { k: 'value', e: d.e });
  digits.sort((a, b) => b.stride - a.stride);
  let below = 0;
  for (const d of [...digits].reverse()) {
    if (d.stride <= below) return undefined;
    below += d.stride * (d.extent - 1);
  }
  const cells = digits.reduce((p, d) => p * d.extent, 1);
  const plain = digits.every((d) => d.is.k === 'axis') && n.store.guard.length === 0;
  const total = plain && n.store.mode === 'set' && cells === words && base.terms.length === 0;
  return { base, digits, total };
}

function mentions(e: Ix, axes: ReadonlyMap<AxisId, number>): boolean {
  return e.terms.some((t) =>
    t.a.k === 'axis' ? axes.has(t.a.id) : t.a.k !== 'val' && mentions(t.a.e, axes),
  );
}
