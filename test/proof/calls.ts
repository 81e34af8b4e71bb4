/**
 * Calls of the functions that were drawn before: sizes and their facts put in, arguments of the types
 * that follow, functions among them.
 */
import { addParam, binder, type Draft, inLoop, need } from './draft.ts';
import { drawName, drawSize, otherName, plainName } from './draw-size.ts';
import { anyI32, anyInt, anyKey, ofType } from './forms-data.ts';
import { add, array, at, cast, f32, idx, loop, mod, mul, one, read, real, u32, v } from './make.ts';
import { drawScalar, isF32, number, summed, tensorOf } from './reads.ts';
import type { Made, Row } from './row.ts';
import { drawTreeType } from './rows-data.ts';
import {
  atLeast,
  fact,
  int,
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

// ---------------------------------------------------------------- types

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
      return { ...t, params: t.params.map((p) => withTypes(p, by)), result: withTypes(t.result, by) };
    case 'tensor':
      return array(withTypes(t.of, by), ...t.dims);
    case 'record':
      return { k: 'record', fields: t.fields.map((f) => ({ ...f, type: withTypes(f.type, by) })) };
    case 'scalar':
    case 'idx':
      return t;
  }
}

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

// ---------------------------------------------------------------- arguments

const existing = (d: Draft, t: Type): Expr | undefined => {
  const there = d.bindings.filter((b) => sameType(b.type, t));
  return there.length > 0 && d.p.chance(70) ? v(d.p.one(there).name) : undefined;
};

type Given = { readonly e: Expr; readonly type: Type };

function argument(d: Draft, t: Type): Given {
  switch (t.k) {
    case 'scalar':
      return { e: scalarArgument(d, t), type: t };
    case 'idx':
      return indexArgument(d, t.size);
    case 'tensor': {
      if (isF32(t.of)) return tensorArgument(d, t.dims);
      return { e: existing(d, t) ?? v(addParam(d, 'y', t).name), type: t };
    }
    case 'record': {
      const there = existing(d, t);
      if (there !== undefined) return { e: there, type: t };
      if (d.p.chance(50) && !t.fields.some((f) => f.fixed)) {
        const fields = t.fields.map((f) => ({ label: f.label, value: argument(d, f.type).e }));
        return { e: { k: 'record', fields }, type: t };
      }
      return { e: v(addParam(d, 'r', t).name), type: t };
    }
    case 'fn':
      return { e: functionArgument(d, t.params, t.result), type: t };
    case 'var':
      return argument(d, drawTreeType(d));
  }
}

function scalarArgument(d: Draft, t: Type & { k: 'scalar' }): Expr {
  switch (t.of) {
    case 'f32':
      return d.p.one([
        () => existing(d, t) ?? number(d),
        () => number(d),
        () => summed(drawScalar(d)),
      ])();
    case 'u32':
      return v(ofType(d, 'u', (x) => sameType(x, t), u32));
    case 'key':
      return anyKey(d);
    case 'i32':
    case 'bool':
      return d.p.one([() => anyI32(d), () => add(anyI32(d), int(1)), () => anyInt(d, undefined)])();
  }
}

function indexArgument(d: Draft, size: Size): Given {
  const own = d.deviates() ? d.p.one([plus(size, 1), otherName(d, size)]) : size;
  const type = idx(own);
  const there = existing(d, type);
  if (there !== undefined) return { e: there, type };
  return d.p.one([
    () => ({ e: v(addParam(d, 'at', type).name), type }),
    () => {
      need(d, atLeast(size, 1));
      return { e: { k: 'pick', how: d.p.one(['clamp', 'wrap']), arg: anyI32(d), size } as Expr, type };
    },
    () => {
      const c = d.p.below(2);
      need(d, atLeast(size, c + 1));
      return { e: int(c), type };
    },
  ])();
}

function tensorArgument(d: Draft, dims: readonly Size[]): Given {
  if (!d.p.chance(30)) {
    const t = tensorOf(d, dims);
    return { e: t.e, type: array(f32, ...t.dims) };
  }
  const over = dims.map((s) => one(d.fresh('i'), s));
  const made = over.reduceRight<() => Expr>(
    (f, b) => () => inLoop(d, b.size, f),
    () => summed(drawScalar(d, over[0])),
  )();
  return { e: loop(over, made), type: array(f32, ...dims) };
}

function functionArgument(d: Draft, params: readonly Type[], result: Type): Expr {
  const names = params.map(() => d.fresh('j'));
  const first = params[0];
  const j = names[0]!;
  const lambda = (body: Expr): Expr => ({ k: 'lambda', params: names, body });
  if (first?.k === 'idx') return lambda(summed(drawScalar(d, one(j, first.size))));
  if (first !== undefined && isF32(first)) return lambda(add(mul(number(d), v(j)), number(d)));
  if (first?.k === 'scalar') return lambda(ofInteger(d, v(j)));
  const a = d.fresh('a');
  if (result.k === 'scalar') return lambda(number(d));
  return lambda({ k: 'each', names: [a], trees: [v(j)], body: mul(number(d), v(a)) });
}

/** An f32 of any integer. */
function ofInteger(d: Draft, j: Expr): Expr {
  const dims = () => [drawName(d)];
  return d.p.one([
    () => cast('f32', mod(j, int(5))),
    () => {
      const t = tensorOf(d, dims());
      if (t.e.k !== 'var') return number(d);
      const e = read(t.e, t.dims, at(j));
      return e.k === 'read' ? { ...e, orElse: real(0) } : e;
    },
    () => {
      const t = tensorOf(d, dims());
      if (t.e.k !== 'var') return number(d);
      need(d, atLeast(t.dims[0]!, 1));
      return read(t.e, t.dims, at({ k: 'pick', how: 'wrap', arg: j, size: t.dims[0]! }));
    },
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
      const over = t.dims.map((s) => one(d.fresh('i'), s, true));
      const e = read(v(x), t.dims, ...over.map((b) => at(v(b.name))));
      if (isF32(t.of)) return { k: 'reduce', op: 'sum', binders: over, body: weighed(d, e, over[0]!.name), of: 'f32' };
      if (t.of.k === 'record') return ofTree(d, v(x));
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

export const callRows: Readonly<Record<string, Row>> = {
  call,
  'call in a loop': callInLoop,
};

