/**
 * Type parameters filled in, so that a generic function can be run from outside: every type
 * parameter becomes one small record with a tensor and a nested scalar.
 *
 * Invariant: a function whose parameters are functions has no such instance; it is checked where it
 * is used.
 */
import type { Dim, TFn, Type } from '../../dsl/typed.ts';

const two: Dim = { size: [{ c: 2, v: [] }], form: { k: 'atom', size: [{ c: 2, v: [] }] } };
const f32: Type = { k: 'scalar', s: 'f32' };

/** `{ a: f32[2], b: { c: f32 } }` */
const instance: Type = {
  k: 'record',
  fields: [
    { label: 'a', type: { k: 'tensor', dims: [two], elem: f32 }, fixed: false },
    {
      label: 'b',
      type: { k: 'record', fields: [{ label: 'c', type: f32, fixed: false }] },
      fixed: false,
    },
  ],
};

export function instantiate(fn: TFn): TFn | undefined {
  if (fn.params.some((p) => holdsFunction(p.type)) || holdsFunction(fn.result)) return undefined;
  if (fn.typeParams.length === 0) return fn;
  return {
    ...fn,
    id: `${fn.id}(instance)`,
    typeParams: [],
    params: fn.params.map((p) => ({ ...p, type: fill(p.type) })),
    result: fill(fn.result),
  };
}

function holdsFunction(t: Type): boolean {
  switch (t.k) {
    case 'fn':
      return true;
    case 'tensor':
      return holdsFunction(t.elem);
    case 'record':
      return t.fields.some((f) => holdsFunction(f.type));
    case 'scalar':
    case 'idx':
    case 'var':
      return false;
  }
}

function fill(t: Type): Type {
  switch (t.k) {
    case 'var':
      return instance;
    case 'tensor':
      return { ...t, elem: fill(t.elem) };
    case 'record':
      return { ...t, fields: t.fields.map((f) => ({ ...f, type: fill(f.type) })) };
    case 'fn':
    case 'scalar':
    case 'idx':
      return t;
  }
}
