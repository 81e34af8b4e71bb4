/**
 * Smaller programs than a given one: every one that has a part left out, or an expression replaced by a
 * part of it or by 1. Most make no sense, which the checker says.
 *
 * Invariant: the tree still says what the text leaves out, so that a smaller program is judged like any.
 */
import { real } from './make.ts';
import { settled } from './settle.ts';
import type { Expr, Fn, Program } from './tree.ts';
import { mapParts, visit } from './walk.ts';

/** The largest cuts first. */
export function* smaller(p: Program): Generator<Program> {
  for (const cut of [withoutFns, withoutLets, simplerResults, withoutSignature, simplerBodies]) {
    for (const made of cut(p)) yield settled(made);
  }
}

const withFn = (p: Program, i: number, fn: Fn): Program => ({
  fns: p.fns.map((f, n) => (n === i ? fn : f)),
});

const without = <T>(list: readonly T[], i: number): readonly T[] => list.filter((_, n) => n !== i);

function* withoutFns(p: Program): Generator<Program> {
  const called = new Set<string>();
  for (const f of p.fns) {
    for (const e of [f.body, ...f.params.flatMap((x) => x.init ?? [])]) {
      visit(e, (x) => {
        if (x.k === 'call') called.add(x.fn);
      });
    }
  }
  for (let i = 0; i < p.fns.length - 1; i++) {
    if (!called.has(p.fns[i]!.name)) yield { fns: without(p.fns, i) };
  }
}

// ---------------------------------------------------------------- blocks

function* withoutLets(p: Program): Generator<Program> {
  for (const [i, f] of p.fns.entries()) {
    for (let k = lets(f.body).length - 1; k >= 0; k--)
      yield withFn(p, i, { ...f, body: cut(f.body, k) });
  }
}

const lets = (e: Expr): readonly string[] => (e.k === 'let' ? [e.name, ...lets(e.body)] : []);

function cut(e: Expr, k: number): Expr {
  if (e.k !== 'let') return e;
  return k === 0 ? e.body : { ...e, body: cut(e.body, k - 1) };
}

/** A loss alone, and one of its terms. */
function* simplerResults(p: Program): Generator<Program> {
  const i = p.fns.length - 1;
  const f = p.fns[i]!;
  const end = lastOf(f.body);
  if (end.k !== 'record' || f.result.k !== 'record') return;
  for (const [n, { value }] of end.fields.entries()) {
    yield withFn(p, i, { ...f, result: f.result.fields[n]!.type, body: ending(f.body, value) });
  }
}

const lastOf = (e: Expr): Expr => (e.k === 'let' ? lastOf(e.body) : e);
const ending = (e: Expr, last: Expr): Expr =>
  e.k === 'let' ? { ...e, body: ending(e.body, last) } : last;

// ---------------------------------------------------------------- signatures

function* withoutSignature(p: Program): Generator<Program> {
  for (const [i, f] of p.fns.entries()) {
    for (let k = f.facts.length - 1; k >= 0; k--) {
      yield withFn(p, i, { ...f, facts: without(f.facts, k) });
    }
    for (let k = f.params.length - 1; k >= 0; k--) {
      const less = withFn(p, i, { ...f, params: without(f.params, k) });
      yield calling(less, f.name, (e) => ({
        ...{ ...e, args: without(e.args, k), types: without(e.types, k) },
        named: Math.min(e.named, f.params.length - 1),
      }));
    }
    for (let k = f.sizes.length - 1; k >= 0; k--) {
      const less = withFn(p, i, { ...f, sizes: without(f.sizes, k) });
      yield calling(less, f.name, (e) => ({ ...e, sizes: without(e.sizes, k) }));
    }
  }
}

type Call = Extract<Expr, { k: 'call' }>;

function calling(p: Program, name: string, change: (e: Call) => Expr): Program {
  const within = (e: Expr): Expr => {
    const inner = mapParts(e, within);
    return inner.k === 'call' && inner.fn === name ? change(inner) : inner;
  };
  return { fns: p.fns.map((f) => ({ ...f, body: within(f.body) })) };
}

// ---------------------------------------------------------------- expressions

function* simplerBodies(p: Program): Generator<Program> {
  for (const [i, f] of p.fns.entries()) {
    const nodes: Expr[] = [];
    visit(f.body, (e) => {
      nodes.push(e);
    });
    for (const [n, e] of nodes.entries()) {
      for (const other of simplerThan(e)) {
        yield withFn(p, i, { ...f, body: replacedAt(f.body, n, other) });
      }
    }
  }
}

function simplerThan(e: Expr): readonly Expr[] {
  const parts: Expr[] = [];
  mapParts(e, (part) => {
    parts.push(part);
    return part;
  });
  const leaf = parts.length === 0;
  if (leaf) return [];
  const one = e.k === 'let' || e.k === 'lambda' ? [] : [real(1)];
  return [...one, ...parts.reverse()];
}

/** The n-th expression, in the order of `visit`. */
function replacedAt(e: Expr, n: number, by: Expr): Expr {
  let at = 0;
  const go = (x: Expr): Expr => (at++ === n ? by : mapParts(x, go));
  return go(e);
}
