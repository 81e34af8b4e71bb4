/**
 * Which kernels gpu.js can run exactly, and why not the others.
 *
 * gpu.js stores and computes everything as f32 and has no bit operations, so a kernel runs on the
 * host when it needs words of 32 bits (u32, random bits, rounding to halves), or integers that are
 * not known to stay far below 2^24, where f32 stops being exact, or places that are checked. Integers
 * are known by intervals; a data-dependent index is below its extent by the promise of the plan.
 */
import { BufferRanges, boxOver } from '../../bounds/buffers.ts';
import type { Range } from '../../bounds/range.ts';
import { Values } from '../../bounds/values.ts';
import { type Extents, extentsOf, interval } from '../../core/ix.ts';
import type { Axis, Ix, Prim } from '../../core.ts';
import type { KExpr, Kernel, KIx, KNest, Plan } from '../../plan.ts';

/** Index arithmetic and buffers stay below this; quotients by rounding are exact there. */
export const LIMIT = 2 ** 22;

const isSmall = (r: Range): boolean => r.lo >= -LIMIT && r.hi <= LIMIT;

const wordPrims: ReadonlySet<Prim> = new Set<Prim>(['f16', 'bf16', 'bits0', 'bits1']);

export class Analysis {
  readonly #plan: Plan;
  readonly #buffers: BufferRanges;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#buffers = new BufferRanges(plan);
  }

  /** The reason why a kernel of one nest cannot run in gpu.js; undefined when it can. */
  whyHost(k: Kernel, loops: readonly Axis[]): string | undefined {
    const n = k.nests[0]!;
    const extents = extentsOf(loops, k.grid, n.axes, n.red);
    const to = this.#plan.bufs[n.store.buf]!;
    const values = new Values(boxOver(loops, k.grid, n.axes, n.red), this.#buffers.of);
    return (
      this.#whyExpr(n, extents, values) ??
      this.#whyAt(n.store.at, extents) ??
      this.#whyIxs(
        n.store.guard.map((g) => g.e),
        extents,
      ) ??
      (to.words > LIMIT ? `a buffer of ${to.words} words` : undefined) ??
      (to.t === 'i32' && !isSmall(this.#buffers.of(n.store.buf))
        ? 'integers of unknown size'
        : undefined) ??
      // Counters are floats.
      ([...k.grid, ...n.axes, ...n.red].some((a) => a.extent > LIMIT)
        ? 'a loop beyond 2^22 steps'
        : undefined)
    );
  }

  #whyExpr(n: KNest, extents: Extents, values: Values): string | undefined {
    const seen = new Set<KExpr>();
    const why = (e: KExpr, isIndex: boolean): string | undefined => {
      if (seen.has(e)) return undefined;
      seen.add(e);
      if (e.t === 'u32') return 'words of 32 bits';
      if (e.t === 'int') return 'integers beyond 32 bits';
      if (e.k === 'prim') {
        if (wordPrims.has(e.op)) return `${e.op} works on bits`;
        const by = e.args[1];
        if ((e.op === 'idiv' || e.op === 'mod') && !(by!.k === 'const' && by!.v > 0))
          return 'integer division by what is no positive constant';
      }
      if (e.t === 'i32' && !isIndex && !isSmall(values.of(e))) return 'integers of unknown size';
      switch (e.k) {
        case 'const':
          return undefined;
        case 'checked':
          return 'a place that is checked';
        case 'index':
          return this.#whyIxs([e.ix], extents);
        case 'prim':
          return first(e.args, (a) => why(a, false));
        case 'load': {
          const { words } = this.#plan.bufs[e.buf]!;
          if (words > LIMIT) return `a buffer of ${words} words`;
          return (
            this.#whyAt(e.at, extents) ??
            this.#whyIxs(
              e.guard.map((g) => g.e),
              extents,
            ) ??
            first(e.at.dyn, (d) => why(d.e, d.e.k === 'load'))
          );
        }
      }
    };
    return why(n.body, false) ?? first(n.store.at.dyn, (d) => why(d.e, d.e.k === 'load'));
  }

  #whyAt(at: KIx, extents: Extents): string | undefined {
    const far = at.dyn.some((d) => Math.abs(d.m) * d.extent > LIMIT);
    return far ? 'indices beyond 2^22' : this.#whyIxs([at.ix], extents);
  }

  #whyIxs(list: readonly Ix[], extents: Extents): string | undefined {
    return first(list, (e) => {
      if (!isSmall(interval(e, extents))) return 'indices beyond 2^22';
      return first(e.terms, (t) =>
        t.a.k === 'div' || t.a.k === 'mod' ? this.#whyIxs([t.a.e], extents) : undefined,
      );
    });
  }
}

function first<T, R>(list: readonly T[], f: (x: T) => R | undefined): R | undefined {
  for (const x of list) {
    const r = f(x);
    if (r !== undefined) return r;
  }
  return undefined;
}
