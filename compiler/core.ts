/**
 * Core IR: `out[i...] = reduce(op, r...) body`. Every tensor is defined by one nest whose body is a
 * scalar expression over affine reads; steps are folds; scatter exists only as `segsum`. No op zoo:
 * transposition, fusion and emission each see one form (after Dex's index comprehensions and
 * Futhark's SOACs, cut down to what a gather-form transpose can invert).
 *
 * Invariants (verify.ts checks them after every pass):
 *  - SSA: every Var is defined once, before its uses; shapes and dtypes agree with the reads.
 *  - An axis atom refers to an axis of the nest it stands in, or to the `l` of an enclosing fold.
 *  - A read is in range wherever its guards hold; outside its guards its value is 0.
 *  - Bodies are pure and are DAGs: a shared node is computed once per iteration.
 *  - Every statement carries the source spans it came from.
 */
import type { Span } from '../dsl/source.ts';

/** What a variable holds. */
export type Stored = 'f32' | 'i32' | 'u32' | 'bool';
/**
 * `int` is a whole number without a size, exact up to 2^53: what the places of reads and the counters
 * of draws are computed in. It is never stored. Values of i32 and u32 wrap at 32 bits.
 */
export type Dtype = Stored | 'int';

/** Identity is `id`; the name is for printers only. */
export type Var = {
  readonly id: number;
  readonly name: string;
  readonly t: Stored;
  readonly shape: readonly number[];
  /** Of an input of whole numbers: the host gives values in [0, bound). */
  readonly bound?: number;
};

export type AxisId = number;
/** Bound by the nest that lists it (or by a fold, as `l`); the same id may be bound by many nests. */
export type Axis = { readonly id: AxisId; readonly extent: number; readonly name: string };

// ---------------------------------------------------------------- indices

/** c + sum of m * atom; integer valued. Terms are sorted, no zero multiplier, no repeated atom. */
export type Ix = { readonly c: number; readonly terms: readonly IxTerm[] };
export type IxTerm = { readonly m: number; readonly a: Atom };
export type Atom =
  | { readonly k: 'axis'; readonly id: AxisId }
  /** floor(e / by), by > 0 */
  | { readonly k: 'div'; readonly e: Ix; readonly by: number }
  /** e - by * floor(e / by), by > 0 */
  | { readonly k: 'mod'; readonly e: Ix; readonly by: number }
  /** A data-dependent index: a whole number (i32 or int) whose value lies in [0, extent). */
  | { readonly k: 'val'; readonly e: Expr; readonly extent: number };

/** lo <= e < hi */
export type Guard = { readonly e: Ix; readonly lo: number; readonly hi: number };

// ---------------------------------------------------------------- scalar expressions

export type Prim =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'idiv'
  | 'mod'
  | 'pow'
  | 'neg'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'and'
  | 'or'
  | 'not'
  | 'min'
  | 'max'
  | 'abs'
  | 'sign'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'erf'
  | 'isfinite'
  /** select(cond: bool, a, b) */
  | 'select'
  /**
   * casts to the node's own dtype; f32 -> integer truncates. To int only from i32 and u32, from int only
   * to these, which wraps.
   */
  | 'cast'
  /** round an f32 to the nearest half / bfloat16 value */
  | 'f16'
  | 'bf16'
  /** identity whose derivative is zero */
  | 'stop'
  /** Threefry-2x32-20 words: bits0/bits1(key0, key1, counter0, counter1): u32 */
  | 'bits0'
  | 'bits1';

export type Expr =
  | { readonly k: 'const'; readonly t: Dtype; readonly v: number }
  | {
      readonly k: 'read';
      readonly t: Stored;
      readonly x: Var;
      readonly ix: readonly Ix[];
      readonly guard: readonly Guard[];
    }
  /** The value of an index: exact as int, wrapped at 32 bits as i32. */
  | { readonly k: 'index'; readonly t: 'i32' | 'int'; readonly ix: Ix }
  | { readonly k: 'prim'; readonly t: Dtype; readonly op: Prim; readonly args: readonly Expr[] };

// ---------------------------------------------------------------- statements

/** argmax and argmin reduce over exactly one axis and give its index as i32 (first of equals). */
export type ReduceOp = 'sum' | 'prod' | 'max' | 'min' | 'argmax' | 'argmin' | 'all' | 'any';

/** v[axes] = reduce(op, red) body. `red` is empty exactly when `op` is null. v.shape = extents of axes. */
export type Nest = {
  readonly k: 'nest';
  readonly v: Var;
  readonly axes: readonly Axis[];
  readonly red: readonly Axis[];
  readonly op: ReduceOp | null;
  readonly body: Expr;
  readonly spans: readonly Span[];
};

/** v[at(axes)] += body over all axes, in iteration order; cells not hit are 0. Data-dependent adjoints only. */
export type SegSum = {
  readonly k: 'segsum';
  readonly v: Var;
  readonly axes: readonly Axis[];
  readonly at: readonly Ix[];
  readonly guard: readonly Guard[];
  readonly body: Expr;
  readonly spans: readonly Span[];
};

/**
 * `trip` steps; `l` runs 0..trip-1, or down when `rev`. Inside the body, `carry.in` is readable and
 * every other variable of the enclosing scopes; `next` may be any variable readable in the body.
 * `ys`: v has shape [trip, ...elem.shape], slice l is elem of step l (of the step whose index is l,
 * whichever the direction). `acc`: v starts as init and gets `v[at] += add` each step, where `at` is
 * the leading index (affine in l) or null for the whole; not readable inside the body.
 * `save: 'carries'` asks reverse mode to keep only the carries and recompute the body (checkpoint).
 */
export type Fold = {
  readonly k: 'fold';
  readonly trip: number;
  readonly l: Axis;
  readonly rev: boolean;
  readonly carry: readonly {
    readonly in: Var;
    readonly init: Var;
    readonly next: Var;
    readonly out: Var;
  }[];
  readonly ys: readonly { readonly v: Var; readonly elem: Var }[];
  readonly acc: readonly {
    readonly v: Var;
    readonly init: Var;
    readonly add: Var;
    readonly at: Ix | null;
  }[];
  readonly save: 'auto' | 'carries';
  readonly body: readonly Stmt[];
  readonly spans: readonly Span[];
};

/**
 * A block with a custom derivative: `outs` are defined by `body` from the outer scope. `jvp` gives
 * the tangents `douts` from those of `ins`, reading anything the primal body or outer scope defines;
 * it is linear in `dins`. Dropped (inlined) once differentiation is done.
 */
export type Custom = {
  readonly k: 'custom';
  readonly ins: readonly Var[];
  /**
   * Positions of the `ins` that are tangents or cotangents: `outs` is linear in them together, and so
   * is the rule where their `dins` are 0. Their own tangents go through the same block in their
   * place; the rule is for the other ins.
   */
  readonly linear?: readonly number[];
  readonly outs: readonly Var[];
  readonly body: readonly Stmt[];
  readonly jvp: {
    readonly dins: readonly Var[];
    readonly douts: readonly Var[];
    readonly body: readonly Stmt[];
  };
  readonly spans: readonly Span[];
};

export type Stmt = Nest | SegSum | Fold | Custom;

// ---------------------------------------------------------------- programs

/** Compile-time constants (top-level lets, tables) by value, row-major. */
export type ConstData = { readonly v: Var; readonly data: Float64Array };

export type Core = {
  readonly inputs: readonly Var[];
  readonly consts: readonly ConstData[];
  readonly body: readonly Stmt[];
  readonly outputs: readonly Var[];
};
