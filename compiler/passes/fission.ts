/**
 * Fission: each costly sub-expression of a nest is computed over the fewest axes it depends on.
 * `y[o] = sum i. exp(x[i]) * w[o, i]` becomes `e[i] = exp(x[i])` and a contraction; a reduction that
 * an output axis does not change is made once and spread; factors that the summation axes do not
 * change leave a sum where that cannot overflow; inside a fold, what depends on neither a carry nor the step goes before it.
 *
 * Invariant: the work (core/work.ts) never grows: a part is split off only if the primitives that
 * leave the body outweigh those of the new nest and the cells it writes. Cheap arithmetic stays: it
 * costs less than storing and loading its value.
 */

import { defsOf, mapNest, readAt, type Supply, sizeOf, supplyAfter } from '../core/build.ts';
import { constE, eachChild, freeAxes, freeVars, prim, rewriter } from '../core/expr.ts';
import { primsOf } from '../core/work.ts';
import type { Axis, AxisId, Core, Expr, Fold, Nest, Prim, Stmt, Var } from '../core.ts';
import { hoistBlock } from './hoist.ts';

/** Relative cost; a part is worth a nest of its own from `costly` on. */
const cost: Readonly<Record<Prim, number>> = {
  add: 1,
  sub: 1,
  mul: 1,
  div: 4,
  idiv: 4,
  mod: 4,
  pow: 16,
  neg: 1,
  eq: 1,
  ne: 1,
  lt: 1,
  le: 1,
  gt: 1,
  ge: 1,
  and: 1,
  or: 1,
  not: 1,
  min: 1,
  max: 1,
  abs: 1,
  sign: 1,
  floor: 1,
  ceil: 1,
  round: 1,
  exp: 8,
  log: 8,
  sqrt: 4,
  sin: 8,
  cos: 8,
  tanh: 8,
  erf: 8,
  isfinite: 1,
  select: 1,
  cast: 1,
  f16: 2,
  bf16: 2,
  stop: 0,
  bits0: 40,
  bits1: 40,
};
const costly = 4;

export function fission(core: Core): Core {
  const supply = supplyAfter(core);
  const body = block(hoistBlock(core.body), supply, undefined);
  return sameList(core.body, body) ? core : { ...core, body };
}

/** The fold around a nest: what varies in it, and where its invariant parts go. */
type Around = {
  readonly step: AxisId;
  readonly trip: number;
  readonly varying: Set<Var>;
  readonly before: Stmt[];
};

function block(body: readonly Stmt[], supply: Supply, around: Around | undefined): readonly Stmt[] {
  const out: Stmt[] = [];
  for (const s of body) {
    const made = statement(s, supply, around);
    out.push(...made);
    // What this block defines varies from step to step, or hoisting would have moved it.
    for (const t of made) for (const d of defsOf(t)) around?.varying.add(d);
  }
  return sameList(body, out) ? body : out;
}

function statement(s: Stmt, supply: Supply, around: Around | undefined): readonly Stmt[] {
  switch (s.k) {
    case 'nest':
      return splitNest(s, supply, around);
    case 'fold':
      return splitFold(s, supply);
    case 'segsum':
    case 'custom':
      return [s];
  }
}

function splitFold(s: Fold, supply: Supply): readonly Stmt[] {
  const around: Around = {
    step: s.l.id,
    trip: s.trip,
    varying: new Set(s.carry.map((c) => c.in)),
    before: [],
  };
  const body = block(s.body, supply, around);
  return body === s.body ? [s] : [...around.before, { ...s, body }];
}

// ---------------------------------------------------------------- nests

function splitNest(s: Nest, supply: Supply, around: Around | undefined): readonly Stmt[] {
  const axes = [...s.axes, ...s.red];
  if (axes.some((a) => a.extent === 0) || around?.trip === 0) return [s];
  const spread = spreadReduction(s, supply);
  if (spread !== undefined) {
    return [...splitNest(spread.once, supply, around), spread.view];
  }
  const factored = factorSum(s, supply);
  if (factored !== undefined) {
    around?.varying.add(factored[0]!.v);
    return factored.flatMap((t) => splitNest(t, supply, around));
  }
  const points = sizeOf(axes.map((a) => a.extent));
  const parts: Stmt[] = [];
  let body = s.body;
  // Small parts first: a larger one may hold a smaller one that others share.
  const todo = [...candidates(s, around)].sort((a, b) => primsOf(a) - primsOf(b));
  for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
    const found = part;
    // What was costly in it may have been split off already.
    if (!isCostly(found)) continue;
    const t = partOf(found, s, axes, supply);
    const read = readAt(t.v, t.axes);
    // One rewriter for all: parts that hold this part go on naming nodes of the body.
    const { expr } = rewriter({ node: (e) => (e === found ? read : e) });
    const next = expr(body);
    const once = around !== undefined && isInvariant(found, around);
    const saved = (primsOf(body) - primsOf(next)) * points * (once ? around.trip : 1);
    if (saved < sizeOf(t.v.shape) * (primsOf(found) + 1)) continue;
    body = next;
    todo.forEach((e, i) => {
      todo[i] = expr(e);
    });
    // A part may itself hold smaller parts.
    if (once) around.before.push(...splitNest(t, supply, undefined));
    else {
      around?.varying.add(t.v);
      parts.push(...splitNest(t, supply, around));
    }
  }
  return body === s.body ? [s] : [...parts, { ...s, body }];
}

/** A reduction that does not depend on all of its output axes, made once and read from there. */
function spreadReduction(s: Nest, supply: Supply): { once: Nest; view: Nest } | undefined {
  if (s.op === null) return undefined;
  const used = freeAxes(s.body);
  const axes = s.axes.filter((a) => used.has(a.id));
  if (sizeOf(axes.map((a) => a.extent)) === sizeOf(s.v.shape)) return undefined;
  const v = supply.var(
    `${s.v.name}_once`,
    s.v.t,
    axes.map((a) => a.extent),
  );
  return { once: { ...s, v, axes }, view: mapNest(s.v, s.axes, readAt(v, axes), s.spans) };
}

// ---------------------------------------------------------------- factors of sums

/** coef * rest, where coef does not depend on the reduction axes; undefined stands for 1. */
type Factors = { readonly coef: Expr | undefined; readonly rest: Expr | undefined };

/**
 * sum r. a * f(r) is a * sum r. f(r), when that saves work, and of f32 where a is known to be at least 1 in
 * magnitude: else the sum may overflow where the products do not (a mean of large numbers), and an a that
 * is not known may be 0 or infinite as well.
 */
function factorSum(s: Nest, supply: Supply): readonly Nest[] | undefined {
  if (s.op !== 'sum' || s.v.t === 'u32') return undefined;
  const red = new Set(s.red.map((a) => a.id));
  const { coef, rest } = factors(s.body, red);
  if (coef === undefined || rest === undefined) return undefined;
  if (s.v.t === 'f32' && !(coef.k === 'const' && Math.abs(coef.v) >= 1 && Number.isFinite(coef.v)))
    return undefined;
  const cells = sizeOf(s.v.shape);
  const saved = (primsOf(s.body) - primsOf(rest)) * cells * sizeOf(s.red.map((a) => a.extent));
  if (saved <= cells * (primsOf(coef) + 2)) return undefined;
  const sum: Nest = { ...s, v: supply.like(s.v, `${s.v.name}_sum`), body: rest };
  const whole = prim('mul', coef, readAt(sum.v, s.axes));
  return [sum, mapNest(s.v, s.axes, whole, s.spans)];
}

function factors(e: Expr, red: ReadonlySet<AxisId>): Factors {
  if (freeAxes(e).isDisjointFrom(red)) return { coef: e, rest: undefined };
  if (e.k === 'prim') {
    const [a, b] = e.args.map((x) => factors(x, red));
    switch (e.op) {
      case 'mul':
        return { coef: product(a!.coef, b!.coef), rest: product(a!.rest, b!.rest) };
      case 'neg':
        return { coef: negated(a!.coef ?? constE(e.t, 1)), rest: a!.rest };
    }
  }
  return { coef: undefined, rest: e };
}

const negated = (e: Expr): Expr => (e.k === 'const' ? constE(e.t, -e.v) : prim('neg', e));

function product(a: Expr | undefined, b: Expr | undefined): Expr | undefined {
  return a === undefined ? b : b === undefined ? a : prim('mul', a, b);
}

// ---------------------------------------------------------------- parts

function partOf(e: Expr, s: Nest, axes: readonly Axis[], supply: Supply): Nest {
  const used = freeAxes(e);
  const own = axes.filter((a) => used.has(a.id));
  const v = supply.var(
    `${s.v.name}_part`,
    e.t,
    own.map((a) => a.extent),
  );
  return mapNest(v, own, e, s.spans);
}

/** The largest costly sub-expressions over fewer axes (or steps) than the nest. */
function candidates(s: Nest, around: Around | undefined): readonly Expr[] {
  const points = sizeOf([...s.axes, ...s.red].map((a) => a.extent));
  const extent = new Map([...s.axes, ...s.red].map((a) => [a.id, a.extent]));
  const sizeOver = (e: Expr) => {
    let n = 1;
    for (const id of freeAxes(e)) n *= extent.get(id) ?? 1;
    return n;
  };
  const out: Expr[] = [];
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (!isCostly(e)) return;
    const fewer = sizeOver(e) < points;
    const whole = e === s.body && s.op === null;
    // A whole number without a size is made where it is used.
    if (e.t === 'int') eachChild(e, visit);
    else if (fewer || (around !== undefined && !whole && isInvariant(e, around))) out.push(e);
    else eachChild(e, visit);
  };
  visit(s.body);
  return out;
}

function isInvariant(e: Expr, around: Around): boolean {
  return !freeAxes(e).has(around.step) && freeVars(e).isDisjointFrom(around.varying);
}

const costMemo = new WeakMap<Expr, boolean>();

/** Whether a costly primitive occurs; cheap ones never add up to one. */
function isCostly(e: Expr): boolean {
  const known = costMemo.get(e);
  if (known !== undefined) return known;
  let out = e.k === 'prim' && cost[e.op] >= costly;
  if (!out) {
    eachChild(e, (c) => {
      out ||= isCostly(c);
    });
  }
  costMemo.set(e, out);
  return out;
}

function sameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}
