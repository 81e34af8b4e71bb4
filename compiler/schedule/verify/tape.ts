/**
 * Expressions as straight-line code over numbers of field.ts: one slot per node of the DAG, in an
 * order in which operands come first. The same for the core and for plans; what a read is, the caller
 * says.
 *
 * Invariant: every node is evaluated once per run of the tape, whether a select takes it or not: it
 * is pure, and a read is in range wherever its own guards hold.
 */
import { wrap } from '../../core/scalar.ts';
import type { AxisId, Dtype, Expr, Guard, Ix } from '../../core.ts';
import type { KExpr } from '../../plan.ts';
import { literal, meaning } from './field.ts';

/** Loop counters by axis. */
export class Axes {
  readonly #slots = new Map<AxisId, number>();
  readonly values: number[] = [];

  slot(id: AxisId): number {
    const known = this.#slots.get(id) ?? this.values.length;
    if (known === this.values.length) {
      this.#slots.set(id, known);
      this.values.push(Number.NaN);
    }
    return known;
  }

  /** Every point of the axes in order, and what they counted before is there afterwards. */
  each(axes: readonly { readonly id: AxisId; readonly extent: number }[], f: () => void): void {
    const { values } = this;
    const slots = axes.map((a) => this.slot(a.id));
    const before = slots.map((s) => values[s]!);
    const go = (d: number): void => {
      if (d === axes.length) {
        f();
        return;
      }
      const { extent } = axes[d]!;
      for (let i = 0; i < extent; i++) {
        values[slots[d]!] = i;
        go(d + 1);
      }
    };
    go(0);
    slots.forEach((s, i) => {
      values[s] = before[i]!;
    });
  }
}

export type Value = () => number;
type AnyExpr = Expr | KExpr;
type Cell = Extract<AnyExpr, { k: 'read' | 'load' | 'checked' }>;

/** What a tape needs to know of cells: their value, given the tape for what stands inside them. */
export type Cells = (e: Cell, tape: Tape) => Value;

export class Tape {
  readonly #axes: Axes;
  readonly #cells: Cells;
  readonly #slots = new Map<AnyExpr, number>();
  readonly #ops: Value[] = [];
  readonly #regs: number[] = [];

  constructor(axes: Axes, cells: Cells) {
    this.#axes = axes;
    this.#cells = cells;
  }

  get length(): number {
    return this.#ops.length;
  }

  /** Adds an expression; its value is there once the tape has run. */
  add(e: AnyExpr): Value {
    const regs = this.#regs;
    let slot = this.#slots.get(e);
    if (slot === undefined) {
      const op = this.#op(e);
      slot = this.#ops.push(op) - 1;
      this.#slots.set(e, slot);
      regs.push(0);
    }
    const at = slot;
    return () => regs[at]!;
  }

  run(): void {
    const ops = this.#ops;
    const regs = this.#regs;
    for (let i = 0; i < ops.length; i++) regs[i] = ops[i]!();
  }

  #op(e: AnyExpr): Value {
    switch (e.k) {
      case 'const': {
        const v = literal(e.t, e.v);
        return () => v;
      }
      case 'index': {
        const v = this.ix(e.ix);
        return () => wrap(e.t, v());
      }
      case 'prim': {
        const args = (e.args as readonly AnyExpr[]).map((a) => this.add(a));
        return applied(e.op, e.t, (e.args[0]?.t ?? e.t) as Dtype, args);
      }
      case 'read':
      case 'load':
      case 'checked':
        return this.#cells(e, this);
    }
  }

  /** The exact value of an index. */
  ix(e: Ix): Value {
    const terms = e.terms.map((t) => this.#term(t));
    const { c } = e;
    const [first, second] = terms;
    if (!first) return () => c;
    if (!second) return () => c + first();
    return () => {
      let sum = c;
      for (const t of terms) sum += t();
      return sum;
    };
  }

  #term({ m, a }: Ix['terms'][number]): Value {
    switch (a.k) {
      case 'axis': {
        const { values } = this.#axes;
        const slot = this.#axes.slot(a.id);
        return () => m * values[slot]!;
      }
      case 'div': {
        const of = this.ix(a.e);
        return () => m * Math.floor(of() / a.by);
      }
      case 'mod': {
        const of = this.ix(a.e);
        return () => {
          const v = of();
          return m * (v - a.by * Math.floor(v / a.by));
        };
      }
      case 'val': {
        const of = this.add(a.e);
        return () => m * of();
      }
    }
  }

  holds(guard: readonly Guard[]): () => boolean {
    const tests = guard.map((g) => ({ v: this.ix(g.e), lo: g.lo, hi: g.hi }));
    return () =>
      tests.every((g) => {
        const v = g.v();
        return g.lo <= v && v < g.hi;
      });
  }
}

function applied(
  op: Parameters<typeof meaning>[0],
  t: Dtype,
  from: Dtype,
  args: readonly Value[],
): Value {
  const f = meaning(op, t, from);
  const given: number[] = args.map(() => 0);
  return () => {
    for (let i = 0; i < args.length; i++) given[i] = args[i]!();
    return f(given, t, from);
  };
}
