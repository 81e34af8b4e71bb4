/** What names stand for, and the scopes that binders and patterns make. */
import type { LocalId, TBinder, TPattern } from '../../dsl/typed.ts';
import { fields, type Sizes, sizeOf, type Value } from './value.ts';

export type Scope = { readonly sizes: Sizes; readonly locals: ReadonlyMap<LocalId, Value> };

export const withLocal = (s: Scope, id: LocalId, v: Value): Scope => ({
  ...s,
  locals: new Map(s.locals).set(id, v),
});

export const named = (
  s: Scope,
  names: readonly { readonly id: LocalId }[],
  values: readonly Value[],
): Scope => names.reduce((inner, n, i) => withLocal(inner, n.id, values[i]!), s);

export function bound(s: Scope, p: TPattern, v: Value): Scope {
  if (p.k === 'name') return withLocal(s, p.id, v);
  return p.fields.reduce((inner, f) => bound(inner, f.pattern, fields(v).get(f.label)!.value), s);
}

/** A scope for each choice of the binders, the last one fastest. */
export function* each(s: Scope, binders: readonly TBinder[]): Generator<Scope> {
  const [first, ...rest] = binders;
  if (first === undefined) {
    yield s;
    return;
  }
  if (first.k === 'tuple') {
    yield* each(s, [...first.items, ...rest]);
    return;
  }
  for (let i = 0; i < sizeOf(first.size, s.sizes); i++) {
    yield* each(withLocal(s, first.id, i), rest);
  }
}
