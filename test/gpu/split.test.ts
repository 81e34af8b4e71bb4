/**
 * Kernels of several nests over scratch (rows of softmax, resident groups) give the same values when
 * they are split into kernels of one nest for targets whose threads share nothing.
 */
import { expect, it } from 'vitest';
import { prim } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { addIx, ixAxis, scaleIx } from '../../compiler/core/ix.ts';
import type { Axis } from '../../compiler/core.ts';
import { splitKernels } from '../../compiler/emit/split.ts';
import { leastLimits, wgslProgram } from '../../compiler/emit/wgsl/index.ts';
import type { Buf, KExpr, KIx, KNest, Plan } from '../../compiler/plan.ts';
import type { DeviceName } from '../../runtime/devices/device.ts';
import { at, Hand } from '../core/hand.ts';
import { values } from './cases.ts';
import { describeOn } from './devices.ts';
import { compare } from './run-core.ts';

/** Rows of softmax as a core program, and as a plan with one kernel of four nests over scratch. */
function softmax(T: number, S: number) {
  const h = new Hand();
  const x = h.input('x', [T, S]);
  const [t, s] = [h.supply.axis(T, 't'), h.supply.axis(S, 's')] as [Axis, Axis];
  const top = h.reduce('top', [t], 'max', [s], at(x, t, s));
  const e = h.map('e', [t, s], prim('exp', prim('sub', at(x, t, s), at(top, t))));
  const z = h.reduce('z', [t], 'sum', [s], at(e, t, s));
  const core = h.core(h.map('y', [t, s], prim('div', at(e, t, s), at(z, t))));

  const buf = (id: number, words: number, kind: Buf['kind']): Buf => ({
    ...{ id, words, kind },
    ...{ name: `b${id}`, t: 'f32' },
  });
  const row: KIx = { ix: addIx(scaleIx(ixAxis(t), S), ixAxis(s)), dyn: [] };
  const cell: KIx = { ix: ixAxis(s), dyn: [] };
  const zero: KIx = { ix: { c: 0, terms: [] }, dyn: [] };
  const load = (b: number, a: KIx): KExpr => ({ k: 'load', t: 'f32', buf: b, at: a, guard: [] });
  const p = (op: 'exp' | 'sub' | 'div', ...args: KExpr[]): KExpr => ({
    ...{ k: 'prim', t: 'f32', op, args },
  });
  const nest = (b: number, a: KIx, op: KNest['op'], body: KExpr): KNest => ({
    axes: op ? [] : [s],
    red: op ? [s] : [],
    op,
    body,
    store: { buf: b, at: a, guard: [], mode: 'set' },
    spans: [],
  });
  const nests = [
    nest(2, zero, 'max', load(0, row)),
    nest(3, cell, null, p('exp', p('sub', load(0, row), load(2, zero)))),
    nest(4, zero, 'sum', load(3, cell)),
    nest(1, row, null, p('div', load(3, cell), load(4, zero))),
  ];
  const plan: Plan = {
    bufs: [
      buf(0, T * S, 'input'),
      buf(1, T * S, 'output'),
      buf(2, 1, 'scratch'),
      buf(3, S, 'scratch'),
      buf(4, 1, 'scratch'),
    ],
    offsets: new Map(),
    arenaWords: 0,
    inputs: [0],
    outputs: [1],
    steps: [{ k: 'kernel', id: 0, name: 'softmax', grid: [t], nests, loops: [] }],
  };
  return { core, plan };
}

it('WebGPU runs rows by threads or workgroups where there are enough', () => {
  const form = (rows: number, length: number): string => {
    const { shaders } = wgslProgram(softmax(rows, length).plan, leastLimits);
    const code = [...shaders.values()].map((s) => s.code).join();
    if (shaders.size > 1) return 'split';
    return code.includes('storageBarrier') ? 'workgroup' : 'thread';
  };
  expect([form(6, 37), form(40, 5), form(40, 150), form(40, 5000)]).toEqual([
    'split',
    'thread',
    'workgroup',
    'split',
  ]);
});

it('splits a row kernel into one kernel per nest and no scratch', () => {
  const { plan } = softmax(3, 5);
  const split = splitKernels(plan);
  expect(split.steps).toHaveLength(4);
  expect(split.bufs.map((b) => [b.kind, b.words])).toEqual([
    ['input', 15],
    ['output', 15],
    ['temp', 3],
    ['temp', 15],
    ['temp', 3],
  ]);
  expect(splitKernels(plan, () => true)).toBe(plan);
});

/** y[i] = x[i] / sum i. x[i], the sum in scratch, over the very axis of the grid. */
function shares(T: number) {
  const h = new Hand();
  const x = h.input('x', [T]);
  const i = h.supply.axis(T, 'i');
  const z = h.reduce('z', [], 'sum', [i], at(x, i));
  const core = h.core(h.map('y', [i], prim('div', at(x, i), at(z))));
  const buf = (id: number, words: number, kind: Buf['kind']): Buf => ({
    ...{ id, words, kind },
    ...{ name: `b${id}`, t: 'f32' },
  });
  const [cell, zero]: KIx[] = [ixAxis(i), { c: 0, terms: [] }].map((ix) => ({ ix, dyn: [] }));
  const load = (b: number, a: KIx): KExpr => ({ k: 'load', t: 'f32', buf: b, at: a, guard: [] });
  const nest = (b: number, a: KIx, red: readonly Axis[], body: KExpr): KNest => ({
    ...{ axes: [], red, op: red.length > 0 ? 'sum' : null, body, spans: [] },
    store: { buf: b, at: a, guard: [], mode: 'set' },
  });
  const ratio: KExpr = { k: 'prim', t: 'f32', op: 'div', args: [load(0, cell!), load(2, zero!)] };
  const nests = [nest(2, zero!, [i], load(0, cell!)), nest(1, cell!, [], ratio)];
  const plan: Plan = {
    bufs: [buf(0, T, 'input'), buf(1, T, 'output'), buf(2, 1, 'scratch')],
    ...{ offsets: new Map(), arenaWords: 0, inputs: [0], outputs: [1] },
    steps: [{ k: 'kernel', id: 0, name: 'share', grid: [i], nests, loops: [] }],
  };
  return { core, plan };
}

for (const name of ['webgpu', 'gpujs'] satisfies DeviceName[])
  describeOn(name, (open) => {
    it.each([
      ['a few rows, split', () => softmax(6, 37)],
      ['many short rows, a thread each', () => softmax(40, 5)],
      ['many rows, a workgroup each', () => softmax(40, 150)],
      ['a kernel with a nest over the axis of its grid', () => shares(9)],
    ])('runs %s', async (_, make) => {
      const { core, plan } = make();
      const inputs = values(core);
      const exe = await (await open()).prepare({ core, plan: () => plan, donate: [] });
      exe.write(0, inputs[0]!);
      await exe.run();
      expect(compare(core, [await exe.read(0)], interpret(core, inputs), 1e-5)).toEqual([]);
      exe.dispose();
    });
  });
