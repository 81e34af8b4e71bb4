/**
 * Random draws as pure functions of a key and a counter: Threefry-2x32 (Salmon et al. 2011), split
 * and drawn in separate counter domains (the second counter word), as JAX's keys are. A draw's number
 * has 64 bits: two places of a data set never share one.
 *
 * Invariant: the words are the same on every target; a uniform draw is the top 24 bits times 2^-24,
 * in [0, 1); a normal draw is Box-Muller of two words, with the first uniform in (0, 1].
 */

import type { Span } from '../../dsl/source.ts';
import { castE, constE, f32, prim, u32 } from '../core/expr.ts';
import type { Extents } from '../core/ix.ts';
import type { Expr } from '../core.ts';
import { rangeOf, requireExactly } from './ints.ts';
import type { Num, Value } from './value.ts';

export type Key = Extract<Value, { k: 'key' }>;

/** The second counter word says what the bits are for. */
const domain = { draw: 0, split: 1 } as const;

export function keyOf(v: Value): Key {
  if (v.k !== 'key') throw new Error(`a key was expected, not a ${v.k}`);
  return v;
}

/**
 * The number of a draw as 64 bits: the low word, and the high one, which stands above the domain in the
 * second counter word. Numbers below 2^32 have no high word; an i32 counts as its 32 bits.
 */
export type Counter = { readonly low: Expr; readonly high: Expr };

const none = u32(0);

export function counterOf(n: Num, extents: Extents, span: Span): Counter {
  const { e, int } = n;
  if (int === undefined) {
    return { low: e.k === 'const' ? u32(e.v >>> 0) : castE('u32', e), high: none };
  }
  requireExactly(int, extents, span);
  if (int.k === 'const') {
    return { low: u32(int.v >>> 0), high: u32(Math.max(0, Math.floor(int.v / 2 ** 32))) };
  }
  const low = castE('u32', int);
  if (rangeOf(int, extents).hi < 2 ** 32) return { low, high: none };
  const above = prim('max', prim('idiv', int, constE('int', 2 ** 32)), constE('int', 0));
  return { low, high: castE('u32', above) };
}

function words(key: Key, { low, high }: Counter, use: number): readonly [Expr, Expr] {
  const domain =
    high.k === 'const'
      ? u32((use + 2 * high.v) >>> 0)
      : prim('add', prim('mul', high, u32(2)), u32(use));
  const args = [key.hi, key.lo, low, domain] as const;
  return [prim('bits0', ...args), prim('bits1', ...args)];
}

export function splitKey(key: Key, counter: Counter): Key {
  const [hi, lo] = words(key, counter, domain.split);
  return { k: 'key', hi, lo };
}

/** The top 24 bits as a whole number, exact in f32. */
function top24(word: Expr): Expr {
  return castE('f32', prim('idiv', word, u32(256)));
}

const ulp = 2 ** -24;

export function uniformDraw(key: Key, counter: Counter): Expr {
  return prim('mul', top24(words(key, counter, domain.draw)[0]), f32(ulp));
}

export function normalDraw(key: Key, counter: Counter): Expr {
  const [a, b] = words(key, counter, domain.draw);
  const u = prim('mul', prim('add', top24(a), f32(1)), f32(ulp));
  const angle = prim('mul', top24(b), f32(2 * Math.PI * ulp));
  const radius = prim('sqrt', prim('mul', f32(-2), prim('log', u)));
  return prim('mul', radius, prim('cos', angle));
}

/**
 * Whole number in [0, n): the remainder of the first word, whose bias is below n * 2^-32. Above 2^16 that of
 * both words, by long division: as many bits of the second one at a time as fit.
 */
export function randintDraw(key: Key, counter: Counter, n: number): Expr {
  const [first, second] = words(key, counter, domain.draw);
  let rest: Expr = prim('mod', first, u32(n));
  if (n <= 2 ** 16) return castE('i32', rest);
  const most = Math.floor(32 - Math.log2(n));
  for (let left = 32; left > 0; ) {
    const k = Math.min(most, left);
    left -= k;
    const bits = prim('mod', prim('idiv', second, u32(2 ** left)), u32(2 ** k));
    rest = prim('mod', prim('add', prim('mul', rest, u32(2 ** k)), bits), u32(n));
  }
  return castE('i32', rest);
}
