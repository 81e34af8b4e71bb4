/**
 * Derivatives at the points where a formula would go wrong: zeros of powers and products, dead
 * branches, ties. What is documented in partials.ts and reductions.ts is stated here as numbers.
 */
import { describe, expect, test } from 'vitest';
import { f32, prim, readE, selectE } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { addIx, ixAxis, scaleIx, shiftIx } from '../../compiler/core/ix.ts';
import type { Core, Expr, ReduceOp } from '../../compiler/core.ts';
import { at, Hand } from '../core/hand.ts';
import { vjpCore } from './check.ts';

/** The gradient of a program with one f32 output, all cotangents 1; zeros where it is structural. */
function gradient(core: Core, inputs: readonly (readonly number[])[]): number[][] {
  const { core: derived, zero, values } = vjpCore(core);
  const ones = core.outputs.map((y) =>
    new Float64Array(y.shape.reduce((n, d) => n * d, 1)).fill(1),
  );
  const out = interpret(derived, [...inputs.map((x) => Float64Array.from(x)), ...ones]);
  let k = values;
  return zero.map((z, i) => (z ? inputs[i]!.map(() => 0) : Array.from(out[k++]!)));
}

/** d f(x...) of scalars. */
function partials(f: (...x: readonly Expr[]) => Expr, ...x: readonly number[]): number[] {
  const h = new Hand();
  const args = x.map((_, i) => at(h.input(`x${i}`, [])));
  const y = h.map('y', [], f(...args));
  return gradient(
    h.core(y),
    x.map((v) => [v]),
  ).map((g) => g[0]!);
}

/** The same one order up: d/dx_i of df/dx_j. */
function second(f: (...x: readonly Expr[]) => Expr, j: number, ...x: readonly number[]): number[] {
  const h = new Hand();
  const args = x.map((_, i) => at(h.input(`x${i}`, [])));
  const y = h.map('y', [], f(...args));
  const d = vjpCore(h.core(y));
  const k = d.zero.slice(0, j).filter((z) => !z).length + d.values;
  const inner: Core = { ...d.core, outputs: [d.core.outputs[k]!] };
  return gradient(inner, [...x.map((v) => [v]), [1]])
    .map((g) => g[0]!)
    .slice(0, x.length);
}

const pow = (x: Expr, y: Expr) => prim('pow', x, y);

describe('pow', () => {
  test('at base 0: finite wherever the derivative is', () => {
    const by = (n: number) => partials((x) => pow(x, f32(n)), 0)[0];
    expect([by(0), by(1), by(2), by(3), by(1.5)]).toEqual([0, 1, 0, 0, 0]);
    expect(by(0.5)).toBe(Infinity);
  });
  test('with an exponent that is a value', () => {
    expect(partials(pow, 0, 0)).toEqual([0, 0]);
    expect(partials(pow, 0, 1)).toEqual([1, 0]);
    expect(partials(pow, 0, 2)).toEqual([0, 0]);
    expect(partials(pow, 3, 0)).toEqual([0, Math.log(3)]);
    expect(partials(pow, 2, 3)).toEqual([12, 8 * Math.log(2)]);
    expect(partials(pow, -2, 2)[0]).toBe(-4);
  });
  test('a constant base', () => {
    expect(partials((y) => pow(f32(0), y), 2)).toEqual([0]);
    expect(partials((y) => pow(f32(2), y), 3)).toEqual([8 * Math.log(2)]);
  });
  test('second derivatives', () => {
    expect(second((x) => pow(x, f32(2)), 0, 0)).toEqual([2]);
    expect(second((x) => pow(x, f32(3)), 0, 0)).toEqual([0]);
    // d/dy of y x^(y-1) at y = 0 is 1/x: the special case at 0^0 must not swallow it.
    expect(second(pow, 0, 4, 0)[1]).toBe(0.25);
  });
});

describe('a dead branch gets exactly 0', () => {
  const positive = (x: Expr) => prim('gt', x, f32(0));
  const guarded = (f: (x: Expr) => Expr) => (x: Expr) => selectE(positive(x), f(x), f32(0));
  test.each([
    ['log', (x: Expr) => prim('log', x)],
    ['sqrt', (x: Expr) => prim('sqrt', x)],
    ['1/x', (x: Expr) => prim('div', f32(1), x)],
    ['log of log', (x: Expr) => prim('log', prim('log', x))],
    ['x * log x', (x: Expr) => prim('mul', x, prim('log', x))],
  ])('%s', (_, f) => {
    expect(partials(guarded(f), 0)).toEqual([0]);
    expect(partials(guarded(f), -1)).toEqual([0]);
    expect(second(guarded(f), 0, 0)).toEqual([0]);
  });
  test('a node that both a live and a dead branch use', () => {
    const f = (x: Expr) => {
      const root = prim('sqrt', prim('abs', x));
      const one = selectE(positive(x), root, f32(0));
      const two = selectE(prim('lt', x, f32(-1)), prim('mul', root, root), f32(0));
      return prim('add', one, two);
    };
    expect(partials(f, 4)).toEqual([0.25]);
    expect(partials(f, 0)).toEqual([0]);
    expect(partials(f, -4)[0]).toBeCloseTo(-1, 12);
  });
  test('a node that two branches of one branch use, neither of them taken', () => {
    const f = (x: Expr, y: Expr) => {
      const root = prim('sqrt', x);
      const [a, b] = [prim('lt', y, f32(1)), prim('gt', y, f32(3))];
      const one = selectE(a, root, y);
      const two = selectE(b, prim('mul', root, y), y);
      return selectE(positive(y), prim('add', one, two), f32(0));
    };
    expect(partials(f, 0, 2)).toEqual([0, 2]);
    expect(partials(f, 4, 0.5)[0]).toBe(0.25);
  });
  test('nested conditions', () => {
    const f = (x: Expr, y: Expr) =>
      selectE(positive(x), selectE(positive(y), prim('div', x, y), x), prim('log', y));
    expect(partials(f, 1, 0)).toEqual([1, 0]);
    expect(partials(f, 1, 2)).toEqual([0.5, -0.25]);
    expect(partials(f, -1, 2)).toEqual([0, 0.5]);
  });
  test('with an operand that the branch alone depends on', () => {
    // y[i, j] = if c[j] > 0 then log(x[i]) else 0, with no c positive and x = 0.
    const h = new Hand();
    const [x, c] = [h.input('x', [2]), h.input('c', [3])];
    const [i, j] = [h.supply.axis(2, 'i'), h.supply.axis(3, 'j')];
    const y = h.map('y', [i, j], selectE(positive(at(c, j)), prim('log', at(x, i)), f32(0)));
    const got = gradient(h.core(y), [
      [0, 1],
      [-1, -1, -1],
    ]);
    expect(got[0]).toEqual([0, 0]);
    expect(
      gradient(h.core(y), [
        [4, 1],
        [-1, 1, 1],
      ])[0],
    ).toEqual([0.5, 2]);
  });
  test('with many operands, which are shared', () => {
    const f = (...x: readonly Expr[]) => {
      const roots = x.map((v) => prim('sqrt', v)).reduce((p, q) => prim('mul', p, q));
      const deep = prim('erf', prim('sin', prim('cos', prim('tanh', roots))));
      return selectE(prim('gt', x[0]!, f32(100)), deep, x[0]!);
    };
    expect(partials(f, 0, 0, 0, 0, 0, 0)).toEqual([1, 0, 0, 0, 0, 0]);
  });
  test('the operand of max that does not count', () => {
    expect(partials((x) => prim('max', prim('sqrt', x), f32(1)), 0)).toEqual([0]);
  });
  test('positions that are never read: the coefficient there is infinite', () => {
    // y[i] = x[2i] / d[2i]; d is 0 at the odd places.
    const h = new Hand();
    const x = h.input('x', [4]);
    const d = h.input('d', [4]);
    const i = h.supply.axis(2, 'i');
    const even = { c: 0, terms: [{ m: 2, a: { k: 'axis' as const, id: i.id } }] };
    const y = h.map('y', [i], prim('div', at(x, even), at(d, even)));
    const [dx, dd] = gradient(h.core(y), [
      [1, 2, 3, 4],
      [2, 0, 4, 0],
    ]);
    expect(dx).toEqual([0.5, 0, 0.25, 0]);
    expect(dd!.map(Math.abs)).toEqual([0.25, 0, 3 / 16, 0]);
  });
});

test('a function in a window is not evaluated for cells that no window reaches', () => {
  // sum over k of 1 / x[2i + k] with i < 2, k < 3: x[5] = 0 is never read.
  const h = new Hand();
  const x = h.input('x', [6]);
  const [i, k] = [h.supply.axis(2, 'i'), h.supply.axis(3, 'k')];
  const e = addIx(scaleIx(ixAxis(i), 2), ixAxis(k));
  const y = h.reduce('y', [i], 'sum', [k], prim('div', f32(1), at(x, e)));
  const got = gradient(h.core(y), [[1, 1, 1, 1, 1, 0]])[0]!;
  expect(got.map((v) => v + 0)).toEqual([-1, -1, -2, -1, -1, 0]);
});

describe('ties and corners', () => {
  test('abs, min, max, and steps', () => {
    expect(partials((x) => prim('abs', x), 0)).toEqual([0]);
    for (const op of ['max', 'min'] as const) {
      expect(partials((x, y) => prim(op, x, y), 1, 1)).toEqual([0.5, 0.5]);
      expect(partials((x) => prim(op, x, f32(1)), 1)).toEqual([0.5]);
      expect(partials((x) => prim(op, f32(1), x), 1)).toEqual([0.5]);
      expect(partials((x) => prim(op, x, x), 1)).toEqual([1]);
    }
    for (const op of ['floor', 'ceil', 'round', 'sign', 'stop'] as const) {
      expect(partials((x) => prim(op, x), 1.3)).toEqual([0]);
    }
    expect(partials((x) => prim('f16', x), 1.0001)).toEqual([1]);
    expect(partials((x) => prim('bf16', x), 1.0001)).toEqual([1]);
  });

  const reduced = (op: ReduceOp, x: readonly number[]): number[] => {
    const h = new Hand();
    const v = h.input('x', [x.length]);
    const i = h.supply.axis(x.length, 'i');
    const y = h.reduce('y', [], op, [i], at(v, i));
    return gradient(h.core(y), [x])[0]!;
  };

  test('the first of equals takes all of a max or min', () => {
    expect(reduced('max', [1, 3, 3, 2])).toEqual([0, 1, 0, 0]);
    expect(reduced('min', [1, 0, 3, 0])).toEqual([0, 1, 0, 0]);
  });

  test('over several axes, the first in row-major order', () => {
    const h = new Hand();
    const v = h.input('x', [2, 3]);
    const [i, j] = [h.supply.axis(2, 'i'), h.supply.axis(3, 'j')];
    const y = h.reduce('y', [], 'max', [i, j], at(v, i, j));
    expect(gradient(h.core(y), [[1, 5, 2, 5, 0, 5]])[0]).toEqual([0, 1, 0, 0, 0, 0]);
  });

  test('a product with no, one and two zeros', () => {
    expect(reduced('prod', [2, 3, 4, 5, 6])).toEqual([360, 240, 180, 144, 120]);
    expect(reduced('prod', [2, 0, 4, 5, 6])).toEqual([0, 240, 0, 0, 0]);
    expect(reduced('prod', [2, 0, 4, 0, 6])).toEqual([0, 0, 0, 0, 0]);
    expect(reduced('prod', [7])).toEqual([1]);
  });

  test('the second derivative of a product with zeros', () => {
    const h = new Hand();
    const v = h.input('x', [5]);
    const i = h.supply.axis(5, 'i');
    const y = h.reduce('y', [], 'prod', [i], at(v, i));
    const d = vjpCore(h.core(y));
    const first: Core = { ...d.core, outputs: [d.core.outputs[1]!] };
    // The row sums of the Hessian at (2, 0, 4, 0, 6): only the pair of zeros is left, 2*4*6.
    expect(gradient(first, [[2, 0, 4, 0, 6], [1]])[0]).toEqual([0, 48, 0, 48, 0]);
  });

  test('reductions over nothing', () => {
    expect(reduced('sum', [])).toEqual([]);
    expect(reduced('prod', [])).toEqual([]);
  });

  test('a padded read outside its range moves nothing', () => {
    const h = new Hand();
    const x = h.input('x', [2]);
    const i = h.supply.axis(4, 'i');
    const e = shiftIx(ixAxis(i), -1);
    const y = h.map('y', [i], prim('exp', readE(x, [e], [{ e, lo: 0, hi: 2 }])));
    expect(gradient(h.core(y), [[0, 1]])[0]).toEqual([1, Math.E]);
  });
});
