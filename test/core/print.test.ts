/** The printed form of core programs, and that it depends on names and structure only. */
import { describe, expect, it } from 'vitest';
import { copyBlock } from '../../compiler/core/build.ts';
import { castE, f32, i32, prim, readE, selectE } from '../../compiler/core/expr.ts';
import {
  divIx,
  extentsOf,
  ixAxis,
  ixVal,
  modIx,
  scaleIx,
  shiftIx,
} from '../../compiler/core/ix.ts';
import { printCore, printStmts } from '../../compiler/core/print.ts';
import { at, denseSilu, foldCore, gatherScatter, Hand } from './hand.ts';

describe('printing', () => {
  it('nests, with shared nodes as where lines', () => {
    expect(printCore(denseSilu(2, 3))).toMatchInlineSnapshot(`
      "input w: f32[2, 3]
      input x: f32[3]
      y[o]: f32[2] = sum i:3. w[o, i] * x[i]
      z[o]: f32[2] = y[o] / $2 - $1 * $2
        where $1 = exp(-y[o])
        where $2 = 1.0 + $1
      output y, z
      "
    `);
  });

  it('folds', () => {
    expect(printCore(foldCore(true))).toMatchInlineSnapshot(`
      "input x: f32[4]
      input w: f32[3, 4]
      input zero: f32[3]
      input total: f32
      fold l:3 rev
        carry h: f32[4] = x
        n[i]: f32[4] = h[i] + w[l, i] * (h[i + 1]{0 <= i + 1 < 4} + h[i - 3]{0 <= i - 3 < 4})
        s: f32 = sum i:4. n[i]
        next h = n; out out: f32[4]
        ys ys: f32[3, 4] = n
        acc acc: f32[3] = zero; acc[l] += s
        acc all: f32 = total; all += s
      output out, ys, acc, all
      "
    `);
  });

  it('data-dependent reads and segment sums', () => {
    expect(printCore(gatherScatter())).toMatchInlineSnapshot(`
      "input table: f32[5]
      input pick: i32[4]
      y[i]: f32[4] = table[idx[5](pick[i])]
      counts[idx[5](pick[i])]: f32[5] += for i:4. y[i]
      output y, counts
      "
    `);
  });

  it('indices, guards, precedence and names that occur twice', () => {
    const h = new Hand();
    const x = h.input('x', [6]);
    const n = h.input('x', [], 'i32');
    const i = h.supply.axis(6, 'i');
    const k = h.supply.axis(6, 'i');
    const ext = extentsOf([i, k]);
    const split = divIx(shiftIx(ixAxis(i), 1), 4, ext);
    h.map('a', [i], at(x, shiftIx(scaleIx(ixAxis(i), -1), 5)));
    h.map(
      'a',
      [i, k],
      prim('sub', at(x, split), prim('sub', at(x, modIx(ixAxis(k), 3, ext)), f32(-0))),
    );
    const left = shiftIx(ixAxis(i), -2);
    const cond = prim('lt', prim('add', at(n), i32(1)), i32(4));
    h.map('b', [i], selectE(cond, readE(x, [left], [{ e: left, lo: 0, hi: 6 }]), f32(0.5)));
    h.map('c', [], prim('mul', prim('add', castE('f32', at(n)), f32(1)), at(x, ixVal(at(n), 6))));
    expect(printCore(h.core(x))).toMatchInlineSnapshot(`
      "input x: f32[6]
      input x_2: i32
      a[i]: f32[6] = x[5 - i]
      a_2[i, i_2]: f32[6, 6] = x[(i + 1) // 4] - (x[i_2 % 3] - -0.0)
      b[i]: f32[6] = if x_2 + 1 < 4 then x[i - 2]{0 <= i - 2 < 6} else 0.5
      c: f32 = (f32(x_2) + 1.0) * x[idx[6](x_2)]
      output x
      "
    `);
  });

  it('is the same for a copy of the program under fresh identities', () => {
    const core = foldCore(false);
    const h = new Hand();
    for (let n = 0; n < 50; n++) h.input('other', []);
    expect(printStmts(copyBlock(core.body, h.supply))).toBe(printStmts(core.body));
  });
});
