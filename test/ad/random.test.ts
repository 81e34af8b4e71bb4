/**
 * Random programs: the tangent against differences in f64, the cotangent against the tangent, and
 * the same of derivatives, to the third order. A derivative program is a program, so every check of
 * the first order applies to it as it is.
 */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpret } from '../../compiler/core/interpret.ts';
import { work } from '../../compiler/core/work.ts';
import type { Core, Stmt } from '../../compiler/core.ts';
import { live } from '../../compiler/passes/live.ts';
import { arbitraryCore, type CoreCase, type CoreOptions } from '../core/arbitrary-core.ts';
import { mostWork } from '../core/ties.ts';
import {
  checkPoint,
  direction,
  dot,
  extended,
  isReal,
  jvpCore,
  numbers,
  randomLike,
  sizeOfVar,
  type Values,
  vjpCore,
} from './check.ts';

/** r: reverse, f: forward; applied from left to right. */
function derived(core: Core, orders: string): Core {
  let out = core;
  for (const o of orders) out = (o === 'r' ? vjpCore(out) : jvpCore(out)).core;
  return out;
}

/** Runs `numRuns` programs through checkPoint; at most 5 % may sit on a kink. */
function checkMany(options: CoreOptions, orders: string, numRuns: number, seed: number): void {
  let kinks = 0;
  let moving = 0;
  const one = (c: CoreCase, n: number) => {
    const next = numbers(n);
    const core = derived(c.core, orders);
    const inputs = extended(core, c.inputs, next);
    for (let attempt = 0; attempt < 3; attempt++) {
      if (checkPoint(core, inputs, direction(core, next)) === 'ok') {
        if (hasGradient(core)) moving++;
        return;
      }
    }
    kinks++;
  };
  fc.assert(fc.property(arbitraryCore(options), fc.nat(), one), { numRuns, seed });
  expect(kinks).toBeLessThanOrEqual(0.05 * numRuns);
  // The generator must not have gone flat.
  expect(moving).toBeGreaterThan(0.5 * numRuns);
}

/** The program with every fold saving like this. */
function saving(save: 'auto' | 'carries'): (core: Core) => Core {
  const set = (s: Stmt): Stmt => (s.k === 'fold' ? { ...s, save, body: s.body.map(set) } : s);
  return (core: Core): Core => ({ ...core, body: core.body.map(set) });
}

const hasGradient = (core: Core) => vjpCore(core).zero.some((z) => !z);

describe('derivatives of random programs', () => {
  test('first order, smooth', () => checkMany({ smooth: true, customs: true }, '', 150, 1));
  test('first order, with kinks', () => checkMany({ customs: true }, '', 150, 2));
  test('long programs', () => checkMany({ customs: true, statements: 14 }, '', 40, 3));
  test('reverse over reverse', () => checkMany({ customs: true, statements: 4 }, 'r', 30, 4));
  test('reverse over forward', () => checkMany({ customs: true, statements: 4 }, 'f', 25, 5));
  test('third order', () => checkMany({ statements: 2 }, 'rf', 10, 6));
});

test('the Hessian is symmetric', () => {
  const one = (c: CoreCase, seed: number) => {
    const next = numbers(seed);
    const gradient = vjpCore(c.core);
    const hessian = jvpCore(gradient.core);
    const reals = c.core.inputs.filter(isReal);
    const seeds = randomLike(c.core.outputs.filter(isReal), next);
    const still = seeds.map((s) => s.map(() => 0));
    const along = (u: Values): Values => {
      const out = interpret(hessian.core, [...c.inputs, ...seeds, ...u, ...still]);
      // The tangents of the gradient's f32 outputs: first of the values, then of the cotangents.
      const tangents = out.slice(gradient.core.outputs.length);
      let k = 0;
      const all = hessian.zero.map((z) => (z ? undefined : tangents[k++]!));
      const cotangents = all.slice(c.core.outputs.filter(isReal).length);
      let j = 0;
      return reals.map((x, i) => {
        const none = new Float64Array(sizeOfVar(x));
        return gradient.zero[i] ? none : (cotangents[j++] ?? none);
      });
    };
    const [u, v] = [randomLike(reals, next), randomLike(reals, next)];
    const [hu, hv] = [along(u), along(v)];
    let [a, b, scale] = [0, 0, 0];
    reals.forEach((_, i) => {
      const [p, q] = [dot(hu[i]!, v[i]!), dot(hv[i]!, u[i]!)];
      a += p.value;
      b += q.value;
      scale += p.scale + q.scale;
    });
    if (Number.isFinite(a) && Number.isFinite(b)) {
      expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-9 * scale + 1e-9);
    }
  };
  const programs = arbitraryCore({ smooth: true, statements: 4 });
  fc.assert(fc.property(programs, fc.nat(), one), { numRuns: 40, seed: 7 });
});

test('value and gradient cost at most 5 times the value', () => {
  // Any program has to write the cells of the gradient: they count as written by the value, too.
  // A checkpoint asks for more work, so every fold saves what it likes.
  const ratios: number[] = [];
  const one = (c: CoreCase) => {
    const core = live(saving('auto')(c.core));
    const cells = core.inputs.filter(isReal).reduce((n, x) => n + sizeOfVar(x), 0);
    const most = mostWork(core);
    ratios.push(((work(vjpCore(core).core) / (work(core) + cells)) * 5) / most);
  };
  fc.assert(fc.property(arbitraryCore({ customs: true }), one), { numRuns: 300, seed: 8 });
  ratios.sort((a, b) => a - b);
  // The exceptions add up cotangents of a large operand that is read at several single places: a
  // gather writes every cell once per place.
  expect(ratios[150]).toBeLessThan(2);
  expect(ratios.filter((r) => r > 5).length).toBeLessThanOrEqual(3);
  expect(ratios.at(-1)).toBeLessThanOrEqual(8);
});

test('a checkpoint changes no gradient', () => {
  const one = (c: CoreCase, seed: number) => {
    const seeds = randomLike(c.core.outputs.filter(isReal), numbers(seed));
    const run = (core: Core) => interpret(vjpCore(core).core, [...c.inputs, ...seeds]);
    expect(run(saving('carries')(c.core))).toEqual(run(saving('auto')(c.core)));
  };
  const programs = arbitraryCore({ statements: 8 }).filter((c) =>
    c.core.body.some((s) => s.k === 'fold'),
  );
  fc.assert(fc.property(programs, fc.nat(), one), { numRuns: 40, seed: 9 });
});
