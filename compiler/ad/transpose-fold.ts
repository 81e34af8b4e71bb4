/**
 * The transpose of a linear fold: the fold backwards, carrying cotangents.
 *
 * Note [Cotangents through a fold]. A carry (in, init, next, out) becomes a carry from the cotangent
 * of `out` to that of `init`: in each step the cotangent of `next` comes in and that of `in` leaves.
 * Stacked values give each step its slice. A variable X from outside that the body reads only at
 * X[a*l + b, ...] gets the slice of its cotangent in step l, so the fold stacks the slices (`ys`) and
 * every cell is written once: the gradient of stacked parameters [L, ...]. If the index has no l the
 * steps add up in an accumulator (`acc`). Any other read is first moved out, X'[l, u] = X[e(l, u)] for
 * the variables u of its index: then X' is read at a slice, and the move itself is transposed outside
 * the fold like any nest. That is also how a data-dependent read in a fold becomes one segment sum.
 */

import { defsOf, mapNest, readAt, sizeOf, usesOfBlock, walkStmts } from '../core/build.ts';
import { freeAxesIx, freeVarsIx, type Read, readE, readsOf, substAxes } from '../core/expr.ts';
import { decideGuard, type Extents, interval, ixAxis, subIx } from '../core/ix.ts';
import type { Axis, AxisId, Fold, Guard, Ix, Nest, Stmt, Var } from '../core.ts';
import { zeros } from './jvp.ts';
import { keepLive } from './live.ts';
import { rewriteUses } from './rewrite.ts';
import { cotangentName, type Transposer } from './transpose.ts';

export function transposeFold(whole: Fold, t: Transposer): void {
  const wanted = new Set(defsOf(whole).filter((x) => t.take(x) !== null));
  const [kept] = keepLive([whole], wanted);
  if (kept === undefined) return;
  const moved = moveReads(kept as Fold, t);
  const { fold: f, slices } = sliceReads(moved.fold, t);

  const inner = t.inside(f.l);
  const bars = f.carry.map((c) => t.supply.like(c.in, cotangentName(c.in)));
  f.carry.forEach((c, i) => {
    inner.giveVar(c.next, bars[i]!, f.spans);
  });
  for (const y of f.ys) {
    const v = t.take(y.v)!;
    inner.giveExpr(y.elem, readAt(v, [f.l, ...inner.axesOf(y.elem)]), f.spans);
  }
  for (const a of f.acc) {
    const v = t.take(a.v)!;
    if (a.at === null) inner.giveVar(a.add, v, f.spans);
    else inner.giveExpr(a.add, readAt(v, [a.at, ...inner.axesOf(a.add)]), f.spans);
  }
  inner.run(f.body);

  const bound = boundVars(f);
  const zeroIn = (into: Stmt[], x: Var): Var => {
    const z = zeros(x, f, t.supply);
    into.push(z.def);
    return z.v;
  };
  const carry = f.carry.map((c, i) => ({
    in: bars[i]!,
    init: t.take(c.out) ?? zeroIn(t.out, c.out),
    next: inner.take(c.in) ?? zeroIn(inner.out, c.in),
    out: t.supply.like(c.init, cotangentName(c.init)),
  }));
  const ys: Fold['ys'][number][] = [];
  for (const s of slices) {
    const elem = inner.takeAway(s.v);
    if (elem === null) continue;
    const v = t.supply.var(cotangentName(s.of), 'f32', [f.trip, ...s.v.shape]);
    ys.push({ v, elem });
    s.stacked = v;
  }
  const acc: Fold['acc'][number][] = [];
  for (const x of inner.given()) {
    if (bound.has(x) || !t.linear.has(x)) continue;
    const plus = inner.take(x)!;
    const init = t.takeAway(x) ?? zeroIn(t.out, x);
    const v = t.supply.like(x, cotangentName(x));
    acc.push({ v, init, add: plus, at: null });
    t.giveVar(x, v, f.spans);
  }
  t.out.push({ ...f, rev: !f.rev, carry, ys, acc, body: inner.out });

  f.carry.forEach((c, i) => {
    if (t.linear.has(c.init)) t.giveVar(c.init, carry[i]!.out, f.spans);
  });
  for (const a of f.acc) if (t.linear.has(a.init)) t.giveVar(a.init, t.take(a.v)!, f.spans);
  for (const s of slices) if (s.stacked !== undefined) placeSlices(s, s.stacked, f, t);
  t.run(moved.before);
}

/** Variables that live inside the fold only, at any depth. */
function boundVars(f: Fold): ReadonlySet<Var> {
  const out = new Set<Var>();
  const carried = (g: Fold) => {
    for (const c of g.carry) out.add(c.in);
  };
  carried(f);
  walkStmts(f.body, (s) => {
    for (const d of defsOf(s)) out.add(d);
    if (s.k === 'fold') carried(s);
  });
  return out;
}

/** Linear variables from outside the fold, with the reads of each, at any depth. */
function outsideReads(f: Fold, t: Transposer): readonly Read[] {
  const free = usesOfBlock(f.body);
  for (const c of f.carry) free.delete(c.in);
  const out = new Set<Read>();
  walkStmts(f.body, (s) => {
    if (s.k !== 'nest' && s.k !== 'segsum') return;
    for (const r of readsOf(s.body)) if (t.linear.has(r.x) && free.has(r.x)) out.add(r);
  });
  return [...out];
}

// ---------------------------------------------------------------- slices

type Slice = {
  readonly of: Var;
  /** The index of the leading dimension: a*l + b. */
  readonly lead: Ix;
  /** Stands for X[lead] inside the body. */
  readonly v: Var;
  stacked?: Var;
};

/** Reads at a slice of the step become reads of a variable that stands for the slice. */
function sliceReads(f: Fold, t: Transposer): { fold: Fold; slices: readonly Slice[] } {
  const slices: Slice[] = [];
  const to = new Map<Read, Slice>();
  for (const r of outsideReads(f, t)) {
    if (!isSlice(r, f.l)) continue;
    const lead = r.ix[0]!;
    let s = slices.find(
      (x) => x.of === r.x && subIx(x.lead, lead).terms.length === 0 && x.lead.c === lead.c,
    );
    if (s === undefined) {
      s = { of: r.x, lead, v: t.supply.var(r.x.name, 'f32', r.x.shape.slice(1)) };
      t.linear.add(s.v);
      slices.push(s);
    }
    to.set(r, s);
  }
  if (slices.length === 0) return { fold: f, slices };
  const body = rewriteUses(f.body, {
    name: (x) => x,
    read: (r) => {
      const s = to.get(r);
      return s === undefined ? undefined : readE(s.v, r.ix.slice(1), r.guard);
    },
  });
  return { fold: { ...f, body }, slices };
}

/** The leading index is a*l + b and the others do not depend on l. */
function isSlice(r: Read, l: Axis): boolean {
  const [lead, ...rest] = r.ix;
  if (lead === undefined || lead.terms.length !== 1) return false;
  const { a } = lead.terms[0]!;
  return a.k === 'axis' && a.id === l.id && !rest.some((ix) => freeAxesIx(ix).has(l.id));
}

/** The stacked cotangents of slices are the cotangent of the whole, each slice at its place. */
function placeSlices(s: Slice, stacked: Var, f: Fold, t: Transposer): void {
  const step = t.supply.axis(f.trip, f.l.name);
  const rest = t.supply.axes(s.v.shape);
  const lead = substAxes(new Map([[f.l.id, ixAxis(step)]]), t.outer).ix(s.lead);
  const vars = [step, ...rest];
  const read = readE(s.of, [lead, ...rest.map((a) => ixAxis(a))]) as Read;
  // Where the index runs out of range the body did not read, and the slice is 0.
  t.flow({ vars, read, ct: readAt(stacked, vars), of: stacked, spans: f.spans });
}

// ---------------------------------------------------------------- other reads

/**
 * Moves reads that are not at a slice of the step out of the fold, where that costs no more than
 * the variable itself in each step.
 */
function moveReads(f: Fold, t: Transposer): { fold: Fold; before: readonly Nest[] } {
  const before: Nest[] = [];
  const to = new Map<Read, Read>();
  const inside = boundVars(f);
  const bodyAxes = axesIn(f.body);
  for (const r of outsideReads(f, t)) {
    if (isSlice(r, f.l)) continue;
    const m = moveRead(r, f, t, inside, bodyAxes);
    if (m === undefined) continue;
    before.push(m.nest);
    to.set(r, m.read);
  }
  if (to.size === 0) return { fold: f, before };
  const body = rewriteUses(f.body, { name: (x) => x, read: (r) => to.get(r) });
  return { fold: { ...f, body }, before };
}

function moveRead(
  r: Read,
  f: Fold,
  t: Transposer,
  inside: ReadonlySet<Var>,
  bodyAxes: readonly Axis[],
): { nest: Nest; read: Read } | undefined {
  const used = new Set<AxisId>();
  for (const ix of r.ix) {
    for (const id of freeAxesIx(ix)) used.add(id);
    // A place that the body itself computes is not known outside.
    if (!freeVarsIx(ix).isDisjointFrom(inside)) return undefined;
  }
  const index = bodyAxes.filter((a) => used.has(a.id));
  const stepped = used.has(f.l.id);
  const cells = sizeOf(r.x.shape);
  const through = sizeOf(index.map((a) => a.extent));
  if (stepped ? through > cells : through >= cells) return undefined;

  const vars = stepped ? [f.l, ...index] : index;
  const known = new Set(vars.map((a) => a.id));
  const guard = r.guard.filter(
    (g) =>
      freeVarsIx(g.e).isDisjointFrom(inside) &&
      [...freeAxesIx(g.e)].every((id) => known.has(id) || !isBodyAxis(id, f, bodyAxes)),
  );
  const extents: Extents = (id) => vars.find((a) => a.id === id)?.extent ?? t.outer(id);
  if (guard.length < r.guard.length && !inRange(r, guard, extents)) return undefined;

  const fresh = vars.map((a) => t.supply.axis(a.extent, a.name));
  const rename = substAxes(new Map(vars.map((a, i) => [a.id, ixAxis(fresh[i]!)])), extents);
  const v = t.supply.var(
    r.x.name,
    'f32',
    fresh.map((a) => a.extent),
  );
  t.linear.add(v);
  const body = readE(r.x, r.ix.map(rename.ix), guard.map(rename.guard));
  const nest = mapNest(v, fresh, body, f.spans);
  return {
    nest,
    read: readE(
      v,
      vars.map((a) => ixAxis(a)),
      r.guard,
    ) as Read,
  };
}

function isBodyAxis(id: AxisId, f: Fold, bodyAxes: readonly Axis[]): boolean {
  return id === f.l.id || bodyAxes.some((a) => a.id === id);
}

function inRange(r: Read, guard: readonly Guard[], extents: Extents): boolean {
  return r.ix.every((ix, d) => {
    const range = interval(ix, extents);
    if (range.lo >= 0 && range.hi < r.x.shape[d]!) return true;
    return guard.some((g) => {
      const shift = subIx(ix, g.e);
      return (
        shift.terms.length === 0 &&
        decideGuard({ e: ix, lo: 0, hi: r.x.shape[d]! }, extents) !== 'never' &&
        g.lo + shift.c >= 0 &&
        g.hi + shift.c <= r.x.shape[d]!
      );
    });
  });
}

/** The axes bound inside a block: steps of inner folds first, outermost first. */
function axesIn(body: readonly Stmt[]): readonly Axis[] {
  const steps = new Map<AxisId, Axis>();
  const others = new Map<AxisId, Axis>();
  walkStmts(body, (s) => {
    if (s.k === 'fold') steps.set(s.l.id, s.l);
    else if (s.k === 'nest') for (const a of [...s.axes, ...s.red]) others.set(a.id, a);
    else if (s.k === 'segsum') for (const a of s.axes) others.set(a.id, a);
  });
  return [...steps.values(), ...others.values()];
}
