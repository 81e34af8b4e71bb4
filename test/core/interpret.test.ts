/** The f64 interpreter: hand-made programs, its corners, and its generated code against scalar.ts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bool,
  castE,
  constE,
  f32,
  i32,
  prim,
  readE,
  selectE,
  u32,
} from '../../compiler/core/expr.ts';
import { CoreFault, interpret } from '../../compiler/core/interpret.ts';
import {
  divIx,
  extentsOf,
  ixAxis,
  ixConst,
  ixVal,
  modIx,
  scaleIx,
  shiftIx,
} from '../../compiler/core/ix.ts';
import { primType } from '../../compiler/core/prim.ts';
import { castTo, erf, scalarRule } from '../../compiler/core/scalar.ts';
import { threefry } from '../../compiler/core/threefry.ts';
import { verify } from '../../compiler/core/verify.ts';
import type { Core, Expr, Prim, ReduceOp, Stored } from '../../compiler/core.ts';
import { at, denseSilu, foldCore, gatherScatter, Hand } from './hand.ts';

const run = (core: Core, ...inputs: readonly (readonly number[])[]) => {
  expect(verify(core)).toEqual([]);
  return interpret(core, inputs).map((x) => [...x]);
};

/** The value of a closed expression. */
function value(e: Expr): number {
  const h = new Hand();
  return run(h.core(h.map('v', [], e)))[0]![0]!;
}

describe('nests', () => {
  it('contract and map, with a shared node', () => {
    const [y, z] = run(denseSilu(2, 3), [1, 2, 3, 4, 5, 6], [1, 0, -1]);
    expect(y).toEqual([-2, -2]);
    const e = Math.exp(2);
    expect(z![0]).toBeCloseTo(-2 / (1 + e) - e * (1 + e), 12);
  });

  it('read by strides, splits, reversals and diagonals, under guards', () => {
    const h = new Hand();
    const x = h.input('x', [6]);
    const m = h.input('m', [3, 3]);
    const [i, j] = [h.supply.axis(3, 'i'), h.supply.axis(6, 'j')];
    const ext = extentsOf([i, j]);
    const a = h.map('a', [i], at(x, shiftIx(scaleIx(ixAxis(i), 2), 1)));
    const b = h.map('b', [i], at(x, shiftIx(scaleIx(ixAxis(i), -1), 5)));
    const c = h.map('c', [i], at(m, i, i));
    const d = h.map('d', [j], at(m, divIx(ixAxis(j), 3, ext), modIx(ixAxis(j), 3, ext)));
    const left = shiftIx(ixAxis(j), -2);
    const e = h.map('e', [j], readE(x, [left], [{ e: left, lo: 0, hi: 6 }]));
    const out = run(h.core(a, b, c, d, e), [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(out).toEqual([
      [1, 3, 5],
      [5, 4, 3],
      [0, 4, 8],
      [0, 1, 2, 3, 4, 5],
      [0, 0, 0, 1, 2, 3],
    ]);
  });

  const reductions: [ReduceOp, Stored, number[], number][] = [
    ['sum', 'f32', [1, 2, 3.5], 6.5],
    ['sum', 'i32', [2147483647, 1], -2147483648],
    ['sum', 'u32', [4294967295, 2], 1],
    ['prod', 'f32', [2, 3, 4], 24],
    ['prod', 'i32', [65536, 65536, 3], 0],
    ['max', 'f32', [-3, -2, -7], -2],
    ['max', 'f32', [1, Number.NaN, 2], Number.NaN],
    ['min', 'i32', [3, -2, 7], -2],
    ['min', 'f32', [Number.NaN, 1], Number.NaN],
    ['max', 'i32', [-5, -9], -5],
    ['argmax', 'f32', [1, 4, 4, 2], 1],
    ['argmin', 'f32', [3, 1, 2, 1], 1],
    ['argmax', 'f32', [1, Number.NaN, 2, Number.NaN], 1],
    ['argmin', 'f32', [1, Number.NaN, 0], 1],
    ['argmax', 'i32', [-7, -7], 0],
    ['all', 'bool', [1, 1, 0], 0],
    ['all', 'bool', [1, 1], 1],
    ['any', 'bool', [0, 0, 1], 1],
    ['sum', 'f32', [], 0],
    ['prod', 'f32', [], 1],
    ['any', 'bool', [], 0],
    ['all', 'bool', [], 1],
  ];
  it.each(reductions)('%s of %s %j is %d', (op, t, data, want) => {
    const h = new Hand();
    const x = h.input('x', [data.length], t);
    const i = h.supply.axis(data.length, 'i');
    expect(run(h.core(h.reduce('r', [], op, [i], at(x, i))), data)).toEqual([[want]]);
  });

  it('reduce over nothing without touching what the body reads', () => {
    const h = new Hand();
    const x = h.input('x', [0]);
    const [i, o] = [h.supply.axis(0, 'i'), h.supply.axis(2, 'o')];
    expect(run(h.core(h.reduce('r', [o], 'sum', [i], at(x, ixConst(0)))), [])).toEqual([[0, 0]]);
  });
});

describe('folds and segment sums', () => {
  it('carry, stack and accumulate, forwards and backwards', () => {
    const x = [1, 2, 3, 4];
    const w = [1, 0, 0, 1, 2, 1, 0, 0, 0, 0, 1, 1];
    for (const rev of [false, true]) {
      let h = x;
      const stack: number[][] = [[], [], []];
      const sums = [10, 20, 30];
      let all = 100;
      for (const l of rev ? [2, 1, 0] : [0, 1, 2]) {
        const from = h;
        h = from.map((v, i) => v + w[l * 4 + i]! * from[(i + 1) % 4]!);
        stack[l] = h;
        const s = h.reduce((a, b) => a + b);
        sums[l] = sums[l]! + s;
        all += s;
      }
      expect(run(foldCore(rev), x, w, [10, 20, 30], [100])).toEqual([h, stack.flat(), sums, [all]]);
    }
  });

  it('carries may swap, and a fold of no steps gives its inits', () => {
    for (const trip of [0, 1, 3]) {
      const h = new Hand();
      const [a, b] = [h.input('a', [1]), h.input('b', [1])];
      const [p, q] = [h.supply.like(a), h.supply.like(b)];
      const [c, d] = [h.supply.like(a), h.supply.like(b)];
      const l = h.supply.axis(trip, 'l');
      h.body.push({
        k: 'fold',
        trip,
        l,
        rev: false,
        carry: [
          { in: p, init: a, next: q, out: c },
          { in: q, init: b, next: p, out: d },
        ],
        ys: [],
        acc: [],
        save: 'auto',
        body: [],
        spans: [{ file: 'x', start: 0, end: 0 }],
      });
      expect(run(h.core(c, d), [1], [2])).toEqual(trip % 2 === 0 ? [[1], [2]] : [[2], [1]]);
    }
  });

  it('gather and scatter by data', () => {
    expect(run(gatherScatter(), [10, 11, 12, 13, 14], [4, 0, 4, 1])).toEqual([
      [14, 10, 14, 11],
      [10, 11, 0, 0, 28],
    ]);
  });
});

describe('faults of the compiler are told with their statement', () => {
  it('a data-dependent index outside its extent', () => {
    const bad = () =>
      interpret(gatherScatter(), [
        [1, 2, 3, 4, 5],
        [0, 5, 0, 0],
      ]);
    expect(bad).toThrow(CoreFault);
    expect(bad).toThrow(/an index value is 5, the extent 5\n.*table\[idx\[5\]\(pick\[i\]\)\]/);
    expect(() =>
      interpret(gatherScatter(), [
        [1, 2, 3, 4, 5],
        [0, -1, 0, 0],
      ]),
    ).toThrow(CoreFault);
  });

  it('a read or a store outside its tensor', () => {
    const h = new Hand();
    const x = h.input('x', [3]);
    const i = h.supply.axis(3, 'i');
    const y = h.map('y', [i], at(x, shiftIx(ixAxis(i), 1)));
    expect(() => interpret(h.core(y), [[1, 2, 3]])).toThrow(/index 0 is 3, the extent 3/);
    const v = h.supply.var('v', 'f32', [3]);
    const seg = { k: 'segsum' as const, v, axes: [i], guard: [], body: at(x, i), spans: [] };
    const core = (at: typeof seg.axes) =>
      interpret({ ...h.core(v), body: [{ ...seg, at: [shiftIx(ixAxis(at[0]!), -1)] }] }, [
        [1, 2, 3],
      ]);
    expect(() => core([i])).toThrow(/index 0 is -1, the extent 3/);
  });

  it('inputs of another size', () => {
    expect(() => interpret(denseSilu(2, 3), [[1], [2]])).toThrow(/input w has 1 values, not 6/);
  });
});

describe('primitives', () => {
  const samples: Record<Stored, number[]> = {
    f32: [0, -0, 1, -1, 0.5, -2.5, 3.75, 1e9, -3e9, 5e9, Number.NaN, Infinity, -Infinity, 1e-40],
    i32: [0, 1, -1, 7, -7, 2147483647, -2147483648, 65537],
    u32: [0, 1, 7, 4294967295, 2147483648, 65537],
    bool: [0, 1],
  };
  const dtypes = Object.keys(samples) as Stored[];

  /** Every well-typed argument list of one primitive, from inputs so that nothing is constant. */
  const signatures = (Object.keys(primType) as Prim[]).flatMap((op): [Prim, Stored[]][] => {
    if (op === 'cast') return [];
    const out: [Prim, Stored[]][] = [];
    for (const n of [1, 2, 3, 4]) {
      for (let code = 0; code < 4 ** n; code++) {
        const ts = Array.from({ length: n }, (_, i) => dtypes[Math.floor(code / 4 ** i) % 4]!);
        if (primType[op](ts) !== undefined) out.push([op, ts]);
      }
    }
    return out;
  });

  it.each(signatures)('%s%j: generated code and scalar.ts agree', (op, ts) => {
    const h = new Hand();
    const xs = ts.map((t, i) => h.input(`x${i}`, [], t));
    const core = h.core(h.map('y', [], prim(op, ...xs.map((x) => at(x)))));
    const values = ts.map((t) => fc.constantFrom(...samples[t]));
    fc.assert(
      fc.property(fc.tuple(...values), (vs) => {
        const want = scalarRule[op](vs, core.outputs[0]!.t, ts[0]!);
        expect(
          interpret(
            core,
            vs.map((v) => [v]),
          )[0]![0],
        ).toEqual(want);
      }),
      { numRuns: 60 },
    );
  });

  it('casts', () => {
    for (const from of dtypes) {
      for (const t of dtypes) {
        const h = new Hand();
        const x = h.input('x', [], from);
        const core = h.core(h.map('y', [], castE(t, at(x))));
        for (const v of samples[from]) {
          const want = from === t ? v : castTo(t, from, v);
          expect(interpret(core, [[v]])[0]![0]).toEqual(want);
        }
      }
    }
    expect(value(castE('i32', f32(-2.9)))).toBe(-2);
    expect(value(castE('i32', f32(1e20)))).toBe(2147483647);
    expect(value(castE('u32', f32(-1)))).toBe(0);
    expect(value(castE('i32', f32(Number.NaN)))).toBe(0);
    expect(value(castE('u32', i32(-1)))).toBe(4294967295);
    expect(value(castE('i32', u32(4294967295)))).toBe(-1);
    expect(value(castE('f32', bool(true)))).toBe(1);
  });

  it('integer division floors and never traps', () => {
    const idiv = (a: number, b: number) => value(prim('idiv', i32(a), i32(b)));
    const mod = (a: number, b: number) => value(prim('mod', i32(a), i32(b)));
    expect([idiv(-7, 2), mod(-7, 2), idiv(7, -2), mod(7, -2)]).toEqual([-4, 1, -4, -1]);
    expect([idiv(5, 0), mod(5, 0)]).toEqual([5, 0]);
    expect(idiv(-2147483648, -1)).toBe(-2147483648);
  });

  it('round is half to even; select takes one side; prod of u32 is exact', () => {
    expect(
      [0.5, 1.5, 2.5, -0.5, -1.5, 2.4999].map((v) => value(prim('round', f32(v))) + 0),
    ).toEqual([0, 2, 2, 0, -2, 2]);
    expect(value(selectE(prim('lt', f32(1), f32(2)), f32(3), f32(4)))).toBe(3);
    expect(value(prim('mul', u32(4294967295), u32(4294967295)))).toBe(1);
  });

  it('erf to f64 precision', () => {
    // Abramowitz and Stegun, table 7.1, and 50-digit values rounded.
    const table: [number, number][] = [
      [0.1, 0.1124629160182849],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [2.49, 0.9995707121322661],
      [2.51, 0.9996142945182758],
      [3, 0.9999779095030014],
      [4, 0.9999999845827421],
    ];
    for (const [x, want] of table) {
      expect(Math.abs(erf(x) - want)).toBeLessThan(1e-15);
      expect(erf(-x)).toBe(-erf(x));
    }
    expect(erf(0)).toBe(0);
    expect(erf(Infinity)).toBe(1);
    expect(erf(Number.NaN)).toBeNaN();
    // The two methods meet: no step at their border beyond the slope.
    const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-6.25);
    expect(erf(2.5) - erf(2.5 - 1e-9)).toBeCloseTo(slope * 1e-9, 15);
  });

  it('half and brain floats round to nearest even', () => {
    const half = (x: number) => value(prim('f16', f32(x)));
    const brain = (x: number) => value(prim('bf16', f32(x)));
    expect(half(1 + 2 ** -11)).toBe(1);
    expect(half(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect([half(65519), half(65520), half(-1e6)]).toEqual([65504, Infinity, -Infinity]);
    expect([half(2 ** -24), half(2 ** -25), half(1.5 * 2 ** -25)]).toEqual([2 ** -24, 0, 2 ** -24]);
    expect([brain(1 + 2 ** -8), brain(1 + 3 * 2 ** -8)]).toEqual([1, 1 + 2 ** -6]);
    expect(brain(3.4e38)).toBe(Infinity);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), (bits) => {
        // Every bfloat16 value is a fixed point.
        const word = new Uint32Array([bits << 16]);
        const v = new Float32Array(word.buffer)[0]!;
        expect(brain(v)).toEqual(v);
      }),
    );
  });
});

describe('Threefry-2x32-20', () => {
  it('gives the known answers of its authors', () => {
    expect(threefry(0, 0, 0, 0)).toEqual([0x6b200159, 0x99ba4efe]);
    const ones = 0xffffffff;
    expect(threefry(ones, ones, ones, ones)).toEqual([0x1cb996fc, 0xbb002be7]);
    expect(threefry(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3)).toEqual([
      0xc4923a9c, 0x483df7a0,
    ]);
  });

  it('is what bits0 and bits1 mean', () => {
    const args = [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3].map((v) => constE('u32', v));
    expect(value(prim('bits0', ...args))).toBe(0xc4923a9c);
    expect(value(prim('bits1', ...args))).toBe(0x483df7a0);
  });
});

describe('generated code', () => {
  it('holds no name of the user', () => {
    const h = new Hand();
    const evil = h.input('x]; throw 1; //', [2]);
    const i = h.supply.axis(2, '0; throw 2; //');
    expect(run(h.core(h.map('y\n"', [i], at(evil, i))), [3, 4])).toEqual([[3, 4]]);
  });

  it('data-dependent indices inside splits', () => {
    const h = new Hand();
    const m = h.input('m', [2, 3]);
    const pick = h.input('pick', [4], 'i32');
    const i = h.supply.axis(4, 'i');
    const flat = ixVal(at(pick, i), 6);
    const ext = extentsOf([i]);
    const y = h.map('y', [i], at(m, divIx(flat, 3, ext), modIx(flat, 3, ext)));
    expect(run(h.core(y), [0, 1, 2, 3, 4, 5], [5, 0, 3, 1])).toEqual([[5, 0, 3, 1]]);
  });
});
