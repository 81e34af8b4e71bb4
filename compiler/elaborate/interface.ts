/**
 * What elaboration promises its callers: one function at concrete sizes becomes a first-order core
 * program, with its parameters and results flattened to leaves that keep their place in the tree.
 *
 * Invariant: `core.inputs` are the leaves of the parameters in order (then the cotangent seeds, none
 * for a scalar loss); `core.outputs` the leaves of the result, then of each requested gradient. The
 * path of a leaf is its name in a PyTorch state dict.
 */
import type { Type } from '../../dsl/typed.ts';
import type { Core } from '../core.ts';

/** A label, or a step over the items of an array of records (stored stacked, outermost first). */
export type PathStep = string | { readonly over: number };

export type LeafSpec = {
  readonly path: readonly PathStep[];
  /** Extents of the stored array: the `over` steps in order, then the leaf's own dims. A key adds a last dim of 2. */
  readonly shape: readonly number[];
  readonly scalar: 'f32' | 'i32' | 'u32' | 'bool' | 'idx' | 'key';
  /** idx only: values lie in [0, bound); the host validates them where data enters. */
  readonly bound?: number;
  readonly fixed: boolean;
};

export type ParamSpec = {
  readonly name: string;
  readonly type: Type;
  readonly leaves: readonly LeafSpec[];
};

export type ElaborateOptions = {
  /** Parameters to differentiate the scalar result by (or the first field of a record result). */
  readonly grad?: readonly string[];
  /** Refuse a program with more statements than this (specialisation explodes). */
  readonly maxStatements?: number;
};

export type Elaborated = {
  readonly core: Core;
  readonly params: readonly ParamSpec[];
  /** Paths start with the result's own labels; a bare tensor has the empty path. */
  readonly result: readonly LeafSpec[];
  readonly grads: readonly ParamSpec[];
};
