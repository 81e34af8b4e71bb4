/**
 * Simplification: one walk over the statements in order that rewrites every body by the algebra,
 * forwards copies, views, constants and equal statements into their later uses, removes trivial
 * reductions and carries, then dead code elimination; again until nothing changes.
 *
 * Invariants: idempotent (it runs to its own fixed point); values are kept up to what algebra.ts
 * declares and reassociation of sums (a sum over an axis that its body does not mention is a
 * product); outputs keep their own statements. A view is forwarded when it costs a reader nothing: a
 * nest without reduction whose body is one unguarded, data-independent read, an index or a constant.
 */

import type { Span } from '../../dsl/source.ts';
import { defsOf, mapNest, type Supply, supplyAfter } from '../core/build.ts';
import {
  constE,
  eachVal,
  freeVars,
  mapSame,
  prim,
  type Read,
  type Rewriter,
  readE,
  rewriter,
  substAxes,
} from '../core/expr.ts';
import { asAxis, type Extents, flatIx, isConst, ixAxis, ixZero } from '../core/ix.ts';
import { Keys } from '../core/key.ts';
import type {
  Axis,
  AxisId,
  Core,
  Custom,
  Expr,
  Fold,
  Ix,
  Nest,
  SegSum,
  Stmt,
  Var,
} from '../core.ts';
import { Algebra } from './algebra.ts';
import { Equals } from './alpha.ts';
import { normalGuards } from './guards.ts';
import { withoutIdleAxes } from './idle.ts';
import { live } from './live.ts';

const maxRounds = 16;

export function simplify(core: Core): Core {
  const shared: Shared = {
    keys: new Keys(),
    supply: supplyAfter(core),
    settled: new WeakSet(),
  };
  let now = core;
  for (let round = 0; round < maxRounds; round++) {
    const next = live(new Simplifier(now, shared).core());
    if (next === now) return now;
    now = next;
  }
  return now;
}

/** What reads of a variable become. */
type Forward =
  | { readonly k: 'var'; readonly x: Var }
  | { readonly k: 'body'; readonly axes: readonly Axis[]; readonly body: Expr };

/** What the rounds of one simplification share. */
type Shared = {
  readonly keys: Keys;
  readonly supply: Supply;
  /** Nests that a round left as they were: they change only when something is forwarded to them. */
  readonly settled: WeakSet<Nest>;
};

class Simplifier {
  readonly #core: Core;
  readonly #keys: Keys;
  readonly #supply: Supply;
  readonly #settled: WeakSet<Nest>;
  readonly #consts: ReadonlyMap<Var, Float64Array>;
  readonly #forward = new Map<Var, Forward>();
  /** Where the statements came from that were equal to one that stays. */
  readonly #merged = new Map<Stmt, readonly Span[]>();
  /** Variables that must keep a statement of their own. */
  readonly #pinned: Set<Var>;
  /** What is defined under the name of the output that copied it. */
  readonly #renamed: ReadonlyMap<Var, Var>;

  constructor(core: Core, shared: Shared) {
    this.#core = core;
    this.#keys = shared.keys;
    this.#supply = shared.supply;
    this.#settled = shared.settled;
    this.#consts = new Map(core.consts.map((c) => [c.v, c.data]));
    this.#pinned = new Set(core.outputs);
    this.#renamed = renamedOutputs(core);
    for (const [x, to] of this.#renamed) this.#forward.set(x, { k: 'var', x: to });
  }

  core(): Core {
    const copies = new Set(this.#renamed.values());
    const given = this.#core.body.filter((s) => !(s.k === 'nest' && copies.has(s.v)));
    const named = copies.size === 0 ? this.#core.body : given.map((s) => this.rename(s));
    const body = this.withSpans(this.block(named, [], new Equals()));
    return body === this.#core.body ? this.#core : { ...this.#core, body };
  }

  /** Every statement with the spans of those it stands for. */
  withSpans(body: readonly Stmt[]): readonly Stmt[] {
    if (this.#merged.size === 0) return body;
    return mapSame(body, (s) => {
      const more = this.#merged.get(s);
      const t = more === undefined ? s : { ...s, spans: joinSpans(s.spans, more) };
      if (t.k === 'fold') return update(t, { body: this.withSpans(t.body) });
      if (t.k !== 'custom') return t;
      const jvp = update(t.jvp, { body: this.withSpans(t.jvp.body) });
      return update(t, { body: this.withSpans(t.body), jvp });
    });
  }

  /** The statement defining outputs directly; uses follow by forwarding. */
  rename(s: Stmt): Stmt {
    const to = (x: Var) => this.#renamed.get(x) ?? x;
    switch (s.k) {
      case 'nest':
      case 'segsum':
        return update(s, { v: to(s.v) });
      case 'fold':
        return update(s, {
          carry: mapSame(s.carry, (c) => update(c, { out: to(c.out) })),
          ys: mapSame(s.ys, (y) => update(y, { v: to(y.v) })),
          acc: mapSame(s.acc, (a) => update(a, { v: to(a.v) })),
        });
      case 'custom':
        return s;
    }
  }

  block(body: readonly Stmt[], folds: readonly Axis[], scope: Equals): readonly Stmt[] {
    const out: Stmt[] = [];
    for (const s of body) out.push(...this.stmt(s, folds, scope));
    return out.length === body.length && out.every((s, i) => s === body[i]) ? body : out;
  }

  stmt(s: Stmt, folds: readonly Axis[], scope: Equals): readonly Stmt[] {
    switch (s.k) {
      case 'nest':
      case 'segsum': {
        const t = s.k === 'nest' ? this.nest(s, folds) : this.segsum(s, folds);
        return t.k === 'nest' && this.forwards(t) ? [] : this.unlessKnown(t, scope);
      }
      case 'fold':
        return this.fold(s, folds, scope);
      case 'custom':
        return [this.custom(s, folds, scope)];
    }
  }

  // -------------------------------------------------------------- expressions

  /** Rewrites expressions over the given axes; those of extent 1 are 0. */
  rewriter(folds: readonly Axis[], own: readonly Axis[]): { rw: Rewriter; algebra: Algebra } {
    const extent = new Map<AxisId, number>();
    const single = new Set<AxisId>();
    for (const a of [...folds, ...own]) {
      extent.set(a.id, a.extent);
      if (a.extent === 1) single.add(a.id);
    }
    const extents: Extents = (id) => extent.get(id);
    const algebra = new Algebra(extents, this.#keys);
    const rw = rewriter({
      axis: (id) => (single.has(id) ? ixZero : undefined),
      extents,
      node: (e) => (e.k === 'read' ? this.read(e, algebra) : algebra.node(e)),
    });
    return { rw, algebra };
  }

  read(r: Read, algebra: Algebra): Expr {
    const f = this.#forward.get(r.x);
    if (f === undefined) return this.constant(r) ?? algebra.node(r);
    if (f.k === 'var') return algebra.node(readE(f.x, r.ix, r.guard));
    const map = new Map(f.axes.map((a, i): [AxisId, Ix] => [a.id, r.ix[i]!]));
    const e = substAxes(map, algebra.extents).expr(f.body);
    if (e.k === 'read') return algebra.node(readE(e.x, e.ix, [...r.guard, ...e.guard]));
    // A guarded constant would need a select: the reader keeps reading, unless it is 0 anyway.
    if (r.guard.length === 0 || isZero(e)) return algebra.node(e);
    return algebra.node(r);
  }

  /** The value of a cell of a compile-time constant. */
  constant(r: Read): Expr | undefined {
    const data = this.#consts.get(r.x);
    if (data === undefined || r.guard.length > 0 || !r.ix.every(isConst)) return undefined;
    const offset = flatIx(r.ix, r.x.shape).c;
    return this.#keys.rep(constE(r.t, data[offset]!));
  }

  use(x: Var): Var {
    const f = this.#forward.get(x);
    return f?.k === 'var' ? f.x : x;
  }

  // -------------------------------------------------------------- nests

  nest(s: Nest, folds: readonly Axis[]): Nest {
    if (this.#settled.has(s) && freeVars(s.body).isDisjointFrom(this.#forward)) return s;
    const { rw, algebra } = this.rewriter(folds, [...s.axes, ...s.red]);
    const out = withoutIdleAxes(s, rw.expr(s.body), algebra);
    if (out === s) this.#settled.add(s);
    return out;
  }

  /** Notes a nest that its readers can do without; true when nothing else needs it. */
  forwards(s: Nest): boolean {
    const { body } = s;
    if (s.op !== null) return false;
    if (body.k === 'prim' || (body.k === 'read' && body.guard.length > 0)) return false;
    if (isDynamic(body)) return false;
    if (body.k === 'read' && isIdentity(s, body)) {
      this.#forward.set(s.v, { k: 'var', x: body.x });
      return !this.#pinned.has(s.v);
    }
    this.#forward.set(s.v, { k: 'body', axes: s.axes, body });
    // Folds may still name it; dead code elimination decides.
    return false;
  }

  /** The statement, or nothing (a copy, if it is an output) when an equal one is in scope. */
  unlessKnown(s: Nest | SegSum | Fold, scope: Equals): readonly Stmt[] {
    if (s.k === 'nest' && this.#forward.has(s.v)) return [s];
    const defs = defsOf(s);
    const known = defs.length === 0 ? undefined : scope.find(s);
    if (known === undefined) return [s];
    this.#merged.set(known, [...(this.#merged.get(known) ?? []), ...s.spans]);
    const first = defsOf(known);
    const copies: Stmt[] = [];
    defs.forEach((d, i) => {
      this.#forward.set(d, { k: 'var', x: first[i]! });
      if (this.#pinned.has(d)) copies.push(this.copy(first[i]!, d, s.spans));
    });
    return copies;
  }

  segsum(s: SegSum, folds: readonly Axis[]): SegSum | Nest {
    const { rw, algebra } = this.rewriter(folds, s.axes);
    const body = rw.expr(s.body);
    const guard = normalGuards(mapSame(s.guard, rw.guard), algebra.extents);
    if (guard === 'never' || isZero(body)) {
      return mapNest(s.v, this.#supply.axes(s.v.shape), this.#keys.rep(constE(s.v.t, 0)), s.spans);
    }
    return update(s, { body, at: mapSame(s.at, rw.ix), guard });
  }

  // -------------------------------------------------------------- folds and customs

  fold(s: Fold, folds: readonly Axis[], scope: Equals): readonly Stmt[] {
    const after: Stmt[] = [];
    /** x is always `to`. */
    const same = (x: Var, to: Var): false => {
      const known = this.use(to);
      this.#forward.set(x, { k: 'var', x: known });
      if (this.#pinned.has(x)) after.push(this.copy(known, x, s.spans));
      return false;
    };
    // A carry that never changes is its init.
    const carry = filterSame(s.carry, (c) => {
      const constant = c.next === c.in || this.use(c.next) === this.use(c.init) || s.trip === 0;
      if (!constant) return true;
      same(c.in, c.init);
      return same(c.out, c.init);
    });
    const body = this.block(s.body, [...folds, s.l], new Equals(scope));
    const { rw } = this.rewriter(folds, [s.l]);
    // So is an accumulator to which only zeros are added.
    const acc = filterSame(
      s.acc,
      (a) => !(this.isZero(a.add) || s.trip === 0) || same(a.v, a.init),
    );
    const t = update(s, {
      body,
      carry: mapSame(carry, (c) => update(c, { init: this.use(c.init), next: this.use(c.next) })),
      ys: mapSame(s.ys, (y) => update(y, { elem: this.use(y.elem) })),
      acc: mapSame(acc, (a) =>
        update(a, {
          init: this.use(a.init),
          add: this.use(a.add),
          at: a.at === null ? null : rw.ix(a.at),
        }),
      ),
    });
    if (isOnce(t)) return [...this.once(t), ...after];
    return [...this.unlessKnown(t, scope), ...after];
  }

  isZero(x: Var): boolean {
    const f = this.#forward.get(x);
    return f?.k === 'body' && isZero(f.body);
  }

  /**
   * A fold of one step is its body: no carry is read there any more before the next round, which
   * sees the copies made here. The step's axis has extent 1 and is 0 in the body already.
   */
  once(s: Fold): readonly Stmt[] {
    const copies = s.carry.map((c) => this.copy(c.init, c.in, s.spans));
    const outs = s.carry.map((c) => this.copy(c.next, c.out, s.spans));
    const ys = s.ys.map((y) => this.copy(y.elem, y.v, s.spans));
    const acc = s.acc.map((a) => {
      const axes = this.#supply.axes(a.v.shape);
      const ixs = axes.map((x) => ixAxis(x));
      const add = readE(a.add, a.at === null ? ixs : ixs.slice(1));
      return mapNest(a.v, axes, prim('add', readE(a.init, ixs), add), s.spans);
    });
    return [...copies, ...s.body, ...outs, ...ys, ...acc];
  }

  /** to[..] = from[..], where `to` may have a leading axis of extent 1 more. */
  copy(from: Var, to: Var, spans: Stmt['spans']): Nest {
    const axes = this.#supply.axes(to.shape);
    const ixs = axes.map((a) => (a.extent === 1 ? ixZero : ixAxis(a)));
    return mapNest(to, axes, readE(from, ixs.slice(to.shape.length - from.shape.length)), spans);
  }

  custom(s: Custom, folds: readonly Axis[], scope: Equals): Custom {
    for (const x of [...s.outs, ...s.jvp.douts]) this.#pinned.add(x);
    const inner = new Equals(scope);
    const ins = mapSame(s.ins, (x) => this.use(x));
    const body = this.block(s.body, folds, inner);
    const jvp = this.block(s.jvp.body, folds, new Equals(inner));
    const same = ins === s.ins && body === s.body && jvp === s.jvp.body;
    return same ? s : { ...s, ins, body, jvp: { ...s.jvp, body: jvp } };
  }
}

// ---------------------------------------------------------------- pieces

/** One step, and no accumulator of which it adds to a part only; checkpoints stay marked. */
function isOnce(s: Fold): boolean {
  const whole = s.acc.every((a) => a.at === null || a.v.shape[0] === 1);
  return s.trip === 1 && s.save !== 'carries' && whole;
}

/**
 * Outputs that copy what a statement of the program defines (and what is no output itself): the
 * statement may define the output at once. At most one output for each variable.
 */
function renamedOutputs(core: Core): ReadonlyMap<Var, Var> {
  const outputs = new Set(core.outputs);
  const made = new Set<Var>();
  const out = new Map<Var, Var>();
  for (const s of core.body) {
    if (s.k === 'nest' && outputs.has(s.v) && s.op === null && s.body.k === 'read') {
      const { x, guard } = s.body;
      const renames = guard.length === 0 && isIdentity(s, s.body) && made.has(x) && !outputs.has(x);
      if (renames && !out.has(x)) out.set(x, s.v);
    }
    if (s.k !== 'custom') for (const d of defsOf(s)) made.add(d);
  }
  return out;
}

function joinSpans(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  const same = (s: Span, t: Span) => s.file === t.file && s.start === t.start && s.end === t.end;
  const out = [...a];
  for (const s of b) if (!out.some((t) => same(s, t))) out.push(s);
  return out;
}

/** The object with some fields replaced; the very same when they are what it has. */
function update<T extends object>(x: T, fields: Partial<T>): T {
  for (const k in fields) if (fields[k] !== x[k]) return { ...x, ...fields };
  return x;
}

/** filter that returns the same array when everything stays. */
function filterSame<T>(xs: readonly T[], f: (x: T) => boolean): readonly T[] {
  const out = xs.filter(f);
  return out.length === xs.length ? xs : out;
}

function isZero(e: Expr): boolean {
  return e.k === 'const' && e.v === 0;
}

/** Whether a data-dependent index occurs. */
function isDynamic(e: Expr): boolean {
  let found = false;
  const see = (ix: Ix) =>
    eachVal(ix, () => {
      found = true;
    });
  if (e.k === 'index') see(e.ix);
  else if (e.k === 'read') e.ix.forEach(see);
  return found;
}

/** v[i, j] = x[i, j] over the whole of x. */
function isIdentity(s: Nest, r: Read): boolean {
  if (r.x.shape.length !== s.axes.length) return false;
  return s.axes.every((a, i) => {
    const ix = r.ix[i]!;
    if (a.extent !== r.x.shape[i]) return false;
    return asAxis(ix) === a.id || (a.extent === 1 && isConst(ix) && ix.c === 0);
  });
}
