/**
 * Programs at the borders of what emitters could take for granted: axes that several nests bind with
 * different extents, axes of one step and of none, bounds of guards beyond 32 bits, operands without
 * anything that varies, tensors without elements.
 */
import { sizeOf } from '../../compiler/core/build.ts';
import { f32, i32, indexE, prim, readE } from '../../compiler/core/expr.ts';
import { addIx, ixAxis, ixConst, ixZero, shiftIx } from '../../compiler/core/ix.ts';
import type { Core } from '../../compiler/core.ts';
import { at, Hand } from '../core/hand.ts';

export const numbers = (core: Core): Float64Array[] =>
  core.inputs.map((v, n) =>
    Float64Array.from({ length: sizeOf(v.shape) }, (_, i) => ((i * 5 + n) % 9) - 4),
  );

/** Two maps and two sums over one axis id, of 40 steps and of a few. */
function oneAxisTwice(few: number, order: boolean): Core {
  const h = new Hand();
  const x = h.input('x', [40]);
  const i = h.supply.axis(40, 'i');
  const short = { ...i, extent: few };
  const read = (lo: number, hi: number) => readE(x, [ixAxis(i)], [{ e: ixAxis(i), lo, hi }]);
  const both = [
    () => h.map('long', [i], prim('add', read(0, 3), f32(1))),
    () => h.map('short', [short], prim('add', read(0, 40), f32(1))),
    () => h.reduce('sum', [], 'sum', [i], read(0, 3)),
    () => h.reduce('most', [], 'max', [short], read(1, 40)),
    () => h.map('place', [i], prim('add', indexE(ixAxis(i)), i32(1))),
    () => h.map('where', [short], prim('add', indexE(ixAxis(i)), i32(1))),
  ];
  return h.core(...(order ? both : both.reverse()).map((f) => f()));
}

/** A product over two summed axes of which the first has one step. */
function oneStep(): Core {
  const h = new Hand();
  const [x, y] = [h.input('x', [24, 1, 40]), h.input('y', [24, 1, 40])];
  const [i, j] = [h.supply.axis(24, 'i'), h.supply.axis(24, 'j')];
  const [z, k] = [h.supply.axis(1, 'z'), h.supply.axis(40, 'k')];
  const [a, b] = [at(x, i, z, k), at(y, j, addIx(ixAxis(z), ixConst(0)), k)];
  return h.core(
    h.reduce('c', [i, j], 'sum', [z, k], prim('mul', a, b)),
    h.reduce('d', [i, j], 'sum', [k, z], prim('mul', a, b)),
  );
}

/** Bounds of guards that no i32 reaches, and such as leave nothing. */
function wideGuards(): Core {
  const h = new Hand();
  const x = h.input('x', [19]);
  const i = h.supply.axis(19, 'i');
  const e = shiftIx(ixAxis(i), -5);
  const bounds: [number, number][] = [
    [0, 2 ** 31],
    [0, 2 ** 33],
    [-(2 ** 31), 3],
    [-(2 ** 40), 7],
    [-(2 ** 40), 2 ** 40],
    [3, 3],
    [5, 2],
    [2 ** 31, 2 ** 33],
    [-(2 ** 33), -(2 ** 32)],
  ];
  return h.core(
    ...bounds.map(([lo, hi]) => h.map('g', [i], readE(x, [ixAxis(i)], [{ e, lo, hi }]))),
  );
}

/** Division and more of index expressions that mention no axis. */
function fixedIndices(): Core {
  const h = new Hand();
  const n = h.input('n', [5], 'i32');
  const i = h.supply.axis(5, 'i');
  const c = (v: number) => indexE(ixConst(v));
  return h.core(
    h.map('a', [i], prim('idiv', c(7), i32(0))),
    h.map('b', [i], prim('mod', c(7), c(0))),
    h.map('c', [i], prim('mul', c(2147483647), c(2147483647))),
    h.map('d', [i], prim('add', c(2147483647), c(1))),
    h.map('e', [i], prim('idiv', at(n, i), c(0))),
    h.map('f', [i], prim('idiv', c(-2147483648), c(-1))),
    h.map('g', [i], prim('add', indexE(ixZero), c(-2147483648))),
    h.map('h', [], prim('sub', c(-2147483648), i32(1))),
    h.map('k', [i], prim('neg', c(-2147483648))),
  );
}

/** Reads of what has no elements, and kernels without cells between others. */
function nothing(): Core {
  const h = new Hand();
  const [x, y] = [h.input('x', [0]), h.input('y', [33, 80])];
  const [r, i] = [h.supply.axis(33, 'r'), h.supply.axis(80, 'i')];
  const none = h.supply.axis(0, 'none');
  const before = shiftIx(ixAxis(i), -1);
  const padded = readE(x, [before], [{ e: before, lo: 0, hi: 0 }]);
  const top = h.reduce('top', [r], 'max', [i], at(y, r, i));
  const rest = h.map('rest', [r, i], prim('exp', prim('sub', at(y, r, i), at(top, r))));
  const empty = h.map('empty', [r, none], prim('mul', at(top, r), f32(2)));
  const total = h.reduce('total', [r], 'sum', [none], at(empty, r, none));
  // No cells, but an axis along which a row would be walked.
  const row = h.map('row', [r, i, none], at(rest, r, i));
  const after = h.map('after', [r, i], prim('add', at(rest, r, i), at(total, r)));
  return h.core(h.map('p', [i], padded), after, empty, total, row);
}

export const programs: readonly [name: string, make: () => Core][] = [
  ['an axis of two extents, the long one first', () => oneAxisTwice(3, true)],
  ['an axis of two extents, the short one first', () => oneAxisTwice(3, false)],
  ['an axis of many steps and of one', () => oneAxisTwice(1, true)],
  ['an axis of one step and of many', () => oneAxisTwice(1, false)],
  ['an axis of many steps and of none', () => oneAxisTwice(0, true)],
  ['a summed axis of one step', oneStep],
  ['guards with bounds beyond 32 bits', wideGuards],
  ['indices without an axis', fixedIndices],
  ['tensors without elements', nothing],
];
