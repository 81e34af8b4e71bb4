/**
 * Where statements go while a function is elaborated, and how a pull array becomes one.
 *
 * Invariant: a nest ranges over exactly the axes its body depends on (the enclosing `for`s it
 * mentions, outermost first, then its own), so nothing is computed once per iteration that does not
 * vary with it. Axes of open folds are ambient: their statements stand inside the fold's body.
 */
import type { Span } from '../../dsl/source.ts';
import type { TProgram } from '../../dsl/typed.ts';
import { newSupply, reduceType, type Supply } from '../core/build.ts';
import { freeAxes, readE, walkExpr } from '../core/expr.ts';
import { addIx, asAxis, divIx, type Extents, ixAxis, modIx, scaleIx } from '../core/ix.ts';
import type { Axis, AxisId, ConstData, Expr, Ix, Prim, ReduceOp, Stmt, Var } from '../core.ts';
import { CompileError } from './errors.ts';
import type { Leaf } from './leaves.ts';
import { mapFields, mapScalars, substValue, type Tensor, type Value } from './value.ts';

export type Cx = {
  readonly program: TProgram;
  readonly supply: Supply;
  readonly axes: Map<AxisId, Axis>;
  readonly extents: Extents;
  readonly consts: ConstData[];
  readonly globals: Map<string, Value>;
  readonly ambient: Set<AxisId>;
  readonly limits: { readonly statements: number; readonly calls: number };
  /** The block that is being written. */
  stmts: Stmt[];
  span: Span;
  emitted: number;
  calls: number;
};

export function newCx(program: TProgram, span: Span, maxStatements: number): Cx {
  const axes = new Map<AxisId, Axis>();
  return {
    program,
    supply: newSupply(),
    axes,
    extents: (id) => axes.get(id)?.extent,
    consts: [],
    globals: new Map(),
    ambient: new Set(),
    limits: { statements: maxStatements, calls: maxStatements },
    stmts: [],
    span,
    emitted: 0,
    calls: 0,
  };
}

export function freshAxis(cx: Cx, extent: number, name: string): Axis {
  const a = cx.supply.axis(extent, name);
  cx.axes.set(a.id, a);
  return a;
}

/** Runs `f` writing into a new block (or the end of a given one) and gives that block back. */
export function inBlock<T>(
  cx: Cx,
  f: () => T,
  stmts: Stmt[] = [],
): { readonly stmts: Stmt[]; readonly result: T } {
  const outer = cx.stmts;
  cx.stmts = stmts;
  try {
    return { stmts, result: f() };
  } finally {
    cx.stmts = outer;
  }
}

export function push(cx: Cx, ...stmts: readonly Stmt[]): void {
  cx.emitted += stmts.length;
  if (cx.emitted > cx.limits.statements) {
    throw new CompileError(
      'E0805',
      `This program needs more than ${cx.limits.statements} tensors once its functions are specialised.`,
      cx.span,
      'A function that calls another twice doubles the work at each level; bind the result with `let`, or use `fold`.',
    );
  }
  for (const s of stmts) cx.stmts.push(s);
}

// ---------------------------------------------------------------- nests

/** Offsets are below 2^31, so that every target can count them. */
const maxElements = 2 ** 31 - 1;

/** The enclosing axes an expression mentions beyond `own`, outermost first. */
export function outerAxes(cx: Cx, e: Expr, own: readonly Axis[] = []): readonly Axis[] {
  const out: Axis[] = [];
  for (const id of freeAxes(e)) {
    if (cx.ambient.has(id) || own.some((a) => a.id === id)) continue;
    const a = cx.axes.get(id);
    if (a === undefined) throw new Error(`axis ${id} is not in scope`);
    out.push(a);
  }
  return sortAxes(out);
}

/** Axes are numbered as their binders are entered. */
export function sortAxes(axes: readonly Axis[]): readonly Axis[] {
  return [...axes].sort((a, b) => a.id - b.id);
}

export function unionAxes(...lists: readonly (readonly Axis[])[]): readonly Axis[] {
  return sortAxes([...new Map(lists.flat().map((a) => [a.id, a])).values()]);
}

export type Reduction = { readonly op: ReduceOp; readonly red: readonly Axis[] };

/** Emits v[axes...] = reduce(body) with exactly these axes. */
export function emitNest(
  cx: Cx,
  name: string,
  axes: readonly Axis[],
  body: Expr,
  reduce?: Reduction,
): Var {
  const shape = axes.map((a) => a.extent);
  const total = shape.reduce((n, d) => n * d, 1);
  if (total > maxElements) {
    throw new CompileError(
      'E0806',
      `A tensor here has ${total} elements (${shape.join(' x ')}), more than the ${maxElements} that a plan can hold.`,
      cx.span,
    );
  }
  const v = cx.supply.var(name, reduceType(reduce?.op ?? null, body.t), shape);
  push(cx, {
    k: 'nest',
    v,
    axes,
    red: reduce?.red ?? [],
    op: reduce?.op ?? null,
    body,
    spans: [cx.span],
  });
  return v;
}

/** A reduction of a scalar body: the value of its nest, over the outer axes it depends on. */
export function emitReduce(cx: Cx, name: string, body: Expr, reduce: Reduction): Expr {
  const outer = outerAxes(cx, body, reduce.red);
  const v = emitNest(cx, name, outer, body, reduce);
  return readE(
    v,
    outer.map((a) => ixAxis(a)),
  );
}

/** The index of each radix of one dim, and the other way round. */
export function splitIx(ix: Ix, radices: readonly number[], extents: Extents): readonly Ix[] {
  const out: Ix[] = [];
  let rest = ix;
  for (let i = radices.length - 1; i > 0; i--) {
    // Nothing runs over an empty range, whatever its index.
    const radix = Math.max(radices[i]!, 1);
    out.unshift(modIx(rest, radix, extents));
    rest = divIx(rest, radix, extents);
  }
  out.unshift(rest);
  return out;
}

export function joinIx(parts: readonly Ix[], radices: readonly number[]): Ix {
  return parts.reduce((acc, p, i) => (i === 0 ? p : addIx(scaleIx(acc, radices[i]!), p)));
}

export type Own = {
  /** One axis per radix. */
  readonly axes: readonly Axis[];
  /** One index per dim. */
  readonly ix: readonly Ix[];
};

export function ownAxes(cx: Cx, radices: readonly (readonly number[])[]): Own {
  const axes: Axis[] = [];
  const ix = radices.map((rs) => {
    const own = rs.map((n) => freshAxis(cx, n, letterOf(axes.length)));
    axes.push(...own);
    return joinIx(
      own.map((a) => ixAxis(a)),
      rs,
    );
  });
  return { axes, ix };
}

const letters = 'ijkmnpqrs';
const letterOf = (n: number): string => letters[n % letters.length]!;

// ---------------------------------------------------------------- settling

/** Already an array (or nothing to compute): reading it again costs nothing. */
function isRead(e: Expr): boolean {
  return e.k !== 'prim' || (e.op === 'stop' && isRead(e.args[0]!));
}

const costly: Partial<Record<Prim, true>> = {
  exp: true,
  log: true,
  sin: true,
  cos: true,
  tanh: true,
  erf: true,
  pow: true,
  bits0: true,
  bits1: true,
};

function isCostly(e: Expr): boolean {
  let found = false;
  walkExpr((x) => {
    if (x.k === 'prim' && costly[x.op] === true) found = true;
  }, e);
  return found;
}

/**
 * Makes what a name is bound to cheap to use more than once: tensors that compute something become
 * nests, scalars only when they hold a transcendental or random bits.
 */
export function settle(cx: Cx, v: Value, name: string): Value {
  switch (v.k) {
    case 'scalar':
      return isCostly(v.e) ? { k: 'scalar', e: settleExpr(cx, v.e, name) } : v;
    case 'key':
      return {
        k: 'key',
        hi: isCostly(v.hi) ? settleExpr(cx, v.hi, name) : v.hi,
        lo: isCostly(v.lo) ? settleExpr(cx, v.lo, name) : v.lo,
      };
    case 'tensor':
      return settleTensor(cx, v, name);
    case 'record':
      return { k: 'record', fields: mapFields(v, (x, label) => settle(cx, x, label)) };
    case 'fn':
      return v;
  }
}

function settleExpr(cx: Cx, e: Expr, name: string): Expr {
  const outer = outerAxes(cx, e);
  return readE(
    emitNest(cx, name, outer, e),
    outer.map((a) => ixAxis(a)),
  );
}

function settleTensor(cx: Cx, v: Tensor, name: string): Value {
  const own = ownAxes(cx, v.radices);
  const elem = v.at(own.ix);
  let changed = false;
  const store = (e: Expr): Expr => {
    if (isRead(e)) return e;
    changed = true;
    const outer = outerAxes(cx, e, own.axes);
    const axes = [...outer, ...own.axes];
    return readE(
      emitNest(cx, name, axes, e),
      axes.map((a) => ixAxis(a)),
    );
  };
  const stored = storeElement(cx, elem, store, name);
  if (!changed && stored === elem) return v;
  return {
    ...v,
    at: (ix) => substValue(stored, axisMap(cx, own, v.radices, ix), cx.extents),
  };
}

function storeElement(cx: Cx, v: Value, store: (e: Expr) => Expr, name: string): Value {
  switch (v.k) {
    case 'scalar':
    case 'key':
      return mapScalars(v, store);
    case 'record':
      return { k: 'record', fields: mapFields(v, (x, label) => storeElement(cx, x, store, label)) };
    case 'tensor':
      return settle(cx, v, name);
    case 'fn':
      return v;
  }
}

/** Where each own axis goes when the dims are read at `ix`. */
export function axisMap(
  cx: Cx,
  own: Own,
  radices: readonly (readonly number[])[],
  ix: readonly Ix[],
): ReadonlyMap<AxisId, Ix> {
  const map = new Map<AxisId, Ix>();
  let n = 0;
  radices.forEach((rs, d) => {
    for (const part of splitIx(ix[d]!, rs, cx.extents)) map.set(own.axes[n++]!.id, part);
  });
  return map;
}

// ---------------------------------------------------------------- leaves as variables

/**
 * A leaf as a variable of shape [outer..., dims...]. `as: 'copy'` asks for a variable of its own even
 * where an array of this form exists; `as: 'split'` allows dims split into their radices (the same
 * memory in row-major order), which spares the nest a div and a mod.
 */
export function storeLeaf(
  cx: Cx,
  leaf: Leaf,
  outer: readonly Axis[],
  name: string,
  as: 'whole' | 'copy' | 'split' = 'whole',
): Var {
  const own = ownAxes(cx, as === 'split' ? leaf.radices : leaf.dims.map((n) => [n]));
  const e = leaf.at(own.ix);
  const axes = [...outer, ...own.axes];
  const whole = as === 'copy' ? undefined : asWholeVar(e, axes);
  return whole ?? emitNest(cx, name, axes, e);
}

/** The variable when the expression is just its element at these axes in order. */
function asWholeVar(e: Expr, axes: readonly Axis[]): Var | undefined {
  if (e.k !== 'read' || e.guard.length > 0 || e.ix.length !== axes.length) return undefined;
  const plain = e.ix.every((ix, i) => {
    return asAxis(ix) === axes[i]!.id && e.x.shape[i] === axes[i]!.extent;
  });
  return plain ? e.x : undefined;
}

/** The enclosing axes any of the leaves depends on. */
export function outerAxesOf(cx: Cx, leaves: readonly Leaf[]): readonly Axis[] {
  const found = new Map<AxisId, Axis>();
  for (const leaf of leaves) {
    const own = leaf.dims.map((n) => freshAxis(cx, n, 'i'));
    const e = leaf.at(own.map((a) => ixAxis(a)));
    for (const a of outerAxes(cx, e, own)) found.set(a.id, a);
  }
  return sortAxes([...found.values()]);
}

/** Reads a variable stored by `storeLeaf`. */
export function readLeaf(v: Var, outer: readonly Axis[], ix: readonly Ix[]): Expr {
  return readE(v, [...outer.map((a) => ixAxis(a)), ...ix]);
}
