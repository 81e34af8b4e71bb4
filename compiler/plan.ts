/**
 * Kernel IR and plan: what scheduling makes of a core program and what every emitter prints.
 *
 * A kernel is a grid of independent cells; a cell runs its nests in order, one after another, over
 * buffers and its own scratch. A map or a contraction is a kernel with an empty grid and one nest; a
 * softmax row or a resident group is a grid with several nests and scratch (after Halide's
 * compute_at). A plan is kernels and counted loops over flat buffers: no allocation, no branching,
 * nothing decided at run time.
 *
 * Invariants: accesses are flat word offsets, affine in the axes of the nest, the grid and the
 * enclosing loops (plus div/mod and data-dependent atoms), in range wherever their guards hold;
 * within a kernel no nest reads a buffer cell that another grid cell writes; every cell of an output
 * is written exactly once per kernel (or the kernel is a segment sum into a zeroed buffer).
 *
 * Of a finished plan (compiler/bounds has been over it) these hold as well, on machines of 32 bits:
 *  - what a div, a mod or a guard is taken of fits 32 bits, so it is exact however it was added up; the
 *    sum of an index or an offset may wrap on the way, and an offset ends within its buffer;
 *  - `index` nodes and the values of `dyn` are i32; nodes that are still `int` need more than 32 bits;
 *  - an access that nothing shows to be in range has a `checked` value in its `dyn`.
 */
import type { Span } from '../dsl/source.ts';
import type { Axis, Dtype, Guard, Ix, Prim, ReduceOp, Stored } from './core.ts';

export type BufId = number;

/** One word (4 bytes) per element; bool is stored as 0 or 1 in an i32 word. */
export type Buf = {
  readonly id: BufId;
  readonly name: string;
  readonly t: Stored;
  readonly words: number;
  /** `scratch` lives in one grid cell of one kernel; `temp` in the arena of the plan. */
  readonly kind: 'input' | 'output' | 'const' | 'temp' | 'scratch';
  /** input only: the host gives whole numbers in [0, bound). */
  readonly bound?: number;
  /** const only */
  readonly data?: Float64Array;
};

export type KExpr =
  | { readonly k: 'const'; readonly t: Dtype; readonly v: number }
  /** buf[at], 0 where a guard fails */
  | {
      readonly k: 'load';
      readonly t: Stored;
      readonly buf: BufId;
      readonly at: KIx;
      readonly guard: readonly Guard[];
    }
  /** Wrapped at 32 bits as i32; int only until compiler/bounds. */
  | { readonly k: 'index'; readonly t: 'i32' | 'int'; readonly ix: Ix }
  | { readonly k: 'prim'; readonly t: Dtype; readonly op: Prim; readonly args: readonly KExpr[] }
  | Checked;

/**
 * The value of e where 0 <= e < extent. Elsewhere it is 0, and the run ends with the fault of its site;
 * without a site nothing is said. Where it is part of a store's place, nothing is stored then. It may
 * be computed anywhere its operands are there: e is 0 where the access is guarded off.
 */
export type Checked = {
  readonly k: 'checked';
  readonly t: 'i32';
  readonly e: KExpr;
  readonly extent: number;
  readonly site: number | undefined;
};

/** An access that is checked at run time: where in the program, and what it does. */
export type CheckSite = { readonly span: Span | undefined; readonly what: string };

/**
 * A flat word offset. `ix` holds the axis, div and mod atoms; `dyn` the data-dependent part:
 * sum of m * value(e), each value in [0, extent). Guards and `ix` inside kernels never hold `val`
 * atoms except through `dyn`; a guard on a data-dependent index is a select on its value.
 */
export type KIx = {
  readonly ix: Ix;
  readonly dyn: readonly { readonly m: number; readonly e: KExpr; readonly extent: number }[];
};

export type KNest = {
  /** Parallel axes of this nest inside a grid cell. */
  readonly axes: readonly Axis[];
  readonly red: readonly Axis[];
  readonly op: ReduceOp | null;
  readonly body: KExpr;
  /**
   * `set`: buf[at] = body. `add`: buf[at] += body, where `axes` run in order because they may meet in
   * one cell (segment sums), and what is independent stands in the kernel's grid.
   */
  readonly store: {
    readonly buf: BufId;
    readonly at: KIx;
    readonly guard: readonly Guard[];
    readonly mode: 'set' | 'add';
  };
  readonly spans: readonly Span[];
};

export type Kernel = {
  readonly k: 'kernel';
  readonly id: number;
  readonly name: string;
  readonly grid: readonly Axis[];
  readonly nests: readonly KNest[];
  /** Outer loop axes (folds) that the accesses mention; uniform over the kernel. */
  readonly loops: readonly Axis[];
  /** The nests are independent and there is no grid: they may run in any order (gather.ts). */
  readonly gathered?: true;
};

export type Loop = {
  readonly k: 'loop';
  readonly axis: Axis;
  readonly rev: boolean;
  readonly steps: readonly Step[];
};

export type Step = Kernel | Loop;

export type Plan = {
  readonly bufs: readonly Buf[];
  /** Arena word offset of each temp (liveness-disjoint), and of every other buffer the target keeps in the arena. */
  readonly offsets: ReadonlyMap<BufId, number>;
  readonly arenaWords: number;
  /** In the order of the core program's inputs and outputs. An output may share the buffer of an input that was donated. */
  readonly inputs: readonly BufId[];
  readonly outputs: readonly BufId[];
  readonly steps: readonly Step[];
  /**
   * Only where something is checked: `fault` is one i32 word, 0 when a run begins; afterwards it is 1 +
   * a site whose check failed, or 0. A run that leaves it otherwise has no results.
   */
  readonly checks?: { readonly fault: BufId; readonly sites: readonly CheckSite[] };
};
