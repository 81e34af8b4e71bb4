/** What the parts of the exact interpreter share: a run, and what is bound where. */
import type { Below } from './draws.ts';
import type { Sizes } from './exact-sizes.ts';
import { Outside, type Reason } from './outside.ts';
import type { Expr, Index } from './tree.ts';
import { bad, type Int, type Meter, stored, type Value } from './value.ts';

/** What was bound last, and what was before. */
type Bound = { readonly name: string; readonly value: Value; readonly up: Bound | undefined };
export type Scope = {
  readonly fn: string;
  readonly sizes: Sizes;
  readonly vars: Bound | undefined;
};

export type Run = {
  readonly meter: Meter;
  readonly below: Below;
  readonly eval: (s: Scope, e: Expr) => Value;
  /** @throws TooLong when there have been enough. */
  readonly tick: () => void;
  /** The expression and its function, written only when it is asked for. */
  readonly where: (s: Scope, e: Expr) => () => string;
  readonly written: (ix: Index) => string;
};

export const bind = (s: Scope, name: string, value: Value): Scope => ({
  ...{ fn: s.fn, sizes: s.sizes },
  vars: { name, value, up: s.vars },
});

export function lookUp(s: Scope, name: string): Value {
  for (let at = s.vars; at !== undefined; at = at.up) if (at.name === name) return at.value;
  return bad(`no variable ${name}`);
}

export function outside(r: Run, s: Scope, e: Expr, reason: Reason, what: string): never {
  throw new Outside(reason, what, r.where(s, e)());
}

export function intOf(r: Run, s: Scope, e: Expr): Int {
  const v = r.eval(s, e);
  return v.k === 'int' ? v : bad(`${v.k} for an integer`);
}

/** As it is stored in a tensor or a record. */
export const kept = (v: Value): Value => (v.k === 'int' ? stored(v) : v);
