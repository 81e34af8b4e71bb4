/** Simplification: same values and valid programs on random ones, idempotent; its structure on hand-made ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyBlock, defsOf, mapNest, supplyAfter } from '../../compiler/core/build.ts';
import {
  castE,
  f32,
  i32,
  indexE,
  insideE,
  prim,
  readE,
  selectE,
} from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import {
  addIx,
  divIx,
  extentsOf,
  ixAxis,
  modIx,
  scaleIx,
  shiftIx,
} from '../../compiler/core/ix.ts';
import { printCore } from '../../compiler/core/print.ts';
import { verify } from '../../compiler/core/verify.ts';
import { work } from '../../compiler/core/work.ts';
import type { Expr, Var } from '../../compiler/core.ts';
import { simplify } from '../../compiler/passes/simplify.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { at, foldCore, Hand, spans } from '../core/hand.ts';
import { sameValues } from './same-values.ts';

describe('on random programs', () => {
  it('keeps the values, the rules and the outputs, and does not add work', () => {
    fc.assert(
      fc.property(arbitraryCore({ customs: true }), ({ core, inputs }) => {
        const simple = simplify(core);
        expect(verify(simple)).toEqual([]);
        expect(simple.outputs).toEqual(core.outputs);
        sameValues(interpret(simple, inputs), interpret(core, inputs), core.outputs);
        expect(work(simple)).toBeLessThanOrEqual(work(core));
      }),
      { numRuns: 300 },
    );
  });

  it('is idempotent', () => {
    fc.assert(
      fc.property(arbitraryCore({ customs: true }), ({ core }) => {
        const once = simplify(core);
        const twice = simplify(once);
        expect(printCore(twice)).toBe(printCore(once));
        expect(twice).toBe(once);
      }),
      { numRuns: 300 },
    );
  });
});

/** The printed statements of a program that a Hand builds, simplified. */
function simplified(make: (h: Hand) => readonly Var[]): string {
  const h = new Hand();
  const outputs = make(h);
  const core = h.core(...outputs);
  expect(verify(core)).toEqual([]);
  return printCore(simplify(core)).replace(/^input.*\n/gm, '');
}

describe('structure', () => {
  it('forwards copies, views, constants and index values into their readers', () => {
    const text = simplified((h) => {
      const x = h.input('x', [2, 3]);
      const [i, j, k] = [h.supply.axis(2, 'i'), h.supply.axis(3, 'j'), h.supply.axis(6, 'k')];
      const ext = extentsOf([k]);
      const flat = h.map('flat', [k], at(x, divIx(ixAxis(k), 3, ext), modIx(ixAxis(k), 3, ext)));
      const turned = h.map('turned', [j, i], at(flat, addIx(scaleIx(ixAxis(i), 3), ixAxis(j))));
      const zero = h.map('zero', [j], f32(0));
      const ramp = h.map('ramp', [i], indexE(ixAxis(i)));
      const part = prim('mul', castE('f32', at(ramp, i)), at(turned, j, i));
      return [h.map('y', [j, i], prim('add', prim('sin', part), at(zero, j)))];
    });
    expect(text).toMatchInlineSnapshot(`
      "y[j, i]: f32[3, 2] = sin(f32(i32(i)) * x[i, j])
      output y
      "
    `);
  });

  it('merges equal statements, whatever their axes are called, and drops dead ones', () => {
    const text = simplified((h) => {
      const x = h.input('x', [4]);
      const [i, j] = [h.supply.axis(4, 'i'), h.supply.axis(4, 'j')];
      const a = h.map('a', [i], prim('exp', at(x, i)));
      const b = h.map('b', [j], prim('exp', at(x, j)));
      h.map('dead', [i], prim('log', at(x, i)));
      const s = h.reduce('s', [], 'sum', [i], prim('mul', at(a, i), at(b, i)));
      const t = h.reduce('t', [], 'sum', [j], prim('mul', at(b, j), at(a, j)));
      return [h.map('y', [i], prim('sub', at(s), prim('mul', at(t), at(b, i))))];
    });
    expect(text).toMatchInlineSnapshot(`
      "a[i]: f32[4] = exp(x[i])
      s: f32 = sum i:4. a[i] * a[i]
      y[i]: f32[4] = s - s * a[i]
      output y
      "
    `);
  });

  it('keeps statements apart that differ in anything', () => {
    const h = new Hand();
    const [x, y] = [h.input('x', [4, 4]), h.input('y', [4, 4])];
    const [i, j, k] = [h.supply.axis(4, 'i'), h.supply.axis(4, 'j'), h.supply.axis(3, 'k')];
    const sin = (e: Expr) => prim('sin', e);
    const outputs = [
      h.map('a', [i, j], prim('sub', sin(at(x, i, j)), sin(at(y, i, j)))),
      h.map('b', [i, j], prim('sub', sin(at(y, i, j)), sin(at(x, i, j)))),
      h.map('c', [i, j], prim('sub', sin(at(x, j, i)), sin(at(y, i, j)))),
      h.map('d', [i, j], prim('sub', sin(at(x, i, j)), sin(at(y, j, i)))),
      h.reduce('e', [i], 'sum', [j], sin(at(x, i, j))),
      h.reduce('f', [i], 'prod', [j], sin(at(x, i, j))),
      h.reduce('g', [i], 'sum', [j], sin(at(x, j, i))),
      h.reduce('m', [i], 'sum', [k], sin(at(x, i, k))),
      h.reduce('n', [k], 'sum', [j], sin(at(x, k, j))),
      h.reduce('o', [i], 'sum', [j], sin(at(x, i, shiftIx(scaleIx(ixAxis(j), -1), 3)))),
      h.reduce('p', [], 'sum', [i, j], prim('pow', at(x, i, j), at(y, i, j))),
      h.reduce('q', [], 'sum', [i, j], prim('pow', at(y, i, j), at(x, i, j))),
    ];
    const simple = simplify(h.core(...outputs));
    const copies = simple.body.filter((s) => s.k === 'nest' && s.body.k === 'read');
    expect(simple.body).toHaveLength(outputs.length);
    expect(copies).toEqual([]);
  });

  it('a statement that stands for several carries all their spans', () => {
    const h = new Hand();
    const x = h.input('x', [4]);
    const i = h.supply.axis(4, 'i');
    const part = (start: number) => {
      const v = h.supply.var('v', 'f32', [4]);
      const from = [{ file: 'a.tn', start, end: start + 1 }];
      h.body.push(mapNest(v, [i], prim('exp', at(x, i)), from));
      return v;
    };
    const [a, b, c] = [part(1), part(2), part(1)];
    const sum = prim('mul', at(a, i), prim('add', at(b, i), prim('sin', at(c, i))));
    const simple = simplify(h.core(h.map('y', [i], sum)));
    expect(simple.body).toHaveLength(2);
    expect(simple.body[0]!.spans.map((s) => s.start)).toEqual([1, 2]);
  });

  it('discharges guards, decides selects on indices, and makes guards of selects', () => {
    const text = simplified((h) => {
      const x = h.input('x', [4]);
      const i = h.supply.axis(4, 'i');
      const here = ixAxis(i);
      const left = shiftIx(here, -1);
      const a = h.map('a', [i], prim('sin', readE(x, [here], [{ e: here, lo: 0, hi: 4 }])));
      const known = selectE(insideE([{ e: here, lo: -3, hi: 9 }]), at(x, i), f32(1));
      const b = h.map('b', [i], prim('sin', known));
      const inside = insideE([{ e: scaleIx(here, -2), lo: -5, hi: -1 }]);
      const c = h.map('c', [i], prim('sin', selectE(inside, at(x, i), f32(0))));
      const never = readE(x, [left], [{ e: left, lo: 4, hi: 9 }]);
      const d = h.map('d', [i], prim('cos', prim('add', never, at(x, i))));
      return [a, b, c, d];
    });
    expect(text).toMatchInlineSnapshot(`
      "a[i]: f32[4] = sin(x[i])
      b[i]: f32[4] = a[i]
      c[i]: f32[4] = sin(x[i]{1 <= i < 3})
      d[i]: f32[4] = cos(x[i])
      output a, b, c, d
      "
    `);
  });

  it('reads cells of compile-time constants', () => {
    const h = new Hand();
    const x = h.input('x', [2]);
    const i = h.supply.axis(2, 'i');
    const table = h.supply.var('table', 'f32', [2, 3]);
    const scaled = h.map('scaled', [i], prim('mul', at(table, 1, 0), at(table, i, 2)));
    const y = h.map('y', [i], prim('mul', at(x, i), prim('mul', at(table, 0, 1), at(scaled, 0))));
    const core = { ...h.core(y), consts: [{ v: table, data: Float64Array.of(1, 2, 3, 4, 5, 6) }] };
    expect(printCore(simplify(core))).toMatchInlineSnapshot(`
      "input x: f32[2]
      const table: f32[2, 3] = [1, 2, 3, 4, 5, 6]
      scaled[i]: f32[2] = 4.0 * table[i, 2]
      y[i]: f32[2] = x[i] * (2.0 * scaled[0])
      output y
      "
    `);
  });

  it('brings guards into normal form', () => {
    const h = new Hand();
    const x = h.input('x', [40]);
    const [i, j] = [h.supply.axis(48, 'i'), h.supply.axis(5, 'j')];
    const ext = extentsOf([i, j]);
    const part = divIx(ixAxis(i), 8, ext);
    const off = shiftIx(ixAxis(i), -8);
    const guards = [
      { e: shiftIx(part, -1), lo: 0, hi: 5 },
      // Implied by the bounds of j, and by the others.
      { e: addIx(ixAxis(i), scaleIx(ixAxis(j), 2)), lo: 3, hi: 70 },
      { e: scaleIx(ixAxis(j), -2), lo: -7, hi: 99 },
      { e: ixAxis(i), lo: -4, hi: 48 },
    ];
    const y = h.map('y', [i, j], readE(x, [off], guards));
    expect(printCore(simplify(h.core(y)))).toMatchInlineSnapshot(`
      "input x: f32[40]
      y[i, j]: f32[48, 5] = x[i - 8]{8 <= i < 48, 0 <= j < 4}
      output y
      "
    `);
    const never = [...guards, { e: ixAxis(i), lo: 2, hi: 8 }];
    const z = h.map('z', [i, j], readE(x, [off], never));
    expect(printCore(simplify(h.core(z)))).toMatchInlineSnapshot(`
      "input x: f32[40]
      z[i, j]: f32[48, 5] = 0.0
      output z
      "
    `);
  });

  it('knows the algebra', () => {
    const cases: [string, (x: Expr, n: Expr) => Expr][] = [
      ['x - x', (x) => prim('sub', x, x)],
      ['sin(x) - sin(x)', (x) => prim('sub', prim('sin', x), prim('sin', x))],
      ['0 * x', (x) => prim('mul', f32(0), x)],
      ['0 * tanh(n)', (_x, n) => prim('mul', f32(0), prim('tanh', castE('f32', n)))],
      ['x * 1 + 0', (x) => prim('add', prim('mul', x, f32(1)), f32(0))],
      ['2 * (x * 3)', (x) => prim('mul', f32(2), prim('mul', x, f32(3)))],
      ['x / 4', (x) => prim('div', x, f32(4))],
      ['x / 3', (x) => prim('div', x, f32(3))],
      ['x - (-x)', (x) => prim('sub', x, prim('neg', x))],
      ['(-x) * (-x)', (x) => prim('mul', prim('neg', x), prim('neg', x))],
      ['x ^ 3', (x) => prim('pow', x, f32(3))],
      ['x ^ -2', (x) => prim('pow', x, f32(-2))],
      ['x ^ 0.5', (x) => prim('pow', x, f32(0.5))],
      ['exp(0)', () => prim('exp', f32(0))],
      ['log(0)', () => prim('log', f32(0))],
      ['not (x < 1)', (x) => selectE(prim('not', prim('lt', x, f32(1))), x, f32(2))],
      ['not (n < 1)', (x, n) => selectE(prim('not', prim('lt', n, i32(1))), x, f32(2))],
      ['(n + 1) + 2', (_x, n) => prim('add', prim('add', n, i32(1)), i32(2))],
      ['n mod 1', (_x, n) => prim('mod', n, i32(1))],
      [
        'isfinite(sin(n))',
        (_x, n) => {
          const finite = prim('isfinite', prim('sin', castE('f32', n)));
          return selectE(finite, f32(1), f32(2));
        },
      ],
    ];
    const lines = cases.map(([name, make]) => {
      const text = simplified((h) => {
        const x = h.input('x', []);
        const n = h.input('n', [], 'i32');
        return [h.map('y', [], make(at(x), at(n)))];
      });
      return `${name} => ${text
        .replace(/^y: \w+ = /, '')
        .replace('\noutput y\n', '')
        .replaceAll('\n', ';')}`;
    });
    expect(lines.join('\n')).toMatchInlineSnapshot(`
      "x - x => x - x
      sin(x) - sin(x) => $1 - $1;  where $1 = sin(x)
      0 * x => 0.0 * x
      0 * tanh(n) => 0.0
      x * 1 + 0 => x
      2 * (x * 3) => 6.0 * x
      x / 4 => 0.25 * x
      x / 3 => x / 3.0
      x - (-x) => 2.0 * x
      (-x) * (-x) => x * x
      x ^ 3 => x * (x * x)
      x ^ -2 => $1 * $1;  where $1 = 1.0 / x
      x ^ 0.5 => x ^ 0.5
      exp(0) => 1.0
      log(0) => log(0.0)
      not (x < 1) => if x < 1.0 then 2.0 else x
      not (n < 1) => if n >= 1 then x else 2.0
      (n + 1) + 2 => 3 + n
      n mod 1 => 0
      isfinite(sin(n)) => 1.0"
    `);
  });

  it('drops idle reduction axes, carries and accumulators', () => {
    const text = simplified((h) => {
      const x = h.input('x', [3]);
      const [i, r] = [h.supply.axis(3, 'i'), h.supply.axis(5, 'r')];
      const idle = h.reduce('idle', [i], 'sum', [r], at(x, i));
      const most = h.reduce('most', [i], 'max', [r, h.supply.axis(1)], at(x, i));
      const power = h.reduce('power', [i], 'prod', [r], at(x, i));
      const zeros = h.map('zeros', [i], f32(0));
      const [c, d] = [h.supply.like(x, 'c'), h.supply.like(x, 'd')];
      const l = h.supply.axis(4, 'l');
      let next!: Var;
      const body = h.block(() => {
        next = h.map('next', [i], prim('mul', at(c, i), at(d, i)));
      });
      const outs = ['c', 'd'].map((name) => h.supply.like(x, `${name}Out`));
      const acc = h.supply.like(x, 'acc');
      h.body.push({
        k: 'fold',
        trip: 4,
        l,
        rev: false,
        carry: [
          { in: c, init: idle, next, out: outs[0]! },
          { in: d, init: x, next: d, out: outs[1]! },
        ],
        ys: [{ v: h.supply.var('ys', 'f32', [4, 3]), elem: next }],
        acc: [{ v: acc, init: most, add: zeros, at: null }],
        save: 'auto',
        body,
        spans,
      });
      return [outs[0]!, outs[1]!, acc, power];
    });
    expect(text).toMatchInlineSnapshot(`
      "idle[i]: f32[3] = 5.0 * x[i]
      power[i]: f32[3] = x[i] * ($1 * $1)
        where $1 = x[i] * x[i]
      fold l:4
        carry c: f32[3] = idle
        next[i]: f32[3] = c[i] * x[i]
        next c = next; out cOut: f32[3]
      dOut[i]: f32[3] = x[i]
      acc[i]: f32[3] = x[i]
      output cOut, dOut, acc, power
      "
    `);
  });

  it('carries that pass each other on are not constant', () => {
    const h = new Hand();
    const inits = [h.input('x', [2]), h.input('y', [2]), h.input('z', [2])];
    const ins = inits.map((x) => h.supply.like(x));
    const outs = inits.map((x) => h.supply.like(x, 'out'));
    const l = h.supply.axis(4, 'l');
    const i = h.supply.axis(2, 'i');
    let next!: Var;
    const body = h.block(() => {
      next = h.map('next', [i], prim('add', at(ins[0]!, i), at(ins[2]!, i)));
    });
    const nexts = [next, ins[0]!, ins[1]!];
    const carry = inits.map((init, n) => ({ in: ins[n]!, init, next: nexts[n]!, out: outs[n]! }));
    h.body.push({
      k: 'fold',
      trip: 4,
      l,
      rev: false,
      carry,
      ys: [],
      acc: [],
      save: 'auto',
      body,
      spans,
    });
    const core = h.core(...outs);
    const given = [
      [1, 2],
      [3, 5],
      [7, 11],
    ];
    expect(simplify(core)).toBe(core);
    // x: 1 8 11 12 20, y one step behind, z two.
    expect(interpret(simplify(core), given).map((v) => v[0])).toEqual([20, 12, 11]);
  });

  it('a fold of one step is its body', () => {
    const text = simplified((h) => {
      const x = h.input('x', [3]);
      const w = h.input('w', [1, 3]);
      const i = h.supply.axis(3, 'i');
      const c = h.supply.like(x, 'c');
      const l = h.supply.axis(1, 'l');
      let next!: Var;
      const body = h.block(() => {
        next = h.map('next', [i], prim('mul', at(c, i), at(w, l, i)));
      });
      const out = h.supply.like(x, 'out');
      const ys = h.supply.var('ys', 'f32', [1, 3]);
      const carry = [{ in: c, init: x, next, out }];
      const stack = [{ v: ys, elem: next }];
      h.body.push({
        k: 'fold',
        trip: 1,
        l,
        rev: true,
        carry,
        ys: stack,
        acc: [],
        save: 'auto',
        body,
        spans,
      });
      return [out, ys];
    });
    expect(text).toMatchInlineSnapshot(`
      "out[i]: f32[3] = x[i] * w[0, i]
      ys[i, j]: f32[1, 3] = out[j]
      output out, ys
      "
    `);
  });

  it('equal folds are one', () => {
    const twice = foldCore(true);
    const h = new Hand();
    const copy = copyBlock(twice.body, supplyAfter(twice));
    const outs = defsOf(copy[0]!);
    const [x, y] = [twice.outputs[0]!, outs[0]!];
    const i = supplyAfter({ ...twice, body: copy }).axis(4, 'i');
    const sum = h.supply.var('sum', 'f32', [4]);
    const v = { ...sum, id: 10_000 };
    const body = [
      ...twice.body,
      ...copy,
      mapNest(v, [i], prim('sub', prim('mul', at(x, i), at(y, i)), at(y, i)), spans),
    ];
    const simple = simplify({ ...twice, body, outputs: [v] });
    expect(simple.body.filter((s) => s.k === 'fold')).toHaveLength(1);
    expect(verify(simple)).toEqual([]);
  });
});
