/** Random programs over rows, whose nests are grouped: maps and reductions that share their outer axes. */
import fc from 'fast-check';
import { f32, prim, readE } from '../../compiler/core/expr.ts';
import { ixAxis, shiftIx } from '../../compiler/core/ix.ts';
import type { Axis, Core, Expr, Var } from '../../compiler/core.ts';
import { at, Hand } from '../core/hand.ts';

/** Programs over rows: tensors [R, C], [R] and [C], maps and reductions between them. */
function rows(R: number, C: number, choices: readonly number[]): Core {
  const h = new Hand();
  let next = 0;
  const pick = (n: number): number => (choices[next++ % choices.length]! >> 3) % n;
  const full = [h.input('x', [R, C]), h.input('y', [R, C])];
  const perRow = [h.input('r', [R])];
  const perCol = [h.input('c', [C])];
  const from = (l: readonly Var[]): Var => l[l.length - 1 - pick(Math.min(3, l.length))]!;
  const any = (i: Axis, j: Axis): Expr => {
    switch (pick(8)) {
      case 0:
        return at(from(perRow), i);
      case 1:
        return at(from(perCol), j);
      case 2: {
        const before = shiftIx(ixAxis(j), -1);
        return readE(from(full), [ixAxis(i), before], [{ e: before, lo: 0, hi: C }]);
      }
      case 3: {
        // A row that has not been computed yet when the grid runs in order.
        const after = shiftIx(ixAxis(i), 1);
        return readE(from(full), [after, ixAxis(j)], [{ e: after, lo: 0, hi: R }]);
      }
      case 4:
        return R === C ? at(from(full), j, i) : at(from(full), i, j);
      default:
        return at(from(full), i, j);
    }
  };
  const [p, q] = [h.supply.axis(R, 'p'), h.supply.axis(C, 'q')];
  const mean = (a: Expr, b: Expr): Expr => prim('mul', f32(0.5), prim('add', a, b));
  for (let n = 0; n < 9; n++) {
    // One pair of axes for all nests, in either role where the extents allow it.
    const [i, j] = R === C && pick(2) === 1 ? [q, p] : [p, q];
    const name = `v${n}`;
    switch (pick(5)) {
      case 0:
        perRow.push(h.reduce(name, [i], 'max', [j], mean(any(i, j), any(i, j))));
        break;
      case 1:
        perRow.push(h.map(name, [i], prim('tanh', at(from(perRow), i))));
        break;
      case 2:
        perCol.push(h.reduce(name, [j], 'min', [i], any(i, j)));
        break;
      default:
        full.push(h.map(name, [i, j], prim('sin', mean(any(i, j), any(i, j)))));
    }
  }
  return h.core(full.at(-1)!, perRow.at(-1)!, full.at(-2)!);
}

export const arbitraryRows: fc.Arbitrary<Core> = fc
  .tuple(
    fc.constantFrom(32, 33, 40),
    // Without a number of columns it is a square.
    fc.constantFrom(8, 9, 20, undefined, undefined),
    fc.array(fc.nat(0xffff), { minLength: 40, maxLength: 40 }),
  )
  .map(([r, c, choices]) => rows(r, c ?? r, choices));
