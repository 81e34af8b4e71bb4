/**
 * What the derivative looks like: contractions are not repeated, nothing transcendental stands in
 * their inner loops, and a shared coefficient is computed once.
 */
import { describe, expect, test } from 'vitest';
import { sizeOf } from '../../compiler/core/build.ts';
import { f32, prim, readE, walkExpr } from '../../compiler/core/expr.ts';
import { addIx, ixAxis, shiftIx } from '../../compiler/core/ix.ts';
import { printStmts } from '../../compiler/core/print.ts';
import { work } from '../../compiler/core/work.ts';
import type { Core, Expr, Nest, Prim, Stmt, Var } from '../../compiler/core.ts';
import { at, Hand } from '../core/hand.ts';
import { checkPoint, direction, numbers, randomLike, vjpCore } from './check.ts';

const mul = (a: Expr, b: Expr) => prim('mul', a, b);

const nests = (core: Core): readonly Nest[] => core.body.filter((s): s is Nest => s.k === 'nest');
const points = (s: Nest) => sizeOf([...s.axes, ...s.red].map((a) => a.extent));
const contractions = (core: Core) =>
  nests(core).filter((s) => s.op === 'sum' && points(s) >= 2 * sizeOf(s.v.shape));

function has(s: Nest, ...ops: readonly Prim[]): boolean {
  let found = false;
  walkExpr((e) => {
    if (e.k === 'prim' && ops.includes(e.op)) found = true;
  }, s.body);
  return found;
}

function checked(core: Core): Core {
  const next = numbers(5);
  const inputs = randomLike(core.inputs, next);
  expect(checkPoint(core, inputs, direction(core, next))).toBe('ok');
  return vjpCore(core).core;
}

describe('contractions', () => {
  test('a pointwise function inside a contraction is taken out', () => {
    const h = new Hand();
    const w = h.input('w', [8, 8]);
    const x = h.input('x', [8]);
    const [o, i] = [h.supply.axis(8, 'o'), h.supply.axis(8, 'i')];
    const y = h.reduce('y', [o], 'sum', [i], mul(at(w, o, i), prim('erf', at(x, i))));
    const d = checked(h.core(y));
    // Forward, and one for the cotangent of erf(x); that of w is an outer product.
    expect(contractions(d)).toHaveLength(2);
    for (const s of nests(d)) expect(points(s) > 8 && has(s, 'erf', 'exp')).toBe(false);
    expect(printStmts(d.body)).toMatchInlineSnapshot(`
      "y[i]: f32[8] = erf(x[i])
      y_2[o]: f32[8] = sum i:8. w[o, i] * y[i]
      y_bar[i]: f32[8] = sum o:8. y_ct[o] * w[o, i]
      w_bar[i, j]: f32[8, 8] = y_ct[i] * y[j]
      x_bar[i]: f32[8] = y_bar[i] * (1.1283791670955126 * exp(-(x[i] * x[i])))"
    `);
  });

  test('a pointwise function in a window is computed once per cell', () => {
    const h = new Hand();
    const w = h.input('w', [3]);
    const x = h.input('x', [8]);
    const [o, k] = [h.supply.axis(8, 'o'), h.supply.axis(3, 'k')];
    const e = shiftIx(addIx(ixAxis(o), ixAxis(k)), -1);
    const read = readE(x, [e], [{ e, lo: 0, hi: 8 }]);
    const y = h.reduce('y', [o], 'sum', [k], mul(at(w, k), prim('exp', read)));
    const d = checked(h.core(y));
    expect(
      nests(d)
        .filter((s) => has(s, 'exp'))
        .map(points),
    ).toEqual([8]);
  });

  test('two layers: each contraction once forward and twice backward', () => {
    const h = new Hand();
    const [w1, w2] = [h.input('w1', [8, 4]), h.input('w2', [4, 8])];
    const x = h.input('x', [6, 4]);
    const layer = (w: Var, v: Var, n: number, m: number) => {
      const [t, o, i] = [h.supply.axis(6, 't'), h.supply.axis(n, 'o'), h.supply.axis(m, 'i')];
      return h.reduce('y', [t, o], 'sum', [i], mul(at(w, o, i), at(v, t, i)));
    };
    const a = layer(w1, x, 8, 4);
    const [t, k] = [h.supply.axis(6, 't'), h.supply.axis(8, 'k')];
    const z = layer(w2, h.map('h', [t, k], prim('tanh', at(a, t, k))), 4, 8);
    const d = checked(h.core(z));
    expect(contractions(d)).toHaveLength(6);
  });

  test('softmax: the exponential is not computed again', () => {
    const h = new Hand();
    const x = h.input('x', [4, 5]);
    const ax = (n: number, s: string) => h.supply.axis(n, s);
    const [t, i, u, j, v, k, w, l] = [
      ax(4, 't'),
      ax(5, 'i'),
      ax(4, 'u'),
      ax(5, 'j'),
      ax(4, 'v'),
      ax(5, 'k'),
      ax(4, 'w'),
      ax(5, 'l'),
    ];
    const top = h.reduce('top', [t], 'max', [i], at(x, t, i));
    const e = h.map('e', [u, j], prim('exp', prim('sub', at(x, u, j), prim('stop', at(top, u)))));
    const s = h.reduce('s', [v], 'sum', [k], at(e, v, k));
    const y = h.map('y', [w, l], prim('div', at(e, w, l), at(s, w)));
    const d = checked(h.core(y));
    expect(nests(d).filter((n) => has(n, 'exp'))).toHaveLength(1);
    expect(nests(d).some((n) => n.op === 'argmax')).toBe(false);
  });
});

test('many operands share what their cotangents need', () => {
  // y = f(a b + c d + e g), f expensive: without sharing each of the six computes f' again.
  const h = new Hand();
  const xs = ['a', 'b', 'c', 'd', 'e', 'g'].map((n) => h.input(n, [10]));
  const i = h.supply.axis(10, 'i');
  const [a, b, c, d, e, g] = xs.map((x) => at(x, i)) as [Expr, Expr, Expr, Expr, Expr, Expr];
  const inner = prim('add', prim('add', mul(a, b), mul(c, d)), mul(e, g));
  const y = h.map('y', [i], prim('erf', prim('sin', prim('div', inner, f32(3)))));
  const core = h.core(y);
  const derived = checked(core);
  expect(nests(derived).filter((s) => has(s, 'exp'))).toHaveLength(1);
  expect(work(derived) / work(core)).toBeLessThan(5);
});

test('every statement knows where it comes from', () => {
  const h = new Hand();
  const x = h.input('x', [3]);
  const i = h.supply.axis(3, 'i');
  const y = h.reduce('y', [], 'prod', [i], prim('exp', at(x, i)));
  const bare = vjpCore(h.core(y)).core.body.filter((s: Stmt) => s.spans.length === 0);
  expect(bare).toEqual([]);
});
