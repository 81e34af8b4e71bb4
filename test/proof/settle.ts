/**
 * What a text may leave out. A range may be where its index stands alone in a dimension that has just
 * that range; a size of a call where an equation with an argument's dimension has no other solution.
 *
 * Invariant: whatever rule of docs/language.md finds a size that is left out, it finds the tree's.
 */
import { atPoint, hashed, sameSize } from './sizes.ts';
import type { Binder, Expr, ExprOf, Fn, OneBinder, Program, Size, SizeArg, Type } from './tree.ts';
import { mapOnes, mapParts, visit } from './walk.ts';

export const settled = (p: Program): Program => ({
  fns: p.fns.map((f) => ({
    ...f,
    params: f.params.map((x) => (x.init === undefined ? x : { ...x, init: settle(p, x.init) })),
    body: settle(p, f.body),
  })),
});

function settle(p: Program, e: Expr): Expr {
  const inner = mapParts(e, (part) => settle(p, part));
  switch (inner.k) {
    case 'for':
    case 'reduce':
      return { ...inner, binders: inner.binders.map((b) => settleBinder(b, inner.body)) };
    case 'fold':
    case 'scan':
      return { ...inner, binder: settleOne(inner.binder, inner.body) };
    case 'call':
      return settleCall(p, inner);
    default:
      return inner;
  }
}

// ---------------------------------------------------------------- ranges

const settleBinder = (b: Binder, body: Expr): Binder => mapOnes(b, (o) => settleOne(o, body));

const settleOne = (b: OneBinder, body: Expr): OneBinder =>
  b.elide && !standsAlone(b, body) ? { ...b, elide: false } : b;

function standsAlone(b: OneBinder, body: Expr): boolean {
  let found = false;
  visit(body, (e) => {
    if (e.k !== 'read' || e.orElse !== undefined) return;
    e.ix.forEach((ix, i) => {
      const alone = ix.k === 'at' && ix.e.k === 'var' && ix.e.name === b.name;
      const dim = e.dims[i];
      if (alone && dim !== undefined && sameSize(dim, b.size)) found = true;
    });
  });
  return found;
}

// ---------------------------------------------------------------- sizes of calls

function settleCall(p: Program, e: ExprOf<'call'>): Expr {
  const fn = p.fns.find((f) => f.name === e.fn)!;
  const given = new Map(e.sizes.map((s) => [s.name, s.size]));
  // What was changed is no default any more.
  const written = e.sizes.map((s): SizeArg => {
    const init = fn.sizes.find((p) => p.name === s.name)?.init;
    const usual = init !== undefined && sameSize(s.size, substituted(init, given));
    return s.how === 'default' && !usual ? { ...s, how: 'name', elide: false } : s;
  });
  const follows = followingSizes(fn, { ...e, sizes: written });
  const sizes = written.map((s) => (s.elide && !follows.has(s.name) ? { ...s, elide: false } : s));
  return { ...e, sizes };
}

/** The sizes that follow from the arguments, one after another. */
function followingSizes(fn: Fn, e: ExprOf<'call'>): ReadonlySet<string> {
  const known = new Set(e.sizes.filter((s) => !s.elide).map((s) => s.name));
  const given = new Map(e.sizes.map((s) => [s.name, s.size]));
  const equations = fn.params.flatMap((param, i) => {
    const type = e.types[i];
    return type === undefined ? [] : equationsOf(param.type, type);
  });
  for (let moved = true; moved; ) {
    moved = false;
    for (const { left, op, right } of fn.facts) {
      if (op !== '==') continue;
      for (const [a, b] of [
        [left, right],
        [right, left],
      ] as const) {
        if (a.k !== 'name' || known.has(a.name)) continue;
        const open = [...given.keys()].some((n) => !known.has(n) && mentions(b, n));
        if (open || !sameSize(given.get(a.name)!, substituted(b, given))) continue;
        known.add(a.name);
        moved = true;
      }
    }
    for (const { needed, found } of equations) {
      const open = [...given.keys()].filter((n) => !known.has(n) && mentions(needed, n));
      const [name] = open;
      if (name === undefined || open.length > 1) continue;
      if (!isLinear(needed, name, given) || !sameSize(substituted(needed, given), found)) continue;
      known.add(name);
      moved = true;
    }
  }
  return known;
}

type Equation = { readonly needed: Size; readonly found: Size };

function equationsOf(needed: Type, found: Type): readonly Equation[] {
  if (needed.k === 'tensor' && found.k === 'tensor') {
    const dims = needed.dims.flatMap((s, i) => {
      const own = found.dims[i];
      return own === undefined ? [] : [{ needed: s, found: own }];
    });
    return [...dims, ...equationsOf(needed.of, found.of)];
  }
  if (needed.k === 'record' && found.k === 'record') {
    return needed.fields.flatMap((f, i) => equationsOf(f.type, found.fields[i]!.type));
  }
  return [];
}

const mentions = (s: Size, name: string): boolean => {
  switch (s.k) {
    case 'nat':
      return false;
    case 'name':
      return s.name === name;
    case 'group':
      return mentions(s.of, name);
    case 'op':
      return mentions(s.left, name) || mentions(s.right, name);
  }
};

function substituted(s: Size, by: ReadonlyMap<string, Size>): Size {
  switch (s.k) {
    case 'nat':
      return s;
    case 'name':
      return by.get(s.name) ?? s;
    case 'group':
      return substituted(s.of, by);
    case 'op':
      return { ...s, left: substituted(s.left, by), right: substituted(s.right, by) };
  }
}

/** c*n + r with an n that can be solved for: the same step between three points. */
function isLinear(s: Size, name: string, given: ReadonlyMap<string, Size>): boolean {
  const at = (n: bigint): bigint =>
    atPoint(s, (x) => {
      if (x === name) return n;
      const own = given.get(x);
      return own === undefined ? hashed(x) : atPoint(own, hashed);
    });
  const [a, b, c] = [at(0n), at(1n), at(2n)];
  return a !== b && (b - a - (c - b)) % 2305843009213693951n === 0n;
}
