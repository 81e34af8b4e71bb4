/**
 * Whole numbers that need more than 32 bits, as i64 on one lane, and places that are checked.
 *
 * Numbers stay within 2^53 in size (compiler/bounds refuses what may not), so no operation overflows
 * and no division traps but that by zero, which is x for a quotient and 0 for a remainder.
 */
import type { Checked, KExpr } from '../../plan.ts';
import { ins, op } from './binary.ts';
import type { Graph, Node } from './graph.ts';

type PrimExpr = Extract<KExpr, { k: 'prim' }>;

/** Whether a node takes or gives whole numbers without a size. */
export const isWide = (e: KExpr): boolean =>
  e.t === 'int' || (e.k === 'prim' && e.args.some((a) => a.t === 'int'));

export const wideConst = (g: Graph, v: number): Node => g.node('i64', ins.i64(v), []);

export function wideOp(g: Graph, e: PrimExpr, arg: (a: KExpr) => Node): Node {
  const [a, b, c] = e.args.map(arg) as [Node, Node, Node];
  const k = (v: number): Node => wideConst(g, v);
  const less = (x: Node, y: Node): Node => g.op('i64.lt_s', 'i32', x, y);
  const choose = (cond: Node, x: Node, y: Node): Node => g.op('select', 'i64', x, y, cond);
  const extend = (x: Node): Node => g.op('i64.extend_i32_u', 'i64', x);
  switch (e.op) {
    case 'stop':
      return a;
    case 'cast':
      if (e.t !== 'int') return g.op('i32.wrap_i64', 'i32', a);
      return g.op(e.args[0]!.t === 'u32' ? 'i64.extend_i32_u' : 'i64.extend_i32_s', 'i64', a);
    case 'add':
    case 'sub':
    case 'mul':
      return g.op(`i64.${e.op}`, 'i64', a, b);
    case 'neg':
      return g.op('i64.sub', 'i64', k(0), a);
    case 'abs':
      return choose(less(a, k(0)), g.op('i64.sub', 'i64', k(0), a), a);
    case 'sign':
      return g.op('i64.sub', 'i64', extend(less(k(0), a)), extend(less(a, k(0))));
    case 'min':
      return choose(less(b, a), b, a);
    case 'max':
      return choose(less(a, b), b, a);
    case 'select':
      return choose(a, b, c);
    case 'idiv':
    case 'mod': {
      const zero = g.op('i64.eqz', 'i32', b);
      const by = choose(zero, k(1), b);
      const q = g.op('i64.div_s', 'i64', a, by);
      const r = g.op('i64.sub', 'i64', a, g.op('i64.mul', 'i64', q, by));
      // The quotient was rounded towards zero: one too many where the remainder has the wrong sign.
      const over = g.op(
        'i32.and',
        'i32',
        g.op('i64.ne', 'i32', r, k(0)),
        less(g.op('i64.xor', 'i64', r, by), k(0)),
      );
      if (e.op === 'idiv') return choose(zero, a, g.op('i64.sub', 'i64', q, extend(over)));
      return choose(zero, k(0), g.op('i64.add', 'i64', r, choose(over, by, k(0))));
    }
    case 'eq':
    case 'ne':
      return g.op(`i64.${e.op}`, 'i32', a, b);
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return g.op(`i64.${e.op}_s`, 'i32', a, b);
    default:
      throw new Error(`wasm: ${e.op} of whole numbers without a size`);
  }
}

/**
 * A value where it lies in [0, extent), as unsigned numbers compare; elsewhere 0, and the number of the
 * site is put into the fault word. Any thread may write it: no one puts 0 there during a run.
 */
export function checkedValue(g: Graph, e: Checked, v: Node, fault: number): Node {
  if (e.site === undefined)
    return g.op('select', 'i32', v, g.i32(0), g.op('i32.lt_u', 'i32', v, g.i32(e.extent)));
  const local = g.fn.local('i32');
  const code = [
    ...[ins.tee(local), ins.i32(e.extent), op['i32.lt_u'], ins.ifI32, ins.get(local), ins.else],
    ...[ins.i32(fault), ins.i32(e.site + 1), ins.store('i32', 0), ins.i32(0), ins.end],
  ];
  return g.node('i32', code.flat(), [v]);
}
