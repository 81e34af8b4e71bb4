/**
 * Scalar expressions: typed constructors, and folds, rewrites and substitutions over expression DAGs.
 *
 * Invariant: every walk visits a node once (results are remembered by node identity), so shared
 * nodes stay shared and cost is linear in the DAG; constructors refuse ill-typed arguments by
 * throwing, since an ill-typed node is a defect of the compiler and never of a program. Rewriters
 * return the very node they were given when nothing below it changed.
 */
import type { AxisId, Dtype, Expr, Guard, Ix, Prim, Var } from '../core.ts';
import {
  decideGuard,
  type Extents,
  eachAtom,
  fitsI32,
  interval,
  isConst,
  mapIx,
  noExtents,
} from './ix.ts';
import { primType } from './prim.ts';

export type Read = Extract<Expr, { k: 'read' }>;
export type PrimExpr = Extract<Expr, { k: 'prim' }>;

// ---------------------------------------------------------------- constructors

export function constE(t: Dtype, v: number): Expr {
  return { k: 'const', t, v };
}
export const f32 = (v: number): Expr => constE('f32', v);
export const i32 = (v: number): Expr => constE('i32', v);
export const u32 = (v: number): Expr => constE('u32', v);
export const bool = (v: boolean): Expr => constE('bool', v ? 1 : 0);
export const zeroE = (t: Dtype): Expr => constE(t, 0);

export function indexE(ix: Ix, t: 'i32' | 'int' = 'i32'): Expr {
  return { k: 'index', t, ix };
}

/** A read as given. `readIn` also decides its guards where the extents are known. */
export function readE(x: Var, ix: readonly Ix[], guard: readonly Guard[] = []): Expr {
  if (ix.length !== x.shape.length) {
    throw new Error(`read of ${x.name}#${x.id}: ${ix.length} indices for rank ${x.shape.length}`);
  }
  return { k: 'read', t: x.t, x, ix, guard };
}

/** A read whose guards are dropped where they always hold; a constant 0 where one never does. */
export function readIn(
  extents: Extents,
  x: Var,
  ix: readonly Ix[],
  guard: readonly Guard[] = [],
): Expr {
  if (guard.length === 0) return readE(x, ix);
  const kept = keepGuards(guard, extents);
  return kept === 'never' ? zeroE(x.t) : readE(x, ix, kept);
}

/** The guards that still decide something; 'never' when one of them cannot hold. */
export function keepGuards(guard: readonly Guard[], extents: Extents): readonly Guard[] | 'never' {
  const kept: Guard[] = [];
  for (const g of guard) {
    const d = decideGuard(g, extents);
    if (d === 'never') return 'never';
    if (d === 'depends') kept.push(g);
  }
  return kept.length === guard.length ? guard : kept;
}

export function prim(op: Prim, ...args: readonly Expr[]): PrimExpr {
  const t = primType[op](args.map((a) => a.t));
  if (t === undefined) throw new Error(`${op} does not take (${args.map((a) => a.t).join(', ')})`);
  return { k: 'prim', t, op, args };
}

export function castE(t: Dtype, e: Expr): Expr {
  return e.t === t ? e : { k: 'prim', t, op: 'cast', args: [e] };
}

/** A prim node with other arguments: the result type of `cast` is kept, others are inferred. */
export function withArgs(e: PrimExpr, args: readonly Expr[]): Expr {
  return e.op === 'cast' ? castE(e.t, args[0]!) : prim(e.op, ...args);
}

export function selectE(cond: Expr, a: Expr, b: Expr): Expr {
  if (cond.k === 'const') return cond.v !== 0 ? a : b;
  return a === b ? a : prim('select', cond, a, b);
}

/** The condition `lo <= e < hi` for all guards, over whole numbers: in 32 bits where they fit. */
export function insideE(guard: readonly Guard[], extents: Extents = noExtents): Expr {
  const kept = keepGuards(guard, extents);
  if (kept === 'never') return bool(false);
  let out: Expr | undefined;
  for (const g of kept) {
    const { lo, hi } = interval(g.e, extents);
    const least = Math.min(lo, g.lo);
    const t = fitsI32({ lo: least, hi: Math.max(hi, g.hi) }) ? 'i32' : 'int';
    const e = indexE(g.e, t);
    const c = prim('and', prim('ge', e, constE(t, g.lo)), prim('lt', e, constE(t, g.hi)));
    out = out === undefined ? c : prim('and', out, c);
  }
  return out ?? bool(true);
}

/** `e` where all guards hold, else 0. */
export function guardE(guard: readonly Guard[], e: Expr, extents: Extents = noExtents): Expr {
  return selectE(insideE(guard, extents), e, zeroE(e.t));
}

// ---------------------------------------------------------------- walks

/** The expressions directly below a node: arguments, and those inside data-dependent indices. */
export function eachChild(e: Expr, f: (child: Expr) => void): void {
  switch (e.k) {
    case 'const':
      return;
    case 'index':
      eachVal(e.ix, f);
      return;
    case 'read':
      for (const ix of e.ix) eachVal(ix, f);
      for (const g of e.guard) eachVal(g.e, f);
      return;
    case 'prim':
      for (const a of e.args) f(a);
      return;
  }
}

/** The expressions of the val atoms of an index. */
export function eachVal(ix: Ix, f: (e: Expr) => void): void {
  for (const t of ix.terms) {
    if (t.a.k === 'val') f(t.a.e);
    else if (t.a.k !== 'axis') eachVal(t.a.e, f);
  }
}

/** Visits every node below (and at) the roots once, children first. */
export function walkExpr(f: (e: Expr) => void, ...roots: readonly Expr[]): void {
  const seen = new Set<Expr>();
  const go = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    eachChild(e, go);
    f(e);
  };
  for (const r of roots) go(r);
}

/** Bottom-up fold with memory per node; the returned function may be used on many roots. */
export function foldExpr<T>(alg: (e: Expr, go: (child: Expr) => T) => T): (e: Expr) => T {
  const memo = new Map<Expr, T>();
  const go = (e: Expr): T => {
    const known = memo.get(e);
    if (known !== undefined || memo.has(e)) return known as T;
    const out = alg(e, go);
    memo.set(e, out);
    return out;
  };
  return go;
}

/** How to rebuild an expression; what is left out stays as it is. */
export type Rewrite = {
  /** The index that an axis becomes. */
  readonly axis?: (id: AxisId) => Ix | undefined;
  /** Extents of the axes of the result, for simplification of div, mod and guards. */
  readonly extents?: Extents;
  /** Applied to each rebuilt node, children first. */
  readonly node?: (e: Expr) => Expr;
};

export type Rewriter = {
  readonly expr: (e: Expr) => Expr;
  readonly ix: (ix: Ix) => Ix;
  readonly guard: (g: Guard) => Guard;
};

/** A rewriter remembers nodes, so one rewriter used on many roots keeps their sharing. */
export function rewriter(rule: Rewrite): Rewriter {
  const axis = rule.axis ?? (() => undefined);
  const extents = rule.extents ?? noExtents;
  const node = rule.node ?? ((e: Expr) => e);
  const expr: (e: Expr) => Expr = foldExpr((e) => node(rebuild(e, ix, guard, expr, extents)));
  const ix = (i: Ix): Ix => mapIx(i, axis, expr, extents);
  const guard = (g: Guard): Guard => {
    const e = ix(g.e);
    return e === g.e ? g : { e, lo: g.lo, hi: g.hi };
  };
  return { expr, ix, guard };
}

function rebuild(
  e: Expr,
  ix: (i: Ix) => Ix,
  guard: (g: Guard) => Guard,
  go: (e: Expr) => Expr,
  extents: Extents,
): Expr {
  switch (e.k) {
    case 'const':
      return e;
    case 'index': {
      const i = ix(e.ix);
      return i === e.ix ? e : indexE(i, e.t);
    }
    case 'read': {
      const is = mapSame(e.ix, ix);
      const gs = mapSame(e.guard, guard);
      return is === e.ix && gs === e.guard ? e : readIn(extents, e.x, is, gs);
    }
    case 'prim': {
      const args = mapSame(e.args, go);
      return args === e.args ? e : withArgs(e, args);
    }
  }
}

/** map that returns the same array when no element changed. */
export function mapSame<T>(xs: readonly T[], f: (x: T) => T): readonly T[] {
  let out: T[] | undefined;
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i]!;
    const y = f(x);
    if (y !== x && out === undefined) out = xs.slice(0, i);
    out?.push(y);
  }
  return out ?? xs;
}

/** Children first: f sees nodes whose children are already rewritten. */
export function mapExpr(f: (e: Expr) => Expr): (e: Expr) => Expr {
  return rewriter({ node: f }).expr;
}

/** Replaces axes by indices, everywhere they stand; `extents` are those of the result's axes. */
export function substAxes(map: ReadonlyMap<AxisId, Ix>, extents: Extents): Rewriter {
  return rewriter({ axis: (id) => map.get(id), extents });
}

/** Replaces reads; what f returns undefined for stays. Indices inside are rewritten first. */
export function substReads(
  f: (r: Read) => Expr | undefined,
  extents: Extents = noExtents,
): (e: Expr) => Expr {
  return rewriter({ node: (e) => (e.k === 'read' ? (f(e) ?? e) : e), extents }).expr;
}

/** Replaces variables in reads by variables of the same shape and dtype. */
export function substVars(f: (x: Var) => Var | undefined): (e: Expr) => Expr {
  return substReads((r) => {
    const y = f(r.x);
    return y === undefined || y === r.x ? undefined : readE(y, r.ix, r.guard);
  });
}

// ---------------------------------------------------------------- free axes and variables

const noAxes: ReadonlySet<AxisId> = new Set();
const axesMemo = new WeakMap<Expr, ReadonlySet<AxisId>>();

/** The axes that occur anywhere in the expression (remembered per node). */
export function freeAxes(e: Expr): ReadonlySet<AxisId> {
  const known = axesMemo.get(e);
  if (known !== undefined) return known;
  let out: ReadonlySet<AxisId> = noAxes;
  const join = (s: ReadonlySet<AxisId>) => {
    out = unionSets(out, s);
  };
  switch (e.k) {
    case 'const':
      break;
    case 'index':
      join(freeAxesIx(e.ix));
      break;
    case 'read':
      for (const ix of e.ix) join(freeAxesIx(ix));
      for (const g of e.guard) join(freeAxesIx(g.e));
      break;
    case 'prim':
      for (const a of e.args) join(freeAxes(a));
      break;
  }
  axesMemo.set(e, out);
  return out;
}

export function freeAxesIx(ix: Ix): ReadonlySet<AxisId> {
  if (isConst(ix)) return noAxes;
  const out = new Set<AxisId>();
  eachAtom(ix, (a) => {
    if (a.k === 'axis') out.add(a.id);
    else if (a.k === 'val') for (const id of freeAxes(a.e)) out.add(id);
  });
  return out;
}

/** The union, reusing one of the sets when it holds the other. */
function unionSets<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  if (b.size === 0 || a === b) return a;
  if (a.size === 0) return b;
  const [big, small] = a.size >= b.size ? [a, b] : [b, a];
  if (small.isSubsetOf(big)) return big;
  return big.union(small);
}

const varsMemo = new WeakMap<Expr, ReadonlySet<Var>>();
const noVars: ReadonlySet<Var> = new Set();

/** The variables read anywhere in the expression (remembered per node). */
export function freeVars(e: Expr): ReadonlySet<Var> {
  const known = varsMemo.get(e);
  if (known !== undefined) return known;
  let out: ReadonlySet<Var> = noVars;
  if (e.k === 'read') out = new Set([e.x]);
  eachChild(e, (c) => {
    out = unionSets(out, freeVars(c));
  });
  varsMemo.set(e, out);
  return out;
}

/** The variables read by the data-dependent atoms of an index. */
export function freeVarsIx(ix: Ix): ReadonlySet<Var> {
  let out: ReadonlySet<Var> = noVars;
  eachVal(ix, (e) => {
    out = unionSets(out, freeVars(e));
  });
  return out;
}

/** The reads in the expression, each node once. */
export function readsOf(...roots: readonly Expr[]): readonly Read[] {
  const out: Read[] = [];
  walkExpr(
    (e) => {
      if (e.k === 'read') out.push(e);
    },
    ...roots,
  );
  return out;
}
