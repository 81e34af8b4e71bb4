/**
 * How many ways lead from a value to its leaves. V8's revectorizer, before it joins two vectors that
 * were put together lane by lane, looks for one among the inputs of the other and follows every way
 * there without remembering where it has been: over a few rounds of Threefry that never ends.
 *
 * Invariant: an upper bound; what is within LIMIT is safe to unroll.
 */
import type { KExpr } from '../../plan.ts';
import type { Low } from '../low.ts';
import { isMathPrim, type MathPrim, mathFns } from '../math.ts';
import { isWide } from './wide.ts';

const LIMIT = 10_000;

const known = new Map<MathPrim, number>();

/** Ways from the result of a lowered function to its parameters. */
function waysThrough(p: MathPrim): number {
  const before = known.get(p);
  if (before !== undefined) return before;
  const memo = new Map<Low, number>();
  const go = (e: Low): number => {
    if (e.k !== 'op') return 1;
    const n = memo.get(e) ?? e.args.reduce((sum, a) => sum + go(a), 0);
    memo.set(e, n);
    return n;
  };
  const n = go(mathFns[p].body);
  known.set(p, n);
  return n;
}

/** Whether a value that may be put together lane by lane has too many ways to its leaves. */
export function tangled(roots: readonly KExpr[]): boolean {
  const memo = new Map<KExpr, number>();
  let bad = false;
  const go = (e: KExpr): number => {
    const before = memo.get(e);
    if (before !== undefined) return before;
    let n = 1;
    if (e.k === 'load') {
      n = e.at.dyn.reduce((sum, d) => sum + go(d.e), 1);
      bad ||= n > LIMIT;
    } else if (e.k === 'checked') {
      n = 8 * go(e.e);
      bad ||= n > LIMIT;
    } else if (e.k === 'prim') {
      const lanewise = e.op === 'idiv' || e.op === 'mod' || isWide(e);
      const inner = e.args.reduce((sum, a) => sum + go(a), 0);
      n = inner * (isMathPrim(e.op) ? waysThrough(e.op) : lanewise || e.op === 'sign' ? 8 : 1);
      bad ||= lanewise && n > LIMIT;
    }
    memo.set(e, n);
    return n;
  };
  roots.forEach(go);
  return bad;
}
