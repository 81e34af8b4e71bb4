/**
 * Every kind of read, with the adjoint it gets. The snapshots show the claim of solve.ts: a gather
 * over the cells of the operand, guards where a cell may not have been read, and no scatter unless
 * the place depends on data.
 */
import { describe, expect, test } from 'vitest';
import { prim, readE } from '../../compiler/core/expr.ts';
import {
  addIx,
  divIx,
  extentsOf,
  ixAxis,
  ixConst,
  ixVal,
  modIx,
  scaleIx,
  shiftIx,
} from '../../compiler/core/ix.ts';
import { printCore } from '../../compiler/core/print.ts';
import type { Core, Ix } from '../../compiler/core.ts';
import { at, Hand } from '../core/hand.ts';
import { checkPoint, isReal, numbers, randomLike, vjpCore } from './check.ts';

/** The statements after the primal ones, and a gradient check at a random point. */
function adjoint(core: Core, integers: readonly number[] = []): string {
  const next = numbers(7);
  const inputs = randomLike(core.inputs, next).map((a, i) =>
    isReal(core.inputs[i]!) ? a : Float64Array.from(a, (_, j) => integers[j] ?? 0),
  );
  const dir = {
    dx: randomLike(core.inputs.filter(isReal), next),
    ct: randomLike(core.outputs.filter(isReal), next),
  };
  expect(checkPoint(core, inputs, dir)).toBe('ok');
  const text = printCore(vjpCore(core).core).split('\n');
  const primal = printCore(core)
    .split('\n')
    .filter((l) => !/^(input|output)/.test(l));
  return text.filter((l) => !/^(input|output)/.test(l) && !primal.includes(l)).join('\n');
}

const ax = (h: Hand, n: number, name: string) => h.supply.axis(n, name);
const mul = (a: Ix | ReturnType<typeof ax>, m: number): Ix =>
  scaleIx('terms' in a ? a : ixAxis(a), m);

describe('the adjoint of a read', () => {
  test('patchify: a product index splits the axis it stands in', () => {
    const h = new Hand();
    const img = h.input('img', [6, 6]);
    const [a, b, i, j] = [ax(h, 3, 'a'), ax(h, 2, 'b'), ax(h, 2, 'i'), ax(h, 3, 'j')];
    const y = h.map(
      'y',
      [a, b, i, j],
      at(img, addIx(mul(a, 2), ixAxis(i)), addIx(mul(b, 3), ixAxis(j))),
    );
    expect(adjoint(h.core(y))).toMatchInlineSnapshot(
      `"img_bar[i, j]: f32[6, 6] = y_ct[i // 2, j // 3, i % 2, j % 3]"`,
    );
  });

  test('unpatchify: quotients and remainders are digits again', () => {
    const h = new Hand();
    const x = h.input('x', [3, 2, 2, 3]);
    const [u, v] = [ax(h, 6, 'u'), ax(h, 6, 'v')];
    const e = extentsOf([u, v]);
    const y = h.map(
      'y',
      [u, v],
      at(
        x,
        divIx(ixAxis(u), 2, e),
        divIx(ixAxis(v), 3, e),
        modIx(ixAxis(u), 2, e),
        modIx(ixAxis(v), 3, e),
      ),
    );
    expect(adjoint(h.core(y))).toMatchInlineSnapshot(
      `"x_bar[i, j, k, m]: f32[3, 2, 2, 3] = y_ct[2*i + k, 3*j + m]"`,
    );
  });

  test('convolution, stride 2, padding 1: one residue class of the window per cell', () => {
    const h = new Hand();
    const x = h.input('x', [8]);
    const w = h.input('w', [3]);
    const [o, k] = [ax(h, 4, 'o'), ax(h, 3, 'k')];
    const e = shiftIx(addIx(mul(o, 2), ixAxis(k)), -1);
    const read = readE(x, [e], [{ e, lo: 0, hi: 8 }]);
    const y = h.reduce('y', [o], 'sum', [k], prim('mul', read, at(w, k)));
    expect(adjoint(h.core(y))).toMatchInlineSnapshot(`
      "w_bar[i]: f32[3] = sum o:4. y_ct[o] * x[2*o + i - 1]{0 <= 2*o + i - 1 < 8}
      x_bar[i]: f32[8] = sum k:2. y_ct[-k + ((i + 1) // 2)]{0 <= 2*k + ((i + 1) % 2) < 3, 0 <= -k + ((i + 1) // 2) < 4} * w[2*k + ((i + 1) % 2)]{0 <= 2*k + ((i + 1) % 2) < 3, 0 <= -k + ((i + 1) // 2) < 4}"
    `);
  });

  test('convolution, stride 1, two dimensions', () => {
    const h = new Hand();
    const x = h.input('x', [2, 5, 5]);
    const w = h.input('w', [3, 2, 3, 3]);
    const [f, c, y, z, i, j] = [
      ax(h, 3, 'f'),
      ax(h, 2, 'c'),
      ax(h, 5, 'y'),
      ax(h, 5, 'z'),
      ax(h, 3, 'i'),
      ax(h, 3, 'j'),
    ];
    const e = shiftIx(addIx(ixAxis(y), ixAxis(i)), -1);
    const g = shiftIx(addIx(ixAxis(z), ixAxis(j)), -1);
    const read = readE(
      x,
      [ixAxis(c), e, g],
      [
        { e, lo: 0, hi: 5 },
        { e: g, lo: 0, hi: 5 },
      ],
    );
    const out = h.reduce('y', [f, y, z], 'sum', [c, i, j], prim('mul', read, at(w, f, c, i, j)));
    expect(adjoint(h.core(out))).toMatchInlineSnapshot(`
      "w_bar[i, j, k, m]: f32[3, 2, 3, 3] = sum y:5, z:5. y_ct[i, y, z] * x[j, y + k - 1, z + m - 1]{0 <= y + k - 1 < 5, 0 <= z + m - 1 < 5}
      x_bar[i, j, k]: f32[2, 5, 5] = sum i_2:3, j_2:3, f:3. y_ct[f, j - i_2 + 1, k - j_2 + 1]{0 <= k - j_2 + 1 < 5, 0 <= j - i_2 + 1 < 5} * w[f, i, i_2, j_2]{0 <= k - j_2 + 1 < 5, 0 <= j - i_2 + 1 < 5}"
    `);
  });

  test('concat: each part gathers its range', () => {
    const h = new Hand();
    const a = h.input('a', [2]);
    const b = h.input('b', [3]);
    const i = ax(h, 5, 'i');
    const rest = shiftIx(ixAxis(i), -2);
    const y = h.map(
      'y',
      [i],
      prim(
        'add',
        readE(a, [ixAxis(i)], [{ e: ixAxis(i), lo: 0, hi: 2 }]),
        readE(b, [rest], [{ e: rest, lo: 0, hi: 3 }]),
      ),
    );
    expect(adjoint(h.core(y))).toMatchInlineSnapshot(`
      "a_bar[i]: f32[2] = y_ct[i]
      b_bar[i]: f32[3] = y_ct[i + 2]"
    `);
  });

  test('flip', () => {
    const h = new Hand();
    const x = h.input('x', [4]);
    const i = ax(h, 4, 'i');
    const y = h.map('y', [i], at(x, shiftIx(mul(i, -1), 3)));
    expect(adjoint(h.core(y))).toMatchInlineSnapshot(`"x_bar[i]: f32[4] = y_ct[3 - i]"`);
  });

  test('diagonal: the second index is a guard', () => {
    const h = new Hand();
    const x = h.input('x', [3, 3]);
    const i = ax(h, 3, 'i');
    const y = h.map('y', [i], at(x, i, i));
    expect(adjoint(h.core(y))).toMatchInlineSnapshot(
      `"x_bar[i, j]: f32[3, 3] = y_ct[i]{0 <= i - j < 1}"`,
    );
  });

  test('qkv split: each contraction stays as small as its part', () => {
    const h = new Hand();
    const [T, H, E] = [4, 2, 3];
    const qkv = h.input('qkv', [T, 3 * H * E]);
    const [a, t, s, e] = [ax(h, H, 'h'), ax(h, T, 't'), ax(h, T, 's'), ax(h, E, 'e')];
    const part = (k: number) => shiftIx(addIx(mul(a, E), ixAxis(e)), k * H * E);
    const y = h.reduce(
      'y',
      [a, t, s],
      'sum',
      [e],
      prim('mul', at(qkv, t, part(0)), at(qkv, s, part(1))),
    );
    expect(adjoint(h.core(y))).toMatchInlineSnapshot(`
      "qkv_bar[s, h, e]: f32[4, 2, 3] = sum t:4. y_ct[h, t, s] * qkv[t, 3*h + e]
      qkv_bar_2[t, h, e]: f32[4, 2, 3] = sum s:4. y_ct[h, t, s] * qkv[s, 3*h + e + 6]
      qkv_bar_3[i, j]: f32[4, 18] = qkv_bar[i, (j // 3) - 2, j % 3]{0 <= (j // 3) - 2 < 2} + qkv_bar_2[i, j // 3, j % 3]{0 <= j // 3 < 2}"
    `);
  });

  test('embedding: the only scatter', () => {
    const h = new Hand();
    const table = h.input('table', [5, 2]);
    const k = h.input('k', [3], 'i32');
    const [n, d] = [ax(h, 3, 'n'), ax(h, 2, 'd')];
    const y = h.map('y', [n, d], at(table, ixVal(at(k, n), 5), ixAxis(d)));
    expect(adjoint(h.core(y), [4, 1, 4])).toMatchInlineSnapshot(
      `"table_bar[idx[5](k[n]), d]: f32[5, 2] += for n:3, d:2. y_ct[n, d]"`,
    );
  });

  test('a padded look-up: the place is not even read outside the guard', () => {
    const h = new Hand();
    const table = h.input('table', [5]);
    const w = h.input('w', [4]);
    const k = h.input('k', [3], 'i32');
    const [n, o] = [ax(h, 4, 'n'), ax(h, 4, 'o')];
    const inside = { e: ixAxis(n), lo: 1, hi: 4 };
    const before = readE(k, [shiftIx(ixAxis(n), -1)], [inside]);
    const row = readE(table, [ixVal(before, 5)], [inside]);
    const y = h.map('y', [n, o], prim('mul', row, at(w, o)));
    expect(adjoint(h.core(y), [4, 1, 4])).toMatchInlineSnapshot(`
      "w_bar[i]: f32[4] = sum n:4. y_ct[n, i] * table[idx[5](k[n - 1]{1 <= n < 4})]{1 <= n < 4}
      table_bar[n]: f32[4] = sum o:4. y_ct[n, o]{1 <= n < 4} * w[o]
      table_bar_2[idx[5](k[n - 1]{1 <= n < 4})]: f32[5] += for n:4. table_bar[n] {1 <= n < 4}"
    `);
  });

  test('one entry of each row by a label: a guard, no scatter', () => {
    const h = new Hand();
    const x = h.input('x', [3, 5]);
    const k = h.input('k', [3], 'i32');
    const n = ax(h, 3, 'n');
    const y = h.map('y', [n], at(x, ixAxis(n), ixVal(at(k, n), 5)));
    expect(adjoint(h.core(y), [4, 1, 4])).toMatchInlineSnapshot(
      `"x_bar[i, j]: f32[3, 5] = y_ct[i]{0 <= j - idx[5](k[i]) < 1}"`,
    );
  });

  test('every second element, a window of a quotient, and a sum of two variables', () => {
    const h = new Hand();
    const x = h.input('x', [9]);
    const [i, j, n] = [ax(h, 4, 'i'), ax(h, 6, 'j'), ax(h, 3, 'n')];
    const e = extentsOf([i, j, n]);
    const y = h.map('y', [i], at(x, shiftIx(mul(i, 2), 1)));
    const z = h.map('z', [j], at(x, divIx(ixAxis(j), 2, e)));
    const u = h.map('u', [j], at(x, modIx(ixAxis(j), 3, e)));
    const v = h.map('v', [j, n], at(x, addIx(ixAxis(j), ixAxis(n))));
    expect(adjoint(h.core(y, z, u, v))).toMatchInlineSnapshot(`
      "x_bar[i]: f32[9] = sum n:3. v_ct[i - n, n]{0 <= i - n < 6}
      x_bar_2[i]: f32[3] = sum q:2. u_ct[i + 3*q]
      x_bar_3[i]: f32[3] = sum r:2. z_ct[2*i + r]
      x_bar_4[i]: f32[9] = x_bar[i] + x_bar_2[i]{0 <= i < 3} + x_bar_3[i]{0 <= i < 3} + y_ct[((i + 1) // 2) - 1]{0 <= (i + 1) % 2 < 1, 0 <= ((i + 1) // 2) - 1 < 4}"
    `);
  });

  test('a slice at a constant', () => {
    const h = new Hand();
    const x = h.input('x', [3, 4]);
    const i = ax(h, 4, 'i');
    const y = h.map('y', [i], at(x, ixConst(1), ixAxis(i)));
    expect(adjoint(h.core(y))).toMatchInlineSnapshot(
      `"x_bar[i, j]: f32[3, 4] = y_ct[j]{0 <= i - 1 < 1}"`,
    );
  });
});
