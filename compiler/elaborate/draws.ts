/**
 * Random draws as pure functions of a key and a counter: Threefry-2x32 (Salmon et al. 2011), split
 * and drawn in separate counter domains (the second counter word), as JAX's keys are.
 *
 * Invariant: the words are the same on every target; a uniform draw is the top 24 bits times 2^-24,
 * in [0, 1); a normal draw is Box-Muller of two words, with the first uniform in (0, 1].
 */

import { castE, f32, prim, u32 } from '../core/expr.ts';
import type { Expr } from '../core.ts';
import type { Value } from './value.ts';

export type Key = Extract<Value, { k: 'key' }>;

/** The second counter word says what the bits are for. */
const domain = { draw: 0, split: 1 } as const;

export function keyOf(v: Value): Key {
  if (v.k !== 'key') throw new Error(`a key was expected, not a ${v.k}`);
  return v;
}

function words(key: Key, counter: Expr, use: number): readonly [Expr, Expr] {
  const c = counter.k === 'const' ? u32(counter.v >>> 0) : castE('u32', counter);
  const args = [key.hi, key.lo, c, u32(use)] as const;
  return [prim('bits0', ...args), prim('bits1', ...args)];
}

export function splitKey(key: Key, counter: Expr): Key {
  const [hi, lo] = words(key, counter, domain.split);
  return { k: 'key', hi, lo };
}

/** The top 24 bits as a whole number, exact in f32. */
function top24(word: Expr): Expr {
  return castE('f32', prim('idiv', word, u32(256)));
}

const ulp = 2 ** -24;

export function uniformDraw(key: Key, counter: Expr): Expr {
  return prim('mul', top24(words(key, counter, domain.draw)[0]), f32(ulp));
}

export function normalDraw(key: Key, counter: Expr): Expr {
  const [a, b] = words(key, counter, domain.draw);
  const u = prim('mul', prim('add', top24(a), f32(1)), f32(ulp));
  const angle = prim('mul', top24(b), f32(2 * Math.PI * ulp));
  const radius = prim('sqrt', prim('mul', f32(-2), prim('log', u)));
  return prim('mul', radius, prim('cos', angle));
}

/** Whole number in [0, n); the bias of the remainder is below n * 2^-32. */
export function randintDraw(key: Key, counter: Expr, n: number): Expr {
  return castE('i32', prim('mod', words(key, counter, domain.draw)[0], u32(n)));
}
