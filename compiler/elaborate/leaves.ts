/**
 * Values as trees of leaves and back: how records, arrays of records and keys become plain arrays
 * (parameters, carries, results) and are read again.
 *
 * Invariant: an array of records is stored stacked, its dims first, so leaf k of a tree has the dims
 * of the arrays around it followed by its own; a key leaf has a last dim of 2 (high, low word).
 * `treeOf(skeletonOf(v), leavesOf(v))` denotes v.
 */

import { i32, indexE, prim, selectE } from '../core/expr.ts';
import { ixConst } from '../core/ix.ts';
import type { Dtype, Expr, Ix } from '../core.ts';
import type { PathStep } from './interface.ts';
import { type FnValue, plain, type Value } from './value.ts';

export type Skeleton =
  | { readonly k: 'scalar'; readonly t: Dtype }
  | { readonly k: 'key' }
  | {
      readonly k: 'tensor';
      readonly dims: readonly number[];
      readonly radices: readonly (readonly number[])[];
      readonly elem: Skeleton;
    }
  | {
      readonly k: 'record';
      readonly fields: readonly {
        readonly label: string;
        readonly fixed: boolean;
        readonly of: Skeleton;
      }[];
    }
  | { readonly k: 'fn'; readonly value: FnValue };

export type Leaf = {
  readonly path: readonly PathStep[];
  readonly t: Dtype;
  readonly key: boolean;
  readonly fixed: boolean;
  readonly dims: readonly number[];
  readonly radices: readonly (readonly number[])[];
  readonly at: (ix: readonly Ix[]) => Expr;
};

export function skeletonOf(v: Value): Skeleton {
  switch (v.k) {
    case 'scalar':
      return { k: 'scalar', t: v.e.t };
    case 'key':
      return { k: 'key' };
    case 'tensor': {
      const elem = skeletonOf(v.at(v.dims.map(() => ixConst(0))));
      return { k: 'tensor', dims: v.dims, radices: v.radices, elem };
    }
    case 'record':
      return {
        k: 'record',
        fields: [...v.fields].map(([label, f]) => ({
          label,
          fixed: f.fixed,
          of: skeletonOf(f.value),
        })),
      };
    case 'fn':
      return { k: 'fn', value: v };
  }
}

type Around = {
  readonly path: readonly PathStep[];
  readonly fixed: boolean;
  readonly dims: readonly number[];
  readonly radices: readonly (readonly number[])[];
};

const top: Around = { path: [], fixed: false, dims: [], radices: [] };

/** Every leaf in order. `value` gives the part of the tree at the indices of the arrays around it. */
export function leavesOf(v: Value): readonly Leaf[] {
  const out: Leaf[] = [];
  walk(skeletonOf(v), () => v, top, out);
  return out;
}

/** The leaves of a structure without their values. */
export function leavesOfSkeleton(s: Skeleton): readonly Omit<Leaf, 'at'>[] {
  const out: Leaf[] = [];
  const none = () => {
    throw new Error('a structure has no values');
  };
  walk(s, none, top, out);
  return out;
}

function walk(s: Skeleton, value: (ix: readonly Ix[]) => Value, around: Around, out: Leaf[]): void {
  const leaf = (own: Omit<Leaf, keyof Around>) => out.push({ ...around, ...own });
  switch (s.k) {
    case 'scalar':
      leaf({ t: s.t, key: false, at: (ix) => scalarAt(value(ix)) });
      return;
    case 'key':
      out.push({
        ...around,
        dims: [...around.dims, 2],
        radices: [...around.radices, [2]],
        t: 'u32',
        key: true,
        at: (ix) => keyWord(value(ix.slice(0, -1)), ix[ix.length - 1]!),
      });
      return;
    case 'tensor': {
      const n = around.dims.length;
      const inner = (ix: readonly Ix[]) => {
        const t = value(ix.slice(0, n));
        if (t.k !== 'tensor') throw new Error('a tensor was expected');
        return t.at(ix.slice(n));
      };
      const stacked = s.elem.k === 'record';
      walk(
        s.elem,
        inner,
        {
          path: stacked ? [...around.path, ...s.dims.map((over) => ({ over }))] : around.path,
          fixed: around.fixed,
          dims: [...around.dims, ...s.dims],
          radices: [...around.radices, ...s.radices],
        },
        out,
      );
      return;
    }
    case 'record':
      for (const f of s.fields) {
        walk(
          f.of,
          (ix) => {
            const r = value(ix);
            if (r.k !== 'record') throw new Error('a record was expected');
            return r.fields.get(f.label)!.value;
          },
          { ...around, path: [...around.path, f.label], fixed: around.fixed || f.fixed },
          out,
        );
      }
      return;
    case 'fn':
      return;
  }
}

function scalarAt(v: Value): Expr {
  if (v.k !== 'scalar') throw new Error('a scalar was expected');
  return v.e;
}

function keyWord(v: Value, word: Ix): Expr {
  if (v.k !== 'key') throw new Error('a key was expected');
  if (word.terms.length === 0) return word.c === 0 ? v.hi : v.lo;
  return selectE(prim('eq', indexE(word), i32(0)), v.hi, v.lo);
}

/** The value of this structure whose leaf k reads `leaf(k, indices)`. */
export function treeOf(s: Skeleton, leaf: (k: number, ix: readonly Ix[]) => Expr): Value {
  const next = { n: 0 };
  return build(s, leaf, next)([]);
}

function build(
  s: Skeleton,
  leaf: (k: number, ix: readonly Ix[]) => Expr,
  next: { n: number },
): (around: readonly Ix[]) => Value {
  switch (s.k) {
    case 'scalar': {
      const k = next.n++;
      return (ix) => ({ k: 'scalar', e: leaf(k, ix) });
    }
    case 'key': {
      const k = next.n++;
      return (ix) => ({
        k: 'key',
        hi: leaf(k, [...ix, ixConst(0)]),
        lo: leaf(k, [...ix, ixConst(1)]),
      });
    }
    case 'tensor': {
      const elem = build(s.elem, leaf, next);
      return (ix) => ({
        k: 'tensor',
        dims: s.dims,
        radices: s.radices,
        at: (own) => elem([...ix, ...own]),
      });
    }
    case 'record': {
      const fields = s.fields.map((f) => ({ ...f, make: build(f.of, leaf, next) }));
      return (ix) => ({
        k: 'record',
        fields: new Map(fields.map((f) => [f.label, { value: f.make(ix), fixed: f.fixed }])),
      });
    }
    case 'fn':
      return () => s.value;
  }
}

/** The same structure with whole dims: what a carry or an input is stored as. */
export function wholeDims(s: Skeleton): Skeleton {
  switch (s.k) {
    case 'tensor':
      return { ...s, radices: plain(s.dims), elem: wholeDims(s.elem) };
    case 'record':
      return { ...s, fields: s.fields.map((f) => ({ ...f, of: wholeDims(f.of) })) };
    case 'scalar':
    case 'key':
    case 'fn':
      return s;
  }
}
