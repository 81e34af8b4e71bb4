/** One f32 of a value of any type, so that every binding has a part in the loss. */
import type { Draft } from './draft.ts';
import { add, at, cast, mod, mul, one, read, v } from './make.ts';
import { asksMuch } from './of-types.ts';
import { isF32 } from './reads.ts';
import type { Made } from './row.ts';
import { int } from './sizes.ts';
import type { Expr, Type } from './tree.ts';

/** One f32 of any value, through a `let`. */
export function asScalar(d: Draft, made: Made): Expr | undefined {
  const x = d.fresh('v');
  const e = scalarOf(d, x, made.type);
  if (e === undefined) return undefined;
  return { k: 'let', name: x, value: made.value, body: e };
}

/** One f32 of a binding; undefined for a key. */
export function scalarOf(d: Draft, x: string, t: Type): Expr | undefined {
  switch (t.k) {
    case 'scalar':
      if (t.of === 'f32') return v(x);
      return t.of === 'i32' ? cast('f32', mod(v(x), int(7))) : undefined;
    case 'idx':
      return cast('f32', mod(v(x), int(11)));
    case 'tensor': {
      // As a tree it needs no range.
      if (t.of.k === 'record' || (isF32(t.of) && d.p.chance(asksMuch(t) ? 70 : 20))) {
        return ofTree(d, v(x));
      }
      const over = t.dims.map((s) => one(d.fresh('i'), s, true));
      const e = read(v(x), t.dims, ...over.map((b) => at(v(b.name))));
      if (isF32(t.of))
        return {
          k: 'reduce',
          op: 'sum',
          binders: over,
          body: weighed(d, e, over[0]!.name),
          of: 'f32',
        };
      const number = cast('f32', mod(e, int(7)));
      return { k: 'reduce', op: 'sum', binders: over, body: number, of: 'f32' };
    }
    case 'record':
      return ofTree(d, v(x));
    case 'fn':
    case 'var':
      return undefined;
  }
}

const weighed = (d: Draft, e: Expr, i: string): Expr =>
  d.p.chance(40) ? mul(e, cast('f32', add(v(i), int(1)))) : e;

function ofTree(d: Draft, e: Expr): Expr {
  const a = d.fresh('a');
  return { k: 'reduceTree', op: 'sum', names: [a], trees: [e], body: v(a), of: 'f32' };
}
