/**
 * Making and renaming statements: fresh variables and axes, nests of a given form, walks over blocks.
 *
 * Invariant: there is no global counter. A `Supply` belongs to one compilation, so two compilations
 * of one program give the same ids and printed IR, whatever ran before.
 */
import type { Span } from '../../dsl/source.ts';
import type {
  Axis,
  AxisId,
  Core,
  Custom,
  Dtype,
  Expr,
  Fold,
  Ix,
  Nest,
  ReduceOp,
  SegSum,
  Stmt,
  Stored,
  Var,
} from '../core.ts';
import { eachVal, freeAxes, freeAxesIx, freeVars, freeVarsIx, readE, rewriter } from './expr.ts';
import { eachAtom, ixAxis } from './ix.ts';

// ---------------------------------------------------------------- fresh names

/** Fresh ids of one compilation. */
export type Supply = {
  readonly var: (name: string, t: Dtype, shape: readonly number[]) => Var;
  /** A variable like another one, under another identity. */
  readonly like: (x: Var, name?: string) => Var;
  readonly axis: (extent: number, name?: string) => Axis;
  /** One fresh axis per dimension. */
  readonly axes: (shape: readonly number[], names?: readonly string[]) => readonly Axis[];
};

const letters = 'ijkmnopqrs';

/** A whole number without a size is never stored: a defect of the compiler, never of a program. */
export function stored(t: Dtype): Stored {
  if (t === 'int') throw new Error('an exact integer has no storage');
  return t;
}

export function newSupply(
  from: { readonly var: number; readonly axis: number } = { var: 0, axis: 0 },
): Supply {
  let nextVar = from.var;
  let nextAxis = from.axis;
  const axis = (extent: number, name = 'i'): Axis => ({ id: nextAxis++, extent, name });
  const variable = (name: string, t: Dtype, shape: readonly number[]): Var => ({
    id: nextVar++,
    name,
    t: stored(t),
    shape,
  });
  return {
    var: variable,
    like: (x, name = x.name) => variable(name, x.t, x.shape),
    axis,
    axes: (shape, names) =>
      shape.map((n, i) => axis(n, names?.[i] ?? letters[i % letters.length]!)),
  };
}

/** A supply whose ids are all larger than those of the program. */
export function supplyAfter(core: Core): Supply {
  let v = -1;
  let a = -1;
  const seeVar = (x: Var) => {
    v = Math.max(v, x.id);
  };
  const seeAxis = (x: { readonly id: AxisId }) => {
    a = Math.max(a, x.id);
  };
  core.inputs.forEach(seeVar);
  for (const c of core.consts) seeVar(c.v);
  walkStmts(core.body, (s) => {
    for (const d of allDefs(s)) seeVar(d);
    if (s.k === 'nest') [...s.axes, ...s.red].forEach(seeAxis);
    else if (s.k === 'segsum') s.axes.forEach(seeAxis);
    else if (s.k === 'fold') seeAxis(s.l);
  });
  return newSupply({ var: v + 1, axis: a + 1 });
}

// ---------------------------------------------------------------- nests

/** v[axes] = body */
export function mapNest(v: Var, axes: readonly Axis[], body: Expr, spans: readonly Span[]): Nest {
  return { k: 'nest', v, axes, red: [], op: null, body, spans };
}

/** v[axes] = op(red) body */
export function reduceNest(
  v: Var,
  axes: readonly Axis[],
  op: ReduceOp,
  red: readonly Axis[],
  body: Expr,
  spans: readonly Span[],
): Nest {
  return { k: 'nest', v, axes, red, op, body, spans };
}

/** x[axes...] at plain axes. */
export function readAt(x: Var, axes: readonly (Axis | Ix)[]): Expr {
  return readE(
    x,
    axes.map((a) => ('terms' in a ? a : ixAxis(a))),
  );
}

/** A fresh variable of the given shape defined by f of its indices. */
export function tabulate(
  supply: Supply,
  name: string,
  shape: readonly number[],
  f: (ix: readonly Ix[]) => Expr,
  spans: readonly Span[],
): Nest {
  const axes = supply.axes(shape);
  const body = f(axes.map((a) => ixAxis(a)));
  return mapNest(supply.var(name, body.t, shape), axes, body, spans);
}

/** The dtype that a reduction of a body of type `t` gives. */
export function reduceType(op: ReduceOp | null, t: Dtype): Dtype {
  return op === 'argmax' || op === 'argmin' ? 'i32' : t;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}

// ---------------------------------------------------------------- walks

/** The variables a statement defines in the scope it stands in. */
export function defsOf(s: Stmt): readonly Var[] {
  switch (s.k) {
    case 'nest':
    case 'segsum':
      return [s.v];
    case 'fold':
      return [...s.carry.map((c) => c.out), ...s.ys.map((y) => y.v), ...s.acc.map((a) => a.v)];
    case 'custom':
      return s.outs;
  }
}

/** As `defsOf`, with the variables bound inside it but by no statement of its blocks. */
export function allDefs(s: Stmt): readonly Var[] {
  switch (s.k) {
    case 'nest':
    case 'segsum':
      return [s.v];
    case 'fold':
      return [...defsOf(s), ...s.carry.map((c) => c.in)];
    case 'custom':
      return s.jvp.dins;
  }
}

/** Visits statements before the statements of their blocks, in order. */
export function walkStmts(body: readonly Stmt[], f: (s: Stmt) => void): void {
  for (const s of body) {
    f(s);
    if (s.k === 'fold') walkStmts(s.body, f);
    else if (s.k === 'custom') {
      walkStmts(s.body, f);
      walkStmts(s.jvp.body, f);
    }
  }
}

/** The root expressions of a nest or segment sum: body, and those inside its store indices. */
export function rootsOf(s: Nest | SegSum): readonly Expr[] {
  if (s.k === 'nest') return [s.body];
  const out: Expr[] = [s.body];
  for (const ix of s.at) eachVal(ix, (e) => out.push(e));
  for (const g of s.guard) eachVal(g.e, (e) => out.push(e));
  return out;
}

/** The variables a statement needs from the scope it stands in. */
export function usesOf(s: Stmt): ReadonlySet<Var> {
  const out = new Set<Var>();
  switch (s.k) {
    case 'nest':
      return freeVars(s.body);
    case 'segsum':
      for (const r of rootsOf(s)) for (const x of freeVars(r)) out.add(x);
      return out;
    case 'fold': {
      for (const x of usesOfBlock(s.body)) out.add(x);
      for (const c of s.carry) out.add(c.next);
      for (const y of s.ys) out.add(y.elem);
      for (const a of s.acc) {
        out.add(a.add);
        if (a.at !== null) for (const x of freeVarsIx(a.at)) out.add(x);
      }
      for (const b of s.body) for (const d of defsOf(b)) out.delete(d);
      for (const c of s.carry) out.delete(c.in);
      for (const c of s.carry) out.add(c.init);
      for (const a of s.acc) out.add(a.init);
      return out;
    }
    case 'custom': {
      for (const x of usesOfBlock([...s.body, ...s.jvp.body])) out.add(x);
      for (const x of [...s.outs, ...s.jvp.douts]) out.add(x);
      for (const b of [...s.body, ...s.jvp.body]) for (const d of defsOf(b)) out.delete(d);
      for (const d of s.jvp.dins) out.delete(d);
      // Named, even where neither block reads them.
      for (const x of s.ins) out.add(x);
      return out;
    }
  }
}

/** The variables a block needs from outside. */
export function usesOfBlock(body: readonly Stmt[]): Set<Var> {
  const out = new Set<Var>();
  const defined = new Set<Var>();
  for (const s of body) {
    for (const x of usesOf(s)) if (!defined.has(x)) out.add(x);
    for (const d of defsOf(s)) defined.add(d);
  }
  return out;
}

/** The axes that occur in a statement but are bound outside it. */
export function freeAxesOfStmt(s: Stmt): Set<AxisId> {
  const out = new Set<AxisId>();
  const add = (ids: Iterable<AxisId>) => {
    for (const id of ids) out.add(id);
  };
  switch (s.k) {
    case 'nest':
      add(freeAxes(s.body));
      for (const a of [...s.axes, ...s.red]) out.delete(a.id);
      return out;
    case 'segsum':
      add(freeAxes(s.body));
      for (const ix of s.at) add(freeAxesIx(ix));
      for (const g of s.guard) add(freeAxesIx(g.e));
      for (const a of s.axes) out.delete(a.id);
      return out;
    case 'fold':
      for (const b of s.body) add(freeAxesOfStmt(b));
      for (const a of s.acc)
        if (a.at !== null) eachAtom(a.at, (x) => x.k === 'axis' && out.add(x.id));
      out.delete(s.l.id);
      return out;
    case 'custom':
      for (const b of [...s.body, ...s.jvp.body]) add(freeAxesOfStmt(b));
      return out;
  }
}

// ---------------------------------------------------------------- renaming

/**
 * A block with other outer variables and axes, and fresh identities for everything it defines, so
 * that it may stand a second time (recomputation, inlining). `vars` maps outer variables and
 * receives the new definitions; `axes` gives indices for axes bound outside.
 */
export function copyBlock(
  body: readonly Stmt[],
  supply: Supply,
  vars: Map<Var, Var> = new Map(),
  axes: ReadonlyMap<AxisId, Ix> = new Map(),
): readonly Stmt[] {
  const bound = new Map<AxisId, Ix>(axes);
  const x = (v: Var): Var => vars.get(v) ?? v;
  const def = (v: Var): Var => {
    const w = supply.like(v);
    vars.set(v, w);
    return w;
  };
  const freshAxis = (a: Axis): Axis => {
    const b = supply.axis(a.extent, a.name);
    bound.set(a.id, ixAxis(b));
    return b;
  };
  /** Extents are those of copied axes: equal to the old ones, so div and mod stay as they are. */
  const rw = () =>
    rewriter({
      axis: (id) => bound.get(id),
      node: (e) => (e.k === 'read' && vars.has(e.x) ? readE(x(e.x), e.ix, e.guard) : e),
    });

  const one = (s: Stmt): Stmt => {
    switch (s.k) {
      case 'nest': {
        const as = s.axes.map(freshAxis);
        const red = s.red.map(freshAxis);
        const e = rw().expr(s.body);
        return { ...s, v: def(s.v), axes: as, red, body: e };
      }
      case 'segsum': {
        const as = s.axes.map(freshAxis);
        const r = rw();
        const [at, guard, e] = [s.at.map(r.ix), s.guard.map(r.guard), r.expr(s.body)];
        return { ...s, v: def(s.v), axes: as, at, guard, body: e };
      }
      case 'fold':
        return copyFold(s);
      case 'custom':
        return copyCustom(s);
    }
  };
  const copyFold = (s: Fold): Fold => {
    const carryInit = s.carry.map((c) => x(c.init));
    const accInit = s.acc.map((a) => x(a.init));
    const l = freshAxis(s.l);
    const ins = s.carry.map((c) => def(c.in));
    const inner = s.body.map(one);
    const r = rw();
    const nexts = s.carry.map((c) => x(c.next));
    const elems = s.ys.map((y) => x(y.elem));
    const adds = s.acc.map((a) => x(a.add));
    return {
      ...s,
      l,
      carry: s.carry.map((c, i) => ({
        in: ins[i]!,
        init: carryInit[i]!,
        next: nexts[i]!,
        out: def(c.out),
      })),
      ys: s.ys.map((y, i) => ({ v: def(y.v), elem: elems[i]! })),
      acc: s.acc.map((a, i) => ({
        v: def(a.v),
        init: accInit[i]!,
        add: adds[i]!,
        at: a.at === null ? null : r.ix(a.at),
      })),
      body: inner,
    };
  };
  const copyCustom = (s: Custom): Custom => {
    const ins = s.ins.map(x);
    const inner = s.body.map(one);
    const dins = s.jvp.dins.map(def);
    const tangent = s.jvp.body.map(one);
    return {
      ...s,
      ins,
      outs: s.outs.map(x),
      body: inner,
      jvp: { dins, douts: s.jvp.douts.map(x), body: tangent },
    };
  };
  return body.map(one);
}
