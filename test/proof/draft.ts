/**
 * A function while it is being drawn: its sizes and facts, its parameters, which are added when
 * something needs them, and its `let`s.
 *
 * Invariant: what is drawn needs no more than `facts` say and its loops give, but for the one place of a
 * program where `deviates` answers yes: there a fact is left out or weakened, or a number is off by one.
 */
import { holds } from './exact-sizes.ts';
import { one } from './make.ts';
import type { Picks } from './picks.ts';
import { printFact } from './print.ts';
import { atLeast, hashed, namesOf, nat, plus } from './sizes.ts';
import type { Expr, Fact, Fn, OneBinder, Param, Size, SizeParam, Type } from './tree.ts';

export type Binding = { readonly name: string; readonly type: Type };
export type Draft = {
  readonly p: Picks;
  readonly name: string;
  /** The function that is run: what it takes and gives is data. */
  readonly root: boolean;
  readonly sizes: SizeParam[];
  readonly facts: Fact[];
  readonly params: Param[];
  readonly lets: { readonly name: string; readonly type?: Type; readonly value: Expr }[];
  /** Parameters and `let`s that can be used. */
  readonly bindings: Binding[];
  /** Ranges of the loops around what is being drawn, which are not empty there. */
  readonly loops: Size[];
  readonly helpers: readonly Fn[];
  /** Rows of the tables that were used, for the coverage. */
  readonly used: Set<string>;
  readonly deviates: () => boolean;
  readonly fresh: (stem: string) => string;
};

export function draftOf(
  p: Picks,
  name: string,
  more: Pick<Draft, 'root' | 'helpers' | 'deviates'>,
): Draft {
  const numbers = new Map<string, number>();
  const fresh = (stem: string): string => {
    const n = numbers.get(stem) ?? 0;
    numbers.set(stem, n + 1);
    return n === 0 ? stem : `${stem}${n}`;
  };
  return {
    ...{ p, name, ...more, fresh },
    ...{ sizes: [], facts: [], params: [], lets: [], bindings: [], loops: [], used: new Set() },
  };
}

export function addParam(d: Draft, stem: string, type: Type, init?: Expr): Binding {
  const name = d.fresh(stem);
  d.params.push(init === undefined ? { name, type } : { name, type, init });
  const b = { name, type };
  d.bindings.push(b);
  return b;
}

/** A loop index; its range is left out where it follows from a read. */
export const binder = (d: Draft, size: Size): OneBinder => one(d.fresh('i'), size, !d.p.chance(40));

/** Draws something inside a loop over `size`. */
export function inLoop<T>(d: Draft, size: Size, f: () => T): T {
  d.loops.push(size);
  try {
    return f();
  } finally {
    d.loops.pop();
  }
}

// ---------------------------------------------------------------- facts

/** Numbers for the names of sizes that satisfy what is known, the same ones in every run. */
function* points(d: Draft, names: readonly string[]): Generator<ReadonlyMap<string, bigint>> {
  const known = [...d.facts, ...d.loops.map((s) => atLeast(s, 1))];
  const all = new Set([
    ...names,
    ...known.flatMap((f) => [f.left, f.right, f.equals].flatMap(namesOf)),
  ]);
  for (let n = 0; n < 100; n++) {
    const at = new Map([...all].map((x) => [x, hashed(x, 31 * n) % (n % 3 === 0 ? 4n : 13n)]));
    if (known.every((f) => holds(f, at))) yield at;
  }
}

/** What was drawn cannot be: the row is given up for a plain one. */
export class Unfit extends Error {
  override readonly name = 'Unfit';
}

/** Whether a fact follows, as far as numbers tell. */
export function evident(d: Draft, f: Fact): boolean {
  let seen = 0;
  for (const at of points(d, [f.left, f.right, f.equals].flatMap(namesOf))) {
    if (!holds(f, at)) return false;
    seen++;
  }
  // From a few it would follow that everything does.
  return seen >= 6;
}

/** Sees to it that the fact is known where something needs it. */
export function need(d: Draft, f: Fact): void {
  if (evident(d, f)) return;
  if (d.deviates()) {
    const weaker = d.p.one([undefined, weakened(f)]);
    if (weaker !== undefined && !evident(d, weaker)) state(d, weaker);
    return;
  }
  // `6*M % M == 0` needs no more than M >= 1.
  if (f.op === '%' && d.p.chance(50)) {
    const positive = atLeast(f.right, 1);
    d.facts.push(positive);
    if (evident(d, f)) return;
    d.facts.pop();
  }
  state(d, f);
}

/** @throws Unfit for what contradicts the facts there are. */
export function state(d: Draft, f: Fact): void {
  const text = printFact(f);
  if (d.facts.some((g) => printFact(g) === text)) return;
  d.facts.push(f);
  if (!points(d, []).next().done) return;
  d.facts.pop();
  throw new Unfit();
}

/** What `f` makes, or `other` where that cannot be. */
export function fitting<T>(f: () => T, other: () => T): T {
  try {
    return f();
  } catch (e) {
    if (e instanceof Unfit) return other();
    throw e;
  }
}

function weakened(f: Fact): Fact | undefined {
  switch (f.op) {
    case '>=':
      return f.right.k === 'nat' ? { ...f, right: nat(Math.max(0, f.right.value - 1)) } : undefined;
    case '<=':
      return { ...f, right: plus(f.right, 1) };
    case '==':
      return { ...f, op: '<=' };
    case '%':
      return f.right.k === 'nat' && f.right.value % 2 === 0
        ? { ...f, right: nat(f.right.value / 2) }
        : undefined;
  }
}
