/**
 * The lint on layouts: `H*W` where `W*H` is written is the same extent, but an element means something
 * else there.
 *
 * A layout is a row of factors, each a bag of names and one number, since `f32[N]` with N = H*W says
 * nothing of an order. Two layouts agree when some order of every bag makes them one row; those that
 * hold the same factors and do not agree are reported, wherever their parts come from. Invariant: each
 * place is reported at most once, and what has no written order never is. After the rule of row-major
 * reshapes: one layout refines the other.
 */
import { diagnostic } from '../errors.ts';
import * as S from '../size.ts';
import { hasUnknown, resolveDim, type Solver, showSize } from '../solver.ts';
import type { Form, Size } from '../typed.ts';
import { flatFactors, sizeOfForm } from '../types.ts';
import type { Fn } from './context.ts';

/** What a factor is made of, in no order; a sum is one thing. */
function bagOf(size: Size): string[] {
  const only = size.length === 1 ? size[0]! : undefined;
  if (only === undefined) return [S.print(size)];
  return [...(only.c === 1 ? [] : [String(only.c)]), ...only.v];
}

/** What is left of the first bag without the second, if it holds all of it. */
function without(whole: readonly string[], part: readonly string[]): string[] | undefined {
  const left = [...whole];
  for (const x of part) {
    const at = left.indexOf(x);
    if (at < 0) return undefined;
    left.splice(at, 1);
  }
  return left;
}

/** Whether some order of every bag makes both rows one. */
function agree(a: readonly string[][], b: readonly string[][]): boolean {
  const [x, ...as] = a.filter((bag) => bag.length > 0);
  const [y, ...bs] = b.filter((bag) => bag.length > 0);
  if (x === undefined || y === undefined) return x === y;
  const rest = without(x, y);
  if (rest !== undefined) return agree([rest, ...as], bs);
  const other = without(y, x);
  return other !== undefined && agree(as, [other, ...bs]);
}

/** Whether two rows of factors hold the same ones and are not one layout. */
export function isPermuted(a: readonly Size[], b: readonly Size[]): boolean {
  const [x, y] = [a.map(bagOf), b.map(bagOf)];
  const same = without(x.flat(), y.flat())?.length === 0;
  return same && !agree(x, y);
}

function factors(s: Solver, form: Form): Size[] {
  return flatFactors(form)
    .map(sizeOfForm)
    .filter((size) => !S.equal(size, S.ONE) && !hasUnknown(size) && showSize(s, size) !== '1');
}

/** `H*W` against `W*H`: equal extents, but an element means something else. */
export function warnPermuted(fn: Fn): void {
  const { solver } = fn;
  // What is refused for another reason is asked about when that one is mended.
  if (fn.errors() > 0) return;
  const done = new Set<string>();
  for (const e of solver.compared) {
    const [da, db] = [resolveDim(solver, e.a), resolveDim(solver, e.b)];
    if (!S.equal(da.size, db.size)) continue;
    const [a, b] = [da, db].map((d) => factors(solver, d.form)) as [Size[], Size[]];
    const { start, end } = e.reason.span;
    if (done.has(`${start} ${end}`) || !isPermuted(a, b)) continue;
    done.add(`${start} ${end}`);
    const [found, needed] = [a, b].map((row) => row.map((f) => shownFactor(solver, f)).join('*'));
    const message = `${e.reason.subject} is ${found} and ${needed} is needed: the same size in another order`;
    const hint = 'read it with a tuple index, and bind the parts in the order that is meant';
    fn.report(diagnostic('W0004', e.reason.span, message, { hint }));
  }
}

function shownFactor(s: Solver, f: Size): string {
  const shown = showSize(s, f);
  return f.length > 1 ? `(${shown})` : shown;
}
