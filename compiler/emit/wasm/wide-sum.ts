/**
 * Long sums and products of f32 in f64: rounding then adds up to nothing that f32 could hold, however
 * many terms there are, and in whatever order (a running f32 sum of 2^24 ones and more stands still).
 * Four lanes are two vectors of f64.
 *
 * Invariant: terms are combined in the order in which they are given, so the bits are the same each time.
 */
import type { Dtype, ReduceOp } from '../../core.ts';
import { ins } from './binary.ts';
import type { Graph, Node, Scope } from './graph.ts';

/** Terms that one accumulator takes in f32: the error of as many is below 2^-20 of their sum. */
const few = 32;

export function isLong(op: ReduceOp, t: Dtype, terms: number): op is 'sum' | 'prod' {
  return (op === 'sum' || op === 'prod') && t === 'f32' && terms > few;
}

/** The upper two lanes in the place of the lower ones. */
const upper = ins.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
/** The lower two lanes of either. */
const both = ins.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);

export class WideSum {
  readonly #g: Graph;
  readonly #op: 'sum' | 'prod';
  readonly #lanes: 1 | 4;
  readonly #locals: readonly number[];

  constructor(g: Graph, op: 'sum' | 'prod', lanes: 1 | 4) {
    this.#g = g;
    this.#op = op;
    this.#lanes = lanes;
    this.#locals = lanes === 4 ? [g.fn.local('v128'), g.fn.local('v128')] : [g.fn.local('f64')];
  }

  start(s: Scope): void {
    const none = this.#op === 'sum' ? 0 : 1;
    const g = this.#g;
    const v = this.#lanes === 4 ? g.lanes('f32', none) : g.f32(none);
    this.#widened(v).forEach((w, i) => {
      s.effect([w], ins.set(this.#locals[i]!));
    });
  }

  step(s: Scope, v: Node): void {
    const g = this.#g;
    const [ty, name] = this.#lanes === 4 ? (['v128', 'f64x2'] as const) : (['f64', 'f64'] as const);
    const code = `${name}.${this.#op === 'sum' ? 'add' : 'mul'}` as const;
    this.#widened(v).forEach((w, i) => {
      const local = this.#locals[i]!;
      s.effect([g.op(code, ty, g.read(local, ty, s), w)], ins.set(local));
    });
  }

  /** The value after the items of `s` so far, in f32. */
  result(s: Scope): Node {
    const g = this.#g;
    if (this.#lanes === 1) return g.op('f32.demote_f64', 'f32', g.read(this.#locals[0]!, 'f64', s));
    const [low, high] = this.#locals.map((l) =>
      g.op('f32x4.demote_f64x2_zero', 'v128', g.read(l, 'v128', s)),
    );
    return g.node('v128', both, [low!, high!]);
  }

  #widened(v: Node): readonly Node[] {
    const g = this.#g;
    if (this.#lanes === 1) return [g.op('f64.promote_f32', 'f64', v)];
    const wide = (x: Node): Node => g.op('f64x2.promote_low_f32x4', 'v128', x);
    return [wide(v), wide(g.node('v128', upper, [v, v]))];
  }
}
