/**
 * Random expressions of whole numbers up to 2^52 in size: over constants, the axis, and inputs of i32
 * and u32. What an operation may make too large is brought back by a remainder, as a program would.
 */
import fc from 'fast-check';
import * as R from '../../compiler/bounds/range.ts';
import { castE, constE, indexE, prim } from '../../compiler/core/expr.ts';
import { ixAxis, scaleIx, shiftIx } from '../../compiler/core/ix.ts';
import type { Axis, Core, Expr, Prim, Var } from '../../compiler/core.ts';
import { at, Hand } from '../core/hand.ts';

const MOST = 2 ** 52;
const int = (v: number): Expr => constE('int', v);

/** A choice of 0 to n - 1. */
type Draw = (n: number) => number;
type Number = { readonly e: Expr; readonly range: R.Range };

const interesting = [
  0,
  1,
  2,
  3,
  7,
  160,
  147,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
];
const far = [2 ** 32 + 1, 2 ** 40, 2 ** 45 + 12345, MOST - 1, MOST];

const unary: readonly Prim[] = ['neg', 'abs', 'sign'];
const binary: readonly Prim[] = ['add', 'sub', 'mul', 'idiv', 'mod', 'min', 'max'];
const tests: readonly Prim[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];
const ranges: Partial<Record<Prim, (a: R.Range, b: R.Range) => R.Range>> = {
  ...{ add: R.add, sub: R.sub, mul: R.mul, idiv: R.idiv, mod: R.mod, min: R.min, max: R.max },
  ...{ neg: R.neg, abs: R.abs, sign: R.sign },
};

class Numbers {
  readonly #draw: Draw;
  readonly #leaves: readonly Number[];
  readonly #constants: readonly number[];
  readonly #made: Number[] = [];

  constructor(draw: Draw, leaves: readonly Number[], constants = [...interesting, ...far]) {
    this.#draw = draw;
    this.#leaves = leaves;
    this.#constants = constants;
  }

  #constant(): Number {
    const all = this.#constants;
    const v = all[this.#draw(all.length)]! * (this.#draw(2) ? -1 : 1) + 0;
    return { e: int(v), range: R.only(v) };
  }

  /** Within 2^52: by a remainder where it may not be. */
  #tame({ e, range }: Number): Number {
    if (range.lo >= -MOST && range.hi <= MOST) return { e, range };
    const by = 2 ** (33 + this.#draw(19)) - this.#draw(3);
    return { e: prim('mod', e, int(by)), range: { lo: 0, hi: by - 1 } };
  }

  /** Only what is exact before it is brought back. */
  #apply(op: Prim, a: Number, b: Number): Number {
    const range = ranges[op]!(a.range, b.range);
    if (R.isExact(range)) {
      const args = unary.includes(op) ? [a.e] : [a.e, b.e];
      return this.#tame({ e: prim(op, ...args), range });
    }
    const small = 2 ** (20 + this.#draw(6));
    const cut = (x: Number): Number => ({
      e: prim('mod', x.e, int(small)),
      range: R.mod(x.range, R.only(small)),
    });
    return this.#apply(op, cut(a), cut(b));
  }

  number(depth: number): Number {
    const known = this.#made.length > 0 && this.#draw(5) === 0;
    if (known) return this.#made[this.#draw(this.#made.length)]!;
    const kind = depth === 0 ? this.#draw(2) : 2 + this.#draw(6);
    let out: Number;
    if (kind === 0) out = this.#constant();
    else if (kind === 1) out = this.#leaves[this.#draw(this.#leaves.length)]!;
    else if (kind === 2) {
      const [a, b] = [this.number(depth - 1), this.number(depth - 1)];
      out = { e: prim('select', this.test(depth - 1), a.e, b.e), range: R.union(a.range, b.range) };
    } else if (kind === 3) {
      const op = unary[this.#draw(unary.length)]!;
      out = this.#apply(op, this.number(depth - 1), this.number(depth - 1));
    } else {
      const op = binary[this.#draw(binary.length)]!;
      out = this.#apply(op, this.number(depth - 1), this.number(depth - 1));
    }
    this.#made.push(out);
    return out;
  }

  test(depth: number): Expr {
    const op = tests[this.#draw(tests.length)]!;
    return prim(op, this.number(depth).e, this.number(depth).e);
  }
}

/** Of each number its two words and a comparison, at every place of the inputs. */
export function wholeNumbers(choices: readonly number[], count: number): Core {
  let used = 0;
  const draw: Draw = (n) => (choices[used++ % choices.length]! + used) % n;
  const h = new Hand();
  const x = h.input('x', [9], 'i32');
  const y = h.input('y', [9], 'u32');
  const i: Axis = h.supply.axis(9);
  const leaves: Number[] = [
    { e: castE('int', at(x, i)), range: R.rangeOfType.i32 },
    { e: castE('int', at(y, i)), range: R.rangeOfType.u32 },
    { e: indexE(shiftIx(scaleIx(ixAxis(i), 3), -7), 'int'), range: { lo: -7, hi: 17 } },
    {
      e: indexE(shiftIx(scaleIx(ixAxis(i), 2 ** 40), 11), 'int'),
      range: { lo: 11, hi: 8 * 2 ** 40 + 11 },
    },
  ];
  const outs = Array.from({ length: count }, () => {
    const numbers = new Numbers(draw, leaves);
    const { e } = numbers.number(4);
    const high = prim('idiv', e, int(2 ** 32));
    return [
      h.map('low', [i], castE('u32', e)),
      h.map('high', [i], castE('i32', high)),
      h.map('test', [i], numbers.test(3)),
      h.reduce('total', [], 'sum', [i], castE('i32', e)),
    ];
  });
  return h.core(...outs.flat());
}

/** The same of numbers so small that conditions decide something: all values of two inputs. */
export function smallNumbers(
  choices: readonly number[],
  count: number,
): { core: Core; inputs: readonly Float64Array[] } {
  let used = 0;
  const draw: Draw = (n) => (choices[used++ % choices.length]! + used) % n;
  const h = new Hand();
  const [x, y] = [h.input('x', [4], 'i32', 4), h.input('y', [5], 'i32', 5)];
  const [i, j] = h.supply.axes([4, 5]) as [Axis, Axis];
  const leaves: Number[] = [
    { e: castE('int', at(x, i)), range: { lo: 0, hi: 3 } },
    { e: castE('int', at(y, j)), range: { lo: 0, hi: 4 } },
    { e: indexE(shiftIx(scaleIx(ixAxis(j), -2), 5), 'int'), range: { lo: -3, hi: 5 } },
  ];
  const outs = Array.from({ length: count }, () => {
    const numbers = new Numbers(draw, leaves, [0, 1, 2, 3, 4]);
    return h.map('v', [i, j], castE('i32', numbers.number(4).e));
  });
  return {
    core: h.core(...outs),
    inputs: [Float64Array.of(0, 1, 2, 3), Float64Array.of(0, 1, 2, 3, 4)],
  };
}

export const wholeInputs: readonly Float64Array[] = [
  Float64Array.of(0, 1, -1, 7, -160, 2147483647, -2147483648, 123456789, -987654321),
  Float64Array.of(0, 1, 2, 160, 65536, 2147483648, 4294967295, 3000000000, 12345),
];

export const choices = fc.array(fc.nat(0xffff), { minLength: 200, maxLength: 200, size: 'max' });

const corners = [
  ...[0, 1, -1, 2, -2, 3, -7, 160, 65536, -65536, 2 ** 31, -(2 ** 31), 2 ** 31 - 1, 2 ** 32],
  ...[-(2 ** 32), 2 ** 32 + 1, 2 ** 40, -(2 ** 45) - 12345, 2 ** 52, -(2 ** 52)],
];

/** Every operation on pairs of awkward numbers, which come in two words each. */
export function wholeCorners(): { core: Core; inputs: readonly Float64Array[] } {
  const h = new Hand();
  const n = corners.length;
  const [high, low] = [h.input('high', [n], 'i32'), h.input('low', [n], 'u32')];
  const [i, j] = h.supply.axes([n, n]) as [Axis, Axis];
  const whole = (a: Axis): Expr => {
    // No more than 2^52 as the ranges see it.
    const top = prim('max', int(-(2 ** 20)), prim('min', int(2 ** 20), castE('int', at(high, a))));
    const sum = prim('add', prim('mul', top, int(2 ** 32)), castE('int', at(low, a)));
    return prim('min', sum, int(2 ** 52));
  };
  const [x, y] = [whole(i), whole(j)];
  const words = (name: string, e: Expr): readonly Var[] => [
    h.map(`${name} low`, [i, j], castE('u32', e)),
    h.map(`${name} high`, [i, j], castE('i32', prim('idiv', e, int(2 ** 32)))),
  ];
  const few = prim('mod', y, int(1000));
  const outs = [
    ...(['add', 'sub', 'idiv', 'mod', 'min', 'max'] as const).flatMap((op) =>
      words(
        op,
        op === 'add' || op === 'sub'
          ? prim(op, prim('idiv', x, int(2)), prim('idiv', y, int(2)))
          : prim(op, x, y),
      ),
    ),
    ...(['neg', 'abs', 'sign'] as const).flatMap((op) => words(op, prim(op, x))),
    ...words('mul', prim('mul', prim('idiv', x, int(1000)), prim('sub', few, int(500)))),
    ...tests.map((op) => h.map(op, [i, j], prim(op, x, y))),
    h.map('select', [i, j], castE('i32', prim('select', prim('lt', x, y), x, y))),
  ];
  const inputs = [
    Float64Array.from(corners, (v) => Math.floor(v / 2 ** 32)),
    Float64Array.from(corners, (v) => v - 2 ** 32 * Math.floor(v / 2 ** 32)),
  ];
  return { core: h.core(...outs), inputs };
}
