/**
 * Sizes as programs write them: one row for each form of docs/language.md. A row that needs a fact to
 * be a size sees to it.
 */
import { type Draft, need } from './draft.ts';
import { fact, minus, multiple, name, nat, over, plus, power, sameSize, times } from './sizes.ts';
import type { Size } from './tree.ts';

type Row = (d: Draft) => Size;

export const plainName = (d: Draft): Size => name(d.p.one(d.sizes).name);
const nameOf = plainName;

/** A name that is not the other one, where there are two. */
export function otherName(d: Draft, than: Size): Size {
  const others = d.sizes.filter((s) => !sameSize(name(s.name), than));
  return others.length === 0 ? name(d.sizes[0]!.name) : name(d.p.one(others).name);
}

export const sizeRows: Readonly<Record<string, Row>> = {
  'size N': nameOf,
  'size 5': (d) => nat(1 + d.p.below(6)),
  'size N + 1': (d) => plus(nameOf(d), 1 + d.p.below(3)),
  'size 3*N': (d) => times(nat(2 + d.p.below(3)), nameOf(d)),
  'size N + K': (d) => {
    const n = nameOf(d);
    return plus(n, otherName(d, n));
  },
  'size N*M': (d) => {
    const n = nameOf(d);
    return times(n, otherName(d, n));
  },
  'size N^2': (d) => power(nameOf(d), 2),
  'size N - K': (d) => {
    const n = nameOf(d);
    const k = d.sizes.length === 1 ? nat(2) : otherName(d, n);
    need(d, fact(k, '<=', n));
    return minus(n, k);
  },
  'size N - 1': (d) => {
    const n = nameOf(d);
    const c = 1 + d.p.below(2);
    need(d, fact(n, '>=', nat(c)));
    return plus(n, -c);
  },
  'size D/2': (d) => {
    const n = nameOf(d);
    const c = 2 + d.p.below(3);
    need(d, multiple(n, nat(c)));
    return over(n, nat(c));
  },
  'size D/H': (d) => {
    const n = nameOf(d);
    const h = d.sizes.length === 1 ? nat(3) : otherName(d, n);
    need(d, multiple(n, h));
    return over(n, h);
  },
  'size (N + 1)/4': (d) => {
    // Of a sum it has to be a size of its own today, and is refused.
    const n = d.p.chance(12) ? plus(nameOf(d), 1 + d.p.below(3)) : nameOf(d);
    const c = d.p.one([2, 4, 3]);
    need(d, multiple(n, nat(c)));
    return over(n, nat(c));
  },
  'size 2*(N + 1)': (d) => times(nat(2 + d.p.below(2)), plus(nameOf(d), 1)),
};

const plain = ['size N', 'size N', 'size N', 'size N', 'size 5'];
const all = [...plain, ...Object.keys(sizeRows)];

export function drawSize(d: Draft): Size {
  // Where a loop is not empty, something of its size is there.
  if (d.loops.length > 0 && d.p.chance(50)) return d.p.one(d.loops);
  const row = d.p.one(all);
  d.used.add(row);
  return sizeRows[row]!(d);
}

/** A name or a number. */
export const drawName = (d: Draft): Size => {
  if (d.loops.length > 0 && d.p.chance(50)) return d.p.one(d.loops);
  return nameOf(d);
};
