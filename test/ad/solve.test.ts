/**
 * Inverting reads against brute force: for random indices over a few variables, nested div and mod,
 * strides of both signs and guards, the gathered cotangent is what scattering gives.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inverse } from '../../compiler/ad/equations.ts';
import { vjp } from '../../compiler/ad/index.ts';
import { mapNest, sizeOf } from '../../compiler/core/build.ts';
import { readE } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import {
  addIx,
  divIx,
  evalIx,
  extentsOf,
  interval,
  ixAxis,
  ixConst,
  modIx,
  scaleIx,
  shiftIx,
} from '../../compiler/core/ix.ts';
import { printCore } from '../../compiler/core/print.ts';
import { verify } from '../../compiler/core/verify.ts';
import type { Axis, Guard, Ix } from '../../compiler/core.ts';
import { Hand, spans } from '../core/hand.ts';
import { vjpCore } from './check.ts';

/** An index from a list of choices; past its end every choice is 0. */
function index(axes: readonly Axis[], next: () => number, depth: number): Ix {
  const extents = extentsOf(axes);
  const one = () => ixAxis(axes[next() % axes.length]!);
  const inner = () => (depth > 0 ? index(axes, next, depth - 1) : one());
  switch (next() % 8) {
    case 0:
      return one();
    case 1:
      return addIx(scaleIx(one(), 1 + (next() % 4)), inner());
    case 2:
      return addIx(scaleIx(one(), -1 - (next() % 3)), inner());
    case 3:
      return divIx(shiftIx(inner(), next() % 3), 2 + (next() % 3), extents);
    case 4:
      return modIx(shiftIx(inner(), next() % 3), 2 + (next() % 4), extents);
    case 5:
      return shiftIx(inner(), (next() % 5) - 2);
    case 6:
      return addIx(scaleIx(inner(), [1, 2, -1, -3][next() % 4]!), one());
    default:
      return ixConst(next() % 3);
  }
}

/** Cotangents 1, 2, 3, ... of y[axes] = x[read], scattered; `fixed` are axes with a value. */
function scattered(
  axes: readonly Axis[],
  read: readonly Ix[],
  guard: readonly Guard[],
  shape: readonly number[],
  fixed: ReadonlyMap<number, number> = new Map(),
): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  for (let p = 0; p < sizeOf(axes.map((a) => a.extent)); p++) {
    let rest = p;
    const value = new Map(fixed);
    for (const a of [...axes].reverse()) {
      value.set(a.id, rest % a.extent);
      rest = Math.floor(rest / a.extent);
    }
    const v = (ix: Ix) => evalIx(ix, (id) => value.get(id)!);
    if (!guard.every((c) => c.lo <= v(c.e) && v(c.e) < c.hi)) continue;
    out[read.reduce((o, ix, d) => o * shape[d]! + v(ix), 0)]! += p + 1;
  }
  return out;
}

const counting = (n: number) => Float64Array.from({ length: n }, (_, i) => i + 1);

/** Indices over some axes, a shape that they nearly fit, and guards that make them fit. */
function someRead(axes: readonly Axis[], rank: number, next: () => number) {
  const read = Array.from({ length: rank }, () => index(axes, next, 2));
  const guard: Guard[] = [];
  const shape = read.map((ix) => {
    const { lo, hi } = interval(ix, extentsOf(axes));
    const n = Math.max(1, Math.min(12, hi + 1 + (next() % 3) - (next() % 2)));
    if (lo < 0 || hi >= n) guard.push({ e: ix, lo: 0, hi: n });
    return n;
  });
  if (next() % 4 === 0) guard.push({ e: index(axes, next, 1), lo: 0, hi: 1 + (next() % 4) });
  return { read, guard, shape };
}

const someExtents = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 });
const someChoices = fc.noBias(
  fc.array(fc.nat(1000), { minLength: 40, maxLength: 40, size: 'max' }),
);
const someRank = fc.integer({ min: 1, max: 3 });

function taking(choices: readonly number[]): () => number {
  let at = 0;
  return () => choices[at++] ?? 0;
}

test('a gathered cotangent is the scattered one', () => {
  const one = (extents: readonly number[], choices: readonly number[], rank: number) => {
    const h = new Hand();
    const axes = extents.map((n, i) => h.supply.axis(n, 'ijk'[i]!));
    const { read, guard, shape } = someRead(axes, rank, taking(choices));
    const x = h.input('x', shape);
    const y = h.map('y', axes, readE(x, read, guard));
    const derived = vjpCore(h.core(y)).core;
    expect(verify(derived)).toEqual([]);
    const out = interpret(derived, [new Float64Array(sizeOf(shape)), counting(sizeOf(extents))]);
    const got = out[1] ?? new Float64Array(sizeOf(shape));
    const want = scattered(axes, read, guard, shape);
    if (String(got) !== String(want)) {
      throw new Error(`${printCore(derived)}\ngot ${got}\nwant ${want}`);
    }
  };
  fc.assert(fc.property(someExtents, someChoices, someRank, one), { numRuns: 2000, seed: 1 });
});

test('inside a fold, whose step the derivative knows nothing about', () => {
  const one = (extents: readonly number[], choices: readonly number[], rank: number) => {
    const h = new Hand();
    const l = h.supply.axis(3, 'l');
    const axes = extents.map((n, i) => h.supply.axis(n, 'ijk'[i]!));
    const { read, guard, shape } = someRead([l, ...axes], rank, taking(choices));
    const x = h.input('x', shape);
    const ct = h.input('ct', extents);
    const y = h.supply.var('y', 'f32', extents);
    const nest = mapNest(y, axes, readE(x, read, guard), spans);
    const d = vjp([nest], [x], [{ y, ct }], h.supply);
    const elem = d.cotangentOf(x);
    if (elem === null) return;
    const v = h.supply.var('ys', 'f32', [3, ...shape]);
    const body = [...d.primal, ...d.adjoint];
    const ys = [{ v, elem }];
    h.body.push({
      k: 'fold',
      trip: 3,
      l,
      rev: false,
      carry: [],
      ys,
      acc: [],
      save: 'auto',
      body,
      spans,
    });
    const core = h.core(v);
    expect(verify(core)).toEqual([]);
    const [got] = interpret(core, [new Float64Array(sizeOf(shape)), counting(sizeOf(extents))]);
    const want = [0, 1, 2].flatMap((at) => [
      ...scattered(axes, read, guard, shape, new Map([[l.id, at]])),
    ]);
    if (String(got) !== String(want)) {
      throw new Error(`${printCore(core)}\ngot ${got}\nwant ${want}`);
    }
  };
  fc.assert(fc.property(someExtents, someChoices, someRank, one), { numRuns: 1500, seed: 2 });
});

test('inverses modulo a number of any size', () => {
  const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b));
  const sizes = fc.oneof(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 2, max: 2 ** 52 }));
  fc.assert(
    fc.property(fc.integer(), sizes, (a, m) => {
      const [big, by] = [BigInt(Math.abs(a)), BigInt(m)];
      const x = inverse(a, m);
      expect(x === undefined).toBe(gcd(big, by) !== 1n);
      if (x !== undefined) expect((BigInt(a) * BigInt(x) - 1n) % by).toBe(0n);
    }),
  );
  expect(inverse(2147483629, 2147483647)).toBe(119304647);
});
