/**
 * Kernel expressions to Wasm values, on one lane or on four. With four lanes one axis (the vector
 * axis) advances from lane to lane; what does not depend on it is computed once as a scalar and
 * spread. Loads with stride one become vector loads, with stride zero splats, the rest are gathered
 * lane by lane. A guarded load reads a cell that is always there and is masked.
 *
 * Invariant: scalar and vector forms of an expression give the same bits.
 */

import { addIx, type Extents, interval, normalIx } from '../../core/ix.ts';
import type { AxisId, Dtype, Guard, Ix, IxTerm, Prim } from '../../core.ts';
import type { BufId, KExpr, KIx } from '../../plan.ts';
import { axesOf, eachKExpr } from '../../schedule/flat.ts';
import { type Low, type LowFn, type LowOp, wholeBase } from '../low.ts';
import { isMathPrim, mathFns, powConst } from '../math.ts';
import { ins, type Op, type Ty } from './binary.ts';
import type { Graph, Node, Scope } from './graph.ts';

export type Env = {
  readonly g: Graph;
  /** Where each axis gets its value: the loop it counts, or a parameter. */
  readonly axes: Map<AxisId, Scope | Node>;
  readonly extents: Extents;
  /** Byte address of a buffer. */
  readonly base: (b: BufId) => number;
  /** Bytes from the first thread's copy of a scratch buffer to this one's. */
  readonly own?: (b: BufId) => Node | undefined;
  /** Buffers that the function writes: what is read from them stays in `home`. */
  readonly written: ReadonlySet<BufId>;
  readonly home: Scope;
  /** Tells reads before a nest of the kernel from reads after it. */
  readonly version: number;
};

type Lanes = 1 | 4;
const MAX_OFFSET = 2 ** 31;

/** How far an index moves from one lane to the next, when lanes advance `vec` from a multiple of 4. */
export function laneStride(e: Ix, vec: AxisId): number | undefined {
  let s = 0;
  for (const t of e.terms) {
    const one = atomStride(t, vec);
    if (one === undefined) return undefined;
    s += t.m * one;
  }
  return s;
}

function atomStride(t: IxTerm, vec: AxisId): number | undefined {
  const a = t.a;
  if (a.k === 'axis') return a.id === vec ? 1 : 0;
  if (a.k === 'val') return undefined;
  if (!axesOf(a.e).has(vec)) return 0;
  const inner = laneStride(a.e, vec);
  if (inner === undefined) return undefined;
  if (inner === 0 && !axesOf(a.e).has(vec)) return 0;
  if (inner % a.by === 0) return a.k === 'div' ? inner / a.by : 0;
  // Four lanes from a multiple of four stay within one block of `by`.
  const aligned =
    inner === 1 &&
    a.by % 4 === 0 &&
    a.e.c % 4 === 0 &&
    a.e.terms.every((u) => (u.a.k === 'axis' && u.a.id === vec ? u.m === 1 : u.m % 4 === 0));
  if (!aligned) return undefined;
  return a.k === 'div' ? 0 : 1;
}

/** The index with `vec` advanced by k. */
export function advance(e: Ix, vec: AxisId, k: number): Ix {
  if (k === 0 || !axesOf(e).has(vec)) return e;
  let c = e.c;
  const terms: IxTerm[] = [];
  for (const t of e.terms) {
    if (t.a.k === 'axis') {
      if (t.a.id === vec) c += t.m * k;
      terms.push(t);
    } else if (t.a.k === 'val') terms.push(t);
    else terms.push({ m: t.m, a: { ...t.a, e: advance(t.a.e, vec, k) } });
  }
  return normalIx(c, terms);
}

const cmp: Partial<Record<LowOp, string>> = { eq: 'eq', ne: 'ne', lt: 'lt', le: 'le' };

export class Arith {
  readonly env: Env;
  /** The axis that runs over the lanes; undefined for scalar code. */
  readonly vec: AxisId | undefined;
  readonly #scalars = new Map<KExpr, Node>();
  readonly #vectors = new Map<number, Map<KExpr, Node>>();
  readonly #varying = new Map<KExpr, boolean>();

  constructor(env: Env, vec?: AxisId) {
    this.env = env;
    this.vec = vec;
  }

  get #g(): Graph {
    return this.env.g;
  }

  /** Whether an expression differs from lane to lane. */
  varies(root: KExpr): boolean {
    if (this.vec === undefined) return false;
    const vec = this.vec;
    const on = (e: Ix): boolean => axesOf(e).has(vec);
    eachKExpr(root, (e) => {
      if (this.#varying.has(e)) return;
      const v =
        e.k === 'index'
          ? on(e.ix)
          : e.k === 'prim'
            ? e.args.some((a) => this.#varying.get(a))
            : e.k === 'load'
              ? on(e.at.ix) ||
                e.guard.some((x) => on(x.e)) ||
                e.at.dyn.some((d) => this.#varying.get(d.e))
              : false;
      this.#varying.set(e, v);
    });
    return this.#varying.get(root)!;
  }

  /** The expression on the lanes of this Arith, `shift` steps of the vector axis ahead. */
  value(e: KExpr, shift = 0): Node {
    return this.vec === undefined ? this.scalar(e) : this.vector(e, shift);
  }

  get ty(): Ty | undefined {
    return this.vec === undefined ? undefined : 'v128';
  }

  // ------------------------------------------------------------------ indices

  /** The value of an index (at lane 0), as `scale` times its terms; the constant apart. */
  #terms(e: Ix, scale: number): Node {
    const g = this.#g;
    const affine: [Scope, number][] = [];
    let rest: Node | undefined;
    const plus = (n: Node): void => {
      rest = rest ? g.add(rest, n) : n;
    };
    for (const t of e.terms) {
      if (t.a.k === 'axis') {
        const at = this.env.axes.get(t.a.id);
        if (!at) throw new Error(`wasm: axis ${t.a.id} is not bound here`);
        if ('ty' in at) plus(g.times(at, t.m * scale));
        else affine.push([at, t.m * scale]);
      } else plus(g.times(this.#atom(t.a), t.m * scale));
    }
    const chain = g.affine(affine);
    if (!chain) return rest ?? g.i32(0);
    return rest ? g.add(chain, rest) : chain;
  }

  #atom(a: Exclude<IxTerm['a'], { k: 'axis' }>): Node {
    if (a.k === 'val') throw new Error('wasm: a data-dependent atom inside an index');
    const g = this.#g;
    const v = this.index(a.e);
    const log = Math.log2(a.by);
    if (Number.isInteger(log)) {
      return a.k === 'div'
        ? g.op('i32.shr_s', 'i32', v, g.i32(log))
        : g.op('i32.and', 'i32', v, g.i32(a.by - 1));
    }
    const by = g.i32(a.by);
    if (interval(a.e, this.env.extents).lo >= 0)
      return g.op(a.k === 'div' ? 'i32.div_u' : 'i32.rem_u', 'i32', v, by);
    const q = g.op('i32.div_s', 'i32', v, by);
    const r = g.op('i32.sub', 'i32', v, g.op('i32.mul', 'i32', q, by));
    const below = g.op('i32.shr_s', 'i32', r, g.i32(31));
    return a.k === 'div' ? g.add(q, below) : g.add(r, g.op('i32.and', 'i32', below, by));
  }

  /** The value of an index at lane 0. */
  index(e: Ix): Node {
    return this.#g.add(this.#terms(e, 1), this.#g.i32(e.c));
  }

  #indexLanes(e: Ix, shift: number): Node {
    const g = this.#g;
    const ahead = advance(e, this.vec!, shift);
    const s = laneStride(ahead, this.vec!);
    if (s !== undefined) {
      const first = g.op('i32x4.splat', 'v128', this.index(ahead));
      return s === 0 ? first : g.op('i32x4.add', 'v128', first, g.lanesOf([0, s, 2 * s, 3 * s]));
    }
    return this.#gather('i32', (k) => this.index(advance(ahead, this.vec!, k)));
  }

  #gather(t: 'i32' | 'f32', lane: (k: number) => Node): Node {
    const g = this.#g;
    let v = g.op(t === 'i32' ? 'i32x4.splat' : 'f32x4.splat', 'v128', lane(0));
    for (let k = 1; k < 4; k++) v = g.node('v128', ins.withLane(t, k), [v, lane(k)]);
    return v;
  }

  /** Whether lo <= e < hi, as i32 0 or 1; undefined when it always holds. */
  #holds(guards: readonly Guard[]): Node | undefined {
    const g = this.#g;
    let all: Node | undefined;
    for (const x of guards) {
      const { lo, hi } = interval(x.e, this.env.extents);
      if (lo >= x.lo && hi < x.hi) continue;
      const from = g.add(this.#terms(x.e, 1), g.i32(x.e.c - x.lo));
      const one = x.hi <= x.lo ? g.i32(0) : g.op('i32.lt_u', 'i32', from, g.i32(x.hi - x.lo));
      all = all ? g.op('i32.and', 'i32', all, one) : one;
    }
    return all;
  }

  /** lo <= e < hi at lane 0 for a guard list, e.g. of a store. */
  guards(guards: readonly Guard[]): Node | undefined {
    return this.#holds(guards);
  }

  /** Address of lane 0 (`lane` steps of the vector axis on, for gathers) and its constant part. */
  address(buf: BufId, at: KIx, lane = 0, shift = 0): { node: Node; offset: number } {
    const g = this.#g;
    const ix = this.vec === undefined ? at.ix : advance(at.ix, this.vec, lane + shift);
    let node = this.#terms(ix, 4);
    for (const d of at.dyn) node = g.add(node, g.times(this.#dyn(d.e, lane, shift), d.m * 4));
    const own = this.env.own?.(buf);
    if (own) node = g.add(node, own);
    const offset = this.env.base(buf) + ix.c * 4;
    const least = interval({ c: 0, terms: ix.terms }, this.env.extents).lo;
    const positive = least >= 0 && at.dyn.every((d) => d.m >= 0);
    if (positive && offset >= 0 && offset < MAX_OFFSET) return { node, offset };
    return { node: g.add(node, g.i32(offset)), offset: 0 };
  }

  #dyn(e: KExpr, lane: number, shift: number): Node {
    if (!this.varies(e)) return this.scalar(e);
    return this.#g.node('i32', ins.lane('i32', lane), [this.vector(e, shift)]);
  }

  // ------------------------------------------------------------------ loads

  #raw(ty: Ty, buf: BufId, code: readonly number[], args: readonly Node[]): Node {
    const { written, home, version } = this.env;
    return written.has(buf)
      ? this.#g.node(ty, code, args, home, version)
      : this.#g.node(ty, code, args);
  }

  /** One cell; `lane` steps of the vector axis on. */
  #cell(e: Extract<KExpr, { k: 'load' }>, lane: number, shift: number): Node {
    const g = this.#g;
    const ty = e.t === 'f32' ? 'f32' : 'i32';
    const { node, offset } = this.address(e.buf, e.at, lane, shift);
    const guard =
      this.vec === undefined
        ? e.guard
        : e.guard.map((x) => ({ ...x, e: advance(x.e, this.vec!, lane + shift) }));
    const ok = this.#holds(guard);
    if (!ok) return this.#raw(ty, e.buf, ins.load(ty, offset), [node]);
    const safe = g.op('select', 'i32', g.add(node, g.i32(offset)), g.i32(this.env.base(e.buf)), ok);
    const v = this.#raw(ty, e.buf, ins.load(ty, 0), [safe]);
    return g.op('select', ty, v, ty === 'f32' ? g.f32(0) : g.i32(0), ok);
  }

  #loadLanes(e: Extract<KExpr, { k: 'load' }>, shift: number): Node {
    const g = this.#g;
    const vec = this.vec!;
    const stride = e.at.dyn.some((d) => this.varies(d.e))
      ? undefined
      : laneStride(advance(e.at.ix, vec, shift), vec);
    const guards = e.guard.map((x) => ({ ...x, e: advance(x.e, vec, shift) }));
    const open = guards.filter((x) => {
      const { lo, hi } = interval(x.e, this.env.extents);
      return lo < x.lo || hi >= x.hi;
    });
    const even = open.every((x) => laneStride(x.e, vec) === 0);
    const asMask = (v: Node): Node => (e.t === 'bool' ? g.op('i32x4.neg', 'v128', v) : v);
    if (!even || (stride !== 0 && stride !== 1)) {
      const t = e.t === 'f32' ? 'f32' : 'i32';
      return asMask(this.#gather(t, (k) => this.#cell(e, k, shift)));
    }
    const { node, offset } = this.address(e.buf, e.at, 0, shift);
    const code = (o: number): number[] => (stride === 1 ? ins.load('v128', o) : ins.splat(o));
    const ok = this.#holds(open);
    if (!ok) return asMask(this.#raw('v128', e.buf, code(offset), [node]));
    const safe = g.op('select', 'i32', g.add(node, g.i32(offset)), g.i32(this.env.base(e.buf)), ok);
    const mask = g.op('i32x4.splat', 'v128', g.op('i32.sub', 'i32', g.i32(0), ok));
    const v = this.#raw('v128', e.buf, code(0), [safe]);
    return asMask(g.op('v128.and', 'v128', v, mask));
  }

  // ------------------------------------------------------------------ expressions

  scalar(e: KExpr): Node {
    const known = this.#scalars.get(e);
    if (known) return known;
    const g = this.#g;
    let out: Node;
    switch (e.k) {
      case 'const':
        out = e.t === 'f32' ? g.f32(e.v) : g.i32(e.v);
        break;
      case 'index':
        out = this.index(e.ix);
        break;
      case 'load':
        out = this.#cell(e, 0, 0);
        break;
      case 'prim':
        out = this.#prim(e, 1, (a) => this.scalar(a));
        break;
    }
    this.#scalars.set(e, out);
    return out;
  }

  vector(e: KExpr, shift: number): Node {
    const memo = this.#vectors.get(shift) ?? new Map<KExpr, Node>();
    this.#vectors.set(shift, memo);
    const known = memo.get(e);
    if (known) return known;
    const out = this.varies(e) ? this.#vector(e, shift) : this.#spread(e);
    memo.set(e, out);
    return out;
  }

  #spread(e: KExpr): Node {
    const g = this.#g;
    if (e.k === 'const') return g.lanes(e.t === 'f32' ? 'f32' : 'i32', e.t === 'bool' ? -e.v : e.v);
    if (e.k === 'load' && e.t === 'f32' && e.guard.length === 0) {
      const { node, offset } = this.address(e.buf, e.at);
      return this.#raw('v128', e.buf, ins.splat(offset), [node]);
    }
    const s = this.scalar(e);
    if (e.t === 'f32') return g.op('f32x4.splat', 'v128', s);
    return g.op('i32x4.splat', 'v128', e.t === 'bool' ? g.op('i32.sub', 'i32', g.i32(0), s) : s);
  }

  #vector(e: KExpr, shift: number): Node {
    switch (e.k) {
      case 'const':
        return this.#spread(e);
      case 'index':
        return this.#indexLanes(e.ix, shift);
      case 'load':
        return this.#loadLanes(e, shift);
      case 'prim':
        return this.#prim(e, 4, (a) => this.vector(a, shift));
    }
  }

  #prim(e: Extract<KExpr, { k: 'prim' }>, lanes: Lanes, arg: (a: KExpr) => Node): Node {
    const g = this.#g;
    const op: Prim = e.op;
    const from = e.args[0]!.t;
    const args = (): Node[] => e.args.map(arg);
    const low = (o: MidOp, ...a: Node[]): Node => this.#op(lanes, o, e.t, from, a);
    if (isMathPrim(op)) {
      const by = e.args[1];
      const small = op === 'pow' && by?.k === 'const' ? powConst(PARAM, by.v) : undefined;
      if (small) return this.#low(small, lanes, [arg(e.args[0]!)]);
      return this.#low(mathFns[op].body, lanes, args());
    }
    switch (op) {
      case 'stop':
        return arg(e.args[0]!);
      case 'cast':
        return this.#cast(lanes, e.t, from, arg(e.args[0]!));
      case 'gt':
        return low('lt', arg(e.args[1]!), arg(e.args[0]!));
      case 'ge':
        return low('le', arg(e.args[1]!), arg(e.args[0]!));
      case 'round':
        return low('nearest', ...args());
      case 'idiv':
      case 'mod': {
        const [a, b] = args() as [Node, Node];
        if (lanes === 1) return this.#divide(op, e.t, a, b, e.args[1]!);
        return this.#gather('i32', (k) =>
          this.#divide(
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
        const positive = this.#op(lanes, 'lt', 'bool', e.t, [k(0), x]);
        const up = this.#op(lanes, 'select', e.t, 'bool', [positive, k(1), x]);
        if (e.t === 'u32') return up;
        const negative = this.#op(lanes, 'lt', 'bool', e.t, [x, k(0)]);
        return this.#op(lanes, 'select', e.t, 'bool', [negative, k(-1), up]);
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

  /** Floor division and remainder; x idiv 0 = x, x mod 0 = 0, never a trap. */
  #divide(op: 'idiv' | 'mod', t: Dtype, x: Node, y: Node, by: KExpr): Node {
    const g = this.#g;
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

  #cast(lanes: Lanes, t: Dtype, from: Dtype, x: Node): Node {
    const g = this.#g;
    if (t === from) return x;
    if (from === 'bool') {
      const asInt = lanes === 4 ? g.op('v128.and', 'v128', x, g.lanes('i32', 1)) : x;
      return t === 'f32' ? this.#op(lanes, 'to', 'f32', 'i32', [asInt]) : asInt;
    }
    if (t === 'bool') {
      const zero =
        lanes === 4
          ? g.lanes(from === 'f32' ? 'f32' : 'i32', 0)
          : from === 'f32'
            ? g.f32(0)
            : g.i32(0);
      return this.#op(lanes, 'ne', 'bool', from, [x, zero]);
    }
    if (t !== 'f32' && from !== 'f32') return x;
    return this.#op(lanes, 'to', t, from, [x]);
  }

  /** A lowered function on actual arguments. */
  #low(body: Low, lanes: Lanes, args: readonly Node[]): Node {
    const g = this.#g;
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
        out = this.#op(lanes, e.op, e.t, e.t, [go(e.args[0]!), g.i32(by.k === 'const' ? by.v : 0)]);
      } else if (e.op === 'whole' || e.op === 'wholeBits') {
        const bias = e.args[1]!;
        const base = wholeBase(bias.k === 'const' ? bias.v : 0);
        const by = lanes === 4 ? g.lanes('f32', base) : g.f32(base);
        const sum = this.#op(lanes, 'add', 'f32', 'f32', [go(e.args[0]!), by]);
        out =
          e.op === 'whole'
            ? this.#op(lanes, 'sub', 'f32', 'f32', [sum, by])
            : this.#op(lanes, 'bits', 'i32', 'f32', [sum]);
      } else out = this.#op(lanes, e.op, e.t, e.args[0]!.t, e.args.map(go));
      memo.set(e, out);
      return out;
    };
    return go(body);
  }

  #op(lanes: Lanes, o: MidOp, t: Dtype, from: Dtype, args: readonly Node[]): Node {
    return applyOp(this.#g, lanes, o, t, from, args);
  }
}

const PARAM: Low = { k: 'param', t: 'f32', i: 0 };

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

export type { LowFn };
export { addIx };
