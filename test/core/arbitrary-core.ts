/**
 * Random valid core programs with inputs: nests with every kind of read (affine, strided, split by
 * div and mod, reversed, diagonal, guarded, data-dependent), every reduction, selects, random bits,
 * segment sums, folds with several carries, ys and acc, nested folds, customs.
 *
 * A program is a function of a list of small numbers, read as choices; past its end every choice is
 * 0, the simplest. So fast-check shrinks the list and the programs shrink with it (the idea of
 * Hypothesis). Values are tame by construction: each f32 expression carries a bound on its
 * magnitude, and what grows beyond `tame` is squashed, divisions are by at least one, logarithms
 * and roots of at least one.
 */
import fc from 'fast-check';
import { mapNest, newSupply, reduceNest, reduceType, sizeOf } from '../../compiler/core/build.ts';
import {
  bool,
  castE,
  f32,
  i32,
  indexE,
  insideE,
  prim,
  readE,
  selectE,
  u32,
} from '../../compiler/core/expr.ts';
import {
  addIx,
  divIx,
  extentsOf,
  interval,
  ixAxis,
  ixConst,
  ixVal,
  modIx,
  scaleIx,
  shiftIx,
} from '../../compiler/core/ix.ts';
import { printCore } from '../../compiler/core/print.ts';
import type {
  Axis,
  ConstData,
  Core,
  Dtype,
  Expr,
  Guard,
  Ix,
  Prim,
  ReduceOp,
  Stmt,
  Var,
} from '../../compiler/core.ts';
import type { Span } from '../../dsl/source.ts';

export type CoreOptions = {
  /** Everything f32 is smooth in the f32 inputs (for finite differences). Default false. */
  readonly smooth?: boolean;
  /** Default true each. */
  readonly ints?: boolean;
  readonly folds?: boolean;
  readonly segsums?: boolean;
  /** Data-dependent indices. */
  readonly vals?: boolean;
  readonly bits?: boolean;
  readonly consts?: boolean;
  /** Blocks with a custom derivative (the true one). Default false. */
  readonly customs?: boolean;
  /** Statements at the top level, at most; default 6. */
  readonly statements?: number;
  /** Default [1, 2, 3, 5]. */
  readonly extents?: readonly number[];
};

export type CoreCase = {
  readonly core: Core;
  /** One array per input; f32 values are exact in f32. */
  readonly inputs: readonly Float64Array[];
};

/** Random programs; each is valid for `verify` and runs on the interpreter without a fault. */
export function arbitraryCore(options: CoreOptions = {}): fc.Arbitrary<CoreCase> {
  const choices = fc.array(fc.nat(0xffff), { minLength: 60, maxLength: 600, size: 'max' });
  return fc.noBias(choices).map((choices) => withText(new Gen(choices, options).program()));
}

/** The case as fast-check should print it. */
function withText(c: CoreCase): CoreCase {
  const text = () =>
    `${printCore(c.core)}${c.inputs.map((x) => `given [${x.join(', ')}]\n`).join('')}`;
  return { ...c, [fc.toStringMethod]: text } as CoreCase;
}

/** An expression with a bound on |value| (f32) or the interval [0, bound) (i32). */
type Bounded = { readonly e: Expr; readonly bound: number };
/** A variable in scope, likewise. */
type Known = { readonly x: Var; readonly bound: number };

const tame = 3;
const maxPoints = 300;

const smoothUnary: readonly ((x: Bounded) => Bounded)[] = [
  (x) => ({ e: prim('neg', x.e), bound: x.bound }),
  (x) => ({ e: prim('sin', x.e), bound: 1 }),
  (x) => ({ e: prim('tanh', x.e), bound: 1 }),
  (x) => ({ e: prim('cos', x.e), bound: 1 }),
  (x) => ({ e: prim('erf', x.e), bound: 1 }),
  (x) => ({ e: prim('exp', small(x).e), bound: Math.exp(small(x).bound) }),
  (x) => ({ e: prim('log', onePlusSquare(x)), bound: Math.log1p(x.bound ** 2) }),
  (x) => ({ e: prim('sqrt', onePlusSquare(x)), bound: 1 + x.bound }),
  (x) => ({ e: prim('pow', onePlusSquare(x), f32(1.5)), bound: (1 + x.bound ** 2) ** 1.5 }),
  (x) => ({ e: prim('stop', x.e), bound: x.bound }),
];

const kinkedUnary: readonly ((x: Bounded) => Bounded)[] = [
  (x) => ({ e: prim('abs', x.e), bound: x.bound }),
  (x) => ({ e: prim('sign', x.e), bound: 1 }),
  (x) => ({ e: prim('floor', x.e), bound: x.bound + 1 }),
  (x) => ({ e: prim('ceil', x.e), bound: x.bound + 1 }),
  (x) => ({ e: prim('round', x.e), bound: x.bound + 1 }),
  (x) => ({ e: prim('f16', x.e), bound: x.bound * 1.01 }),
  (x) => ({ e: prim('bf16', x.e), bound: x.bound * 1.01 }),
];

const smoothBinary: readonly ((x: Bounded, y: Bounded) => Bounded)[] = [
  (x, y) => ({ e: prim('mul', x.e, y.e), bound: x.bound * y.bound }),
  (x, y) => ({ e: prim('add', x.e, y.e), bound: x.bound + y.bound }),
  (x, y) => ({ e: prim('sub', x.e, y.e), bound: x.bound + y.bound }),
  (x, y) => ({ e: prim('div', x.e, onePlusSquare(y)), bound: x.bound }),
];

const kinkedBinary: readonly ((x: Bounded, y: Bounded) => Bounded)[] = [
  (x, y) => ({ e: prim('min', x.e, y.e), bound: Math.max(x.bound, y.bound) }),
  (x, y) => ({ e: prim('max', x.e, y.e), bound: Math.max(x.bound, y.bound) }),
];

function onePlusSquare(x: Bounded): Expr {
  return prim('add', f32(1), prim('mul', x.e, x.e));
}

/** Scaled down until it is tame; linear, so it keeps whatever depends on it visible. */
function small(x: Bounded): Bounded {
  if (x.bound <= tame) return x;
  const scale = 2 ** -Math.ceil(Math.log2(x.bound / tame));
  return { e: prim('mul', f32(scale), x.e), bound: x.bound * scale };
}

class Gen {
  readonly #choices: readonly number[];
  #at = 0;
  readonly #o: Required<CoreOptions>;
  readonly #supply = newSupply();
  #spans = 0;
  readonly #inputs: Known[] = [];
  readonly #consts: ConstData[] = [];

  constructor(choices: readonly number[], o: CoreOptions) {
    this.#choices = choices;
    this.#o = {
      smooth: o.smooth ?? false,
      ints: o.ints ?? true,
      folds: o.folds ?? true,
      segsums: o.segsums ?? true,
      vals: o.vals ?? true,
      bits: o.bits ?? true,
      consts: o.consts ?? true,
      customs: o.customs ?? false,
      statements: o.statements ?? 6,
      extents: o.extents ?? [1, 2, 3, 5],
    };
  }

  // -------------------------------------------------------------- choices

  /** 0..n-1; 0 when the list is used up. */
  pick(n: number): number {
    const c = this.#choices[this.#at++] ?? 0;
    return n <= 1 ? 0 : c % n;
  }

  chance(oneIn: number): boolean {
    return this.pick(oneIn) === oneIn - 1;
  }

  of<T>(xs: readonly T[]): T {
    return xs[this.pick(xs.length)]!;
  }

  /** A value in [-1.5, 1.5], exact in f32. */
  #number(): number {
    return ((this.pick(0x10000) - 0x8000) / 0x8000) * 1.5;
  }

  #data(x: Known): Float64Array {
    // Contents come from a generator of their own, so that they need no choices per cell.
    let state = (this.pick(0x10000) * 2654435761 + x.x.id * 40503 + 1) >>> 0;
    const next = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) / 2 ** 24;
    };
    return Float64Array.from({ length: sizeOf(x.x.shape) }, () => {
      const u = next();
      switch (x.x.t) {
        case 'f32':
          return Math.fround((2 * u - 1) * x.bound);
        case 'i32':
        case 'u32':
          return Math.floor(u * x.bound);
        case 'bool':
          return u < 0.5 ? 0 : 1;
      }
    });
  }

  spans(): readonly Span[] {
    const start = this.#spans++;
    return [{ file: 'random.tn', start, end: start + 1 }];
  }

  // -------------------------------------------------------------- programs

  program(): CoreCase {
    const scope: Known[] = [];
    const inputs = 1 + this.pick(3);
    for (let i = 0; i < inputs; i++) this.#addInput(scope, 'f32', 1.5);
    if (this.#o.ints && this.chance(2)) this.#addInput(scope, 'i32', 1 + this.pick(6));
    if (this.#o.ints && this.chance(4)) this.#addInput(scope, 'bool', 2);
    if (this.#o.consts && this.chance(3)) {
      const c = { x: this.#supply.var('c', 'f32', this.shape(2)), bound: 1 };
      this.#consts.push({ v: c.x, data: this.#data(c) });
      scope.push(c);
    }
    const given = scope.length;
    const body = this.block(scope, [], 1 + this.pick(this.#o.statements), 0);
    const made = scope.slice(given);
    // The last value, so that something is live, and any others.
    const last = made.findLast((k) => k.x.t === 'f32') ?? made.at(-1)!;
    const outputs = made.filter((k) => k === last || this.chance(3)).map((k) => k.x);
    return {
      core: { inputs: this.#inputs.map((k) => k.x), consts: this.#consts, body, outputs },
      inputs: this.#inputs.map((k) => this.#data(k)),
    };
  }

  #addInput(scope: Known[], t: Dtype, bound: number): void {
    const k = {
      x: this.#supply.var(t === 'f32' ? 'x' : t === 'i32' ? 'n' : 'b', t, this.shape(3)),
      bound,
    };
    this.#inputs.push(k);
    scope.push(k);
  }

  shape(maxRank: number): readonly number[] {
    return Array.from({ length: this.pick(maxRank + 1) }, () => this.of(this.#o.extents));
  }

  /** Adds statements and what they define to the scope. */
  block(scope: Known[], folds: readonly Axis[], n: number, depth: number): Stmt[] {
    const out: Stmt[] = [];
    for (let i = 0; i < n; i++) {
      if (i > 0 && this.#at >= this.#choices.length) break;
      const form = this.pick(12);
      if (form === 11 && this.#o.folds && depth < 2) this.fold(scope, folds, out, depth);
      else if (form === 10 && this.#o.segsums) this.segsum(scope, folds, out);
      else if (form === 9 && this.#o.customs) this.custom(scope, out);
      else this.nest(scope, folds, out);
    }
    return out;
  }

  // -------------------------------------------------------------- nests

  /** A nest of any form; `shape` and `dtype` where the caller needs them. */
  nest(scope: Known[], folds: readonly Axis[], out: Stmt[], want?: readonly number[]): Known {
    const shape = want ?? this.shape(3);
    const axes = this.#supply.axes(shape);
    const reduce = this.pick(3) === 2;
    const red = reduce ? this.#red(sizeOf(shape)) : [];
    const op = red.length > 0 ? this.#reduceOp(red, want !== undefined) : null;
    const t: Dtype =
      op === 'all' || op === 'any'
        ? 'bool'
        : want === undefined && this.#o.ints && this.chance(8)
          ? 'i32'
          : 'f32';
    const at = new Body(this, scope, [...folds, ...axes, ...red]);
    const points = sizeOf(red.map((a) => a.extent));
    const body =
      t === 'f32' ? small(at.f32(4)) : t === 'i32' ? at.i32(3) : { e: at.bool(3), bound: 2 };
    const kept = op === 'prod' && t === 'f32' ? { e: prim('tanh', body.e), bound: 1 } : body;
    const rt = reduceType(op, t);
    const wrapped = rt === 'i32' && t === 'i32' && (op === 'sum' || op === 'prod');
    const v = this.#supply.var(rt === 'f32' ? 'v' : rt === 'i32' ? 'k' : 'q', rt, shape);
    const spans = this.spans();
    out.push(
      op === null ? mapNest(v, axes, kept.e, spans) : reduceNest(v, axes, op, red, kept.e, spans),
    );
    const bound =
      op === 'argmax' || op === 'argmin'
        ? red[0]!.extent
        : op === 'sum'
          ? kept.bound * points
          : kept.bound;
    // An integer sum or product has no useful bound: mark it as not an index.
    const known = { x: v, bound: wrapped ? Infinity : bound };
    scope.push(known);
    return known;
  }

  #red(outer: number): readonly Axis[] {
    const fits = (n: number) => n * outer <= maxPoints;
    const first = this.of(this.#o.extents);
    const second = this.of(this.#o.extents);
    const shape = this.chance(3) && fits(first * second) ? [first, second] : [first];
    return this.#supply.axes(shape, ['r', 's']);
  }

  #reduceOp(red: readonly Axis[], f32Only: boolean): ReduceOp {
    const ops: ReduceOp[] = ['sum', 'sum', 'sum', 'prod'];
    if (!this.#o.smooth) ops.push('max', 'min');
    if (!f32Only && this.#o.ints) {
      if (red.length === 1 && !this.#o.smooth) ops.push('argmax', 'argmin');
      ops.push('all', 'any');
    }
    return this.of(ops);
  }

  segsum(scope: Known[], folds: readonly Axis[], out: Stmt[]): void {
    const axes = this.#supply.axes(this.shape(2));
    const shape = this.shape(2);
    const at = new Body(this, scope, [...folds, ...axes]);
    const { ixs, guard } = at.indices(shape);
    const body = small(at.f32(3));
    const v = this.#supply.var('g', 'f32', shape);
    out.push({ k: 'segsum', v, axes, at: ixs, guard, body: body.e, spans: this.spans() });
    scope.push({ x: v, bound: body.bound * sizeOf(axes.map((a) => a.extent)) });
  }

  // -------------------------------------------------------------- folds

  fold(scope: Known[], folds: readonly Axis[], out: Stmt[], depth: number): void {
    const trip = 1 + this.pick(3);
    const l = this.#supply.axis(trip, 'l');
    const inner = [...scope];
    const carry = Array.from({ length: this.pick(4) }, () => {
      const init = this.#tamed(scope, folds, out);
      const from = this.#supply.like(init.x, 'h');
      inner.push({ x: from, bound: tame });
      return { in: from, init: init.x };
    });
    const before = inner.length;
    const body = this.block(inner, [...folds, l], 1 + this.pick(2), depth + 1);
    const nexts = carry.map((c, i) => {
      const other = carry[this.pick(carry.length)]!;
      const swap = this.chance(5) && String(other.in.shape) === String(c.in.shape);
      if (swap) return other.in;
      // Reads the carry, so that the fold is a recurrence.
      const axes = this.#supply.axes(c.in.shape);
      const at = new Body(this, inner, [...folds, l, ...axes]);
      const self = readE(
        c.in,
        axes.map((a) => ixAxis(a)),
      );
      const step = small(at.f32(3));
      const v = this.#supply.var(`n${i}`, 'f32', c.in.shape);
      const mixed = prim('add', prim('mul', f32(0.5), self), prim('mul', f32(0.25), step.e));
      body.push(mapNest(v, axes, mixed, this.spans()));
      inner.push({ x: v, bound: tame });
      return v;
    });
    const local = inner.slice(before).filter((k) => k.x.t === 'f32');
    const ys: { v: Var; elem: Var }[] = [];
    const acc: { v: Var; init: Var; add: Var; at: Ix | null }[] = [];
    const after: Known[] = [];
    for (const k of local) {
      if (this.chance(3)) {
        const v = this.#supply.var('ys', 'f32', [trip, ...k.x.shape]);
        ys.push({ v, elem: k.x });
        after.push({ x: v, bound: k.bound });
      }
      if (this.chance(3)) {
        // Slices l, 2 - l, a constant one; or the whole.
        const lead = this.pick(3);
        const at: Ix | null =
          lead === 0 ? null : lead === 1 ? ixAxis(l) : shiftIx(scaleIx(ixAxis(l), -1), trip - 1);
        const shape = at === null ? k.x.shape : [trip, ...k.x.shape];
        const init = this.#start(shape, folds, out);
        const v = this.#supply.var('acc', 'f32', shape);
        acc.push({ v, init, add: k.x, at });
        after.push({ x: v, bound: 1 + k.bound * trip });
      }
    }
    const outs = carry.map((c) => this.#supply.like(c.in, 'out'));
    out.push({
      k: 'fold',
      trip,
      l,
      rev: this.chance(2),
      carry: carry.map((c, i) => ({ ...c, next: nexts[i]!, out: outs[i]! })),
      ys,
      acc,
      save: this.chance(4) ? 'carries' : 'auto',
      body,
      spans: this.spans(),
    });
    scope.push(...outs.map((x) => ({ x, bound: tame })), ...after);
  }

  /** An f32 variable in scope with a tame bound, made if there is none. */
  #tamed(scope: Known[], folds: readonly Axis[], out: Stmt[]): Known {
    const some = scope.filter((k) => k.x.t === 'f32' && k.bound <= tame);
    return some.length > 0 ? this.of(some) : this.nest(scope, folds, out, this.shape(2));
  }

  /** What an accumulator starts from: zeros or a ramp. */
  #start(shape: readonly number[], _folds: readonly Axis[], out: Stmt[]): Var {
    const axes = this.#supply.axes(shape);
    const ramp = axes.length > 0 && this.chance(2);
    const body = ramp ? prim('mul', f32(0.125), castE('f32', indexE(ixAxis(axes[0]!)))) : f32(0);
    const v = this.#supply.var('a0', 'f32', shape);
    out.push(mapNest(v, axes, body, this.spans()));
    return v;
  }

  // -------------------------------------------------------------- customs

  /** y = x * sin(x) with its derivative. */
  custom(scope: Known[], out: Stmt[]): void {
    const x = this.#tamed(scope, [], out);
    const y = this.#supply.like(x.x, 'y');
    const dx = this.#supply.like(x.x, 'dx');
    const dy = this.#supply.like(x.x, 'dy');
    const pointwise = (v: Var, f: (at: (u: Var) => Expr) => Expr): Stmt => {
      const axes = this.#supply.axes(v.shape);
      const at = (u: Var) =>
        readE(
          u,
          axes.map((a) => ixAxis(a)),
        );
      return mapNest(v, axes, f(at), this.spans());
    };
    const body = [pointwise(y, (at) => prim('mul', at(x.x), prim('sin', at(x.x))))];
    const slope = (at: (u: Var) => Expr) =>
      prim('add', prim('sin', at(x.x)), prim('mul', at(x.x), prim('cos', at(x.x))));
    const jvp = [pointwise(dy, (at) => prim('mul', at(dx), slope(at)))];
    out.push({
      k: 'custom',
      ins: [x.x],
      outs: [y],
      body,
      jvp: { dins: [dx], douts: [dy], body: jvp },
      spans: this.spans(),
    });
    scope.push({ x: y, bound: x.bound });
  }

  get options(): Required<CoreOptions> {
    return this.#o;
  }

  /** A literal with few digits. */
  literal(): number {
    return this.of([1, 0, 0.5, -1, 2, this.#number()]);
  }
}

/** Expressions over the axes of one nest; earlier ones may be shared. */
class Body {
  readonly #g: Gen;
  readonly #scope: readonly Known[];
  readonly #axes: readonly Axis[];
  readonly #made: Bounded[] = [];

  constructor(g: Gen, scope: readonly Known[], axes: readonly Axis[]) {
    this.#g = g;
    this.#scope = scope;
    this.#axes = axes;
  }

  // -------------------------------------------------------------- values

  f32(depth: number): Bounded {
    const out = small(this.#f32(depth));
    this.#made.push(out);
    return out;
  }

  #f32(depth: number): Bounded {
    const g = this.#g;
    const { smooth, ints, bits } = g.options;
    if (depth === 0) return this.#leaf();
    switch (g.pick(10)) {
      case 0:
      case 1:
      case 2:
        return this.#leaf();
      case 3:
      case 4:
        return g.of(smooth ? smoothUnary : [...smoothUnary, ...kinkedUnary])(this.f32(depth - 1));
      case 5:
        return this.#made.length > 0 ? g.of(this.#made) : this.#leaf();
      case 6: {
        const [a, b] = [this.f32(depth - 1), this.f32(depth - 1)];
        return { e: selectE(this.bool(2), a.e, b.e), bound: Math.max(a.bound, b.bound) };
      }
      case 7:
        if (bits && g.chance(3)) return this.#uniform();
        if (ints && g.chance(2)) return this.#fromInt();
        break;
    }
    const f = g.of(smooth ? smoothBinary : [...smoothBinary, ...kinkedBinary]);
    return f(this.f32(depth - 1), this.f32(depth - 1));
  }

  #leaf(): Bounded {
    const g = this.#g;
    if (g.chance(6)) {
      const v = g.literal();
      return { e: f32(v), bound: Math.abs(v) };
    }
    const floats = this.#scope.filter((k) => k.x.t === 'f32');
    // Later values more often, so that programs are chains and not only fans.
    const k = g.chance(2) ? floats.at(-1)! : g.of(floats);
    return { e: this.read(k.x), bound: k.bound };
  }

  #fromInt(): Bounded {
    const n = this.i32(2);
    // Any integer is made small by a remainder.
    const e = prim('mod', n.e, i32(7));
    return { e: prim('mul', f32(0.25), castE('f32', e)), bound: 1.5 };
  }

  /** Uniform in [0, 1) with 24 bits, as a draw of the language. */
  #uniform(): Bounded {
    const counter = castE('u32', this.i32(1).e);
    const word = prim(this.#g.of(['bits0', 'bits1'] as const), u32(7), u32(1), u32(0), counter);
    const top = castE('f32', prim('idiv', word, u32(256)));
    return { e: prim('mul', f32(2 ** -24), top), bound: 1 };
  }

  bool(depth: number): Expr {
    const g = this.#g;
    const { smooth, ints } = g.options;
    if (depth > 0) {
      switch (g.pick(5)) {
        case 3:
          return prim('not', this.bool(depth - 1));
        case 4:
          return prim(
            g.of(['and', 'or', 'eq', 'ne'] as const),
            this.bool(depth - 1),
            this.bool(depth - 1),
          );
      }
    }
    const compare = g.of<Prim>(['lt', 'le', 'gt', 'ge', 'eq', 'ne']);
    const bools = this.#scope.filter((k) => k.x.t === 'bool');
    if (bools.length > 0 && g.chance(3)) return this.read(g.of(bools).x);
    if (!smooth && g.chance(3)) return prim(compare, this.f32(1).e, this.f32(1).e);
    if (!smooth && g.chance(8)) return prim('isfinite', this.f32(1).e);
    if (ints && g.chance(2)) return prim(compare, this.i32(1).e, this.i32(1).e);
    if (this.#axes.length > 0) {
      const a = g.of(this.#axes);
      const lo = g.pick(a.extent);
      return insideE([{ e: ixAxis(a), lo, hi: lo + 1 + g.pick(a.extent) }]);
    }
    return bool(g.chance(2));
  }

  /** An i32 in [0, bound); infinite where it may be anything. */
  i32(depth: number): Bounded {
    const g = this.#g;
    const ints = g.options.ints ? this.#scope.filter((k) => k.x.t === 'i32') : [];
    if (depth > 0 && g.chance(3)) {
      const [a, b] = [this.i32(depth - 1), this.i32(depth - 1)];
      switch (g.pick(7)) {
        case 0:
          return { e: prim('add', a.e, b.e), bound: a.bound + b.bound };
        case 1:
          return { e: prim('mul', a.e, b.e), bound: a.bound * b.bound };
        case 2:
          return { e: prim('mod', a.e, i32(3)), bound: 3 };
        case 3:
          return { e: prim('idiv', a.e, i32(2)), bound: a.bound };
        case 4:
          return { e: prim('sub', a.e, b.e), bound: Infinity };
        case 5:
          return { e: prim('max', a.e, b.e), bound: Math.max(a.bound, b.bound) };
        default:
          return { e: selectE(this.bool(1), a.e, b.e), bound: Math.max(a.bound, b.bound) };
      }
    }
    if (ints.length > 0 && g.chance(2)) {
      const k = g.of(ints);
      return { e: this.read(k.x), bound: k.bound };
    }
    if (this.#axes.length > 0) {
      const a = g.of(this.#axes);
      return { e: indexE(ixAxis(a)), bound: a.extent };
    }
    const v = g.pick(4);
    return { e: i32(v), bound: v + 1 };
  }

  // -------------------------------------------------------------- reads

  read(x: Var): Expr {
    const { ixs, guard } = this.indices(x.shape);
    return readE(x, ixs, guard);
  }

  /** An index per dimension, in range wherever the guards hold. */
  indices(shape: readonly number[]): { ixs: readonly Ix[]; guard: readonly Guard[] } {
    const guard: Guard[] = [];
    const ixs = shape.map((n) => this.#index(n, guard));
    if (this.#axes.length > 0 && this.#g.chance(12)) {
      // A guard that has nothing to do with ranges.
      const a = this.#g.of(this.#axes);
      guard.push({ e: ixAxis(a), lo: this.#g.pick(2), hi: a.extent });
    }
    return { ixs, guard };
  }

  #index(n: number, guard: Guard[]): Ix {
    const g = this.#g;
    const extents = extentsOf(this.#axes);
    // The candidate forms in order of difficulty; those that do not fit are made to, by a guard.
    const form = g.pick(10);
    const fit = this.#axes.filter((a) => a.extent <= n);
    if (form < 4 && fit.length > 0) {
      const a = g.of(fit);
      const shift = g.pick(n - a.extent + 1);
      const last = a.extent - 1 + shift;
      return form < 3 ? shiftIx(ixAxis(a), shift) : shiftIx(scaleIx(ixAxis(a), -1), last);
    }
    if (this.#axes.length === 0 || form === 4) return ixConst(g.pick(n));
    if (form === 5 && g.options.vals) {
      const k = this.i32(1);
      const e = k.bound <= n ? k.e : prim('mod', k.e, i32(n));
      return ixVal(e, n);
    }
    const a = ixAxis(g.of(this.#axes));
    const b = ixAxis(g.of(this.#axes));
    const free = this.#free(a, b);
    const { lo, hi } = interval(free, extents);
    if (lo >= 0 && hi < n) return free;
    if (hi - lo < n && g.chance(2)) return shiftIx(free, -lo);
    if (g.chance(2)) return modIx(free, n, extents);
    const whole = !g.chance(4);
    guard.push({ e: free, lo: whole ? 0 : g.pick(n), hi: n });
    return free;
  }

  /** Any index over two axes. */
  #free(a: Ix, b: Ix): Ix {
    const g = this.#g;
    const extents = extentsOf(this.#axes);
    switch (g.pick(7)) {
      case 0:
        return shiftIx(a, g.of([-1, 1, -2, 2]));
      case 1:
        return shiftIx(scaleIx(a, g.of([2, 3, -2])), g.of([0, 1, -1]));
      case 2:
        return addIx(a, b);
      case 3:
        return addIx(scaleIx(a, 1 + interval(b, extents).hi), b);
      case 4:
        return divIx(shiftIx(a, g.of([0, 1])), g.of([2, 3]), extents);
      case 5:
        return modIx(addIx(scaleIx(a, 2), b), g.of([2, 3, 5]), extents);
      default:
        return shiftIx(addIx(scaleIx(a, g.of([2, 1, -1])), scaleIx(b, -1)), g.of([0, 1, 2]));
    }
  }
}
