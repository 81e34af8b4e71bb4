/**
 * Plans run as a machine of 32 bits runs them, in the plainest way: sums of indices wrap, quotients and
 * comparisons are of what is left. Every access that is not checked must stay in its buffer, every
 * quotient must be that of the exact number, and every value that is promised to lie in an extent must.
 */
import { evalIx } from '../../compiler/core/ix.ts';
import { scalarRule } from '../../compiler/core/scalar.ts';
import type { Axis, AxisId, Dtype, Guard, Ix } from '../../compiler/core.ts';
import type { BufId, KExpr, Kernel, KIx, KNest, Plan, Step } from '../../compiler/plan.ts';

/** What the compiler promised and did not keep. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

const demand = (ok: boolean, what: () => string): void => {
  if (!ok) throw new Broken(what());
};

export type Outcome = {
  readonly outputs: readonly Float64Array[];
  /** 1 + the site of a check that failed, or 0. */
  readonly fault: number;
};

export function runPlan(plan: Plan, inputs: readonly ArrayLike<number>[]): Outcome {
  const machine = new Machine(plan);
  plan.inputs.forEach((b, i) => {
    machine.memory[b]!.set(Array.from(inputs[i]!).slice(0, plan.bufs[b]!.words));
  });
  machine.steps(plan.steps);
  return {
    outputs: plan.outputs.map((b) => machine.memory[b]!.slice()),
    fault: machine.fault,
  };
}

class Machine {
  readonly memory: readonly Float64Array[];
  fault = 0;
  readonly #plan: Plan;
  readonly #axes = new Map<AxisId, number>();
  #values = new Map<KExpr, number>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.memory = plan.bufs.map((b) => {
      const words = new Float64Array(b.words);
      if (b.data && b.words > 0) words.set(b.data.slice(0, b.words));
      return words;
    });
  }

  steps(list: readonly Step[]): void {
    for (const s of list) {
      if (s.k === 'kernel') this.#kernel(s);
      else
        this.#each([s.axis], s.rev, () => {
          this.steps(s.steps);
        });
    }
  }

  #kernel(k: Kernel): void {
    this.#each(k.grid, false, () => {
      for (const n of k.nests) this.#each(n.axes, false, () => this.#cell(n));
    });
  }

  /** Every point of some axes, in order; what they were before is there afterwards. */
  #each(axes: readonly Axis[], down: boolean, f: () => void): void {
    const [a, ...rest] = axes;
    if (a === undefined) {
      f();
      return;
    }
    const before = this.#axes.get(a.id);
    for (let i = 0; i < a.extent; i++) {
      this.#axes.set(a.id, down ? a.extent - 1 - i : i);
      this.#each(rest, down, f);
    }
    if (before === undefined) this.#axes.delete(a.id);
    else this.#axes.set(a.id, before);
  }

  #cell(n: KNest): void {
    const value = n.op === null ? this.#fresh(n.body) : this.#reduced(n);
    this.#values = new Map();
    const { buf, at, guard, mode } = n.store;
    if (!guard.every((g) => this.#holds(g))) return;
    const before = this.fault;
    const place = this.#place(buf, at);
    const refused = at.dyn.some(({ e }) => e.k === 'checked' && !this.#isIn(e));
    demand(this.fault === before || refused, () => 'a fault that refuses nothing');
    if (refused) return;
    const words = this.memory[buf]!;
    const old = mode === 'add' ? words[place]! : 0;
    words[place] = mode === 'add' ? scalarRule.add([old, value], n.body.t, n.body.t) : value;
  }

  #isIn(e: Extract<KExpr, { k: 'checked' }>): boolean {
    const v = this.#value(e.e);
    return v >= 0 && v < e.extent;
  }

  #fresh(e: KExpr): number {
    this.#values = new Map();
    return this.#value(e);
  }

  #reduced(n: KNest): number {
    const { t } = n.body;
    const worst = { f32: -Infinity, i32: -2147483648, u32: 0, bool: 0, int: 0 } satisfies Record<
      Dtype,
      number
    >;
    const best = {
      f32: Infinity,
      i32: 2147483647,
      u32: 4294967295,
      bool: 1,
      int: 0,
    } satisfies Record<Dtype, number>;
    const index = n.op === 'argmax' || n.op === 'argmin';
    const down = n.op === 'max' || n.op === 'argmax';
    let acc =
      n.op === 'sum' || n.op === 'any'
        ? 0
        : n.op === 'prod' || n.op === 'all'
          ? 1
          : down
            ? worst[t]
            : best[t];
    let found = 0;
    this.#each(n.red, false, () => {
      const v = this.#fresh(n.body);
      if (index) {
        if (down ? v > acc : v < acc) [acc, found] = [v, this.#axes.get(n.red[0]!.id)!];
      } else {
        const ops = {
          sum: 'add',
          prod: 'mul',
          max: 'max',
          min: 'min',
          all: 'and',
          any: 'or',
        } as const;
        acc = scalarRule[ops[n.op as keyof typeof ops]]([acc, v], t, t);
      }
    });
    return index ? found : acc;
  }

  // ------------------------------------------------------------------ values

  #value(e: KExpr): number {
    const known = this.#values.get(e);
    if (known !== undefined) return known;
    const v = this.#evaluate(e);
    if (e.t === 'int') demand(Number.isSafeInteger(v), () => `${e.k} is ${v}`);
    this.#values.set(e, v);
    return v;
  }

  #evaluate(e: KExpr): number {
    switch (e.k) {
      case 'const':
        return e.v;
      case 'index':
        demand(e.t === 'i32', () => 'an index that is wide');
        return this.#index(e.ix);
      case 'load': {
        if (!e.guard.every((g) => this.#holds(g))) return 0;
        return this.memory[e.buf]![this.#place(e.buf, e.at)]!;
      }
      case 'prim': {
        const args = e.args.map((a) => this.#value(a));
        return scalarRule[e.op](args, e.t, e.args[0]!.t);
      }
      case 'checked': {
        if (this.#isIn(e)) return this.#value(e.e);
        if (e.site !== undefined) this.fault = e.site + 1;
        return 0;
      }
    }
  }

  readonly #axis = (id: AxisId): number => {
    const v = this.#axes.get(id);
    if (v === undefined) throw new Broken(`axis ${id} is not bound`);
    return v;
  };

  /** Modulo 2^32. */
  #index(ix: Ix): number {
    let sum = ix.c | 0;
    for (const { m, a } of ix.terms) {
      let v: number;
      if (a.k === 'axis') v = this.#axis(a.id);
      else if (a.k === 'val') throw new Broken('a value inside an index');
      else {
        v = this.#exactly(a.e);
        demand(a.by < 2 ** 31, () => `a quotient by ${a.by}`);
        v = a.k === 'div' ? Math.floor(v / a.by) : v - a.by * Math.floor(v / a.by);
      }
      sum = (sum + Math.imul(m | 0, v)) | 0;
    }
    return sum;
  }

  /** What is divided or compared: it must be the number itself. */
  #exactly(ix: Ix): number {
    const v = this.#index(ix);
    const want = evalIx(ix, this.#axis);
    demand(v === want, () => `${v} in 32 bits, ${want} exactly`);
    return v;
  }

  #holds(g: Guard): boolean {
    const v = this.#exactly(g.e);
    return g.lo <= v && v < g.hi;
  }

  #place(buf: BufId, at: KIx): number {
    let sum = this.#index(at.ix);
    for (const d of at.dyn) {
      const v = this.#value(d.e);
      demand(v >= 0 && (v < d.extent || d.extent === 0), () => `a value ${v} below ${d.extent}`);
      sum = (sum + Math.imul(d.m | 0, v)) | 0;
    }
    const { words, name } = this.#plan.bufs[buf]!;
    const dropped = words === 0 && at.dyn.some((d) => d.e.k === 'checked');
    demand(dropped || (sum >= 0 && sum < words), () => `word ${sum} of ${name}[${words}]`);
    return sum;
  }
}
