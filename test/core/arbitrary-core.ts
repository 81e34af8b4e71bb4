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
import { castE, f32, indexE, prim, readE } from '../../compiler/core/expr.ts';
import { ixAxis, scaleIx, shiftIx } from '../../compiler/core/ix.ts';
import { printCore } from '../../compiler/core/print.ts';
import type {
  Axis,
  ConstData,
  Core,
  Dtype,
  Expr,
  Ix,
  ReduceOp,
  Stmt,
  Var,
} from '../../compiler/core.ts';
import type { Span } from '../../dsl/source.ts';

import {
  Body,
  Choices,
  type CoreOptions,
  type Known,
  small,
  tame,
  withDefaults,
} from './arbitrary-body.ts';

export type { CoreOptions };

export type CoreCase = {
  readonly core: Core;
  /** One array per input; f32 values are exact in f32. */
  readonly inputs: readonly Float64Array[];
};

/** Random programs; each is valid for `verify` and runs on the interpreter without a fault. */
export function arbitraryCore(options: CoreOptions = {}): fc.Arbitrary<CoreCase> {
  const choices = fc.array(fc.nat(0xffff), { minLength: 60, maxLength: 600, size: 'max' });
  return fc
    .noBias(choices)
    .map((numbers) => withText(new Gen(new Choices(numbers), options).program()));
}

/** The case as fast-check should print it. */
function withText(c: CoreCase): CoreCase {
  const text = () =>
    `${printCore(c.core)}${c.inputs.map((x) => `given [${x.join(', ')}]\n`).join('')}`;
  return { ...c, [fc.toStringMethod]: text } as CoreCase;
}

const maxPoints = 300;

class Gen {
  readonly #c: Choices;
  readonly #o: Required<CoreOptions>;
  readonly #supply = newSupply();
  #spans = 0;
  readonly #inputs: Known[] = [];
  readonly #consts: ConstData[] = [];

  constructor(choices: Choices, options: CoreOptions) {
    this.#c = choices;
    this.#o = withDefaults(options);
  }

  #data(x: Known): Float64Array {
    // Contents come from a generator of their own, so that they need no choices per cell.
    let state = (this.#c.pick(0x10000) * 2654435761 + x.x.id * 40503 + 1) >>> 0;
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
    const inputs = 1 + this.#c.pick(3);
    for (let i = 0; i < inputs; i++) this.#addInput(scope, 'f32', 1.5);
    if (this.#o.ints && this.#c.chance(2)) this.#addInput(scope, 'i32', 1 + this.#c.pick(6));
    if (this.#o.ints && this.#c.chance(4)) this.#addInput(scope, 'bool', 2);
    if (this.#o.consts && this.#c.chance(3)) {
      const c = { x: this.#supply.var('c', 'f32', this.shape(2)), bound: 1 };
      this.#consts.push({ v: c.x, data: this.#data(c) });
      scope.push(c);
    }
    const given = scope.length;
    const body = this.block(scope, [], 1 + this.#c.pick(this.#o.statements), 0);
    const made = scope.slice(given);
    // The last value, so that something is live, and any others.
    const last = made.findLast((k) => k.x.t === 'f32') ?? made.at(-1)!;
    const outputs = made.filter((k) => k === last || this.#c.chance(3)).map((k) => k.x);
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
    return Array.from({ length: this.#c.pick(maxRank + 1) }, () => this.#c.of(this.#o.extents));
  }

  /** Adds statements and what they define to the scope. */
  block(scope: Known[], folds: readonly Axis[], n: number, depth: number): Stmt[] {
    const out: Stmt[] = [];
    for (let i = 0; i < n; i++) {
      if (i > 0 && this.#c.spent) break;
      const form = this.#c.pick(12);
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
    const reduce = this.#c.pick(3) === 2;
    const red = reduce ? this.#red(sizeOf(shape)) : [];
    const op = red.length > 0 ? this.#reduceOp(red, want !== undefined) : null;
    const t: Dtype =
      op === 'all' || op === 'any'
        ? 'bool'
        : want === undefined && this.#o.ints && this.#c.chance(8)
          ? 'i32'
          : 'f32';
    const at = new Body(this.#c, this.#o, scope, [...folds, ...axes, ...red]);
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
    const first = this.#c.of(this.#o.extents);
    const second = this.#c.of(this.#o.extents);
    const shape = this.#c.chance(3) && fits(first * second) ? [first, second] : [first];
    return this.#supply.axes(shape, ['r', 's']);
  }

  #reduceOp(red: readonly Axis[], f32Only: boolean): ReduceOp {
    const ops: ReduceOp[] = ['sum', 'sum', 'sum', 'prod'];
    if (!this.#o.smooth) ops.push('max', 'min');
    if (!f32Only && this.#o.ints) {
      if (red.length === 1 && !this.#o.smooth) ops.push('argmax', 'argmin');
      ops.push('all', 'any');
    }
    return this.#c.of(ops);
  }

  segsum(scope: Known[], folds: readonly Axis[], out: Stmt[]): void {
    const axes = this.#supply.axes(this.shape(2));
    const shape = this.shape(2);
    const at = new Body(this.#c, this.#o, scope, [...folds, ...axes]);
    const { ixs, guard } = at.indices(shape);
    const body = small(at.f32(3));
    const v = this.#supply.var('g', 'f32', shape);
    out.push({ k: 'segsum', v, axes, at: ixs, guard, body: body.e, spans: this.spans() });
    scope.push({ x: v, bound: body.bound * sizeOf(axes.map((a) => a.extent)) });
  }

  // -------------------------------------------------------------- folds

  fold(scope: Known[], folds: readonly Axis[], out: Stmt[], depth: number): void {
    const trip = 1 + this.#c.pick(3);
    const l = this.#supply.axis(trip, 'l');
    const inits = Array.from({ length: this.#c.pick(4) }, () => this.#tamed(scope, folds, out).x);
    const carry = inits.map((init) => ({ in: this.#supply.like(init, 'h'), init }));
    const inner = [...scope, ...carry.map((c) => ({ x: c.in, bound: tame }))];
    const body = this.block(inner, [...folds, l], 1 + this.#c.pick(2), depth + 1);
    const nexts = carry.map((c, i) => {
      const other = carry[this.#c.pick(carry.length)]!;
      const swap = this.#c.chance(5) && String(other.in.shape) === String(c.in.shape);
      if (swap) return other.in;
      // Now and then a variable of the body or of outside, as it is.
      const alike = inner.filter(
        (k) => k.bound <= tame && k.x.t === 'f32' && String(k.x.shape) === String(c.in.shape),
      );
      if (this.#c.chance(8)) return this.#c.of(alike).x;
      // Reads the carry, so that the fold is a recurrence.
      const axes = this.#supply.axes(c.in.shape);
      const at = new Body(this.#c, this.#o, inner, [...folds, l, ...axes]);
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
    const local = inner.slice(scope.length).filter((k) => k.x.t === 'f32');
    const ys: { v: Var; elem: Var }[] = [];
    const acc: { v: Var; init: Var; add: Var; at: Ix | null }[] = [];
    const after: Known[] = [];
    for (const k of local) {
      if (this.#c.chance(3)) {
        const v = this.#supply.var('ys', 'f32', [trip, ...k.x.shape]);
        ys.push({ v, elem: k.x });
        after.push({ x: v, bound: k.bound });
      }
      if (this.#c.chance(3)) {
        // Slices l, 2 - l, a constant one; or the whole.
        const lead = this.#c.pick(3);
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
      rev: this.#c.chance(2),
      carry: carry.map((c, i) => ({ ...c, next: nexts[i]!, out: outs[i]! })),
      ys,
      acc,
      save: this.#c.chance(4) ? 'carries' : 'auto',
      body,
      spans: this.spans(),
    });
    scope.push(...outs.map((x) => ({ x, bound: tame })), ...after);
  }

  /** An f32 variable in scope with a tame bound, made if there is none. */
  #tamed(scope: Known[], folds: readonly Axis[], out: Stmt[]): Known {
    const some = scope.filter((k) => k.x.t === 'f32' && k.bound <= tame);
    return some.length > 0 ? this.#c.of(some) : this.nest(scope, folds, out, this.shape(2));
  }

  /** What an accumulator starts from: zeros or a ramp. */
  #start(shape: readonly number[], _folds: readonly Axis[], out: Stmt[]): Var {
    const axes = this.#supply.axes(shape);
    const ramp = axes.length > 0 && this.#c.chance(2);
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
}
