/**
 * The share of a kernel that one call works on: contiguous blocks of units of its outermost parallel
 * loop, told by the number of the chunk. How many chunks there are is fixed by the plan; threads take
 * one after another, each from its own stretch first and then from what the others have left (work
 * stealing, after Blumofe and Leiserson), so that a thread that is held up holds up nobody.
 *
 * Invariant: units do not depend on the chunks, and a cell is computed the same way in whichever
 * chunk it falls and whoever takes it: results are equal bit for bit.
 */
import type { Graph, Node, Scope } from './graph.ts';

export type Part = {
  /** This chunk, from 0, and how many there are. */
  readonly chunk: Node;
  readonly of: number;
  /** Who computes it: which copy of scratch and of packed operands is used. */
  readonly thread: Node;
  /** Not 0 in the first chunk of this kernel that this thread takes: it packs what all chunks need. */
  readonly first: Node;
};

/** Where this chunk of `count` blocks of `unit` steps, from `from`, begins and ends. */
export function shareOf(
  g: Graph,
  part: Part | undefined,
  count: number,
  unit = 1,
  from = 0,
): { readonly lo: number | Node; readonly hi: number | Node } {
  if (!part) return { lo: from, hi: from + count * unit };
  // floor(t * count / of), where t <= of. The product may not fit 32 bits: whole times of the count
  // then leave the quotient, and what is left of it is less than of * of.
  const whole = Math.floor(count / part.of);
  const fits = count * part.of < 2 ** 32;
  const blocksOf = (t: Node): Node => {
    const rest = g.op(
      'i32.div_u',
      'i32',
      g.times(t, fits ? count : count % part.of),
      g.i32(part.of),
    );
    return fits ? rest : g.add(g.times(t, whole), rest);
  };
  const at = (t: Node): Node => g.add(g.times(blocksOf(t), unit), g.i32(from));
  return { lo: at(part.chunk), hi: at(g.add(part.chunk, g.i32(1))) };
}

/** A place that only the last chunk reaches: what is left over after whole units. */
export function lastOnly(g: Graph, part: Part | undefined, s: Scope): Scope {
  if (!part) return s;
  return s.branch(g.op('i32.eq', 'i32', part.chunk, g.i32(part.of - 1))).then;
}

/** A place that each thread reaches once. */
export const firstOnly = (part: Part | undefined, s: Scope): Scope =>
  part ? s.branch(part.first).then : s;
