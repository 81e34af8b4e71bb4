/**
 * Folds: which way each variable from outside gets its cotangent, what is saved, and what is
 * computed again. The snapshots show the claims of transpose-fold.ts and save.ts.
 */
import { describe, expect, test } from 'vitest';
import { castE, f32, i32, indexE, prim, readE } from '../../compiler/core/expr.ts';
import { addIx, ixAxis, ixVal, scaleIx, shiftIx } from '../../compiler/core/ix.ts';
import { printCore } from '../../compiler/core/print.ts';
import type { Axis, Core, Expr, Fold, Stmt, Var } from '../../compiler/core.ts';
import { at, Hand, spans } from '../core/hand.ts';
import { checkPoint, direction, isReal, numbers, randomLike, vjpCore } from './check.ts';

const mul = (a: Expr, b: Expr) => prim('mul', a, b);
const plus = (a: Expr, b: Expr) => prim('add', a, b);

type Step = { readonly next: Var; readonly ys?: readonly Var[] };

/** fold h = init for l: trip. step(h, l), with what the step stacks. */
function fold(
  h: Hand,
  init: Var,
  trip: number,
  step: (from: Var, l: Axis) => Step,
  save: Fold['save'] = 'auto',
): { out: Var; ys: readonly Var[] } {
  const l = h.supply.axis(trip, 'l');
  const from = h.supply.like(init, 'h');
  let made: Step = { next: from };
  const body = h.block(() => {
    made = step(from, l);
  });
  const out = h.supply.like(init, 'out');
  const ys = (made.ys ?? []).map((elem) => ({
    v: h.supply.var('ys', elem.t, [trip, ...elem.shape]),
    elem,
  }));
  h.body.push({
    k: 'fold',
    trip,
    l,
    rev: false,
    carry: [{ in: from, init, next: made.next, out }],
    ys,
    acc: [],
    save,
    body,
    spans,
  });
  return { out, ys: ys.map((y) => y.v) };
}

/** Checks the gradient at a random point and shows the reverse fold. */
function reverse(core: Core, integers: readonly number[] = []): string {
  const next = numbers(3);
  const inputs = randomLike(core.inputs, next).map((a, i) =>
    isReal(core.inputs[i]!) ? a : Float64Array.from(a, (_, j) => integers[j] ?? 0),
  );
  expect(checkPoint(core, inputs, direction(core, next))).toBe('ok');
  const derived = vjpCore(core).core;
  return printCore(derived)
    .split('\n')
    .filter((l) => !/^(input|output)/.test(l))
    .join('\n');
}

describe('the cotangent of a variable read in a fold', () => {
  test('stacked parameters: each slice is written once', () => {
    const h = new Hand();
    const w = h.input('w', [3, 2, 2]);
    const x = h.input('x', [2]);
    const { out } = fold(h, x, 3, (from, l) => {
      const [o, i] = [h.supply.axis(2, 'o'), h.supply.axis(2, 'i')];
      const y = h.reduce('y', [o], 'sum', [i], mul(at(w, l, o, i), at(from, i)));
      const k = h.supply.axis(2, 'k');
      return { next: h.map('n', [k], prim('tanh', at(y, k))) };
    });
    expect(reverse(h.core(out))).toMatchInlineSnapshot(`
      "fold l:3
        carry h: f32[2] = x
        y[o]: f32[2] = sum i:2. w[l, o, i] * h[i]
        n[k]: f32[2] = tanh(y[k])
        next h = n; out out: f32[2]
        ys h_2: f32[3, 2] = h
        ys n_2: f32[3, 2] = n
      fold l:3 rev
        carry h_bar: f32[2] = out_ct
        y_bar[i]: f32[2] = h_bar[i] * (1.0 - n_2[l, i] * n_2[l, i])
        h_bar_2[i]: f32[2] = sum o:2. y_bar[o] * w[l, o, i]
        w_bar[i, j]: f32[2, 2] = y_bar[i] * h_2[l, j]
        next h_bar = h_bar_2; out x_bar: f32[2]
        ys w_bar_2: f32[3, 2, 2] = w_bar
      "
    `);
  });

  test('shared parameters add up', () => {
    const h = new Hand();
    const w = h.input('w', [2, 2]);
    const x = h.input('x', [2]);
    const { out } = fold(h, x, 3, (from) => {
      const [o, i] = [h.supply.axis(2, 'o'), h.supply.axis(2, 'i')];
      return { next: h.reduce('y', [o], 'sum', [i], mul(at(w, o, i), at(from, i))) };
    });
    expect(reverse(h.core(out))).toMatchInlineSnapshot(`
      "fold l:3
        carry h: f32[2] = x
        y[o]: f32[2] = sum i:2. w[o, i] * h[i]
        next h = y; out out: f32[2]
        ys h_2: f32[3, 2] = h
      zero[i, j]: f32[2, 2] = 0.0
      fold l:3 rev
        carry h_bar: f32[2] = out_ct
        h_bar_2[i]: f32[2] = sum o:2. h_bar[o] * w[o, i]
        w_bar[i, j]: f32[2, 2] = h_bar[i] * h_2[l, j]
        next h_bar = h_bar_2; out x_bar: f32[2]
        acc w_bar_2: f32[2, 2] = zero; w_bar_2 += w_bar
      "
    `);
  });

  test('two maps of the step, one of them backwards and guarded', () => {
    const h = new Hand();
    const w = h.input('w', [4]);
    const x = h.input('x', []);
    const { out } = fold(h, x, 3, (from, l) => {
      const e = shiftIx(scaleIx(ixAxis(l), -1), 1);
      const back = readE(w, [e], [{ e, lo: 0, hi: 2 }]);
      return { next: h.map('n', [], plus(mul(at(w, shiftIx(ixAxis(l), 1)), at(from)), back)) };
    });
    expect(reverse(h.core(out))).toMatchInlineSnapshot(`
      "fold l:3
        carry h: f32 = x
        n: f32 = w[l + 1] * h + w[1 - l]{0 <= 1 - l < 2}
        next h = n; out out: f32
        ys h_2: f32[3] = h
      fold l:3 rev
        carry h_bar: f32 = out_ct
        h_bar_2: f32 = h_bar * w[l + 1]
        w_bar: f32 = h_bar * h_2[l]
        w_bar_2: f32 = h_bar{0 <= 1 - l < 2}
        next h_bar = h_bar_2; out x_bar: f32
        ys w_bar_3: f32[3] = w_bar
        ys w_bar_4: f32[3] = w_bar_2
      w_bar_5[i]: f32[4] = w_bar_3[i - 1]{0 <= i - 1 < 3} + w_bar_4[1 - i]{0 <= 1 - i < 3}
      "
    `);
  });

  test('the step in another place: the read is moved out first', () => {
    const h = new Hand();
    const w = h.input('w', [2, 3]);
    const x = h.input('x', [2]);
    const { out } = fold(h, x, 3, (from, l) => {
      const i = h.supply.axis(2, 'i');
      return { next: h.map('n', [i], mul(at(w, i, l), at(from, i))) };
    });
    expect(reverse(h.core(out))).toMatchInlineSnapshot(`
      "fold l:3
        carry h: f32[2] = x
        n[i]: f32[2] = w[i, l] * h[i]
        next h = n; out out: f32[2]
        ys h_2: f32[3, 2] = h
      fold l:3 rev
        carry h_bar: f32[2] = out_ct
        h_bar_2[i]: f32[2] = h_bar[i] * w[i, l]
        w_bar[i]: f32[2] = h_bar[i] * h_2[l, i]
        next h_bar = h_bar_2; out x_bar: f32[2]
        ys w_bar_2: f32[3, 2] = w_bar
      w_bar_3[i, j]: f32[2, 3] = w_bar_2[j, i]
      "
    `);
  });

  test('a window that moves with the step', () => {
    const h = new Hand();
    const w = h.input('w', [4]);
    const x = h.input('x', []);
    const { out } = fold(h, x, 3, (from, l) => {
      const i = h.supply.axis(2, 'i');
      const sum = h.reduce('s', [], 'sum', [i], at(w, addIx(ixAxis(l), ixAxis(i))));
      return { next: h.map('n', [], mul(at(sum), at(from))) };
    });
    expect(reverse(h.core(out))).toMatchInlineSnapshot(`
      "fold l:3
        carry h: f32 = x
        s: f32 = sum i:2. w[l + i]
        n: f32 = s * h
        next h = n; out out: f32
        ys h_2: f32[3] = h
        ys s_2: f32[3] = s
      fold l:3 rev
        carry h_bar: f32 = out_ct
        s_bar: f32 = h_bar * h_2[l]
        h_bar_2: f32 = h_bar * s_2[l]
        w_bar[i]: f32[2] = s_bar
        next h_bar = h_bar_2; out x_bar: f32
        ys w_bar_2: f32[3, 2] = w_bar
      w_bar_3[i]: f32[4] = sum i_2:2. w_bar_2[i - i_2, i_2]{0 <= i - i_2 < 3}
      "
    `);
  });

  test('a data-dependent read: one segment sum, outside', () => {
    const h = new Hand();
    const table = h.input('table', [5, 2]);
    const k = h.input('k', [3], 'i32');
    const x = h.input('x', [2]);
    const { out } = fold(h, x, 3, (from, l) => {
      const d = h.supply.axis(2, 'd');
      const row = at(table, ixVal(at(k, l), 5), d);
      return { next: h.map('n', [d], mul(row, at(from, d))) };
    });
    expect(reverse(h.core(out), [4, 0, 4])).toMatchInlineSnapshot(`
      "fold l:3
        carry h: f32[2] = x
        n[d]: f32[2] = table[idx[5](k[l]), d] * h[d]
        next h = n; out out: f32[2]
        ys h_2: f32[3, 2] = h
      fold l:3 rev
        carry h_bar: f32[2] = out_ct
        h_bar_2[i]: f32[2] = h_bar[i] * table[idx[5](k[l]), i]
        table_bar[i]: f32[2] = h_bar[i] * h_2[l, i]
        next h_bar = h_bar_2; out x_bar: f32[2]
        ys table_bar_2: f32[3, 2] = table_bar
      table_bar_3[idx[5](k[l]), d]: f32[5, 2] += for l:3, d:2. table_bar_2[l, d]
      "
    `);
  });

  test('nested folds over stacked parameters', () => {
    const h = new Hand();
    const w = h.input('w', [2, 3]);
    const x = h.input('x', []);
    const { out } = fold(h, x, 2, (from, l) => {
      const inner = fold(h, from, 3, (g, m) => ({
        next: h.map('n', [], prim('sin', mul(at(w, l, m), at(g)))),
      }));
      return { next: inner.out };
    });
    expect(reverse(h.core(out))).toMatchInlineSnapshot(`
      "fold l:2
        carry h: f32 = x
        fold l_2:3
          carry h_2: f32 = h
          n: f32 = w[l, l_2] * h_2
          n_2: f32 = sin(n)
          next h_2 = n_2; out out: f32
          ys h_3: f32[3] = h_2
        next h = out; out out_2: f32
        ys h_4: f32[2, 3] = h_3
      fold l:2 rev
        carry h_bar: f32 = out_ct
        fold l_2:3 rev
          carry h_bar_2: f32 = h_bar
          n_3: f32 = w[l, l_2] * h_4[l, l_2]
          n_bar: f32 = h_bar_2 * cos(n_3)
          h_bar_3: f32 = n_bar * w[l, l_2]
          w_bar: f32 = n_bar * h_4[l, l_2]
          next h_bar_2 = h_bar_3; out h_bar_4: f32
          ys w_bar_2: f32[3] = w_bar
        next h_bar = h_bar_4; out x_bar: f32
        ys w_bar_3: f32[2, 3] = w_bar_2
      "
    `);
  });
});

test('an accumulator that is active by its start alone carries on', () => {
  const h = new Hand();
  const x = h.input('x', [2]);
  const k = h.supply.axis(2, 'k');
  const start = h.map('start', [k], f32(1));
  const { out } = fold(h, start, 3, (from, l) => {
    const m = h.supply.axis(2, 'm');
    let add = from;
    const body = h.block(() => {
      const i = h.supply.axis(2, 'i');
      add = h.map('one', [i], castE('f32', indexE(ixAxis(l))));
    });
    const v = h.supply.like(from, 'acc');
    const acc = [{ v, init: x, add, at: null }];
    h.body.push({
      k: 'fold',
      trip: 2,
      l: m,
      rev: false,
      carry: [],
      ys: [],
      acc,
      save: 'auto',
      body,
      spans,
    });
    return { next: v };
  });
  const i = h.supply.axis(2, 'i');
  const y = h.map('y', [i], prim('sin', at(out, i)));
  expect(reverse(h.core(y))).toContain('_bar');
});

test('a place that an inner body computes is not known outside the outer fold', () => {
  const h = new Hand();
  const table = h.input('table', [3, 2]);
  const x = h.input('x', []);
  const { out } = fold(h, x, 2, (from, l) => {
    const inner = fold(h, from, 3, (g, m) => {
      const place = prim('mod', indexE(ixAxis(l)), i32(2));
      return { next: h.map('n', [], mul(at(table, m, ixVal(place, 2)), at(g))) };
    });
    return { next: inner.out };
  });
  expect(reverse(h.core(out))).not.toBe('');
});

describe('what a fold saves', () => {
  /** y = W x, e = exp(y), n = e / sum e * c, with c the same at every step. */
  const program = (save: Fold['save']) => {
    const h = new Hand();
    const w = h.input('w', [2, 2]);
    const c = h.input('c', [2]);
    const x = h.input('x', [2]);
    const { out } = fold(
      h,
      x,
      3,
      (from) => {
        const axes = (n: string) => h.supply.axis(2, n);
        const [o, i] = [axes('o'), axes('i')];
        const y = h.reduce('y', [o], 'sum', [i], mul(at(w, o, i), at(from, i)));
        const [a, b, k, m] = [axes('a'), axes('b'), axes('k'), axes('m')];
        const e = h.map('e', [a], prim('exp', at(y, a)));
        const z = h.reduce('z', [], 'sum', [b], at(e, b));
        const same = h.map('same', [m], mul(at(c, m), at(c, m)));
        return { next: h.map('n', [k], mul(prim('div', at(e, k), at(z)), at(same, k))) };
      },
      save,
    );
    return h.core(out);
  };
  const saved = (core: Core): string[] => {
    const folds = vjpCore(core).core.body.filter((s): s is Fold => s.k === 'fold');
    return folds[0]!.ys.map((y) => y.elem.name);
  };

  test('a minimum: not what is cheap to compute, not what does not change', () => {
    expect(reverse(program('auto'))).not.toBe('');
    expect(saved(program('auto')).sort()).toEqual(['e', 'h', 'z']);
  });

  test('only the carries at a checkpoint', () => {
    expect(reverse(program('carries'))).not.toBe('');
    expect(saved(program('carries'))).toEqual(['h']);
  });

  test('what the program stacks anyway is not saved twice', () => {
    const h = new Hand();
    const x = h.input('x', [2]);
    const { out, ys } = fold(h, x, 3, (from) => {
      const i = h.supply.axis(2, 'i');
      const next = h.map('n', [i], prim('tanh', mul(f32(2), at(from, i))));
      return { next, ys: [next] };
    });
    const core = h.core(out, ...ys);
    expect(reverse(core)).not.toBe('');
    expect(saved(core)).toEqual(['n']);
  });
});

test('a fold without steps', () => {
  const h = new Hand();
  const w = h.input('w', [0, 2]);
  const x = h.input('x', [2]);
  const { out } = fold(h, x, 0, (from, l) => {
    const i = h.supply.axis(2, 'i');
    return { next: h.map('n', [i], mul(at(w, l, i), at(from, i))) };
  });
  expect(reverse(h.core(out))).toContain('fold l:0');
});

test('integers that are carried along have no cotangent', () => {
  const h = new Hand();
  const x = h.input('x', []);
  const n = h.input('n', [], 'i32');
  const l = h.supply.axis(3, 'l');
  const [from, count] = [h.supply.like(x, 'h'), h.supply.like(n, 'count')];
  const [out, last] = [h.supply.like(x, 'out'), h.supply.like(n, 'last')];
  const carry: { in: Var; init: Var; next: Var; out: Var }[] = [];
  const body: readonly Stmt[] = h.block(() => {
    const more = h.map('more', [], plus(at(count), i32(1)));
    const next = h.map('n', [], mul(at(from), castE('f32', at(count))));
    carry.push({ in: from, init: x, next, out }, { in: count, init: n, next: more, out: last });
  });
  const fold: Fold = {
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
  };
  h.body.push(fold);
  expect(reverse(h.core(out, last), [2])).toMatchInlineSnapshot(`
    "fold l:3
      carry h: f32 = x
      carry count: i32 = n
      more: i32 = count + 1
      n_2: f32 = h * f32(count)
      next h = n_2; out out: f32
      next count = more; out last: i32
      ys count_2: i32[3] = count
    fold l:3 rev
      carry h_bar: f32 = out_ct
      h_bar_2: f32 = h_bar * f32(count_2[l])
      next h_bar = h_bar_2; out x_bar: f32
    "
  `);
});
