/**
 * The stages of reverse mode one by one on random programs: each leaves a program that keeps the
 * rules of the IR, and the checks that the other tests rely on can fail.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forward } from '../../compiler/ad/jvp.ts';
import { Transposer } from '../../compiler/ad/transpose.ts';
import { unzip } from '../../compiler/ad/unzip.ts';
import { supplyAfter, usesOf, walkStmts } from '../../compiler/core/build.ts';
import { f32, prim } from '../../compiler/core/expr.ts';
import { noExtents } from '../../compiler/core/ix.ts';
import { verify } from '../../compiler/core/verify.ts';
import type { Core, Expr, Stmt, Var } from '../../compiler/core.ts';
import { arbitraryCore, type CoreCase } from '../core/arbitrary-core.ts';
import { at, Hand, spans } from '../core/hand.ts';
import { checkPoint, direction, GradientError, isReal, numbers, randomLike } from './check.ts';

test('each stage keeps the rules of the IR', () => {
  const clean = (core: Core, inputs: readonly Var[], body: readonly Stmt[]) =>
    expect(verify({ ...core, inputs: [...core.inputs, ...inputs], body })).toEqual([]);
  const one = ({ core }: CoreCase) => {
    const supply = supplyAfter(core);
    const tangents = new Map(core.inputs.filter(isReal).map((x) => [x, supply.like(x, 'd')]));
    const dx = [...tangents.values()];
    const both = forward(core.body, tangents, core.outputs, supply, true);
    clean(core, dx, both);

    const linearVars = new Set(dx);
    const { primal, linear } = unzip(both, linearVars, supply);
    clean(core, dx, [...primal, ...linear]);
    // The values need no tangent.
    clean(core, [], primal);
    const inPrimal = new Set<Var>();
    walkStmts(primal, (s) => {
      for (const x of usesOf(s)) inPrimal.add(x);
    });
    expect(dx.some((d) => inPrimal.has(d))).toBe(false);

    const t = new Transposer(linearVars, supply, noExtents);
    const seeds = core.outputs.flatMap((y) => {
      const d = tangents.get(y);
      if (d === undefined) return [];
      const ct = supply.like(y, 'ct');
      t.giveVar(d, ct, spans);
      return [ct];
    });
    t.run(linear);
    for (const d of dx) t.take(d);
    clean(core, seeds, [...primal, ...t.out]);
  };
  fc.assert(fc.property(arbitraryCore({ customs: true, statements: 8 }), one), {
    numRuns: 200,
    seed: 1,
  });
});

describe('the gradient check can fail', () => {
  /** y = x^2 with a rule of one's own. */
  const squared = (rule: (dx: Expr, x: Expr) => Expr): Core => {
    const h = new Hand();
    const x = h.input('x', [2]);
    const dx = h.supply.like(x, 'dx');
    let [y, dy] = [x, x] as [Var, Var];
    const axis = () => h.supply.axis(2, 'i');
    const body = h.block(() => {
      const i = axis();
      y = h.map('y', [i], prim('mul', at(x, i), at(x, i)));
    });
    const jvp = h.block(() => {
      const i = axis();
      dy = h.map('dy', [i], rule(at(dx, i), at(x, i)));
    });
    const rules = { dins: [dx], douts: [dy], body: jvp };
    h.body.push({ k: 'custom', ins: [x], outs: [y], body, jvp: rules, spans });
    return h.core(y);
  };
  const run = (core: Core) => {
    const next = numbers(1);
    return checkPoint(core, randomLike(core.inputs, next), direction(core, next));
  };
  const mul = (a: Expr, b: Expr) => prim('mul', a, b);

  test('not on the true rule', () => {
    expect(run(squared((dx, x) => mul(f32(2), mul(dx, x))))).toBe('ok');
  });
  test('on a wrong factor', () => {
    expect(() => run(squared((dx, x) => mul(f32(2.00001), mul(dx, x))))).toThrow(GradientError);
  });
  test('on a derivative that is silently zero', () => {
    expect(() => run(squared((dx) => mul(f32(0), dx)))).toThrow(/exactly 0/);
    expect(() => run(squared((dx) => prim('stop', dx)))).toThrow(/exactly 0/);
  });
});
