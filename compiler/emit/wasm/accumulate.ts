/**
 * Running reductions: what they begin with, how two parts combine, and how the lanes of a vector do.
 *
 * Invariant: terms are combined in the order in which they are given.
 */
import type { Dtype, ReduceOp } from '../../core.ts';
import { ins, type Ty } from './binary.ts';
import type { Graph, Node, Scope } from './graph.ts';
import { applyOp } from './ops.ts';
import { isLong, WideSum } from './wide-sum.ts';

export const needsIndex = (op: ReduceOp): boolean => op === 'argmax' || op === 'argmin';

/** The value that an empty reduction has. */
function identity(op: ReduceOp, t: Dtype): number {
  switch (op) {
    case 'sum':
    case 'any':
      return 0;
    case 'prod':
      return 1;
    case 'all':
      return -1;
    case 'max':
    case 'argmax':
      return t === 'f32' ? Number.NEGATIVE_INFINITY : t === 'i32' ? -2147483648 : 0;
    case 'min':
    case 'argmin':
      return t === 'f32' ? Number.POSITIVE_INFINITY : t === 'i32' ? 2147483647 : 4294967295;
  }
}

export function combine(g: Graph, op: ReduceOp, t: Dtype, lanes: 1 | 4, a: Node, b: Node): Node {
  switch (op) {
    case 'sum':
      return applyOp(g, lanes, 'add', t, t, [a, b]);
    case 'prod':
      return applyOp(g, lanes, 'mul', t, t, [a, b]);
    case 'max':
    case 'min':
      return applyOp(g, lanes, op, t, t, [a, b]);
    case 'all':
      return applyOp(g, lanes, 'and', t, t, [a, b]);
    case 'any':
      return applyOp(g, lanes, 'or', t, t, [a, b]);
    case 'argmax':
    case 'argmin':
      throw new Error('wasm: argmax does not combine');
  }
}

export function foldLanes(g: Graph, op: ReduceOp, t: Dtype, v: Node): Node {
  const ty = t === 'f32' ? 'f32' : 'i32';
  const raw = [0, 1, 2, 3].map((k) => g.node(ty, ins.lane(ty, k), [v]));
  const lane = t === 'bool' ? raw.map((x) => g.op('i32.and', 'i32', x, g.i32(1))) : raw;
  return combine(
    g,
    op,
    t,
    1,
    combine(g, op, t, 1, lane[0]!, lane[2]!),
    combine(g, op, t, 1, lane[1]!, lane[3]!),
  );
}

/** A running reduction of so many terms. */
export const accumulator = (
  g: Graph,
  op: ReduceOp,
  t: Dtype,
  lanes: 1 | 4,
  terms: number,
): Accumulator | WideSum =>
  isLong(op, t, terms) ? new WideSum(g, op, lanes) : new Accumulator(g, op, t, lanes);

/**
 * A running reduction in a local, or two for the index of an extreme. A vector of f32 extremes takes
 * pmax (pmin), one instruction where f32x4.max is eight, and notes in the second local which lanes
 * have met a NaN.
 */
class Accumulator {
  readonly #g: Graph;
  readonly #op: ReduceOp;
  readonly #t: Dtype;
  readonly #lanes: 1 | 4;
  readonly #ty: Ty;
  readonly #local: number;
  readonly #index: number;
  readonly #nan: number;

  constructor(g: Graph, op: ReduceOp, t: Dtype, lanes: 1 | 4) {
    this.#g = g;
    this.#op = op;
    this.#t = t;
    this.#lanes = lanes;
    this.#ty = lanes === 4 ? 'v128' : t === 'f32' ? 'f32' : 'i32';
    this.#local = g.fn.local(this.#ty);
    this.#index = needsIndex(op) ? g.fn.local(lanes === 4 ? 'v128' : 'i32') : -1;
    const extreme = (op === 'max' || op === 'min') && t === 'f32' && lanes === 4;
    this.#nan = extreme ? g.fn.local('v128') : -1;
  }

  start(s: Scope): void {
    const g = this.#g;
    const raw = identity(this.#op, this.#t);
    const v = this.#t === 'bool' && this.#lanes === 1 ? Math.abs(raw) : raw;
    const t = this.#t === 'f32' ? 'f32' : 'i32';
    const init = this.#lanes === 4 ? g.lanes(t, v) : t === 'f32' ? g.f32(v) : g.i32(v);
    s.effect([init], ins.set(this.#local));
    if (this.#nan >= 0) s.effect([g.lanes('i32', 0)], ins.set(this.#nan));
    if (this.#index >= 0)
      s.effect([this.#lanes === 4 ? g.lanes('i32', 0) : g.i32(0)], ins.set(this.#index));
  }

  /** `at` is the scalar index of the value, for argmax and argmin. */
  step(s: Scope, v: Node, at: Node | undefined): void {
    const g = this.#g;
    const old = g.read(this.#local, this.#ty, s);
    if (this.#nan >= 0) {
      const pick = this.#op === 'max' ? 'pmax' : 'pmin';
      s.effect([applyOp(g, 4, pick, 'f32', 'f32', [v, old])], ins.set(this.#local));
      const met = g.op(
        'v128.or',
        'v128',
        g.read(this.#nan, 'v128', s),
        g.op('f32x4.ne', 'v128', v, v),
      );
      s.effect([met], ins.set(this.#nan));
      return;
    }
    if (this.#index < 0) {
      s.effect([combine(g, this.#op, this.#t, this.#lanes, old, v)], ins.set(this.#local));
      return;
    }
    const order = this.#op === 'argmax' ? [old, v] : [v, old];
    const lanes = this.#lanes;
    const less = applyOp(g, lanes, 'lt', 'bool', this.#t, order);
    const better =
      this.#t === 'f32'
        ? applyOp(g, lanes, 'or', 'bool', 'bool', [less, this.#firstNaN(v, old)])
        : less;
    const flag = g.fn.local(this.#lanes === 4 ? 'v128' : 'i32');
    s.effect([better], ins.set(flag));
    const b = g.read(flag, this.#lanes === 4 ? 'v128' : 'i32', s);
    const oldAt = g.read(this.#index, this.#lanes === 4 ? 'v128' : 'i32', s);
    const here = this.#lanes === 4 ? g.op('i32x4.splat', 'v128', at!) : at!;
    const t = this.#t;
    s.effect([applyOp(g, this.#lanes, 'select', t, 'bool', [b, v, old])], ins.set(this.#local));
    s.effect(
      [applyOp(g, this.#lanes, 'select', 'i32', 'bool', [b, here, oldAt])],
      ins.set(this.#index),
    );
  }

  /** It is the place of an extreme, as it is its value. */
  #firstNaN(v: Node, old: Node): Node {
    const [g, lanes] = [this.#g, this.#lanes];
    const nan = applyOp(g, lanes, 'ne', 'bool', 'f32', [v, v]);
    const none = applyOp(g, lanes, 'eq', 'bool', 'f32', [old, old]);
    return applyOp(g, lanes, 'and', 'bool', 'bool', [nan, none]);
  }

  /** The value after the items of `s` so far. */
  result(s: Scope): Node {
    if (this.#nan >= 0) {
      const nan = this.#g.read(this.#nan, 'v128', s);
      return this.#g.op('v128.or', 'v128', this.#g.read(this.#local, 'v128', s), nan);
    }
    const at = this.#index >= 0;
    const ty = at ? (this.#lanes === 4 ? 'v128' : 'i32') : this.#ty;
    return this.#g.read(at ? this.#index : this.#local, ty, s);
  }
}
