/**
 * Inverting reads against brute force: for random indices over a few variables, nested div and mod,
 * strides of both signs and guards, the gathered cotangent is what scattering gives.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sizeOf } from '../../compiler/core/build.ts';
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
import { Hand } from '../core/hand.ts';
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
      return addIx(inner(), one());
    default:
      return ixConst(next() % 3);
  }
}

test('a gathered cotangent is the scattered one', () => {
  const one = (extents: readonly number[], choices: readonly number[], rank: number) => {
    let at = 0;
    const next = () => choices[at++] ?? 0;
    const h = new Hand();
    const axes = extents.map((n, i) => h.supply.axis(n, 'ijk'[i]!));
    const read = Array.from({ length: rank }, () => index(axes, next, 2));
    // Dimensions a little smaller or larger than what the index reaches, and a guard that fits.
    const guard: Guard[] = [];
    const shape = read.map((ix) => {
      const { lo, hi } = interval(ix, extentsOf(axes));
      const n = Math.max(1, Math.min(12, hi + 1 + (next() % 3) - (next() % 2)));
      if (lo < 0 || hi >= n) guard.push({ e: ix, lo: 0, hi: n });
      return n;
    });
    if (next() % 4 === 0) guard.push({ e: index(axes, next, 1), lo: 0, hi: 1 + (next() % 4) });
    const x = h.input('x', shape);
    const y = h.map('y', axes, readE(x, read, guard));
    const core = h.core(y);
    const derived = vjpCore(core).core;
    expect(verify(derived)).toEqual([]);

    const ct = Float64Array.from({ length: sizeOf(extents) }, (_, i) => i + 1);
    const want = new Float64Array(sizeOf(shape));
    ct.forEach((g, p) => {
      let rest = p;
      const value = new Map<number, number>();
      for (const a of [...axes].reverse()) {
        value.set(a.id, rest % a.extent);
        rest = Math.floor(rest / a.extent);
      }
      const v = (ix: Ix) => evalIx(ix, (id) => value.get(id)!);
      if (!guard.every((c) => c.lo <= v(c.e) && v(c.e) < c.hi)) return;
      want[read.reduce((o, ix, d) => o * shape[d]! + v(ix), 0)]! += g;
    });
    const out = interpret(derived, [new Float64Array(sizeOf(shape)), ct]);
    const got = out[1] ?? new Float64Array(sizeOf(shape));
    if (String(got) !== String(want)) {
      throw new Error(`${printCore(derived)}\ngot ${got}\nwant ${want}`);
    }
  };
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
      fc.noBias(fc.array(fc.nat(1000), { minLength: 40, maxLength: 40, size: 'max' })),
      fc.integer({ min: 1, max: 3 }),
      one,
    ),
    { numRuns: 2500, seed: 1 },
  );
});
