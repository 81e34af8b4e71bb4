/** Questions about types of the proof lane: equal ones, those of any type, those that are hard to write. */
import { array } from './make.ts';
import { isSum, sameSize } from './sizes.ts';
import type { Size, Type } from './tree.ts';

export function sameType(a: Type, b: Type): boolean {
  if (a.k === 'scalar' && b.k === 'scalar') return a.of === b.of;
  if (a.k === 'idx' && b.k === 'idx') return sameSize(a.size, b.size);
  if (a.k === 'tensor' && b.k === 'tensor') {
    const dims = a.dims.length === b.dims.length && a.dims.every((s, i) => sameSize(s, b.dims[i]!));
    return dims && sameType(a.of, b.of);
  }
  if (a.k === 'record' && b.k === 'record') {
    return (
      a.fields.length === b.fields.length &&
      a.fields.every((f, i) => {
        const g = b.fields[i]!;
        return f.label === g.label && f.fixed === g.fixed && sameType(f.type, g.type);
      })
    );
  }
  return false;
}

/** Types put in for the names that stand for any. */
export function withTypes(t: Type, by: ReadonlyMap<string, Type>): Type {
  switch (t.k) {
    case 'var':
      return by.get(t.name) ?? t;
    case 'fn':
      return {
        ...t,
        params: t.params.map((p) => withTypes(p, by)),
        result: withTypes(t.result, by),
      };
    case 'tensor':
      return array(withTypes(t.of, by), ...t.dims);
    case 'record':
      return { k: 'record', fields: t.fields.map((f) => ({ ...f, type: withTypes(f.type, by) })) };
    case 'scalar':
    case 'idx':
      return t;
  }
}

const contains = (s: Size, f: (s: Size) => boolean): boolean =>
  f(s) || (s.k === 'op' && (contains(s.left, f) || contains(s.right, f)));
const divides = (s: Size): boolean => s.k === 'op' && s.op === '/' && isSum(s.left);

/** Of a type with a quotient of a sum, which is no size that can be written. */
export const hasQuotient = (t: Type): boolean =>
  t.k === 'tensor' && t.dims.some((s) => contains(s, divides));

/** A type that can only be written where a fact makes a size of it. */
export const asksMuch = (t: Type): boolean =>
  t.k === 'tensor' &&
  t.dims.some((s) => contains(s, (x) => divides(x) || (x.k === 'op' && x.op === '-')));
