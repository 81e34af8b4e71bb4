/**
 * Forward mode: statements with their tangents beside them, in one list.
 *
 * Invariant: every original variable keeps its identity and its value; each tangent statement is
 * linear in tangent variables, and a variable without a tangent has the derivative zero. A fold
 * becomes one fold that carries values and tangents together; reverse mode takes the two apart
 * afterwards (unzip.ts), after "You Only Linearize Once" (Radul, Paszke, Frostig, Johnson,
 * Maclaurin 2022).
 */

import { copyBlock, defsOf, mapNest, readAt, type Supply, usesOfBlock } from '../core/build.ts';
import { mapExpr, readE } from '../core/expr.ts';
import type { Custom, Expr, Fold, Nest, SegSum, Stmt, Var } from '../core.ts';
import { hoistFold } from '../passes/hoist.ts';
import { spreadActivity } from './activity.ts';
import { add, isZero, mul, select, zero } from './arith.ts';

import { narrow } from './narrow.ts';
import { isPair, otherOfPair, productInPairs, reductions } from './reductions.ts';
import { tangentOf } from './scalar.ts';
import { share } from './share.ts';
import { split } from './split.ts';

/** The tangent of each active variable met so far. */
export type Tangents = Map<Var, Var>;

/**
 * `wanted`: the variables whose tangents are used outside. `reverse`: the tangents are going to be transposed, so conditions are moved to where they keep dead
 * branches out, and what the adjoints will need is shared.
 */
export function forward(
  body: readonly Stmt[],
  tangents: Tangents,
  wanted: Iterable<Var>,
  supply: Supply,
  reverse: boolean,
): Stmt[] {
  const active = new Set(tangents.keys());
  spreadActivity(body, active);
  return new Forward(tangents, supply, reverse).block(body, active, wanted);
}

export function zeros(x: Var, s: Stmt, supply: Supply): { readonly v: Var; readonly def: Nest } {
  const v = supply.like(x, 'zero');
  return { v, def: mapNest(v, supply.axes(x.shape), zero, s.spans) };
}

/** Some of the tangents of the results of a custom block, and what computes them. */
type Part = {
  readonly stmts: readonly Stmt[];
  readonly of: (result: Var) => Var | undefined;
};

class Forward {
  readonly #tangents: Tangents;
  readonly #supply: Supply;

  readonly #reverse: boolean;

  constructor(tangents: Tangents, supply: Supply, reverse: boolean) {
    this.#tangents = tangents;
    this.#supply = supply;
    this.#reverse = reverse;
  }

  block(body: readonly Stmt[], active: ReadonlySet<Var>, wanted: Iterable<Var>): Stmt[] {
    const narrowed = this.#reverse ? narrow(body, active, wanted, this.#supply) : body;
    return narrowed.flatMap((s) => this.stmt(s));
  }

  stmt(s: Stmt): readonly Stmt[] {
    switch (s.k) {
      case 'nest':
        return this.nest(s);
      case 'segsum':
        return this.segsum(s);
      case 'fold':
        return this.fold(s);
      case 'custom':
        return this.custom(s);
    }
  }

  #tangentVar(x: Var): Var {
    const d = this.#supply.like(x, `d${x.name}`);
    this.#tangents.set(x, d);
    return d;
  }

  #tangentOf(e: Expr): Expr {
    return tangentOf((r) => {
      const d = this.#tangents.get(r.x);
      return d === undefined ? zero : readE(d, r.ix, r.guard);
    })(e);
  }

  // -------------------------------------------------------------- nests

  nest(s: Nest): readonly Stmt[] {
    if (s.v.t !== 'f32' || isZero(this.#tangentOf(s.body))) return [s];
    return split(s, (r) => this.#tangents.has(r.x), this.#supply).flatMap((p) => this.#shared(p));
  }

  #shared(s: Nest): readonly Stmt[] {
    if (!this.#reverse) return this.#piece(s);
    const pieces = share(s, (r) => this.#tangents.has(r.x), this.#supply);
    return pieces.flatMap((p) => this.#piece(p));
  }

  #piece(s: Nest): readonly Stmt[] {
    if (s.v.t !== 'f32') return [s];
    const d = this.#tangentOf(s.body);
    if (isZero(d)) return [s];
    if (s.op === null) return [s, { ...s, v: this.#tangentVar(s.v), body: reuse(s, d) }];
    const rule = reductions[s.op];
    switch (rule.k) {
      case 'constant':
        return [s];
      case 'linear':
        return [s, { ...s, v: this.#tangentVar(s.v), body: d }];
      case 'selected': {
        const { first, when } = rule.by(s, this.#supply);
        const body = select(when, d, zero);
        return [s, ...first, { ...s, v: this.#tangentVar(s.v), op: 'sum', body }];
      }
      case 'product': {
        if (!isPair(s)) return productInPairs(s, this.#supply).flatMap((p) => this.#piece(p));
        const body = mul(d, otherOfPair(s));
        return [s, { ...s, v: this.#tangentVar(s.v), op: 'sum', body }];
      }
    }
  }

  /** What is added up is stored first where it is computed, so that a nest is all there is to do. */
  segsum(s: SegSum): readonly Stmt[] {
    const d = this.#tangentOf(s.body);
    if (isZero(d)) return [s];
    if (s.body.k === 'prim') {
      const v = this.#supply.var(
        s.v.name,
        'f32',
        s.axes.map((a) => a.extent),
      );
      const sum: SegSum = { ...s, body: readAt(v, s.axes) };
      return [...this.nest(mapNest(v, s.axes, s.body, s.spans)), ...this.segsum(sum)];
    }
    return [s, { ...s, v: this.#tangentVar(s.v), body: d }];
  }

  // -------------------------------------------------------------- folds

  fold(whole: Fold): readonly Stmt[] {
    const { before: hoisted, fold: f } = hoistFold(whole);
    const moved = hoisted.flatMap((s) => this.stmt(s));
    const active = new Set(this.#tangents.keys());
    spreadActivity([f], active);
    const before: Stmt[] = [];
    const after: Stmt[] = [];
    const tangentOr0 = (x: Var, into: Stmt[]): Var => {
      const d = this.#tangents.get(x);
      if (d !== undefined) return d;
      const z = zeros(x, f, this.#supply);
      into.push(z.def);
      return z.v;
    };
    const carries = f.carry.filter((c) => active.has(c.in));
    const inits = carries.map((c) => tangentOr0(c.init, before));
    const ins = carries.map((c) => this.#tangentVar(c.in));
    const body = this.block(f.body, active, named(f));
    const nexts = carries.map((c) => tangentOr0(c.next, after));
    const carry = carries.map((c, i) => ({
      in: ins[i]!,
      init: inits[i]!,
      next: nexts[i]!,
      out: this.#tangentVar(c.out),
    }));
    const ys = f.ys.flatMap((y) => {
      const elem = this.#tangents.get(y.elem);
      return elem === undefined ? [] : [{ v: this.#tangentVar(y.v), elem }];
    });
    const acc = f.acc.flatMap((a) => {
      if (!this.#tangents.has(a.init) && !this.#tangents.has(a.add)) return [];
      const init = tangentOr0(a.init, before);
      return [{ v: this.#tangentVar(a.v), init, add: tangentOr0(a.add, after), at: a.at }];
    });
    const both: Fold = {
      ...f,
      carry: [...f.carry, ...carry],
      ys: [...f.ys, ...ys],
      acc: [...f.acc, ...acc],
      body: [...body, ...after],
    };
    return [...moved, ...before, both];
  }

  // -------------------------------------------------------------- custom derivatives

  /**
   * The block stays as it is, so that a second derivative uses its rule again. The rule says what
   * becomes of the tangents of its inputs. What a function among the arguments captured is no input
   * that a rule could name: its tangents pass through the body, as anywhere else.
   */
  custom(c: Custom): readonly Stmt[] {
    const parts: Part[] = [];
    const linear = new Set(c.linear?.map((i) => c.ins[i]!));
    const isActive = (x: Var): boolean => this.#tangents.has(x);
    if (c.ins.some((x) => isActive(x) && !linear.has(x))) parts.push(this.#byRule(c, linear));
    if ([...linear].some(isActive)) parts.push(this.#onTangents(c, linear));
    const inputs = new Set(c.ins);
    const captured = [...usesOfBlock(c.body)].filter((x) => isActive(x) && !inputs.has(x));
    if (captured.length > 0) parts.push(this.#throughBody(c, captured));
    if (parts.length === 0) return [c];
    const sums = c.outs.flatMap((x) => {
      const ds = parts.flatMap((p) => p.of(x) ?? []);
      if (ds.length < 2) {
        for (const d of ds) this.#tangents.set(x, d);
        return [];
      }
      const axes = this.#supply.axes(x.shape);
      const sum = ds.map((d) => readAt(d, axes)).reduce(add);
      return [mapNest(this.#tangentVar(x), axes, sum, c.spans)];
    });
    return [c, ...parts.flatMap((p) => p.stmts), ...sums];
  }

  /** The block again, on the tangents of what it is linear in. */
  #onTangents(c: Custom, linear: ReadonlySet<Var>): Part {
    const before: Stmt[] = [];
    const vars = new Map<Var, Var>();
    for (const x of linear) vars.set(x, this.#tangentOrZero(x, c, before));
    const stmts = [...before, ...copyBlock([c], this.#supply, vars)];
    return { stmts, of: (x) => vars.get(x) };
  }

  #tangentOrZero(x: Var, at: Stmt, into: Stmt[]): Var {
    const d = this.#tangents.get(x);
    if (d !== undefined) return d;
    const z = zeros(x, at, this.#supply);
    into.push(z.def);
    return z.v;
  }

  /** A copy of the body, in which nothing but what was captured has tangents. */
  #throughBody(c: Custom, captured: readonly Var[]): Part {
    const vars = new Map<Var, Var>();
    const body = copyBlock(c.body, this.#supply, vars);
    const tangents: Tangents = new Map(captured.map((x) => [x, this.#tangents.get(x)!]));
    const wanted = c.outs.map((x) => vars.get(x) ?? x);
    const stmts = forward(body, tangents, wanted, this.#supply, this.#reverse);
    return { stmts, of: (x) => tangents.get(vars.get(x) ?? x) };
  }

  /** By the inputs that it is not linear in. */
  #byRule(c: Custom, except: ReadonlySet<Var>): Part {
    const out: Stmt[] = [];
    const vars = new Map<Var, Var>();
    const linear = new Set<Var>();
    c.ins.forEach((x, i) => {
      const d = except.has(x) ? undefined : this.#tangents.get(x);
      if (d !== undefined) {
        vars.set(c.jvp.dins[i]!, d);
        linear.add(d);
        return;
      }
      const z = zeros(x, c, this.#supply);
      out.push(z.def);
      vars.set(c.jvp.dins[i]!, z.v);
    });
    // The block stays whole: what its rule reads of its body is computed again, until equal statements
    // are merged.
    const own = c.linear !== undefined || readsBody(c) ? c.body : [];
    const rule = copyBlock([...own, ...c.jvp.body], this.#supply, vars);
    out.push(...rule);
    spreadActivity(rule, linear);
    const given = new Map(c.outs.map((x, i) => [x, c.jvp.douts[i]!]));
    const of = (x: Var): Var | undefined => {
      const d = vars.get(given.get(x)!) ?? given.get(x)!;
      return linear.has(d) ? d : undefined;
    };
    return { stmts: out, of };
  }
}

/** What a fold names of its body. */
function named(f: Fold): readonly Var[] {
  return [...f.carry.map((c) => c.next), ...f.ys.map((y) => y.elem), ...f.acc.map((a) => a.add)];
}

/** Uses of the value that the nest itself defines read it instead of computing it again. */
function reuse(s: Nest, d: Expr): Expr {
  if (s.body.k !== 'prim') return d;
  const v = readAt(s.v, s.axes);
  return mapExpr((e) => (e === s.body ? v : e))(d);
}

/** Whether the rule reads what the body defines and does not give. */
function readsBody(c: Custom): boolean {
  const hidden = new Set(c.body.flatMap((s) => defsOf(s)));
  for (const x of c.outs) hidden.delete(x);
  return !usesOfBlock(c.jvp.body).isDisjointFrom(hidden);
}
