/**
 * Sizes and facts at numbers, over the whole numbers without bound.
 *
 * Invariant: what is subtracted may be negative on the way; only a whole size must be 0 or more. A
 * quotient must be exact wherever it stands.
 */
import { Outside } from './outside.ts';
import { printFact, printSize } from './print.ts';
import type { Fact, Size } from './tree.ts';

export type Sizes = ReadonlyMap<string, bigint>;

/** Where a size stands, for who asks. */
export type Where = string | (() => string);
const written = (w: Where): string => (typeof w === 'string' ? w : w());

/** The value of an expression of sizes, which may be negative. */
function numberOf(s: Size, sizes: Sizes, whole: Size, where: Where): bigint {
  switch (s.k) {
    case 'nat':
      return BigInt(s.value);
    case 'name': {
      const n = sizes.get(s.name);
      if (n === undefined) throw new Error(`there is no size ${s.name} in ${written(where)}`);
      return n;
    }
    case 'group':
      return numberOf(s.of, sizes, whole, where);
    case 'op': {
      const a = numberOf(s.left, sizes, whole, where);
      const b = numberOf(s.right, sizes, whole, where);
      if (s.op === '+') return a + b;
      if (s.op === '-') return a - b;
      if (s.op === '*') return a * b;
      if (s.op === '^') return a ** b;
      if (b === 0n || a % b !== 0n) {
        throw new Outside('quotient', `${a}/${b} of ${printSize(whole)}`, written(where));
      }
      return a / b;
    }
  }
}

/** @throws Outside for what is no size at these numbers. */
export function sizeAt(s: Size, sizes: Sizes, where: Where): bigint {
  const n = numberOf(s, sizes, s, where);
  if (n < 0n) throw new Outside('size', `the size ${printSize(s)} = ${n}`, written(where));
  return n;
}

/** A fact with a quotient that is not whole does not hold, nor one about a negative size. */
export function holds(f: Fact, sizes: Sizes): boolean {
  try {
    const [left, right, equals] = [f.left, f.right, f.equals].map((s) => sizeAt(s, sizes, ''));
    switch (f.op) {
      case '==':
        return left === right;
      case '<=':
        return left! <= right!;
      case '>=':
        return left! >= right!;
      case '%':
        return right! >= 1n && equals! < right! && left! % right! === equals;
    }
  } catch (e) {
    if (e instanceof Outside) return false;
    throw e;
  }
}

export function requireFact(f: Fact, sizes: Sizes, where: string): void {
  if (holds(f, sizes)) return;
  const numbers = [...sizes].map(([name, n]) => `${name} = ${n}`).join(', ');
  throw new Outside('fact', `${printFact(f)} does not hold for ${numbers}`, where);
}
