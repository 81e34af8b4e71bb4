/**
 * Numbers that emitters make themselves: shares of a kernel, strides in bytes, counters of flattened
 * loops, literals. Each stays within 32 bits, or is meant modulo 2^32.
 */
import { describe, expect, it } from 'vitest';
import { f32, indexE, prim, readE } from '../../compiler/core/expr.ts';
import { addIx, ixAxis, ixConst, scaleIx } from '../../compiler/core/ix.ts';
import type { Axis, Core } from '../../compiler/core.ts';
import { emitGpuJs } from '../../compiler/emit/gpujs/index.ts';
import { encodeModule, Fn, ins } from '../../compiler/emit/wasm/binary.ts';
import { Graph } from '../../compiler/emit/wasm/graph.ts';
import { shareOf } from '../../compiler/emit/wasm/part.ts';
import { emitWgsl } from '../../compiler/emit/wgsl/index.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { at, Hand } from '../core/hand.ts';
import { describeOn } from '../gpu/devices.ts';

/** A function of one number that leaves two in memory. */
function computed(
  make: (
    g: Graph,
    n: ReturnType<Graph['param']>,
  ) => readonly (number | ReturnType<Graph['param']>)[],
) {
  const fn = new Fn('f', ['i32']);
  fn.index = 0;
  const g = new Graph(fn);
  make(g, g.param(0, 'i32')).forEach((v, i) => {
    g.root.effect([g.i32(0), typeof v === 'number' ? g.i32(v) : v], ins.store('i32', 4 * i));
  });
  g.finish();
  const bytes = encodeModule({ fns: [fn], exports: new Map([['f', fn]]), pages: 1, shared: false });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const words = new Int32Array(memory.buffer);
  return (n: number): readonly [number, number] => {
    (exports['f'] as (n: number) => void)(n);
    return [words[0]!, words[1]!];
  };
}

describe('shares of a kernel', () => {
  it.each([7, 1_000_003, 2 ** 27, 2 ** 29 + 5, 2 ** 30, 2 ** 31 - 1])(
    'of %i units follow one another to the end, in as many chunks as may be',
    (count) => {
      for (const of of [2, 16, 24, 32]) {
        const share = computed((g, chunk) => {
          const part = { chunk, of, thread: chunk, first: chunk };
          const { lo, hi } = shareOf(g, part, count);
          return [lo, hi];
        });
        let next = 0;
        for (let c = 0; c < of; c++) {
          const [lo, hi] = share(c);
          expect(lo).toBe(next);
          expect(hi).toBe(Math.floor(((c + 1) * count) / of));
          next = hi;
        }
        expect(next).toBe(count);
      }
    },
  );
});

describe('multiples in addresses', () => {
  it('are taken modulo 2^32', () => {
    for (const m of [3, 2 ** 31, 2 ** 32, 2 ** 34, 2 ** 32 + 5, -(2 ** 31), 3 * 2 ** 40]) {
      const times = computed((g, n) => [g.times(n, m), 0]);
      for (const n of [1, 7, 123_456])
        expect(times(n)[0]).toBe(Number(BigInt.asIntN(32, BigInt(m) * BigInt(n))));
    }
  });
});

/** sum over n x n of a product of two rows: more points than 2^31. */
function pairs(n: number, cells: number): Core {
  const h = new Hand();
  const [x, y] = [h.input('x', [cells, n]), h.input('y', [n])];
  const [c, i, j] = h.supply.axes([cells, n, n]) as [Axis, Axis, Axis];
  return h.core(h.reduce('s', [c], 'sum', [i, j], prim('mul', at(x, c, i), at(y, j))));
}

/** Rows of a longer loop than 2^31 - 1024, one of its own; and a matrix product as long. */
const long: readonly (readonly [string, Core])[] = [
  ['pairs', pairs(50_000, 1)],
  ['pairs of many rows', pairs(50_000, 64)],
  [
    'one long loop',
    (() => {
      const h = new Hand();
      const x = h.input('x', []);
      return h.core(h.reduce('s', [], 'sum', [h.supply.axis(2 ** 31 - 5)], at(x)));
    })(),
  ],
  [
    'a product along pairs',
    (() => {
      const h = new Hand();
      const [x, y] = [h.input('x', [64, 300]), h.input('y', [64, 300])];
      const [a, b, i, j, k] = h.supply.axes([64, 64, 300, 300, 30_000]) as [
        Axis,
        Axis,
        Axis,
        Axis,
        Axis,
      ];
      const far = readE(y, [ixAxis(b), ixAxis(j)]);
      const body = prim(
        'mul',
        at(x, a, i),
        prim('mul', far, prim('sin', prim('add', f32(1), at(x, a, i)))),
      );
      return h.core(h.reduce('z', [a, b], 'sum', [i, j, k], body));
    })(),
  ],
  [
    'far indices',
    (() => {
      const h = new Hand();
      const i = h.supply.axis(9);
      return h.core(
        h.map('v', [i], indexE(addIx(scaleIx(ixAxis(i), 2 ** 31), ixConst(-(2 ** 40) - 2 ** 31)))),
      );
    })(),
  ],
];

describe('literals of shaders', () => {
  it.each(long)('fit their type: %s', (_, core) => {
    const text = emitWgsl(schedule(core));
    for (const [, v] of text.matchAll(/\b(\d+)i\b/g)) expect(Number(v)).toBeLessThan(2 ** 31);
    for (const [, v] of text.matchAll(/\b(\d+)u\b/g)) expect(Number(v)).toBeLessThan(2 ** 32);
  });

  it('count a long reduction in loops of its outer axes', () => {
    const text = emitWgsl(schedule(pairs(50_000, 1)));
    const loops = text.split('\n').filter((l) => /for \(|let a2|acc = acc \+ \(/.test(l));
    expect(loops.slice(0, 4).join('\n')).toMatchInlineSnapshot(`
      "  for (var a1 = 0i; a1 < 50000i; a1++) {
          for (var r = lane; r < 50000u; r += 256u) {
            let a2 = i32(r);
            acc = acc + (bitcast<f32>(s0[a1]) * bitcast<f32>(s0[50048i + a2]));"
    `);
  });
});

describeOn('webgpu', (open) => {
  it.each(long)('takes the shaders of %s', async (_, core) => {
    const exe = await (await open()).prepare({ core, plan: () => schedule(core), donate: [] });
    exe.dispose();
  });
});

describe('loops of gpu.js', () => {
  it('count in floats: longer ones run on the host', () => {
    const h = new Hand();
    const x = h.input('x', []);
    const core = h.core(h.reduce('s', [], 'sum', [h.supply.axis(5_000_000)], at(x)));
    expect(emitGpuJs(schedule(core))).toContain('on the host: a loop beyond 2^22 steps');
  });
});
