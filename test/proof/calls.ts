/**
 * Calls of the functions that were drawn before: sizes and their facts put in, and arguments of the
 * types that follow.
 */
import { argument } from './arguments.ts';
import { binder, type Draft, inLoop, need } from './draft.ts';
import { drawName, drawSize, plainName } from './draw-size.ts';
import { add, array, cast, f32, loop, v } from './make.ts';
import { withTypes } from './of-types.ts';
import type { Made, Row } from './row.ts';
import { drawTreeType } from './rows-data.ts';
import { asScalar } from './scalars.ts';
import {
  fact,
  multiple,
  nat,
  plus,
  replaced,
  replacedFact,
  replacedType,
  sameSize,
  times,
} from './sizes.ts';
import type { Expr, Fact, Fn, Size, SizeArg, Type } from './tree.ts';

// ---------------------------------------------------------------- sizes

/** A size for each of the callee's; what a fact defines follows from the others. */
function drawSizes(d: Draft, f: Fn): readonly SizeArg[] {
  const by = new Map<string, Size>();
  const defaults = new Set<string>();
  for (const s of f.sizes) {
    const usual = s.init !== undefined && d.p.chance(50);
    if (usual) defaults.add(s.name);
    by.set(s.name, usual ? replaced(s.init!, by) : different(by, () => sizeFor(d, f, s.name)));
  }
  for (const x of f.facts) {
    const found = definedBy(d, x, by);
    if (found !== undefined && !defaults.has(found.name)) by.set(found.name, found.size);
  }
  return f.sizes.map(({ name: n }): SizeArg => {
    const how = defaults.has(n) ? 'default' : d.p.one(['name', 'place'] as const);
    return { name: n, size: by.get(n)!, how, elide: !d.p.chance(25) };
  });
}

type Defined = { readonly name: string; readonly size: Size };

/** What a fact makes of one size when the others are known: the other side, or a multiple by its look. */
function definedBy(d: Draft, x: Fact, by: ReadonlyMap<string, Size>): Defined | undefined {
  const { left, op, right, equals } = x;
  if (op === '==') {
    const [a, b] = left.k === 'name' ? [left, right] : [right, left];
    return a.k !== 'name' || d.deviates() ? undefined : { name: a.name, size: replaced(b, by) };
  }
  if (op !== '%' || left.k !== 'name') return undefined;
  const rest = equals.k === 'nat' ? equals.value : 0;
  if (right.k === 'name' && d.p.chance(60)) {
    const some = times(nat(1 + d.p.below(6)), replaced(right, by));
    return { name: left.name, size: plus(d.p.chance(50) ? some : replaced(right, by), rest) };
  }
  if (right.k !== 'nat' || rest === 0 || d.p.chance(40)) return undefined;
  return { name: left.name, size: nat(rest + right.value * d.p.below(2)) };
}

/** A size that none of the others has, if one is found soon. */
function different(others: ReadonlyMap<string, Size>, draw: () => Size): Size {
  const first = draw();
  return [...others.values()].some((s) => sameSize(s, first)) ? draw() : first;
}

/** What a fact divides is mostly a multiple by its look, or a name that the fact is passed on for. */
function sizeFor(d: Draft, f: Fn, n: string): Size {
  const by = f.facts.find((x) => x.op === '%' && x.left.k === 'name' && x.left.name === n);
  if (by === undefined) return drawSize(d);
  const some = by.right.k === 'nat' ? by.right : nat(2 + d.p.below(3));
  return d.p.one([
    () => times(some, plainName(d)),
    () => plainName(d),
    () => plus(plainName(d), 1 + d.p.below(3)),
    () => drawSize(d),
  ])();
}

// ---------------------------------------------------------------- calls

/** A caller may hold for shown what only looks so: a difference, a multiple, a remainder. */
function showFact(d: Draft, x: Fact): void {
  const same = x.op === '==' && sameSize(x.left, x.right);
  if ((same || x.op === '%') && d.p.chance(20)) return;
  if (same) {
    for (const s of [x.left, x.right]) needSize(d, s);
    return;
  }
  need(d, x);
}

/** Sees to it that differences are not negative and quotients whole. */
function needSize(d: Draft, s: Size): void {
  if (s.k === 'group') needSize(d, s.of);
  if (s.k !== 'op') return;
  needSize(d, s.left);
  needSize(d, s.right);
  if (s.op === '-') need(d, fact(s.right, '<=', s.left));
  if (s.op === '/') need(d, multiple(s.left, s.right));
}

export function drawCall(d: Draft): Made | undefined {
  if (d.helpers.length === 0) return undefined;
  const f = d.p.one(d.helpers);
  const sizes = drawSizes(d, f);
  const by = new Map(sizes.map((s) => [s.name, s.size]));
  for (const x of f.facts) showFact(d, replacedFact(x, by));
  const types = new Map(f.types.map((t) => [t, drawTreeType(d)]));
  const typed = (t: Type): Type => withTypes(replacedType(t, by), types);
  const given = f.params.map((p) => {
    if (p.init !== undefined && d.p.chance(60)) return undefined;
    const made = argument(d, typed(p.type));
    // What stands for any type is what is given for it.
    if (p.type.k === 'var') types.set(p.type.name, made.type);
    return made;
  });
  if (given.some((g) => g === undefined)) d.used.add('default argument left out');
  if (sizes.some((s) => s.how === 'default')) d.used.add('default size left out');
  const value: Expr = {
    ...{ k: 'call', fn: f.name, sizes, args: given.map((g) => g?.e) },
    named: f.params.length - (d.p.chance(15) ? 1 : 0),
    types: given.map((g) => g?.type),
  };
  return { value, type: typed(f.result), stem: 'y' };
}

const call: Row = (d) => drawCall(d);

/** What a function needs of its sizes may hold only where the loop is not empty. */
const callInLoop: Row = (d) => {
  const i = { ...binder(d, drawName(d)), elide: false };
  const made = inLoop(d, i.size, () => drawCall(d));
  if (made === undefined) return undefined;
  const each = asScalar(d, made);
  if (each === undefined) return undefined;
  return { value: loop([i], add(each, cast('f32', v(i.name)))), type: array(f32, i.size) };
};

export const callRows: Readonly<Record<string, Row>> = {
  call,
  'call in a loop': callInLoop,
};
