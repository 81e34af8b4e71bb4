/**
 * Whole-number expressions over a few values, at random, and their least and greatest value by trying
 * all of them.
 */
import { add, div, mod, mul, sub } from './make.ts';
import type { Picks } from './picks.ts';
import { int } from './sizes.ts';
import type { Expr } from './tree.ts';
import { bad, floorDiv, floorMod } from './value.ts';

/** What makes 32 bits too few. */
export const large = [
  2 ** 26,
  2 ** 27 + 1,
  2 ** 28 - 1,
  2 ** 29,
  2 ** 30,
  2 ** 30 + 3,
  2 ** 31 - 1,
  2 ** 31,
];
const coefficients = [2, 3, 1, 5, 7, 4, 147, 160, 64];

export const coefficient = (p: Picks): number =>
  p.chance(20) ? p.one(large) : p.one(coefficients);

/** Of so many operators at most. */
export function randomInt(p: Picks, leaves: readonly Expr[], depth: number): Expr {
  if (depth === 0) return p.one(leaves);
  const a = () => randomInt(p, leaves, depth - 1 - p.below(2) * (depth > 1 ? 1 : 0));
  const c = () => int(coefficient(p));
  const small = () => int(1 + p.below(4));
  const makes: readonly (() => Expr)[] = [
    () => add(a(), small()),
    () => mul(c(), a()),
    () => sub(a(), small()),
    () => add(a(), a()),
    () => sub(a(), a()),
    () => mul(a(), a()),
    () => div(a(), c()),
    () => mod(a(), c()),
    () => sub(small(), a()),
    () => mul(a(), div(sub(p.one(leaves), small()), int(2 + p.below(2)))),
    () => mul(a(), mod(sub(p.one(leaves), small()), int(2 + p.below(3)))),
    () => div(mul(c(), a()), c()),
  ];
  return p.one(makes)();
}

export type Ranges = ReadonlyMap<string, number>;

function valueAt(e: Expr, at: ReadonlyMap<string, bigint>): bigint {
  switch (e.k) {
    case 'int':
      return e.value;
    case 'var':
      return at.get(e.name) ?? bad(`no ${e.name}`);
    case 'op': {
      const [a, b] = [valueAt(e.left, at), valueAt(e.right, at)];
      const made = { '+': a + b, '-': a - b, '*': a * b };
      if (e.op === '//') return floorDiv(a, b);
      return e.op === '%' ? floorMod(a, b) : made[e.op];
    }
    default:
      return bad(`${e.k} in arithmetic`);
  }
}

/** The ends of what an expression over values 0 .. n - 1 can be. */
export function boundsOf(e: Expr, ranges: Ranges): { readonly lo: bigint; readonly hi: bigint } {
  let ends: { lo: bigint; hi: bigint } | undefined;
  const at = new Map<string, bigint>();
  const names = [...ranges];
  const walk = (k: number): void => {
    const [name, n] = names[k] ?? [];
    if (name === undefined) {
      const x = valueAt(e, at);
      ends ??= { lo: x, hi: x };
      if (x < ends.lo) ends.lo = x;
      if (x > ends.hi) ends.hi = x;
      return;
    }
    for (let i = 0; i < n!; i++) {
      at.set(name, BigInt(i));
      walk(k + 1);
    }
  };
  walk(0);
  return ends ?? bad('a range is empty');
}
