/** Fission, hoisting and the end of differentiation: values, rules and work on random programs; structure on hand-made ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { f32, prim } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { ixAxis } from '../../compiler/core/ix.ts';
import { printCore } from '../../compiler/core/print.ts';
import { verify } from '../../compiler/core/verify.ts';
import { work } from '../../compiler/core/work.ts';
import type { Core, Stmt, Var } from '../../compiler/core.ts';
import { dropDerivatives } from '../../compiler/passes/finish.ts';
import { fission } from '../../compiler/passes/fission.ts';
import { hoist } from '../../compiler/passes/hoist.ts';
import { simplify } from '../../compiler/passes/simplify.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { at, Hand, spans } from '../core/hand.ts';
import { sameValues } from './same-values.ts';

describe('every pass, and all in order', () => {
  const order: readonly [string, (core: Core) => Core][] = [
    ['fission', fission],
    ['hoist', hoist],
    ['dropDerivatives', dropDerivatives],
    ['simplify', simplify],
    ['fission', fission],
    ['hoist', hoist],
    ['simplify', simplify],
  ];

  it('keep values, rules and outputs; work does not grow', () => {
    fc.assert(
      fc.property(arbitraryCore({ customs: true }), ({ core, inputs }) => {
        const want = interpret(core, inputs);
        let now = core;
        for (const [name, pass] of order) {
          const next = pass(now);
          expect(verify(next), name).toEqual([]);
          expect(next.outputs).toEqual(core.outputs);
          expect(work(next), name).toBeLessThanOrEqual(work(now));
          sameValues(interpret(next, inputs), want, core.outputs);
          now = next;
        }
      }),
      { numRuns: 250 },
    );
  });

  it('leave what needs nothing as it is', () => {
    fc.assert(
      fc.property(arbitraryCore(), ({ core }) => {
        const done = order.reduce((c, [, pass]) => pass(c), core);
        expect(hoist(done)).toBe(done);
        expect(dropDerivatives(done)).toBe(done);
      }),
      { numRuns: 100 },
    );
  });
});

describe('fission', () => {
  it('computes a factor of a contraction over its own axis only', () => {
    const h = new Hand();
    const [x, w] = [h.input('x', [64]), h.input('w', [32, 64])];
    const [o, i] = [h.supply.axis(32, 'o'), h.supply.axis(64, 'i')];
    const y = h.reduce('y', [o], 'sum', [i], prim('mul', prim('exp', at(x, i)), at(w, o, i)));
    expect(printCore(fission(h.core(y)))).toMatchInlineSnapshot(`
      "input x: f32[64]
      input w: f32[32, 64]
      y_part[i]: f32[64] = exp(x[i])
      y[o]: f32[32] = sum i:64. y_part[i] * w[o, i]
      output y
      "
    `);
  });

  it('nests parts within parts, and leaves cheap arithmetic alone', () => {
    const h = new Hand();
    const [m, v, x] = [h.input('m', [8]), h.input('v', [8]), h.input('x', [8, 16, 4])];
    const [n, t, d] = [h.supply.axis(8, 'n'), h.supply.axis(16, 't'), h.supply.axis(4, 'd')];
    const sd = prim('sqrt', prim('add', at(v, n), f32(1e-5)));
    const centred = prim('sub', at(x, n, t, d), at(m, n));
    const y = h.map('y', [n, t, d], prim('div', centred, prim('mul', f32(2), sd)));
    expect(printCore(fission(h.core(y)))).toMatchInlineSnapshot(`
      "input m: f32[8]
      input v: f32[8]
      input x: f32[8, 16, 4]
      y_part[n]: f32[8] = 2.0 * sqrt(v[n] + 0.00001)
      y[n, t, d]: f32[8, 16, 4] = (x[n, t, d] - m[n]) / y_part[n]
      output y
      "
    `);
  });

  it('makes a reduction once where an output axis does not change it', () => {
    const h = new Hand();
    const x = h.input('x', [16, 8]);
    const [i, j, k] = [h.supply.axis(5, 'i'), h.supply.axis(16, 'j'), h.supply.axis(8, 'k')];
    const y = h.reduce('y', [i, j], 'sum', [k], at(x, j, k));
    const z = h.map('z', [i], at(y, i, 3));
    expect(printCore(simplify(fission(h.core(z))))).toMatchInlineSnapshot(`
      "input x: f32[16, 8]
      y_once[j]: f32[16] = sum k:8. x[j, k]
      z[i]: f32[5] = y_once[3]
      output z
      "
    `);
  });

  it('takes factors out of a sum that cannot make it overflow, but not where nothing is saved', () => {
    const h = new Hand();
    const [n, a, x] = [
      h.input('n', [4, 16], 'i32'),
      h.input('a', [4], 'i32'),
      h.input('x', [4, 16]),
    ];
    const [i, k] = [h.supply.axis(4, 'i'), h.supply.axis(16, 'k')];
    const y = h.reduce('y', [i], 'sum', [k], prim('neg', prim('mul', at(n, i, k), at(a, i))));
    const z = h.reduce('z', [i], 'sum', [k], prim('mul', f32(3), at(x, i, k)));
    const one = h.supply.axis(1, 'one');
    const few = h.reduce('few', [i], 'sum', [one], prim('mul', at(a, i), at(n, i, one)));
    // A factor below 1 keeps large terms in range, and an unknown one may be 0.
    const mean = h.reduce('mean', [i], 'sum', [k], prim('mul', f32(1 / 16), at(x, i, k)));
    const scaled = h.reduce(
      'scaled',
      [i],
      'sum',
      [k],
      prim('mul', at(h.input('s', [4]), i), at(x, i, k)),
    );
    const core = h.core(y, z, few, mean, scaled);
    expect(printCore(fission(core))).toMatchInlineSnapshot(`
      "input n: i32[4, 16]
      input a: i32[4]
      input x: f32[4, 16]
      input s: f32[4]
      y_sum[i]: i32[4] = sum k:16. n[i, k]
      y[i]: i32[4] = -a[i] * y_sum[i]
      z_sum[i]: f32[4] = sum k:16. x[i, k]
      z[i]: f32[4] = 3.0 * z_sum[i]
      few[i]: i32[4] = sum one:1. a[i] * n[i, one]
      mean[i]: f32[4] = sum k:16. 0.0625 * x[i, k]
      scaled[i]: f32[4] = sum k:16. s[i] * x[i, k]
      output y, z, few, mean, scaled
      "
    `);
    const numbers = Array.from({ length: 64 }, (_, n) => n - 20);
    const inputs = [numbers, [2, 4, 8, 16], numbers, [1, 2, 3, 4]];
    sameValues(interpret(fission(core), inputs), interpret(core, inputs), core.outputs);
  });

  it('does not split off what the body computes all the same', () => {
    const h = new Hand();
    const [x, z] = [h.input('x', [8]), h.input('z', [8, 2])];
    const [i, j] = [h.supply.axis(8, 'i'), h.supply.axis(2, 'j')];
    let cheap = at(x, i);
    for (let n = 0; n < 6; n++) cheap = prim('add', prim('mul', cheap, cheap), at(x, i));
    const both = prim('add', prim('mul', prim('exp', cheap), at(z, i, j)), cheap);
    const core = h.core(h.map('y', [i, j], both));
    expect(fission(core)).toBe(core);
  });

  it('splits a shared part before what holds it', () => {
    const h = new Hand();
    const [x, z] = [h.input('x', [8]), h.input('z', [8, 2])];
    const [i, j] = [h.supply.axis(8, 'i'), h.supply.axis(2, 'j')];
    const e = prim('exp', prim('exp', at(x, i)));
    const both = prim('add', prim('mul', prim('log', e), at(z, i, j)), prim('mul', e, at(z, i, j)));
    const core = h.core(h.map('y', [i, j], both));
    expect(printCore(fission(core))).toMatchInlineSnapshot(`
      "input x: f32[8]
      input z: f32[8, 2]
      y_part[i]: f32[8] = exp(exp(x[i]))
      y_part_2[i]: f32[8] = log(y_part[i])
      y[i, j]: f32[8, 2] = y_part_2[i] * z[i, j] + y_part[i] * z[i, j]
      output y
      "
    `);
    expect(work(fission(core))).toBeLessThan(work(core));
  });

  it('does not split what is used over all axes anyway', () => {
    const h = new Hand();
    const x = h.input('x', [4, 4]);
    const [i, j] = [h.supply.axis(4, 'i'), h.supply.axis(4, 'j')];
    const core = h.core(h.map('y', [i, j], prim('exp', prim('mul', at(x, i, j), at(x, j, i)))));
    expect(fission(core)).toBe(core);
  });
});

describe('hoisting', () => {
  /** h = fold h = x for l:3. step */
  function folded(
    make: (h: Hand, carried: Var, l: ReturnType<Hand['supply']['axis']>) => Var,
  ): Core {
    const h = new Hand();
    const x = h.input('x', [4]);
    h.input('w', [3, 4]);
    const carried = h.supply.like(x, 'h');
    const l = h.supply.axis(3, 'l');
    let next!: Var;
    const body: readonly Stmt[] = h.block(() => {
      next = make(h, carried, l);
    });
    const out = h.supply.like(x, 'out');
    const carry = [{ in: carried, init: x, next, out }];
    h.body.push({
      k: 'fold',
      trip: 3,
      l,
      rev: false,
      carry,
      ys: [],
      acc: [],
      save: 'auto',
      body,
      spans,
    });
    return h.core(out);
  }

  it('moves statements that depend on neither the carry nor the step', () => {
    const core = folded((h, carried, l) => {
      const [x, w] = [h.inputs[0]!, h.inputs[1]!];
      const i = h.supply.axis(4, 'i');
      const free = h.map('free', [i], prim('exp', at(x, i)));
      const again = h.reduce('again', [], 'sum', [i], at(free, i));
      const step = h.map('step', [i], prim('mul', at(w, ixAxis(l), i), at(free, i)));
      return h.map('n', [i], prim('add', at(carried, i), prim('mul', at(step, i), at(again))));
    });
    expect(printCore(hoist(core))).toMatchInlineSnapshot(`
      "input x: f32[4]
      input w: f32[3, 4]
      free[i]: f32[4] = exp(x[i])
      again: f32 = sum i:4. free[i]
      fold l:3
        carry h: f32[4] = x
        step[i]: f32[4] = w[l, i] * free[i]
        n[i]: f32[4] = h[i] + step[i] * again
        next h = n; out out: f32[4]
      output out
      "
    `);
  });

  it('and fission the invariant parts of what stays', () => {
    const core = folded((h, carried) => {
      const i = h.supply.axis(4, 'i');
      return h.map('n', [i], prim('mul', at(carried, i), prim('tanh', at(h.inputs[0]!, i))));
    });
    expect(printCore(fission(core))).toMatchInlineSnapshot(`
      "input x: f32[4]
      input w: f32[3, 4]
      n_part[i]: f32[4] = tanh(x[i])
      fold l:3
        carry h: f32[4] = x
        n[i]: f32[4] = h[i] * n_part[i]
        next h = n; out out: f32[4]
      output out
      "
    `);
  });
});

describe('the end of differentiation', () => {
  it('inlines customs and drops stop', () => {
    const h = new Hand();
    const x = h.input('x', [3]);
    const i = h.supply.axis(3, 'i');
    let y!: Var;
    let dy!: Var;
    const dx = h.supply.like(x, 'dx');
    const body = h.block(() => {
      y = h.map('y', [i], prim('sin', prim('stop', at(x, i))));
    });
    const jvp = h.block(() => {
      dy = h.map('dy', [i], at(dx, i));
    });
    h.body.push({
      k: 'custom',
      ins: [x],
      outs: [y],
      body,
      jvp: { dins: [dx], douts: [dy], body: jvp },
      spans,
    });
    expect(printCore(dropDerivatives(h.core(y)))).toMatchInlineSnapshot(`
      "input x: f32[3]
      y[i]: f32[3] = sin(x[i])
      output y
      "
    `);
  });
});
