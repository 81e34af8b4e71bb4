/**
 * Every reduction of special numbers on every target: along the lanes of vectors, with cells in the lanes,
 * over two axes, into one cell; of no elements, of fewer than a vector has, of what whole vectors leave over,
 * and of as many as a workgroup shares. The sums and products are such that their order does not matter.
 */
import { expect, it } from 'vitest';
import type { Axis, Core, ReduceOp, Stored, Var } from '../../compiler/core.ts';
import { at, Hand } from '../core/hand.ts';
import { describeOn } from '../gpu/devices.ts';
import { runOn } from '../gpu/run-core.ts';

const elements: Readonly<Record<Stored, readonly number[]>> = {
  f32: [Number.NaN, -Infinity, 3, Infinity, -2, 0, 1],
  i32: [-2147483648, 2147483647, 0, -1, 5, 65537],
  u32: [0, 4294967295, 7, 2147483648, 65537],
  bool: [0, 1],
};
/** Of which every product is exact, and finite ones stay so. */
const factors: readonly number[] = [1, -1, 1, Infinity, 1, -0, Number.NaN];
/** Rows: of the first elements only, and one that begins with each. */
const ROWS = 9;

function row(list: readonly number[], r: number, n: number): number[] {
  if (r === 0) return new Array<number>(n).fill(list[0]!);
  if (r === 1) return new Array<number>(n).fill(list[1]!);
  const from = r % list.length;
  const kinds = 1 + (r % Math.min(4, list.length));
  return Array.from(
    { length: n },
    (_, i) => list[(from + ((i * i + 3 * i) % kinds)) % list.length]!,
  );
}

const ops: Readonly<Record<Stored, readonly ReduceOp[]>> = {
  f32: ['sum', 'max', 'min', 'argmax', 'argmin'],
  i32: ['sum', 'prod', 'max', 'min', 'argmax', 'argmin'],
  u32: ['sum', 'prod', 'max', 'min', 'argmax', 'argmin'],
  bool: ['all', 'any'],
};

/** The meaning, element by element. */
function reduced(op: ReduceOp, t: Stored, list: readonly number[]): number {
  const [least, most] =
    t === 'f32' ? [-Infinity, Infinity] : t === 'i32' ? [-2147483648, 2147483647] : [0, 4294967295];
  const wrapped = (v: bigint): number =>
    Number(t === 'i32' ? BigInt.asIntN(32, v) : BigInt.asUintN(32, v));
  switch (op) {
    case 'sum':
      if (t === 'f32') return list.reduce((a, b) => a + b, 0);
      return wrapped(list.reduce((a, b) => a + BigInt(b), 0n));
    case 'prod':
      if (t === 'f32') return list.reduce((a, b) => a * b, 1);
      return wrapped(list.reduce((a, b) => a * BigInt(b), 1n));
    case 'max':
      return list.reduce(
        (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : a > b ? a : b),
        least,
      );
    case 'min':
      return list.reduce(
        (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : a < b ? a : b),
        most,
      );
    case 'argmax':
    case 'argmin': {
      // The first NaN, or the first of the best; where nothing is better than the worst it is 0.
      let best = op === 'argmax' ? least : most;
      let found = 0;
      list.forEach((v, i) => {
        const isFirstNaN = Number.isNaN(v) && !Number.isNaN(best);
        if (isFirstNaN || (op === 'argmax' ? v > best : v < best)) [best, found] = [v, i];
      });
      return found;
    }
    case 'all':
      return Number(list.every((v) => v !== 0));
    case 'any':
      return Number(list.some((v) => v !== 0));
  }
}

type Program = { core: Core; inputs: number[][]; names: string[]; want: number[][] };

function program(n: number): Program {
  const h = new Hand();
  const [inputs, names, want, outs]: [number[][], string[], number[][], Var[]] = [[], [], [], []];
  const input = (name: string, shape: number[], t: Stored, data: number[]): Var => {
    inputs.push(data);
    return h.input(name, shape, t);
  };
  const add = (name: string, v: Var, w: number[]): void => {
    outs.push(v);
    names.push(name);
    want.push(w);
  };
  const lists: [Stored, readonly number[], readonly ReduceOp[]][] = [
    ...(['f32', 'i32', 'u32', 'bool'] as const).map(
      (t) => [t, elements[t], ops[t]] as [Stored, readonly number[], readonly ReduceOp[]],
    ),
    ['f32', factors, ['prod']],
  ];
  for (const [t, list, some] of lists) {
    const rows = Array.from({ length: ROWS }, (_, r) => row(list, r, n));
    const x = input(`x ${t}`, [ROWS, n], t, rows.flat());
    const turned = Array.from({ length: n }, (_, i) => rows.map((r) => r[i]!));
    const y = input(`y ${t}`, [n, ROWS], t, turned.flat());
    const halves = n % 2 === 0 ? input(`z ${t}`, [ROWS, n / 2, 2], t, rows.flat()) : undefined;
    for (const op of some) {
      const axes = (): [Axis, Axis] => [h.supply.axis(ROWS, 'r'), h.supply.axis(n, 'i')];
      const all = rows.map((r) => reduced(op, t, r));
      let [r, i] = axes();
      add(`${op} of ${t} along rows`, h.reduce('a', [r], op, [i], at(x, r, i)), all);
      [r, i] = axes();
      add(`${op} of ${t} down columns`, h.reduce('b', [r], op, [i], at(y, i, r)), all);
      [r, i] = axes();
      add(`${op} of ${t} alone`, h.reduce('c', [], op, [i], at(x, 2, i)), [all[2]!]);
      if (!halves || op === 'argmax' || op === 'argmin') continue;
      const [p, q] = [h.supply.axis(n / 2, 'p'), h.supply.axis(2, 'q')];
      r = h.supply.axis(ROWS, 'r');
      add(`${op} of ${t} over two axes`, h.reduce('d', [r], op, [p, q], at(halves, r, p, q)), all);
    }
  }
  return { core: h.core(...outs), inputs, names, want };
}

for (const name of ['reference', 'wasm', 'webgpu', 'gpujs'] as const) {
  describeOn(name, (device) => {
    it.each([0, 1, 3, 5, 16, 18, 67, 1030])('of %d elements', async (n) => {
      const { core, inputs, names, want } = program(n);
      const got = await runOn(await device(), core, inputs);
      const wrong: string[] = [];
      want.forEach((list, o) => {
        list.forEach((w, i) => {
          const g = got[o]![i]!;
          if (!(g === w || (Number.isNaN(g) && Number.isNaN(w))))
            wrong.push(`${names[o]}, row ${i}: ${g}, want ${w}`);
        });
      });
      expect(wrong).toEqual([]);
    });
  });
}
