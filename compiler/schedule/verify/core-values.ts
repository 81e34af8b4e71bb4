/**
 * What a core program means over the numbers of field.ts, statement by statement: the definition that
 * plans are held against. It shares nothing with lowering: a variable is an array of its own, a fold
 * copies what it carries, a sum goes over its axes.
 */
import { sizeOf } from '../../core/build.ts';
import { evalIx } from '../../core/ix.ts';
import type { Core, Expr, Fold, Ix, Nest, ReduceOp, SegSum, Stmt, Var } from '../../core.ts';
import { meaning, reducing, residue } from './field.ts';
import { Axes, Tape, type Value } from './tape.ts';

/** The program leaves the ranges that it promises on these inputs, so nothing can be said of it. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

export type CoreValues = {
  readonly outputs: readonly Float64Array[];
  /** Every f32 value that some statement defines. */
  readonly defined: ReadonlySet<number>;
};

/** Constants as numbers of the field. */
export function constants(t: Var['t'], data: Float64Array, literal: (v: number) => number) {
  return t === 'f32' ? data.map(literal) : data;
}

export function coreValues(
  core: Core,
  inputs: readonly Float64Array[],
  literal: (v: number) => number,
): CoreValues {
  const run = new CoreRun();
  core.inputs.forEach((v, i) => {
    run.store.set(v, inputs[i]!);
  });
  for (const c of core.consts) run.store.set(c.v, constants(c.v.t, c.data, literal));
  run.block(core.body);
  return { outputs: core.outputs.map((v) => run.at(v)), defined: run.defined };
}

type Loop = () => void;

class CoreRun {
  readonly store = new Map<Var, Float64Array>();
  readonly defined = new Set<number>([0]);
  readonly #axes = new Axes();
  /** A statement inside a fold is made once. */
  readonly #loops = new Map<Nest | SegSum, Loop>();

  at(v: Var): Float64Array {
    const known = this.store.get(v);
    if (!known) throw new Error(`${v.name} is used before it is defined`);
    return known;
  }

  block(body: readonly Stmt[]): void {
    for (const s of body) this.#stmt(s);
  }

  #stmt(s: Stmt): void {
    switch (s.k) {
      case 'nest':
      case 'segsum': {
        const loop = this.#loops.get(s) ?? (s.k === 'nest' ? this.#nest(s) : this.#segsum(s));
        this.#loops.set(s, loop);
        loop();
        if (s.v.t === 'f32') for (const v of this.at(s.v)) this.defined.add(v);
        return;
      }
      case 'custom':
        this.block(s.body);
        return;
      case 'fold':
        this.#fold(s);
        return;
    }
  }

  #tape(): Tape {
    return new Tape(this.#axes, (e, tape) => {
      if (e.k !== 'read') throw new Error(`a ${e.k} in the core`);
      const place = this.#place(tape, e.ix, e.x.shape, e.x.name);
      const open = tape.holds(e.guard);
      const { x } = e;
      return () => (open() ? this.at(x)[place()]! : 0);
    });
  }

  #place(tape: Tape, ixs: readonly Ix[], shape: readonly number[], name: string): Value {
    const dims = ixs.map((ix, d) => ({ at: tape.ix(ix), extent: shape[d]! }));
    return () => {
      let sum = 0;
      for (const d of dims) {
        const i = d.at();
        if (!(i >= 0 && i < d.extent)) throw new Unanswered(`${name} at ${i} of ${d.extent}`);
        sum = sum * d.extent + i;
      }
      return sum;
    };
  }

  #nest(s: Nest): Loop {
    const tape = this.#tape();
    const value = reduced(s, tape, this.#axes);
    return () => {
      const to = new Float64Array(sizeOf(s.v.shape));
      let i = 0;
      this.#axes.each(s.axes, () => {
        to[i++] = value();
      });
      this.store.set(s.v, to);
    };
  }

  #segsum(s: SegSum): Loop {
    const tape = this.#tape();
    const body = tape.add(s.body);
    const place = this.#place(tape, s.at, s.v.shape, s.v.name);
    const open = tape.holds(s.guard);
    const add = adding(s.v.t);
    return () => {
      const to = new Float64Array(sizeOf(s.v.shape));
      this.#axes.each(s.axes, () => {
        tape.run();
        if (!open()) return;
        const i = place();
        to[i] = add(to[i]!, body());
      });
      this.store.set(s.v, to);
    };
  }

  #fold(f: Fold): void {
    const { store } = this;
    for (const c of f.carry) store.set(c.in, this.at(c.init));
    const ys = f.ys.map((y) => new Float64Array(sizeOf(y.v.shape)));
    const acc = f.acc.map((a) => this.at(a.init).slice());
    for (let step = 0; step < f.trip; step++) {
      const l = f.rev ? f.trip - 1 - step : step;
      const { values } = this.#axes;
      values[this.#axes.slot(f.l.id)] = l;
      this.block(f.body);
      f.ys.forEach((y, i) => {
        ys[i]!.set(this.at(y.elem), l * sizeOf(y.elem.shape));
      });
      f.acc.forEach((a, i) => {
        const add = adding(a.v.t);
        const from = this.at(a.add);
        const base = a.at === null ? 0 : evalIx(a.at, (id) => values[this.#axes.slot(id)]!);
        for (let k = 0; k < from.length; k++) {
          const at = base * from.length + k;
          acc[i]![at] = add(acc[i]![at]!, from[k]!);
        }
      });
      const next = f.carry.map((c) => this.at(c.next));
      f.carry.forEach((c, i) => {
        store.set(c.in, next[i]!);
      });
    }
    for (const c of f.carry) store.set(c.out, this.at(c.in));
    f.ys.forEach((y, i) => {
      store.set(y.v, ys[i]!);
    });
    f.acc.forEach((a, i) => {
      store.set(a.v, acc[i]!);
      if (a.v.t === 'f32') for (const v of acc[i]!) this.defined.add(v);
    });
  }
}

export const adding = (t: Var['t']): ((a: number, b: number) => number) => {
  if (t === 'f32') return (a, b) => residue(a + b);
  const f = meaning('add', t, t);
  return (a, b) => f([a, b], t, t);
};

/** The value of a nest at a point of its axes: its body, or what the body reduces to. */
export function reduced(
  n: {
    readonly op: ReduceOp | null;
    readonly red: Nest['red'];
    readonly body: Expr | Parameters<Tape['add']>[0];
  },
  tape: Tape,
  axes: Axes,
): Value {
  const body = tape.add(n.body);
  const { op, red } = n;
  if (op === null)
    return () => {
      tape.run();
      return body();
    };
  if (op === 'argmax' || op === 'argmin') {
    const slot = axes.slot(red[0]!.id);
    return () => {
      let best = Number.NaN;
      let found = 0;
      axes.each(red, () => {
        tape.run();
        const v = body();
        const better = op === 'argmax' ? v > best : v < best;
        if (Number.isNaN(best) || better) [best, found] = [v, axes.values[slot]!];
      });
      return found;
    };
  }
  const { none, join } = reducing(op, n.body.t);
  return () => {
    let acc = none;
    axes.each(red, () => {
      tape.run();
      acc = join(acc, body());
    });
    return acc;
  };
}
