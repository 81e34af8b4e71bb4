/**
 * Fusion keeps every value (on the reference, for random programs), keeps programs valid, repeats no
 * transcendental, and does what it is for: chains of maps become one kernel, a contraction's
 * operands stay plain reads, a bias gradient reads the cotangent instead of computing it again.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { f32, prim, readE, walkExpr } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { ixAxis, ixVal, shiftIx } from '../../compiler/core/ix.ts';
import { printCore } from '../../compiler/core/print.ts';
import { verify } from '../../compiler/core/verify.ts';
import type { Core, Stmt } from '../../compiler/core.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { outline } from '../../compiler/schedule/print.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { at, Hand } from '../core/hand.ts';

/** How often transcendentals are evaluated, over all iterations. */
function dear(body: readonly Stmt[], times = 1): number {
  let n = 0;
  for (const s of body) {
    if (s.k === 'fold') n += dear(s.body, times * s.trip);
    else if (s.k !== 'custom') {
      let ops = 0;
      walkExpr((e) => {
        if (e.k === 'prim' && ['exp', 'sin', 'tanh', 'erf', 'cos', 'log'].includes(e.op)) ops++;
      }, s.body);
      const axes = [...s.axes, ...(s.k === 'nest' ? s.red : [])];
      n += times * ops * axes.reduce((p, a) => p * a.extent, 1);
    }
  }
  return n;
}

describe('random programs', () => {
  it('mean the same after fusion, exactly', () =>
    fc.assert(
      fc.property(arbitraryCore({ customs: true }), fc.boolean(), (c, packs) => {
        const fused = fuse(c.core, { packs });
        expect(verify(fused)).toEqual([]);
        expect(interpret(fused, c.inputs)).toEqual(interpret(c.core, c.inputs));
      }),
      { numRuns: 400 },
    ));

  it('evaluate no transcendental more often', () =>
    fc.assert(
      fc.property(arbitraryCore({ extents: [1, 2, 4, 8] }), ({ core }) => {
        expect(dear(fuse(core).body)).toBeLessThanOrEqual(dear(core.body));
      }),
      { numRuns: 300 },
    ));
});

describe('what becomes of', () => {
  const h = () => {
    const hand = new Hand();
    const [i, j, k] = [16, 32, 64].map((n, d) => hand.supply.axis(n, 'ijk'[d]!));
    return { hand, i: i!, j: j!, k: k! };
  };
  const kernels = (core: Core): string[] => outline(schedule(core));

  it('a chain of maps: one kernel', () => {
    const { hand, i, j } = h();
    const x = hand.input('x', [16, 32]);
    const a = hand.map('a', [i, j], prim('exp', at(x, i, j)));
    const b = hand.map('b', [i, j], prim('add', at(a, i, j), f32(1)));
    const c = hand.map('c', [i, j], prim('div', at(a, i, j), at(b, i, j)));
    expect(kernels(hand.core(c))).toMatchInlineSnapshot(`
      [
        "c: set",
      ]
    `);
  });

  it('a scaled operand of a contraction: it is stored, not inlined', () => {
    const { hand, i, j, k } = h();
    const x = hand.input('x', [16, 64]);
    const w = hand.input('w', [64, 32]);
    const s = hand.map('s', [i, k], prim('tanh', at(x, i, k)));
    const y = hand.reduce('y', [i, j], 'sum', [k], prim('mul', at(s, i, k), at(w, k, j)));
    expect(kernels(hand.core(y))).toMatchInlineSnapshot(`
      [
        "s: set",
        "y: sum",
      ]
    `);
  });

  it('an operand divided by sums of its rows: part of the packing, where operands are packed', () => {
    const { hand, i, j, k } = h();
    const x = hand.input('x', [16, 64]);
    const z = hand.input('z', [16]);
    const w = hand.input('w', [64, 32]);
    const a = hand.map('a', [i, k], prim('div', at(x, i, k), at(z, i)));
    const y = hand.reduce('y', [i, j], 'sum', [k], prim('mul', at(a, i, k), at(w, k, j)));
    const core = hand.core(y);
    expect(printCore(fuse(core, { packs: true }))).toMatchInlineSnapshot(`
      "input x: f32[16, 64]
      input z: f32[16]
      input w: f32[64, 32]
      y[i, j]: f32[16, 32] = sum k:64. x[i, k] / z[i] * w[k, j]
      output y
      "
    `);
    expect(outline(schedule(core, [], { resident: true }))).toMatchInlineSnapshot(`
      [
        "y: sum",
      ]
    `);
    expect(kernels(core)).toMatchInlineSnapshot(`
      [
        "a: set",
        "y: sum",
      ]
    `);
  });

  it('a sum over what is computed anyway: it reads the result', () => {
    const { hand, i, j } = h();
    const x = hand.input('x', [16, 32]);
    const g = hand.input('g', [16, 32]);
    const body = () => prim('mul', at(g, i, j), prim('cos', at(x, i, j)));
    const bias = hand.reduce('bias', [j], 'sum', [i], body());
    const d = hand.map('d', [i, j], body());
    expect(printCore(fuse(hand.core(bias, d)))).toMatchInlineSnapshot(`
      "input x: f32[16, 32]
      input g: f32[16, 32]
      d[i, j]: f32[16, 32] = g[i, j] * cos(x[i, j])
      bias[j]: f32[32] = sum i:16. d[i, j]
      output bias, d
      "
    `);
  });

  it('two equal reads of a map: one value, computed once', () => {
    const { hand, i } = h();
    const x = hand.input('x', [16]);
    const e = hand.map('e', [i], prim('sin', at(x, i)));
    const y = hand.map('y', [i], prim('mul', at(e, i), at(e, i)));
    const core = fuse(hand.core(y));
    expect(core.body).toHaveLength(1);
    expect(dear(core.body)).toBe(16);
  });

  it('reads at two places that data decides: two values', () => {
    const { hand, i } = h();
    const x = hand.input('x', [16]);
    const places = ['p', 'q'].map((name) => hand.input(name, [16], 'i32'));
    const e = hand.map('e', [i], prim('neg', at(x, i)));
    const [p, q] = places.map((p) => readE(e, [ixVal(at(p, i), 16)], []));
    const y = hand.map('y', [i], prim('sub', p!, q!));
    const core = fuse(hand.core(y));
    const numbers = (f: (n: number) => number) => Float64Array.from({ length: 16 }, (_, n) => f(n));
    const inputs = [numbers((n) => n * n), numbers((n) => n), numbers((n) => 15 - n)];
    expect(interpret(core, inputs)).toEqual(interpret(hand.core(y), inputs));
    expect(interpret(core, inputs)[0]![0]).toBe(225);
  });

  it('a guarded read of a negated value: 0 outside, not -0', () => {
    const { hand, i } = h();
    const x = hand.input('x', [16]);
    const e = hand.map('e', [i], prim('neg', at(x, i)));
    const before = shiftIx(ixAxis(i), -1);
    const s = hand.map('s', [i], readE(e, [before], [{ e: before, lo: 0, hi: 16 }]));
    expect(interpret(fuse(hand.core(s)), [new Float64Array(16).fill(1)])[0]![0]).toBe(0);
  });

  it('a guarded read of a map: zero outside, and no read out of range', () => {
    const { hand, i } = h();
    const x = hand.input('x', [16]);
    const e = hand.map('e', [i], prim('add', at(x, i), f32(2)));
    const before = shiftIx(ixAxis(i), -1);
    const shifted = hand.map('s', [i], readE(e, [before], [{ e: before, lo: 0, hi: 16 }]));
    const core = fuse(hand.core(shifted));
    expect(core.body).toHaveLength(1);
    expect(verify(core)).toEqual([]);
    expect(interpret(core, [new Float64Array(16)])[0]).toEqual(
      Float64Array.from({ length: 16 }, (_, n) => (n === 0 ? 0 : 2)),
    );
  });
});
