/** Short names for the nodes of a tree, for the generator and for trees written by hand. */
import type { Binder, Expr, Index, NumberOp, OneBinder, ReduceOp, Size, Type } from './tree.ts';

// ---------------------------------------------------------------- types

export const f32: Type = { k: 'scalar', of: 'f32' };
export const i32: Type = { k: 'scalar', of: 'i32' };
export const u32: Type = { k: 'scalar', of: 'u32' };
export const keyType: Type = { k: 'scalar', of: 'key' };
export const idx = (size: Size): Type => ({ k: 'idx', size });
export const array = (of: Type, ...dims: readonly Size[]): Type => {
  if (dims.length === 0) return of;
  // f32[A][B] is f32[B, A].
  if (of.k === 'tensor') return { k: 'tensor', of: of.of, dims: [...dims, ...of.dims] };
  return { k: 'tensor', of, dims };
};
export const recordType = (
  fields: Readonly<Record<string, Type>>,
  fixed: readonly string[] = [],
): Type => ({
  k: 'record',
  fields: Object.entries(fields).map(([label, type]) => ({
    ...{ label, type, fixed: fixed.includes(label) },
  })),
});
export const fnType = (params: readonly Type[], result: Type): Type => ({
  k: 'fn',
  params,
  result,
});

// ---------------------------------------------------------------- expressions

export const v = (name: string): Expr => ({ k: 'var', name });
export const real = (value: number): Expr => ({ k: 'real', value });
export const op = (o: NumberOp, left: Expr, right: Expr): Expr => ({ k: 'op', op: o, left, right });
export const add = (a: Expr, b: Expr): Expr => op('+', a, b);
export const sub = (a: Expr, b: Expr): Expr => op('-', a, b);
export const mul = (a: Expr, b: Expr): Expr => op('*', a, b);
export const div = (a: Expr, b: Expr): Expr => op('//', a, b);
export const mod = (a: Expr, b: Expr): Expr => op('%', a, b);
export const cast = (to: 'f32' | 'i32' | 'u32', arg: Expr): Expr => ({ k: 'cast', to, arg });

export const at = (e: Expr): Index => ({ k: 'at', e });
export const tuple = (parts: readonly Index[], ranges: readonly Size[]): Index => ({
  ...{ k: 'tuple', parts, ranges },
});

/** A read at places that are numbers. */
export const read = (target: Expr, dims: readonly Size[], ...ix: readonly Index[]): Expr => ({
  ...{ k: 'read', target, dims, ix },
});

export const one = (name: string, size: Size, elide = false): OneBinder => ({
  ...{ k: 'one', name, size, elide },
});
export const loop = (binders: readonly Binder[], body: Expr): Expr =>
  binders.length === 0 ? body : { k: 'for', binders, body };
export const reduce = (
  o: ReduceOp,
  binders: readonly Binder[],
  body: Expr,
  of: 'f32' | 'i32' = 'f32',
): Expr => ({ k: 'reduce', op: o, binders, body, of });
export const bindLet = (name: string, value: Expr, body: Expr, type?: Type): Expr => ({
  ...{ k: 'let', name, value, body },
  ...(type === undefined ? {} : { type }),
});
export const record = (fields: Readonly<Record<string, Expr>>): Expr => ({
  k: 'record',
  fields: Object.entries(fields).map(([label, value]) => ({ label, value })),
});
export const field = (target: Expr, label: string): Expr => ({ k: 'field', target, label });
