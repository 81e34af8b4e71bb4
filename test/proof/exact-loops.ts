/** Loops, reductions, trees and folds of the exact interpreter. What is over nothing evaluates nothing. */
import { conform } from './conform.ts';
import { bind, kept, outside, type Run, type Scope } from './exact-run.ts';
import { sizeAt } from './exact-sizes.ts';
import { neutral, reduced } from './reductions.ts';
import type { Binder, Expr, ExprOf } from './tree.ts';
import { mapTrees, tensor, type Value, whole } from './value.ts';

/** Every value of a binder, the last of a tuple fastest. */
function* values(r: Run, s: Scope, b: Binder): Generator<Scope> {
  if (b.k === 'tuple') {
    yield* product(r, s, b.items);
    return;
  }
  const n = sizeAt(b.size, s.sizes, () => `the range of ${b.name} of ${s.fn}`);
  for (let i = 0n; i < n; i++) {
    r.tick();
    yield bind(s, b.name, whole(i));
  }
}

function* product(r: Run, s: Scope, binders: readonly Binder[]): Generator<Scope> {
  const [first, ...rest] = binders;
  if (first === undefined) {
    yield s;
    return;
  }
  for (const inner of values(r, s, first)) yield* product(r, inner, rest);
}

export function forLoop(r: Run, s: Scope, binders: readonly Binder[], body: Expr): Value {
  const [first, ...rest] = binders;
  if (first === undefined) return kept(r.eval(s, body));
  const items: Value[] = [];
  for (const inner of values(r, s, first)) items.push(forLoop(r, inner, rest, body));
  return tensor(items);
}

export function reduce(r: Run, s: Scope, e: ExprOf<'reduce'>): Value {
  const all: Value[] = [];
  for (const inner of product(r, s, e.binders)) all.push(kept(r.eval(inner, e.body)));
  return combined(r, s, e, all);
}

export function reduceTree(r: Run, s: Scope, e: ExprOf<'reduceTree'>): Value {
  const all: Value[] = [];
  zip(r, s, e, (v) => {
    all.push(v);
    return v;
  });
  return combined(r, s, e, all);
}

export const each = (r: Run, s: Scope, e: ExprOf<'each'>): Value => zip(r, s, e, (v) => v);

function combined(
  r: Run,
  s: Scope,
  e: ExprOf<'reduce' | 'reduceTree'>,
  all: readonly Value[],
): Value {
  if (all.length > 0) return reduced(e.op, all, r.meter);
  return neutral(e.op, e.of) ?? outside(r, s, e, 'empty', `${e.op} of nothing`);
}

function zip(r: Run, s: Scope, e: ExprOf<'each' | 'reduceTree'>, use: (v: Value) => Value): Value {
  const trees = e.trees.map((t) => r.eval(s, t));
  const body = (leaves: readonly Value[]) => {
    r.tick();
    const inner = e.names.reduce((at, name, i) => bind(at, name, leaves[i]!), s);
    return use(kept(r.eval(inner, e.body)));
  };
  return mapTrees(trees, body, () => outside(r, s, e, 'shape', 'different trees'));
}

export function fold(r: Run, s: Scope, e: ExprOf<'fold' | 'scan'>): Value {
  const where = `the state ${e.name} of ${s.fn}`;
  let state = conform(r.eval(s, e.init), e.type, s.sizes, where);
  const all: Value[] = [];
  for (const inner of values(r, s, e.binder)) {
    state = conform(r.eval(bind(inner, e.name, state), e.body), e.type, s.sizes, where);
    all.push(state);
  }
  return e.k === 'fold' ? state : tensor(all);
}
