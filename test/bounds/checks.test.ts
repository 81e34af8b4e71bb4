/**
 * Accesses that nothing shows to be in range: an index from data without a bound. In range it gives the
 * right values; out of range every device ends the run with an error that names the place, and has
 * touched nothing that is not its own.
 */
import { describe, expect, it } from 'vitest';
import { bounds } from '../../compiler/bounds/index.ts';
import { f32, i32, indexE, prim, readE, selectE } from '../../compiler/core/expr.ts';
import { interpret } from '../../compiler/core/interpret.ts';
import { addIx, ixAxis, ixConst, ixVal } from '../../compiler/core/ix.ts';
import type { Axis, Core, Expr, Guard, Ix, Var } from '../../compiler/core.ts';
import { emitGpuJs } from '../../compiler/emit/gpujs/index.ts';
import type { Plan } from '../../compiler/plan.ts';
import { outline, printPlan } from '../../compiler/schedule/print.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import type { Compiled, Device, DeviceName } from '../../runtime/devices/device.ts';
import { wasmDevice } from '../../runtime/devices/wasm.ts';
import { at, Hand, spans } from '../core/hand.ts';
import { describeOn } from '../gpu/devices.ts';
import { compare } from '../gpu/run-core.ts';

const compiled = (core: Core, donate: Compiled['donate'] = []): Compiled => ({
  core,
  plan: (options) => schedule(core, donate, options),
  donate,
  locate: ({ file }) => ({ file, line: 7 }),
});

type Given = readonly (readonly number[])[];

/** Writes, runs and reads; the next inputs that are `undefined` stay as they were. */
async function using(device: Device, core: Core) {
  const exe = await device.prepare(compiled(core));
  const write = (inputs: readonly (readonly number[] | undefined)[]): void => {
    inputs.forEach((x, i) => {
      if (x) exe.write(i, Float64Array.from(x));
    });
  };
  return {
    write,
    run: () => exe.run(),
    read: () => Promise.all(core.outputs.map((_, o) => exe.read(o))),
    dispose: () => exe.dispose(),
  };
}

/** y[i] = table[pick[i]] (and what else is asked for) between two tensors that must stay whole. */
function gathered(K: number, extra: (h: Hand, table: Var, key: (i: Axis) => Expr) => Var[]): Core {
  const h = new Hand();
  const before = h.input('before', [70]);
  const table = h.input('table', [K, 3]);
  const after = h.input('after', [70]);
  const pick = h.input('pick', [6], 'i32');
  const [i, j] = h.supply.axes([6, 3]) as [Axis, Axis];
  const key = (a: Axis): Expr => at(pick, a);
  const y = h.map('y', [i, j], readE(table, [ixVal(key(i), K), ixAxis(j)]));
  const k = h.supply.axis(70);
  const kept = [before, after].map((x) => h.map(`${x.name} kept`, [k], prim('neg', at(x, k))));
  return h.core(y, ...kept, ...extra(h, table, key));
}

const added = (h: Hand, _table: Var, key: (i: Axis) => Expr): Var[] => {
  const i = h.supply.axis(6);
  const v = h.supply.var('counts', 'f32', [5]);
  const to = ixVal(key(i), 5);
  h.body.push({ k: 'segsum', v, axes: [i], at: [to], guard: [], body: f32(1), spans });
  return [v];
};

const room = Array.from({ length: 70 }, (_, k) => k + 100);
const rows = Array.from({ length: 15 }, (_, k) => k + 1);
const good = [0, 4, 2, 2, 1, 3];
const bad = [
  [0, 4, 5, 2, 1, 3],
  [0, -1, 2, 2, 1, 3],
  [0, 4, 2, 2, 1, 2147483647],
  [-2147483648, 0, 0, 0, 0, 0],
];

for (const name of ['wasm', 'webgpu', 'gpujs'] satisfies DeviceName[]) {
  describeOn(name, (open) => {
    it('is right in range, and out of range says where, and touches nothing else', async () => {
      const core = gathered(5, added);
      const inputs = [room, rows, room, good];
      const exe = await using(await open(), core);
      const agrees = async (): Promise<void> =>
        expect(compare(core, await exe.read(), interpret(core, inputs))).toEqual([]);
      exe.write(inputs);
      await exe.run();
      await agrees();
      for (const pick of bad) {
        exe.write([undefined, undefined, undefined, pick]);
        await expect(exe.run()).rejects.toThrow(
          expect.objectContaining({ code: 'range', place: { file: 'hand.tn', line: 7 } }),
        );
        // Only the places are given again: all else is as it was.
        exe.write([undefined, undefined, undefined, good]);
        await exe.run();
        await agrees();
      }
      exe.dispose();
    });

    it('names the line and the tensor', async () => {
      const exe = await using(
        await open(),
        gathered(5, () => []),
      );
      exe.write([room, rows, room, bad[0]]);
      await expect(exe.run()).rejects.toThrow('hand.tn:7: this run reads outside of `table`');
      exe.dispose();
      const sums = new Hand();
      const pick = sums.input('pick', [6], 'i32');
      const core = sums.core(...added(sums, pick, (i) => at(pick, i)));
      const adding = await using(await open(), core);
      adding.write([bad[0]]);
      await expect(adding.run()).rejects.toThrow('hand.tn:7: this run writes outside of `counts`');
      adding.dispose();
    });

    it('reads nothing of an empty table', async () => {
      const core = gathered(0, () => []);
      const exe = await using(await open(), core);
      exe.write([room, [], room, good]);
      await expect(exe.run()).rejects.toThrow('outside of `table`');
      exe.dispose();
    });

    it('asks nothing where the access is guarded off, and nothing of loops that do not run', async () => {
      const { core, inputs } = quiet();
      const exe = await using(await open(), core);
      exe.write(inputs);
      await exe.run();
      expect(compare(core, await exe.read(), interpret(core, inputs))).toEqual([]);
      exe.dispose();
    });
  });
}

/** Bad places, behind every kind of guard, and in loops of no steps. */
function quiet(): { core: Core; inputs: Given } {
  const h = new Hand();
  const table = h.input('table', [5]);
  const pick = h.input('pick', [6], 'i32');
  const none = h.input('none', [0, 6], 'i32');
  const i = h.supply.axis(6);
  const key = ixVal(at(pick, i), 5);
  // Places 0 and 5 are bad, place 3 is out of range by one.
  const inner: Guard[] = [{ e: ixAxis(i), lo: 1, hi: 5 }];
  const own: Guard[] = [{ e: key, lo: 0, hi: 5 }];
  const byAxis = h.map(
    'byAxis',
    [i],
    readE(
      table,
      [ixVal(selectE(prim('eq', indexE(ixAxis(i)), i32(3)), i32(4), at(pick, i)), 5)],
      inner,
    ),
  );
  const byData = h.map('byData', [i], readE(table, [key], own));
  const byBoth = h.map('byBoth', [i], readE(table, [key], [...inner, ...own]));
  const next = addIx(key, ixConst(1));
  const moved = h.map('moved', [i], readE(table, [next], [{ e: next, lo: 0, hi: 5 }]));
  const v = h.supply.var('sums', 'f32', [5]);
  h.body.push({ k: 'segsum', v, axes: [i], at: [key], guard: own, body: f32(2), spans });
  const z = h.supply.axis(0);
  const empty = h.reduce(
    'empty',
    [i],
    'sum',
    [z],
    readE(table, [ixVal(prim('add', at(pick, i), indexE(ixAxis(z))), 5)]),
  );
  const nothing = h.map('nothing', [z, i], readE(table, [ixVal(at(none, z, i), 5)]));
  const hole = h.input('hole', [0]);
  const void1 = h.map('void1', [z], at(hole, 0));
  const void2 = h.reduce('void2', [i], 'sum', [z], at(hole, 0));
  const core = h.core(byAxis, byData, byBoth, moved, v, empty, nothing, void1, void2);
  return { core, inputs: [[1, 2, 3, 4, 5], [-7, 4, 2, 5, 1, 1_000_000], [], []] };
}

describe('many threads', () => {
  it('see the fault of any of them', async () => {
    const n = 200;
    const h = new Hand();
    const x = h.input('x', [n, n]);
    const pick = h.input('pick', [n], 'i32');
    const [i, j, k] = h.supply.axes([n, n, n]) as [Axis, Axis, Axis];
    const s = h.reduce('s', [i, j], 'sum', [k], prim('mul', at(x, i, k), at(x, k, j)));
    const core = h.core(h.map('y', [i, j], readE(s, [ixVal(at(pick, i), n), ixAxis(j)])));
    const device = wasmDevice({ threads: 2 });
    const exe = await using(device, core);
    for (const wrong of [3, n - 1]) {
      const places = Array.from({ length: n }, (_, r) => (r === wrong ? n : r));
      exe.write([new Array<number>(n * n).fill(1), places]);
      await expect(exe.run()).rejects.toThrow('hand.tn:7: this run reads outside of `s`');
    }
    exe.write([undefined, places(n)]);
    await exe.run();
    expect((await exe.read())[0]!.every((v) => v === n)).toBe(true);
    exe.dispose();
    device.dispose();
  });
});

const places = (n: number): number[] => Array.from({ length: n }, (_, r) => r);

// ---------------------------------------------------------------- what is shown

const reportOf = (core: Core, donate: Compiled['donate'] = []) => {
  const plan = schedule(core, donate);
  return { checks: plan.checks?.sites.length ?? 0, ...bounds(plan).report };
};

/** A carried place: s = next(s), and the sum of what x holds at all of them. */
function walk(first: (h: Hand) => Expr, next: (h: Hand, s: Expr) => Expr, K = 5): Core {
  const h = new Hand();
  const x = h.input('x', [K]);
  const init = h.map('first', [], first(h));
  const zero = h.map('zero', [], f32(0));
  const l = h.supply.axis(20, 'l');
  const s = h.supply.var('s', 'i32', []);
  let to!: Var;
  let seen!: Var;
  const body = h.block(() => {
    seen = h.map('seen', [], readE(x, [ixVal(at(s), K)]));
    to = h.map('to', [], next(h, at(s)));
  });
  const [out, sum] = [h.supply.like(s), h.supply.like(zero)];
  const carry = [{ in: s, init, next: to, out }];
  const acc = [{ v: sum, init: zero, add: seen, at: null }];
  const fold = { k: 'fold', trip: 20, l, rev: false, carry, ys: [], acc, save: 'auto' } as const;
  h.body.push({ ...fold, body, spans });
  return h.core(sum, out);
}

describe('places behind guards', () => {
  it('are shown, and so is what nothing runs', () => {
    // But for the one whose guard says nothing of the data.
    expect(reportOf(quiet().core)).toMatchObject({ checked: 1 });
  });

  it('are shown where the value itself is there only under the condition', () => {
    const h = new Hand();
    const [x, pick] = [h.input('x', [5]), h.input('pick', [6], 'i32', 7)];
    const i = h.supply.axis(6);
    const turned = (e: Expr): Expr => prim('mod', prim('add', e, i32(2)), i32(7));
    const few = prim('lt', turned(at(pick, i)), i32(5));
    const place = selectE(few, turned(selectE(few, at(pick, i), i32(0))), i32(0));
    expect(reportOf(h.core(h.map('y', [i], readE(x, [ixVal(place, 5)])))).checks).toBe(0);
  });

  it('are checked where a value that is guarded off is 0', () => {
    const h = new Hand();
    const x = h.input('x', [2]);
    const i = h.supply.axis(4);
    const table = h.supply.var('table', 'i32', [2]);
    const consts = [{ v: table, data: Float64Array.of(3, 4) }];
    const guard: Guard[] = [{ e: ixAxis(i), lo: 0, hi: 2 }];
    const place = (g: readonly Guard[], e: Ix): Expr => prim('sub', readE(table, [e], g), i32(3));
    const y = h.map('y', [i], readE(x, [ixVal(place(guard, ixAxis(i)), 2)]));
    const z = h.map('z', [i], readE(x, [ixVal(place([], ixConst(1)), 2)]));
    expect(reportOf({ ...h.core(y), consts }).checked).toBe(1);
    expect(reportOf({ ...h.core(z), body: [h.body[1]!], consts }).checked).toBe(0);
  });
});

describe('places carried through a fold', () => {
  const zero = (): Expr => i32(0);
  const shown: readonly (readonly [string, Core])[] = [
    ['a table of places', walk(zero, (h, s) => readE(h.input('t', [5], 'i32', 5), [ixVal(s, 5)]))],
    ['a remainder', walk(zero, (_, s) => prim('mod', prim('add', s, i32(3)), i32(5)))],
    ['a minimum', walk(zero, (_, s) => prim('min', prim('add', s, i32(1)), i32(4)))],
    [
      'a step while there is room',
      walk(zero, (_, s) =>
        selectE(prim('lt', prim('add', s, i32(1)), i32(5)), prim('add', s, i32(1)), i32(0)),
      ),
    ],
    [
      'steps down and up, to a thousand',
      walk(
        zero,
        (h, s) => {
          const up = prim('lt', s, i32(999));
          const coin = prim('gt', at(h.input('c', [])), f32(0));
          return selectE(
            coin,
            selectE(up, prim('add', s, i32(1)), s),
            prim('max', prim('sub', s, i32(1)), i32(0)),
          );
        },
        1000,
      ),
    ],
  ];
  it.each(shown)('are shown: %s', (_, core) => {
    expect(reportOf(core)).toMatchObject({ checks: 0, shownData: expect.any(Number) });
    expect(reportOf(core).shownData).toBeGreaterThan(0);
  });

  it('are checked where they may leave', () => {
    expect(reportOf(walk(zero, (_, s) => prim('add', s, i32(1)))).checks).toBe(1);
    expect(
      reportOf(
        walk(
          (h) => at(h.input('n', [], 'i32')),
          (_, s) => s,
        ),
      ).checks,
    ).toBe(1);
    expect(
      reportOf(walk(zero, (h, s) => readE(h.input('t', [5], 'i32', 6), [ixVal(s, 5)]))).checks,
    ).toBe(2);
  });
});

describe('donated inputs', () => {
  const step = (next: (p: Expr) => Expr): Core => {
    const h = new Hand();
    const p = h.input('p', [4], 'i32', 5);
    const x = h.input('x', [5]);
    const i = h.supply.axis(4);
    const y = h.map('y', [i], readE(x, [ixVal(at(p, i), 5)]));
    return h.core(y, h.map('q', [i], next(at(p, i))));
  };
  it('hold what the host gives and what the run before left', () => {
    const turned = step((p) => prim('mod', prim('add', p, i32(1)), i32(5)));
    expect(reportOf(turned, [[1, 0]]).checks).toBe(0);
    const counted = step((p) => prim('add', p, i32(1)));
    expect(reportOf(counted).checks).toBe(0);
    expect(reportOf(counted, [[1, 0]]).checks).toBe(1);
  });
});

describe('a plan with checks', () => {
  const core = gathered(5, added);
  const plan: Plan = schedule(core);

  it('is the same when it is bounded again', () => {
    expect(bounds(plan).plan).toEqual(plan);
  });

  it('shows them', () => {
    expect(printPlan(plan)).toContain('y#4[3*i + j] = table#1[j + 3*checked(pick#3[i] < 5)]');
    expect(printPlan(plan)).toContain('counts#7[checked(pick#3[i_3] < 5)] += 1');
    expect(outline(plan)).toContain('y: set, 1 checked');
    expect(emitGpuJs(plan)).toContain('on the host: a place that is checked');
    expect(plan.checks!.sites).toEqual([
      { span: spans[0], what: 'reads outside of `table`' },
      { span: spans[0], what: 'writes outside of `counts`' },
    ]);
    expect(bounds(plan).report).toEqual({ shown: 8, shownData: 0, checked: 2, checkedData: 2 });
  });

  it('checks each index by itself', () => {
    const h = new Hand();
    const x = h.input('x', [5, 7]);
    const [p, q] = [h.input('p', [], 'i32'), h.input('q', [], 'i32', 7)];
    const y = h.map('y', [], readE(x, [ixVal(at(p), 5), ixVal(at(q), 7)]));
    expect(printPlan(schedule(h.core(y)))).toContain('x#0[7*checked(p#1[0] < 5) + q#2[0]]');
  });
});
