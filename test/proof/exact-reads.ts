/** Reads, indices made of integers, and draws of the exact interpreter. */
import { normal, splitKey, uniform } from './draws.ts';
import { intOf, outside, type Run, type Scope } from './exact-run.ts';
import { sizeAt } from './exact-sizes.ts';
import { Unclear } from './outside.ts';
import { printSize } from './print.ts';
import type { Expr, ExprOf, Index, Size } from './tree.ts';
import { bad, floorMod, real, type Value, whole } from './value.ts';

export function read(r: Run, s: Scope, e: ExprOf<'read'>): Value {
  let v = r.eval(s, e.target);
  const other = e.orElse === undefined ? undefined : r.eval(s, e.orElse);
  for (const ix of e.ix) {
    if (v.k !== 'tensor') return bad(`a read of ${v.k}`);
    const at = place(r, s, ix, BigInt(v.items.length), e);
    if (typeof at !== 'bigint') {
      if (other !== undefined) return other;
      outside(r, s, e, 'read', at.beyond());
    }
    v = v.items[Number(at)]!;
  }
  return v;
}

type Place = bigint | { readonly beyond: () => string };

/** The row-major place of an index below `extent`, or what is wrong with it. */
function place(r: Run, s: Scope, ix: Index, extent: bigint, e: Expr): Place {
  switch (ix.k) {
    case 'at': {
      const { x } = intOf(r, s, ix.e);
      if (x >= 0n && x < extent) return x;
      return { beyond: () => `${r.written(ix)} = ${x} is outside 0 .. ${extent - 1n}` };
    }
    case 'tuple': {
      const ranges = ix.ranges.map((size) => sizeAt(size, s.sizes, r.where(s, e)));
      const places = ranges.reduce((a, b) => a * b, 1n);
      const corner = ix.parts.every((p) => p.k === 'at' && p.e.k === 'var') && places > 0n;
      if (corner && places < extent) throw new Unclear(`${ranges.join(' * ')} of ${extent}`);
      if (places !== extent) {
        outside(r, s, e, 'shape', `${ranges.join(' * ')} for ${extent}`);
      }
      let flat = 0n;
      for (const [i, part] of ix.parts.entries()) {
        const at = place(r, s, part, ranges[i]!, e);
        if (typeof at !== 'bigint') return at;
        flat = flat * ranges[i]! + at;
      }
      return flat;
    }
    case 'left':
    case 'right': {
      const size = sizeAt(ix.size, s.sizes, r.where(s, e));
      if (size > extent) outside(r, s, e, 'shape', `a part of ${size} in ${extent}`);
      const at = place(r, s, ix.part, size, e);
      return typeof at !== 'bigint' || ix.k === 'left' ? at : extent - size + at;
    }
  }
}

/** How many an index may be below: one at least. */
function below(r: Run, s: Scope, e: Expr, size: Size): bigint {
  const n = sizeAt(size, s.sizes, r.where(s, e));
  if (n < 1n) outside(r, s, e, 'empty', `no index is below ${printSize(size)} = 0`);
  return n;
}

export function pick(r: Run, s: Scope, e: ExprOf<'pick'>): Value {
  const { w } = intOf(r, s, e.arg);
  const n = below(r, s, e, e.size);
  if (e.how === 'wrap') return whole(floorMod(w, n));
  return whole(w < 0n ? 0n : w >= n ? n - 1n : w);
}

export function draw(r: Run, s: Scope, e: ExprOf<'draw'>): Value {
  const key = r.eval(s, e.key);
  if (key.k !== 'key') return bad(`a draw from ${key.k}`);
  const n = counter(r, s, e);
  switch (e.what) {
    case 'uniform':
      return r.meter.note(real(uniform(key.words, n)));
    case 'normal':
      return r.meter.note(real(normal(key.words, n)));
    case 'split':
      return { k: 'key', words: splitKey(key.words, n) };
    case 'randint':
      return whole(r.below(key.words, n, below(r, s, e, e.size!)));
  }
}

function counter(r: Run, s: Scope, e: ExprOf<'draw'>): bigint {
  const ix = e.counter;
  if (ix.k === 'at') return intOf(r, s, ix.e).x;
  if (ix.k !== 'tuple') return bad('a counter is a number or a tuple');
  const places = ix.ranges
    .map((size) => sizeAt(size, s.sizes, r.where(s, e)))
    .reduce((a, b) => a * b, 1n);
  const at = place(r, s, ix, places, e);
  return typeof at === 'bigint' ? at : outside(r, s, e, 'read', at.beyond());
}
