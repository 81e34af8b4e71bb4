/** What a row of the tables of bindings gives: a value, its type, and what to call it. */
import type { Draft } from './draft.ts';
import type { Expr, Type } from './tree.ts';

export type Made = { readonly value: Expr; readonly type: Type; readonly stem?: string };
export type Row = (d: Draft) => Made | undefined;
