/**
 * Primitives as Wasm instructions, on one lane or on four: those that Wasm has, those that emit/low.ts
 * lowers, casts, and the division of whole numbers, which never traps.
 *
 * Invariant: one lane and four give the same bits.
 */
import type { Dtype, Prim } from '../../core.ts';
import type { KExpr } from '../../plan.ts';
import { type Low, type LowOp, wholeBase } from '../low.ts';
import { isMathPrim, mathFns, powConst } from '../math.ts';
import { ins, type Op, type Ty } from './binary.ts';
import type { Graph, Node } from './graph.ts';

export type Lanes = 1 | 4;

const PARAM: Low = { k: 'param', t: 'f32', i: 0 };

const cmp: Partial<Record<LowOp, string>> = { eq: 'eq', ne: 'ne', lt: 'lt', le: 'le' };

/** A primitive on arguments that are asked for as they are needed. */
export function primOp(
  g: Graph,
  e: Extract<KExpr, { k: 'prim' }>,
  lanes: Lanes,
  arg: (a: KExpr) => Node,
): Node {
  const op: Prim = e.op;
  const from = e.args[0]!.t;
  const args = (): Node[] => e.args.map(arg);
  const low = (o: MidOp, ...a: Node[]): Node => applyOp(g, lanes, o, e.t, from, a);
  if (isMathPrim(op)) {
    const by = e.args[1];
    const small = op === 'pow' && by?.k === 'const' ? powConst(PARAM, by.v) : undefined;
    if (small) return lowered(g, small, lanes, [arg(e.args[0]!)]);
    return lowered(g, mathFns[op].body, lanes, args());
  }
  switch (op) {
    case 'stop':
      return arg(e.args[0]!);
    case 'cast':
      return cast(g, lanes, e.t, from, arg(e.args[0]!));
    case 'gt':
      return low('lt', arg(e.args[1]!), arg(e.args[0]!));
    case 'ge':
      return low('le', arg(e.args[1]!), arg(e.args[0]!));
    case 'round':
      return low('nearest', ...args());
    case 'idiv':
    case 'mod': {
      const [a, b] = args() as [Node, Node];
      if (lanes === 1) return divide(g, op, e.t, a, b, e.args[1]!);
      return gather(g, 'i32', (k) =>
        divide(
          g,
          op,
          e.t,
          g.node('i32', ins.lane('i32', k), [a]),
          g.node('i32', ins.lane('i32', k), [b]),
          e.args[1]!,
        ),
      );
    }
    case 'sign': {
      const x = arg(e.args[0]!);
      const k = (v: number): Node =>
        lanes === 4
          ? g.lanes(e.t === 'f32' ? 'f32' : 'i32', v)
          : e.t === 'f32'
            ? g.f32(v)
            : g.i32(v);
      const positive = applyOp(g, lanes, 'lt', 'bool', e.t, [k(0), x]);
      const up = applyOp(g, lanes, 'select', e.t, 'bool', [positive, k(1), x]);
      if (e.t === 'u32') return up;
      const negative = applyOp(g, lanes, 'lt', 'bool', e.t, [x, k(0)]);
      return applyOp(g, lanes, 'select', e.t, 'bool', [negative, k(-1), up]);
    }
    case 'select':
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'neg':
    case 'abs':
    case 'sqrt':
    case 'floor':
    case 'ceil':
    case 'min':
    case 'max':
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
    case 'and':
    case 'or':
    case 'not':
      return low(op, ...args());
    default: {
      const never: never = op;
      throw new Error(`wasm: ${never}`);
    }
  }
}

/** A vector put together lane by lane. */
export function gather(g: Graph, t: 'i32' | 'f32', lane: (k: number) => Node): Node {
  let v = g.op(t === 'i32' ? 'i32x4.splat' : 'f32x4.splat', 'v128', lane(0));
  for (let k = 1; k < 4; k++) v = g.node('v128', ins.withLane(t, k), [v, lane(k)]);
  return v;
}

/** Floor division and remainder; x idiv 0 = x, x mod 0 = 0, never a trap. */
function divide(g: Graph, op: 'idiv' | 'mod', t: Dtype, x: Node, y: Node, by: KExpr): Node {
  if (by.k === 'const' && by.v > 0 && Number.isInteger(Math.log2(by.v))) {
    if (op === 'mod') return g.op('i32.and', 'i32', x, g.i32(by.v - 1));
    return g.op(t === 'u32' ? 'i32.shr_u' : 'i32.shr_s', 'i32', x, g.i32(Math.log2(by.v)));
  }
  const zero = g.op('i32.eqz', 'i32', y);
  if (t === 'u32') {
    const safe = g.op('select', 'i32', g.i32(1), y, zero);
    const v = g.op(op === 'idiv' ? 'i32.div_u' : 'i32.rem_u', 'i32', x, safe);
    return g.op('select', 'i32', op === 'idiv' ? x : g.i32(0), v, zero);
  }
  // Division by -1 may overflow: it is a negation.
  const minus = g.op('i32.eq', 'i32', y, g.i32(-1));
  const special = g.op('i32.or', 'i32', zero, minus);
  const safe = g.op('select', 'i32', g.i32(1), y, special);
  const q = g.op('i32.div_s', 'i32', x, safe);
  const r = g.op('i32.sub', 'i32', x, g.op('i32.mul', 'i32', q, safe));
  const wrong = g.op(
    'i32.and',
    'i32',
    g.op('i32.ne', 'i32', r, g.i32(0)),
    g.op('i32.shr_u', 'i32', g.op('i32.xor', 'i32', r, safe), g.i32(31)),
  );
  if (op === 'idiv') {
    const floor = g.op('i32.sub', 'i32', q, wrong);
    const negated = g.op('i32.sub', 'i32', g.i32(0), x);
    return g.op('select', 'i32', negated, g.op('select', 'i32', x, floor, zero), minus);
  }
  const rem = g.add(r, g.op('select', 'i32', safe, g.i32(0), wrong));
  return g.op('select', 'i32', g.i32(0), rem, special);
}

function cast(g: Graph, lanes: Lanes, t: Dtype, from: Dtype, x: Node): Node {
  if (t === from) return x;
  if (from === 'bool') {
    const asInt = lanes === 4 ? g.op('v128.and', 'v128', x, g.lanes('i32', 1)) : x;
    return t === 'f32' ? applyOp(g, lanes, 'to', 'f32', 'i32', [asInt]) : asInt;
  }
  if (t === 'bool') {
    const zero =
      lanes === 4
        ? g.lanes(from === 'f32' ? 'f32' : 'i32', 0)
        : from === 'f32'
          ? g.f32(0)
          : g.i32(0);
    return applyOp(g, lanes, 'ne', 'bool', from, [x, zero]);
  }
  if (t !== 'f32' && from !== 'f32') return x;
  return applyOp(g, lanes, 'to', t, from, [x]);
}

/** A lowered function on actual arguments. */
function lowered(g: Graph, body: Low, lanes: Lanes, args: readonly Node[]): Node {
  const memo = new Map<Low, Node>();
  const go = (e: Low): Node => {
    const known = memo.get(e);
    if (known) return known;
    let out: Node;
    if (e.k === 'param') out = args[e.i]!;
    else if (e.k === 'const')
      out =
        lanes === 4
          ? g.lanes(e.t === 'f32' ? 'f32' : 'i32', e.v)
          : e.t === 'f32'
            ? g.f32(e.v)
            : g.i32(e.v);
    else if (e.op === 'shl' || e.op === 'shr') {
      const by = e.args[1]!;
      out = applyOp(g, lanes, e.op, e.t, e.t, [go(e.args[0]!), g.i32(by.k === 'const' ? by.v : 0)]);
    } else if (e.op === 'whole' || e.op === 'wholeBits') {
      const bias = e.args[1]!;
      const base = wholeBase(bias.k === 'const' ? bias.v : 0);
      const by = lanes === 4 ? g.lanes('f32', base) : g.f32(base);
      const sum = applyOp(g, lanes, 'add', 'f32', 'f32', [go(e.args[0]!), by]);
      out =
        e.op === 'whole'
          ? applyOp(g, lanes, 'sub', 'f32', 'f32', [sum, by])
          : applyOp(g, lanes, 'bits', 'i32', 'f32', [sum]);
    } else out = applyOp(g, lanes, e.op, e.t, e.args[0]!.t, e.args.map(go));
    memo.set(e, out);
    return out;
  };
  return go(body);
}

/** Lowered operations and the few primitives that Wasm has as they are. */
export type MidOp = Exclude<LowOp, 'whole' | 'wholeBits'> | 'min' | 'max' | 'ceil';

/** One operation; `t` is the result's type, `from` that of the first argument. */
export function applyOp(
  g: Graph,
  lanes: Lanes,
  o: MidOp,
  t: Dtype,
  from: Dtype,
  args: readonly Node[],
): Node {
  const [a, b, c] = args as [Node, Node, Node];
  const ty: Ty = lanes === 4 ? 'v128' : t === 'f32' ? 'f32' : 'i32';
  const p = lanes === 4 ? (from === 'f32' ? 'f32x4' : 'i32x4') : from === 'f32' ? 'f32' : 'i32';
  const run = (name: string, ...x: Node[]): Node => g.op(name as Op, ty, ...x);
  const float = from === 'f32';
  const sign = float || o === 'eq' || o === 'ne' ? '' : from === 'i32' ? '_s' : '_u';
  const choose = (cond: Node, x: Node, y: Node): Node =>
    lanes === 4 ? run('v128.bitselect', x, y, cond) : run('select', x, y, cond);
  const less = (x: Node, y: Node): Node =>
    g.op(`${p}.lt${sign || ''}` as Op, lanes === 4 ? 'v128' : 'i32', x, y);
  switch (o) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
      return run(`${p}.${o}`, a, b);
    case 'sqrt': {
      if (lanes === 4) return run('f32x4.sqrt', a);
      // V8 encodes f32.sqrt in the old way, which costs hundreds of cycles after 256-bit code.
      const wide = g.op('f32x4.sqrt', 'v128', g.op('f32x4.splat', 'v128', a));
      return g.node('f32', ins.lane('f32', 0), [wide]);
    }
    case 'floor':
    case 'ceil':
    case 'nearest':
      return run(`${p}.${o}`, a);
    // Of vectors of f32, the sign bit: V8 builds the mask of f32x4.neg and f32x4.abs at each use.
    case 'neg':
      if (float && lanes === 4) return run('v128.xor', a, g.lanes('i32', 0x80000000));
      return float || lanes === 4 ? run(`${p}.neg`, a) : run('i32.sub', g.i32(0), a);
    case 'abs':
      if (from === 'u32') return a;
      if (float && lanes === 4) return run('v128.and', a, g.lanes('i32', 0x7fffffff));
      if (float || lanes === 4) return run(`${p}.abs`, a);
      return choose(less(a, g.i32(0)), run('i32.sub', g.i32(0), a), a);
    case 'min':
    case 'max':
      if (float) return run(`${p}.${o}`, a, b);
      if (lanes === 4) return run(`${p}.${o}${sign}`, a, b);
      return o === 'min' ? choose(less(b, a), b, a) : choose(less(a, b), b, a);
    case 'pmin':
      return lanes === 4 && float ? run('f32x4.pmin', a, b) : choose(less(b, a), b, a);
    case 'pmax':
      return lanes === 4 && float ? run('f32x4.pmax', a, b) : choose(less(a, b), b, a);
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
      return run(`${p}.${cmp[o]}${sign}`, a, b);
    case 'and':
    case 'or':
    case 'xor':
      return run(lanes === 4 ? `v128.${o}` : `i32.${o}`, a, b);
    case 'not':
      return lanes === 4 ? run('v128.not', a) : run('i32.eqz', a);
    case 'shl':
      return run(`${p}.shl`, a, b);
    case 'shr':
      return run(`${p}.shr${from === 'u32' ? '_u' : '_s'}`, a, b);
    case 'bits':
      if (lanes === 4 || (t === 'f32') === float) return a;
      return run(t === 'f32' ? 'f32.reinterpret_i32' : 'i32.reinterpret_f32', a);
    case 'to': {
      const s = (t === 'f32' ? from : t) === 'u32' ? 'u' : 's';
      if (t === 'f32')
        return run(lanes === 4 ? `f32x4.convert_i32x4_${s}` : `f32.convert_i32_${s}`, a);
      return run(lanes === 4 ? `i32x4.trunc_sat_f32x4_${s}` : `i32.trunc_sat_f32_${s}`, a);
    }
    case 'select':
      return choose(a, b, c);
  }
}
