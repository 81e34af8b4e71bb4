/**
 * The f64 meaning of a core program: the oracle that every target is compared with, and the
 * evaluator of compile-time constants.
 *
 * A nest becomes one generated loop (nest-code.ts); folds and blocks are interpreted. Every dtype is
 * held in Float64Arrays: f32 is not rounded, integers are exact. Every access that intervals do not
 * prove is checked, and a breach throws a CoreFault that shows the statement: it is a defect of the
 * compiler, never of a program.
 */
import type { Span } from '../../dsl/source.ts';
import type { Axis, Core, Fold, Nest, SegSum, Stmt, Var } from '../core.ts';
import { defsOf, sizeOf, usesOf } from './build.ts';
import { evalIx } from './ix.ts';
import { type Loop, loopOf } from './nest-code.ts';
import { printStmt } from './print.ts';

/** An access outside a tensor, or an index value outside its extent. */
export class CoreFault extends Error {
  override readonly name = 'CoreFault';
  readonly statement: string;
  readonly spans: readonly Span[];

  constructor(message: string, statement: string, spans: readonly Span[]) {
    super(`${message}\n${statement}`);
    this.statement = statement;
    this.spans = spans;
  }
}

/** Storage of one run, by slot. */
type Store = (Float64Array | undefined)[];

/** Executes a statement; yields between statements so that a host may stop it. */
type Run = (store: Store, steps: number[]) => Generator<void>;

export type Prepared = {
  /** Yields between statements; returns the outputs. Inputs are row-major and are not changed. */
  readonly run: (inputs: readonly ArrayLike<number>[]) => Generator<void, Float64Array[]>;
};

class Preparer {
  readonly #slots = new Map<Var, number>();

  slot(x: Var): number {
    let s = this.#slots.get(x);
    if (s === undefined) {
      s = this.#slots.size;
      this.#slots.set(x, s);
    }
    return s;
  }

  get count(): number {
    return this.#slots.size;
  }

  /**
   * Statements in order. What no later statement of the block uses (and `keep` does not hold) is
   * dropped after its last use, so a long program needs no more memory than its live values.
   */
  block(body: readonly Stmt[], folds: readonly Axis[], keep: ReadonlySet<Var> | 'all'): Run {
    const runs = body.map((s) => this.stmt(s, folds));
    const drops = keep === 'all' ? [] : this.#lastUses(body, keep);
    return function* (store, steps) {
      for (let i = 0; i < runs.length; i++) {
        yield;
        yield* runs[i]!(store, steps);
        const drop = drops[i];
        if (drop !== undefined) for (const s of drop) store[s] = undefined;
      }
    };
  }

  #lastUses(body: readonly Stmt[], keep: ReadonlySet<Var>): readonly (readonly number[])[] {
    const drops: number[][] = body.map(() => []);
    const live = new Set<Var>(keep);
    const own = new Set<Var>(body.flatMap(defsOf));
    for (let i = body.length - 1; i >= 0; i--) {
      for (const x of [...usesOf(body[i]!), ...defsOf(body[i]!)]) {
        if (!own.has(x) || live.has(x)) continue;
        live.add(x);
        drops[i]!.push(this.slot(x));
      }
    }
    return drops;
  }

  stmt(s: Stmt, folds: readonly Axis[]): Run {
    switch (s.k) {
      case 'nest':
      case 'segsum':
        return this.nest(s, folds);
      case 'fold':
        return this.fold(s, folds);
      case 'custom':
        return this.block(s.body, folds, 'all');
    }
  }

  nest(s: Nest | SegSum, folds: readonly Axis[]): Run {
    const out = this.slot(s.v);
    const size = sizeOf(s.v.shape);
    const fault = (message: string): never => {
      throw new CoreFault(message, printStmt(s, folds), s.spans);
    };
    let loop: Loop | undefined;
    const slot = (x: Var) => this.slot(x);
    // biome-ignore lint/correctness/useYield: a nest is one step
    return function* (store, steps) {
      loop ??= loopOf(s, folds, slot);
      // Inside a fold the same storage serves every step; a nest writes all of it.
      const to = store[out] ?? new Float64Array(size);
      store[out] = to;
      loop(store as Float64Array[], steps, to, fault);
    };
  }

  fold(s: Fold, folds: readonly Axis[]): Run {
    const inner = this.block(s.body, [...folds, s.l], 'all');
    const carry = s.carry.map((c) => ({
      in: this.slot(c.in),
      init: this.slot(c.init),
      next: this.slot(c.next),
      out: this.slot(c.out),
    }));
    const ys = s.ys.map((y) => ({
      v: this.slot(y.v),
      elem: this.slot(y.elem),
      n: sizeOf(y.elem.shape),
    }));
    const ysSize = s.ys.map((y) => sizeOf(y.v.shape));
    const acc = s.acc.map((a) => ({
      v: this.slot(a.v),
      init: this.slot(a.init),
      add: this.slot(a.add),
      n: sizeOf(a.add.shape),
      at: (steps: readonly number[]) =>
        a.at === null ? 0 : evalIx(a.at, (id) => steps[axisAt([...folds, s.l], id)]!),
      wrap:
        a.v.t === 'i32'
          ? (v: number) => v | 0
          : a.v.t === 'u32'
            ? (v: number) => v >>> 0
            : (v: number) => v,
    }));
    const depth = folds.length;
    const { trip, rev } = s;
    return function* (store, steps) {
      for (const c of carry) store[c.in] = store[c.init]!.slice();
      ys.forEach((y, i) => {
        store[y.v] = new Float64Array(ysSize[i]!);
      });
      for (const a of acc) store[a.v] = store[a.init]!.slice();
      const spare: Float64Array[] = carry.map((c) => new Float64Array(store[c.in]!.length));
      for (let step = 0; step < trip; step++) {
        const l = rev ? trip - 1 - step : step;
        steps[depth] = l;
        yield* inner(store, steps);
        for (const y of ys) store[y.v]!.set(store[y.elem]!, l * y.n);
        for (const a of acc) {
          const to = store[a.v]!;
          const add = store[a.add]!;
          const at = a.at(steps) * a.n;
          for (let i = 0; i < a.n; i++) to[at + i] = a.wrap(to[at + i]! + add[i]!);
        }
        // All nexts are copied before any carry changes: a next may be another carry's value.
        carry.forEach((c, i) => {
          spare[i]!.set(store[c.next]!);
        });
        carry.forEach((c, i) => {
          const old = store[c.in]!;
          store[c.in] = spare[i]!;
          spare[i] = old;
        });
      }
      for (const c of carry) store[c.out] = store[c.in];
    };
  }
}

function axisAt(folds: readonly Axis[], id: number): number {
  return folds.findIndex((a) => a.id === id);
}

/** Compiles a program for repeated runs. */
export function prepareCore(core: Core): Prepared {
  const p = new Preparer();
  const inputs = core.inputs.map((x) => ({ slot: p.slot(x), size: sizeOf(x.shape), name: x.name }));
  const consts = core.consts.map((c) => ({ slot: p.slot(c.v), data: c.data }));
  const run = p.block(core.body, [], new Set(core.outputs));
  const outputs = core.outputs.map((x) => p.slot(x));
  return {
    *run(given) {
      const store: Store = new Array(p.count);
      if (given.length !== inputs.length) {
        throw new RangeError(`${given.length} inputs for ${inputs.length}`);
      }
      inputs.forEach((x, i) => {
        const data = given[i]!;
        if (data.length !== x.size) {
          throw new RangeError(`input ${x.name} has ${data.length} values, not ${x.size}`);
        }
        store[x.slot] = data instanceof Float64Array ? data : Float64Array.from(data);
      });
      for (const c of consts) store[c.slot] = c.data;
      yield* run(store, []);
      return outputs.map((s) => store[s]!.slice());
    },
  };
}

/** Runs a program at once; the outputs in order. */
export function interpret(core: Core, inputs: readonly ArrayLike<number>[]): Float64Array[] {
  const steps = prepareCore(core).run(inputs);
  for (;;) {
    const r = steps.next();
    if (r.done === true) return r.value;
  }
}
