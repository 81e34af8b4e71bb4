/**
 * The share of a kernel that one thread works on: contiguous blocks of units of its outermost
 * parallel loop, told by the thread's number. Units do not depend on how many threads there are, and
 * a cell is computed the same way in whichever share it falls: results are equal bit for bit.
 */
import type { Graph, Node, Scope } from './graph.ts';

export type Part = {
  /** This thread, from 0. */
  readonly t: Node;
  readonly of: Node;
};

/** Where this thread's part of `count` blocks of `unit` steps, from `from`, begins and ends. */
export function shareOf(
  g: Graph,
  part: Part | undefined,
  count: number,
  unit = 1,
  from = 0,
): { readonly lo: number | Node; readonly hi: number | Node } {
  if (!part) return { lo: from, hi: from + count * unit };
  const at = (t: Node): Node => {
    const blocks = g.op('i32.div_u', 'i32', g.times(t, count), part.of);
    return g.add(g.times(blocks, unit), g.i32(from));
  };
  return { lo: at(part.t), hi: at(g.add(part.t, g.i32(1))) };
}

/** A place that only the last thread reaches: what is left over after whole units. */
export function lastOnly(g: Graph, part: Part | undefined, s: Scope): Scope {
  if (!part) return s;
  const last = g.op('i32.eq', 'i32', g.add(part.t, g.i32(1)), part.of);
  return s.branch(last).then;
}
