/**
 * Runs a plan over the numbers of field.ts and shows every access to the rules. Kernels, cells and
 * points run one after another; that they may run side by side is what the rules about cells and
 * points ask.
 */
import { wrap } from '../../core/scalar.ts';
import type { Buf, BufId, KExpr, Kernel, KIx, KNest, Step } from '../../plan.ts';
import type { Parts } from '../views.ts';
import { adding, reduced, Unanswered } from './core-values.ts';
import { type Breach, type Staged, type Touch, touchRules, type Who } from './rules.ts';
import { Axes, Tape, type Value } from './tape.ts';
import { Words } from './words.ts';

/** Stops a run that has shown enough. */
class Enough extends Error {}

const mostBreaches = 8;

export type Watch = {
  /** Told of every value that is stored in memory that outlives the kernel. */
  readonly stored: (b: Buf, i: number, v: number, kernel: Kernel) => void;
};

export class Machine {
  readonly words: Words;
  readonly breaches: Breach[] = [];
  readonly kernels: Kernel[] = [];
  readonly #plan: Staged;
  readonly #kept: ReadonlySet<BufId>;
  readonly #watch: Watch;
  readonly #axes = new Axes();
  readonly #code = new Map<Kernel, () => void>();
  readonly #by: Who = { run: 0, cell: 0, nest: 0, point: 0 };
  readonly #seen = new Set<string>();
  #kernel = 0;

  constructor(plan: Staged, parts: Parts, kept: ReadonlySet<BufId>, watch: Watch) {
    this.#plan = plan;
    this.#kept = kept;
    this.#watch = watch;
    this.words = new Words(plan, parts);
    this.#buf = (b) => plan.bufs[parts.get(b)?.whole ?? b]!;
  }

  /** A buffer by its own name: a part is its whole. */
  readonly #buf: (b: BufId) => Buf;

  run(): void {
    try {
      this.#steps(this.#plan.steps);
    } catch (e) {
      if (!(e instanceof Enough)) throw e;
    }
  }

  #steps(steps: readonly Step[]): void {
    for (const s of steps) {
      if (s.k === 'kernel') this.#run(s);
      else {
        const slot = this.#axes.slot(s.axis.id);
        const { extent } = s.axis;
        for (let i = 0; i < extent; i++) {
          this.#axes.values[slot] = s.rev ? extent - 1 - i : i;
          this.#steps(s.steps);
        }
      }
    }
  }

  #run(k: Kernel): void {
    const code = this.#code.get(k) ?? this.#compiled(k);
    this.#code.set(k, code);
    this.#by.run++;
    code();
  }

  #compiled(k: Kernel): () => void {
    const number = this.kernels.push(k) - 1;
    const nests = k.nests.map((n) => this.#nest(n, k));
    const by = this.#by;
    return () => {
      this.#kernel = number;
      let cell = 0;
      this.#axes.each(k.grid, () => {
        nests.forEach((run, i) => {
          // Nests that may run in any order are as far apart as cells.
          by.cell = k.gathered ? i : cell;
          by.nest = i;
          run();
        });
        cell++;
      });
    };
  }

  #nest(n: KNest, k: Kernel): () => void {
    const tape = new Tape(this.#axes, (e, t) => this.#cell(e as KExpr, t));
    const value = reduced(n, tape, this.#axes);
    // The place is computed by itself: it stands outside of the reduction.
    const outside = new Tape(this.#axes, (e, t) => this.#cell(e as KExpr, t));
    const buf = this.#buf(n.store.buf);
    const place = this.#place(n.store.at, buf, outside);
    const open = outside.holds(n.store.guard);
    const refused = n.store.at.dyn.flatMap(({ e }) => {
      if (e.k !== 'checked') return [];
      const v = outside.add(e.e);
      return [() => !(v() >= 0 && v() < e.extent)];
    });
    const { mode } = n.store;
    const add = adding(buf.t);
    const by = this.#by;
    const { words } = this;
    return () => {
      let point = 0;
      this.#axes.each(n.axes, () => {
        by.point = point++;
        const v = value();
        outside.run();
        if (!open() || refused.some((r) => r())) return;
        const i = place();
        if (!this.#touch(mode, buf, i)) return;
        const out = mode === 'add' ? add(words.value(buf.id, i), v) : v;
        words.write(buf.id, i, out, by, this.#kernel);
        if (buf.kind !== 'scratch' && mode === 'set') this.#watch.stored(buf, i, v, k);
      });
    };
  }

  #cell(e: KExpr, tape: Tape): Value {
    if (e.k === 'checked') {
      const v = tape.add(e.e);
      return () => (v() >= 0 && v() < e.extent ? v() : 0);
    }
    if (e.k !== 'load') throw new Error(`a ${e.k} in a plan`);
    const buf = this.#buf(e.buf);
    const place = this.#place(e.at, buf, tape);
    const open = tape.holds(e.guard);
    const { words } = this;
    return () => {
      if (!open()) return 0;
      const i = place();
      return this.#touch('read', buf, i) ? words.read(buf.id, i, this.#by) : 0;
    };
  }

  #place(at: KIx, buf: Buf, tape: Tape): Value {
    const ix = tape.ix(at.ix);
    const dyn = at.dyn.map((d) => ({ v: tape.add(d.e), m: d.m, extent: d.extent }));
    return () => {
      let sum = ix();
      for (const d of dyn) {
        const v = d.v();
        if (!(v >= 0 && v < d.extent) && buf.words > 0)
          throw new Unanswered(`a value ${v} below ${d.extent}`);
        sum += d.m * v;
      }
      return wrap('i32', sum);
    };
  }

  /** Asks the rules; whether there is such a word at all. */
  #touch(how: Touch['how'], buf: Buf, i: number): boolean {
    if (!(i >= 0 && i < buf.words)) {
      this.#breach({ rule: 'in range', what: 'there is no such word' }, how, buf, i);
      return false;
    }
    const t = this.words.look(how, buf, i, this.#by, this.#kept.has(buf.id));
    for (const r of touchRules) {
      const what = r.breach(t);
      if (what !== undefined && what !== false) this.#breach({ rule: r.name, what }, how, buf, i);
    }
    return true;
  }

  #breach(b: Breach, how: Touch['how'], buf: Buf, i: number): void {
    const k = this.kernels[this.#kernel]!;
    // One of each rule, kernel and buffer is enough.
    const key = `${b.rule} ${k.id} ${this.#by.nest} ${buf.id} ${how}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const verb = { read: 'reads', set: 'writes', add: 'adds to' }[how];
    const where = `kernel ${k.id} \`${k.name}\`, nest ${this.#by.nest}`;
    const what = `${where} ${verb} word ${i} of \`${buf.name}\`#${buf.id}: ${b.what}`;
    this.breaches.push({ rule: b.rule, what });
    if (this.breaches.length >= mostBreaches) throw new Enough();
  }
}
