/**
 * Low-level scalar expressions: what the mathematical primitives are lowered to, and what every
 * emitter with its own arithmetic prints (Wasm on scalars and on four lanes, WGSL). A function is a
 * DAG over its parameters in IEEE add, mul, div and sqrt, integer and bit operations, comparisons and
 * select; nothing is left to the target's library, so results are the same everywhere.
 *
 * Invariant: no fused multiply-add, no reassociation, no branches; shared nodes are computed once.
 */

export type LowType = 'f32' | 'i32' | 'u32' | 'bool';

export type LowOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'neg'
  | 'abs'
  | 'sqrt'
  /** pmin(a, b) = b < a ? b : a, pmax(a, b) = a < b ? b : a: a NaN in `a` stays. */
  | 'pmin'
  | 'pmax'
  /** to the nearest integer, ties to even, as f32 */
  | 'nearest'
  /**
   * whole(a, bias): the nearest integer to a of size below 2^21, ties to even, as f32; the sign of a
   * zero is free. wholeBits(a, bias): an i32 whose low 20 bits are those of that integer + bias. The
   * two share their work (note [Whole numbers]); of a NaN both are unspecified.
   */
  | 'whole'
  | 'wholeBits'
  | 'floor'
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'and'
  | 'or'
  | 'xor'
  | 'not'
  | 'shl'
  /** arithmetic for i32, logical for u32 */
  | 'shr'
  /** bits of the argument as the node's type */
  | 'bits'
  /** value conversion to the node's type; f32 -> i32 truncates and saturates */
  | 'to'
  /** select(cond, a, b) */
  | 'select';

export type Low =
  | { readonly k: 'param'; readonly t: LowType; readonly i: number }
  | { readonly k: 'const'; readonly t: LowType; readonly v: number }
  | { readonly k: 'op'; readonly t: LowType; readonly op: LowOp; readonly args: readonly Low[] };

export type LowFn = {
  readonly name: string;
  readonly params: readonly LowType[];
  readonly t: LowType;
  readonly body: Low;
};

export const param = (i: number, t: LowType = 'f32'): Low => ({ k: 'param', t, i });
export const f = (v: number): Low => ({ k: 'const', t: 'f32', v });
export const i = (v: number): Low => ({ k: 'const', t: 'i32', v });
export const u = (v: number): Low => ({ k: 'const', t: 'u32', v: v >>> 0 });

const op = (o: LowOp, t: LowType, ...args: Low[]): Low => ({ k: 'op', t, op: o, args });
const same =
  (o: LowOp) =>
  (a: Low, b: Low): Low =>
    op(o, a.t, a, b);

export const add = same('add');
export const sub = same('sub');
export const mul = same('mul');
export const div = same('div');
export const pmin = same('pmin');
export const pmax = same('pmax');
export const and = same('and');
export const or = same('or');
export const xor = same('xor');
export const shl = (a: Low, n: number): Low => op('shl', a.t, a, i(n));
export const shr = (a: Low, n: number): Low => op('shr', a.t, a, i(n));
export const neg = (a: Low): Low => op('neg', a.t, a);
export const abs = (a: Low): Low => op('abs', a.t, a);
export const sqrt = (a: Low): Low => op('sqrt', a.t, a);
export const nearest = (a: Low): Low => op('nearest', a.t, a);
export const whole = (a: Low, bias: number): Low => op('whole', 'f32', a, i(bias));
export const wholeBits = (a: Low, bias: number): Low => op('wholeBits', 'i32', a, i(bias));
export const floor = (a: Low): Low => op('floor', a.t, a);
export const not = (a: Low): Low => op('not', a.t, a);
export const eq = (a: Low, b: Low): Low => op('eq', 'bool', a, b);
export const ne = (a: Low, b: Low): Low => op('ne', 'bool', a, b);
export const lt = (a: Low, b: Low): Low => op('lt', 'bool', a, b);
export const le = (a: Low, b: Low): Low => op('le', 'bool', a, b);
export const bits = (t: LowType, a: Low): Low => op('bits', t, a);
export const to = (t: LowType, a: Low): Low => op('to', t, a);
export const select = (c: Low, a: Low, b: Low): Low => op('select', a.t, c, a, b);

/**
 * Note [Whole numbers]. Where a target keeps the order of float additions, a + B with
 * B = 1.5 * 2^23 + bias rounds a to a whole number, which then stands in the low bits of the sum:
 * one addition gives both `whole` (subtract B again) and `wholeBits`. It is cheaper than rounding and
 * converting, and V8's revectorizer knows additions but not f32x4.nearest. Others (WGSL lets
 * compilers reassociate) round and convert. The bias must be even, or ties would go to odd.
 */
export const wholeBase = (bias: number): number => 12582912 + bias;

/** c[0] + x * (c[1] + x * (...)). */
export const poly = (x: Low, c: readonly number[]): Low =>
  c.slice(0, -1).reduceRight<Low>((acc, k) => add(mul(acc, x), f(k)), f(c.at(-1)!));
