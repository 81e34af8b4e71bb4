/**
 * Dead branches across statements: a value that is used under conditions only gets exactly 0 where
 * nobody uses it, whatever its partials are there (narrow.ts).
 */
import { describe, expect, test } from 'vitest';
import { f32, prim, selectE } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { verify } from '../../compiler/core/verify.ts';
import type { Axis, Core, Expr, Var } from '../../compiler/core.ts';
import { cotangentProgram } from '../../compiler/gradcheck/derived.ts';
import { at, Hand, spans } from '../core/hand.ts';

const positive = (x: Expr) => prim('gt', x, f32(0));
const log = (x: Expr) => prim('log', x);

/** The first gradient at ones for cotangents; every program is checked against the rules. */
function gradient(core: Core, ...inputs: readonly (readonly number[])[]): number[] {
  const d = cotangentProgram(core);
  expect(verify(d.core)).toEqual([]);
  const ones = core.outputs
    .map((y) => y.shape.reduce((n, e) => n * e, 1))
    .map((n) => new Float64Array(n).fill(1));
  const out = interpret(d.core, [...inputs.map((x) => Float64Array.from(x)), ...ones]);
  return Array.from(out[d.values]!, (v) => v + 0);
}

const axis = (h: Hand, n: number): Axis => h.supply.axis(n, 'i');
/** y[i] = if x[i] > 0 then r[i] else 0 */
function guarded(h: Hand, x: Var, r: Var): Var {
  const i = axis(h, x.shape[0]!);
  return h.map('y', [i], selectE(positive(at(x, i)), at(r, i), f32(0)));
}

describe('a value that is used in a branch', () => {
  test('a reduction', () => {
    const h = new Hand();
    const [x, w] = [h.input('x', [3]), h.input('w', [2])];
    const [i, j] = [axis(h, 3), axis(h, 2)];
    const r = h.reduce('r', [i], 'sum', [j], log(prim('mul', at(x, i), at(w, j))));
    const core = h.core(guarded(h, x, r));
    expect(gradient(core, [0, 2, -1], [1, 2])).toEqual([0, 1, 0]);
  });

  test('a chain of statements', () => {
    const h = new Hand();
    const x = h.input('x', [3]);
    const [i, j] = [axis(h, 3), axis(h, 3)];
    const a = h.map('a', [i], log(at(x, i)));
    const b = h.map('b', [j], prim('sin', at(a, j)));
    const core = h.core(guarded(h, x, b));
    const got = gradient(core, [0, 2, -1]);
    expect(got[0]).toBe(0);
    expect(got[1]).toBeCloseTo(Math.cos(Math.log(2)) / 2, 12);
    expect(got[2]).toBe(0);
  });

  test('used in two branches, and both count', () => {
    const h = new Hand();
    const x = h.input('x', [3]);
    const [i, j, k] = [axis(h, 3), axis(h, 3), axis(h, 3)];
    const a = h.map('a', [i], prim('sqrt', prim('abs', at(x, i))));
    const y = h.map('y', [j], selectE(positive(at(x, j)), at(a, j), f32(0)));
    const low = prim('lt', at(x, k), f32(-1));
    const z = h.map('z', [k], selectE(low, at(a, k), f32(0)));
    expect(gradient(h.core(y, z), [0, 4, -4])).toEqual([0, 0.25, -0.25]);
  });

  test('in the body of a fold', () => {
    const h = new Hand();
    const x = h.input('x', [2]);
    const l = h.supply.axis(2, 'l');
    const from = h.supply.like(x, 'h');
    const out = h.supply.like(x, 'out');
    let next = from;
    const body = h.block(() => {
      const [i, j] = [axis(h, 2), axis(h, 2)];
      const a = h.map('a', [i], log(at(from, i)));
      next = h.map('n', [j], selectE(positive(at(from, j)), at(a, j), at(from, j)));
    });
    h.body.push({
      k: 'fold',
      trip: 2,
      l,
      rev: false,
      carry: [{ in: from, init: x, next, out }],
      ys: [],
      acc: [],
      save: 'auto',
      body,
      spans,
    });
    // log(log(4)) and, after log(1) = 0, nothing more.
    const got = gradient(h.core(out), [4, 1]);
    expect(got[0]).toBeCloseTo(1 / (4 * Math.log(4)), 12);
    expect(got[1]).toBe(1);
  });
});

test('a value that is also used elsewhere keeps its derivative there', () => {
  const h = new Hand();
  const x = h.input('x', [2]);
  const [i, j] = [axis(h, 2), axis(h, 2)];
  const a = h.map('a', [i], log(at(x, i)));
  const y = guarded(h, x, a);
  const z = h.map('z', [j], prim('mul', f32(3), at(a, j)));
  expect(gradient(h.core(y, z), [4, 2])).toEqual([1, 2]);
  // Where log is not defined the second use makes it infinite, rightly.
  expect(gradient(h.core(z), [0, 2])).toEqual([Infinity, 1.5]);
});

test('an output that a branch uses keeps its value', () => {
  const h = new Hand();
  const x = h.input('x', [2]);
  const i = axis(h, 2);
  const a = h.map('a', [i], log(at(x, i)));
  const core = h.core(guarded(h, x, a), a);
  const d = cotangentProgram(core).core;
  const out = interpret(
    d,
    [
      [-1, 2],
      [1, 1],
      [0, 0],
    ].map((v) => Float64Array.from(v)),
  );
  expect(Array.from(out[1]!)).toEqual([Number.NaN, Math.log(2)]);
});
