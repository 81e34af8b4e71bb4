/**
 * Core to steps: one kernel per nest, loops for folds, and no copy where storage can be shared.
 *
 * What a fold carries lives in two slots that alternate by `step mod 2`; when it is saved as `ys` it
 * lives in one stacked array of trip + 1 slices, of which the saved variable is a view. What a body
 * computes for a carry, a `ys` slice or an accumulator is written there directly ("claimed"); only
 * what cannot be claimed is copied.
 *
 * Invariant: a variable has one place, written once per iteration of the loops around it. The
 * independent axes of a kernel that adds (accumulators, segment sums) stand in `grid`; its `axes`
 * are run in order, because they may meet in one cell.
 */

import {
  addIx,
  extentsOf,
  ixAxis,
  ixConst,
  ixZero,
  modIx,
  noExtents,
  scaleIx,
  subIx,
} from '../core/ix.ts';
import type { Axis, Core, Expr, Fold, Ix, Nest, SegSum, Stmt, Var } from '../core.ts';
import type { Buf, BufId, KExpr, Kernel, KNest, Step } from '../plan.ts';
import { Access, type Place, rowMajor, shift, size } from './access.ts';
import { dropUnits } from './axes.ts';

export type Lowered = {
  readonly bufs: Buf[];
  readonly steps: Step[];
  readonly inputs: BufId[];
  /** Where each output of the program ends up. */
  readonly outputs: { readonly v: Var; readonly place: Place }[];
  readonly nextAxis: number;
  readonly nextKernel: number;
};

/** A nest that should not be stored by itself but added into an accumulator. */
type AddInto = { readonly place: Place; readonly shape: readonly number[] };

export function lower(core: Core): Lowered {
  return new Lowering(core).run();
}

class Lowering {
  readonly #core: Core;
  readonly #bufs: Buf[] = [];
  readonly #places = new Map<number, Place>();
  readonly #claims = new Map<number, Place>();
  readonly #adds = new Map<number, AddInto>();
  readonly #uses: Map<number, number>;
  readonly #loops: Axis[] = [];
  #axis: number;
  #kernel = 0;

  constructor(core: Core) {
    this.#core = core;
    this.#uses = countUses(core);
    this.#axis = maxAxis(core.body) + 1;
  }

  run(): Lowered {
    const inputs = this.#core.inputs.map((v) => {
      const p = this.#alloc(v.name, v.t, size(v.shape), 'input', v.bound);
      this.#places.set(v.id, { ...p, strides: rowMajor(v.shape) });
      return p.buf;
    });
    for (const c of this.#core.consts) {
      const id = this.#bufs.length;
      const words = size(c.v.shape);
      this.#bufs.push({ id, name: c.v.name, t: c.v.t, words, kind: 'const', data: c.data });
      this.#places.set(c.v.id, { buf: id, base: ixZero, strides: rowMajor(c.v.shape) });
    }
    const steps = this.#block(this.#core.body);
    const outputs = this.#core.outputs.map((v) => ({ v, place: this.#place(v) }));
    return {
      bufs: this.#bufs,
      steps,
      inputs,
      outputs,
      nextAxis: this.#axis,
      nextKernel: this.#kernel,
    };
  }

  #alloc(
    name: string,
    t: Buf['t'],
    words: number,
    kind: Buf['kind'] = 'temp',
    bound?: number,
  ): Place {
    const id = this.#bufs.length;
    this.#bufs.push({ id, name, t, words, kind, ...(bound === undefined ? {} : { bound }) });
    return { buf: id, base: ixZero, strides: [] };
  }

  #place(v: Var): Place {
    const p = this.#places.get(v.id);
    if (!p) throw new Error(`schedule: ${v.name} is used before it is defined`);
    return p;
  }

  /** The place a definition is to be stored at: claimed by a carry, slice or sum, or a new buffer. */
  #define(v: Var): Place {
    const claimed = this.#claims.get(v.id);
    const place = claimed ?? {
      ...this.#alloc(v.name, v.t, size(v.shape)),
      strides: rowMajor(v.shape),
    };
    this.#places.set(v.id, place);
    return place;
  }

  #block(body: readonly Stmt[]): Step[] {
    this.#claimInits(body);
    return body.flatMap((s) => this.#stmt(s));
  }

  #stmt(s: Stmt): Step[] {
    switch (s.k) {
      case 'nest':
        return [this.#nest(s)];
      case 'segsum':
        return this.#segsum(s);
      case 'fold':
        return this.#fold(s);
      case 'custom':
        return s.body.flatMap((x) => this.#stmt(x));
    }
  }

  /** For expressions over these axes. */
  #access(...axes: readonly (readonly Axis[])[]): Access {
    const placeOf = (id: number): Place => {
      const p = this.#places.get(id);
      if (!p) throw new Error(`schedule: variable ${id} is read before it is defined`);
      return p;
    };
    return new Access(placeOf, extentsOf(this.#loops, ...axes));
  }

  #kernelOf(name: string, grid: readonly Axis[], nests: KNest[]): Kernel {
    // Without axes of one step: accesses of one cell then look alike.
    return dropUnits({
      k: 'kernel',
      id: this.#kernel++,
      name,
      grid,
      nests,
      loops: [...this.#loops],
    });
  }

  #nest(n: Nest): Kernel {
    const acc = this.#access(n.axes, n.red);
    const body = acc.expr(n.body);
    const add = this.#adds.get(n.v.id);
    const place = add ? add.place : this.#define(n.v);
    const to = acc.flat(
      place,
      n.axes.map((a) => ixAxis(a.id)),
      n.v.shape,
    );
    const mode = add ? 'add' : 'set';
    const store = { buf: place.buf, at: to, guard: [], mode } as const;
    const nest: KNest = {
      axes: add ? [] : n.axes,
      red: n.red,
      op: n.op,
      body,
      store,
      spans: n.spans,
    };
    return this.#kernelOf(n.v.name, add ? n.axes : [], [nest]);
  }

  #segsum(s: SegSum): Step[] {
    const place = this.#define(s.v);
    const clear = this.#fill(s.v, place);
    const acc = this.#access(s.axes);
    const { at, guard, body } = acc.sum(place, s);
    const grid = s.axes.filter((a) => isFree(a, s.at));
    const nest: KNest = {
      axes: s.axes.filter((a) => !grid.includes(a)),
      red: [],
      op: null,
      body,
      store: { buf: place.buf, at, guard, mode: 'add' },
      spans: s.spans,
    };
    return [clear, this.#kernelOf(s.v.name, grid, [nest])];
  }

  #axesFor(shape: readonly number[]): Axis[] {
    return shape.map((extent, i) => ({ id: this.#axis++, extent, name: `c${i}` }));
  }

  #fill(v: Var, place: Place): Kernel {
    const axes = this.#axesFor(v.shape);
    const nest: KNest = {
      axes,
      red: [],
      op: null,
      body: { k: 'const', t: v.t, v: 0 },
      store: {
        buf: place.buf,
        at: this.#access().flat(
          place,
          axes.map((a) => ixAxis(a.id)),
          v.shape,
        ),
        guard: [],
        mode: 'set',
      },
      spans: [],
    };
    return this.#kernelOf(`${v.name}.zero`, [], [nest]);
  }

  /** to[i...] = from[i...], or += with `add`. */
  #copy(v: Var, from: Place, to: Place, add = false): Kernel {
    const axes = this.#axesFor(v.shape);
    const ix = axes.map((a) => ixAxis(a.id));
    const acc = this.#access();
    const body: KExpr = {
      k: 'load',
      t: v.t,
      buf: from.buf,
      at: acc.flat(from, ix, v.shape),
      guard: [],
    };
    const nest: KNest = {
      axes: add ? [] : axes,
      red: [],
      op: null,
      body,
      store: { buf: to.buf, at: acc.flat(to, ix, v.shape), guard: [], mode: add ? 'add' : 'set' },
      spans: [],
    };
    return this.#kernelOf(`${v.name}.${add ? 'add' : 'copy'}`, add ? axes : [], [nest]);
  }

  // ------------------------------------------------------------------ folds

  readonly #slots = new Map<Fold, readonly Slots[]>();

  /**
   * An initial value that only starts one carry or one accumulator is computed in its first slot.
   * (Another use could read it after the slot has been overwritten; a stacked slot never is.)
   */
  #claimInits(body: readonly Stmt[]): void {
    const here = new Set(
      body.flatMap((s) => (s.k === 'nest' && !this.#claims.has(s.v.id) ? [s.v.id] : [])),
    );
    for (const s of body) {
      if (s.k !== 'fold' || s.trip === 0) continue;
      const slots = s.carry.map((c) => this.#slotsFor(s, c));
      this.#slots.set(s, slots);
      slots.forEach((slot, i) => {
        const init = s.carry[i]!.init;
        const free = slot.stacked || this.#uses.get(init.id) === 1;
        if (here.delete(init.id) && free) this.#claims.set(init.id, slot.init);
      });
      for (const a of s.acc)
        if (this.#uses.get(a.init.id) === 1 && here.delete(a.init.id))
          this.#claims.set(a.init.id, this.#define(a.v));
    }
  }

  #slotsFor(f: Fold, c: Fold['carry'][number]): Slots {
    const words = size(c.in.shape);
    const strides = rowMajor(c.in.shape);
    const next = definedIn(f.body).has(c.next.id) && !this.#claims.has(c.next.id);
    const saved = f.ys.filter((y) => y.elem === c.in || (next && y.elem === c.next));
    const l = ixAxis(f.l.id);
    const stacked = saved.length > 0;
    const slot = (e: Ix, base: Place): Place => shift(base, scaleIx(e, words));
    const count = stacked ? f.trip + 1 : 2;
    const base = { ...this.#alloc(c.in.name, c.in.t, count * words), strides };
    // The step number runs up in both directions; the index of a slice is l's.
    const step = f.rev ? subIx(ixConst(f.trip - 1), l) : l;
    const inAt = stacked ? (f.rev ? addIx(l, ixConst(1)) : l) : modIx(step, 2, noExtents);
    const nextAt = stacked
      ? f.rev
        ? l
        : addIx(l, ixConst(1))
      : modIx(addIx(step, ixConst(1)), 2, noExtents);
    const first = stacked && f.rev ? f.trip : 0;
    const last = stacked ? (f.rev ? 0 : f.trip) : f.trip % 2;
    const out: Slots = {
      stacked,
      in: slot(inAt, base),
      next: slot(nextAt, base),
      init: slot(ixConst(first), base),
      out: slot(ixConst(last), base),
    };
    if (next) this.#claims.set(c.next.id, out.next);
    for (const y of saved) {
      const from = (y.elem === c.in) === f.rev ? 1 : 0;
      this.#places.set(y.v.id, {
        ...slot(ixConst(from), base),
        strides: rowMajor(y.v.shape),
      });
    }
    return out;
  }

  #fold(f: Fold): Step[] {
    if (f.trip === 0) {
      for (const c of f.carry) this.#places.set(c.out.id, this.#place(c.init));
      for (const a of f.acc) this.#places.set(a.v.id, this.#place(a.init));
      for (const y of f.ys) this.#define(y.v);
      return [];
    }
    const before: Step[] = [];
    const inner = definedIn(f.body);
    const slots = this.#slots.get(f) ?? f.carry.map((c) => this.#slotsFor(f, c));
    f.carry.forEach((c, i) => {
      const slot = slots[i]!;
      if (!same(this.#place(c.init), slot.init))
        before.push(this.#copy(c.init, this.#place(c.init), slot.init));
      this.#places.set(c.in.id, slot.in);
      this.#places.set(c.out.id, slot.out);
    });
    const late: (() => Kernel)[] = [];
    for (const y of f.ys) {
      if (this.#places.has(y.v.id)) continue;
      const whole = this.#define(y.v);
      const slice: Place = {
        buf: whole.buf,
        base: addIx(whole.base, scaleIx(ixAxis(f.l.id), whole.strides[0]!)),
        strides: whole.strides.slice(1),
      };
      if (inner.has(y.elem.id) && !this.#claims.has(y.elem.id)) this.#claims.set(y.elem.id, slice);
      else late.push(() => this.#copy(y.elem, this.#place(y.elem), slice));
    }
    for (const a of f.acc) {
      const whole = this.#places.get(a.v.id) ?? this.#define(a.v);
      if (!same(this.#place(a.init), whole))
        before.push(this.#copy(a.v, this.#place(a.init), whole));
      const slice: Place = a.at
        ? {
            buf: whole.buf,
            base: addIx(whole.base, scaleIx(a.at, whole.strides[0]!)),
            strides: whole.strides.slice(1),
          }
        : whole;
      const direct =
        f.body.some(
          (s) => s.k === 'nest' && s.v === a.add && s.op !== 'argmax' && s.op !== 'argmin',
        ) && this.#uses.get(a.add.id) === 1;
      if (direct) this.#adds.set(a.add.id, { place: slice, shape: a.add.shape });
      else late.push(() => this.#copy(a.add, this.#place(a.add), slice, true));
    }
    this.#loops.push(f.l);
    const steps = this.#block(f.body);
    for (const make of late) steps.push(make());
    f.carry.forEach((c, i) => {
      const slot = slots[i]!;
      if (!same(this.#place(c.next), slot.next))
        steps.push(this.#copy(c.next, this.#place(c.next), slot.next));
    });
    this.#loops.pop();
    return [...before, { k: 'loop', axis: f.l, rev: f.rev, steps }];
  }
}

/** Where the values of one carry live at step l. */
type Slots = {
  readonly stacked: boolean;
  readonly in: Place;
  readonly next: Place;
  readonly init: Place;
  readonly out: Place;
};

const same = (a: Place, b: Place): boolean =>
  a.buf === b.buf && JSON.stringify([a.base, a.strides]) === JSON.stringify([b.base, b.strides]);

/** A segment-sum axis is independent when one index of the output is that axis and nothing else. */
const isFree = (a: Axis, at: readonly Ix[]): boolean =>
  at.some((e) => {
    const t = e.terms[0];
    return e.terms.length === 1 && t!.a.k === 'axis' && t!.a.id === a.id;
  });

/** Variables defined by the nests and segment sums directly in a body: those that can be claimed. */
function definedIn(body: readonly Stmt[]): Set<number> {
  return new Set(body.flatMap((s) => (s.k === 'nest' || s.k === 'segsum' ? [s.v.id] : [])));
}

function countUses(core: Core): Map<number, number> {
  const uses = new Map<number, number>();
  const use = (v: Var): void => {
    uses.set(v.id, (uses.get(v.id) ?? 0) + 1);
  };
  const stmt = (s: Stmt): void => {
    switch (s.k) {
      case 'nest':
        eachRead(s.body, use);
        return;
      case 'segsum':
        eachRead(s.body, use);
        for (const e of s.at) eachVal(e, use);
        for (const g of s.guard) eachVal(g.e, use);
        return;
      case 'custom':
        s.body.forEach(stmt);
        return;
      case 'fold':
        for (const c of s.carry) {
          use(c.init);
          use(c.next);
        }
        for (const y of s.ys) use(y.elem);
        for (const a of s.acc) {
          use(a.init);
          use(a.add);
        }
        s.body.forEach(stmt);
        return;
    }
  };
  core.body.forEach(stmt);
  core.outputs.forEach(use);
  return uses;
}

function eachRead(e: Expr, f: (v: Var) => void, seen: Set<Expr> = new Set()): void {
  if (seen.has(e)) return;
  seen.add(e);
  switch (e.k) {
    case 'const':
      return;
    case 'index':
      eachVal(e.ix, f, seen);
      return;
    case 'prim':
      for (const a of e.args) eachRead(a, f, seen);
      return;
    case 'read':
      f(e.x);
      for (const i of e.ix) eachVal(i, f, seen);
      for (const g of e.guard) eachVal(g.e, f, seen);
      return;
  }
}

function eachVal(e: Ix, f: (v: Var) => void, seen: Set<Expr> = new Set()): void {
  for (const t of e.terms) {
    if (t.a.k === 'val') eachRead(t.a.e, f, seen);
    else if (t.a.k !== 'axis') eachVal(t.a.e, f, seen);
  }
}

function maxAxis(body: readonly Stmt[]): number {
  let max = 0;
  for (const s of body) {
    const own =
      s.k === 'nest'
        ? [...s.axes, ...s.red]
        : s.k === 'segsum'
          ? s.axes
          : s.k === 'fold'
            ? [s.l]
            : [];
    for (const a of own) max = Math.max(max, a.id);
    if (s.k === 'fold' || s.k === 'custom') max = Math.max(max, maxAxis(s.body));
  }
  return max;
}
