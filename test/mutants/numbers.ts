/** Seeded bugs in what happens at the borders of f32, at kinks and in long sums. */
import { type Mutant, of } from './row.ts';

const on = (device: string) => `numbers at the borders on ${device}`;

export const numbers: readonly Mutant[] = [
  ...of(
    'range',
    'compiler/passes/fission.ts',
    [['any constant leaves a sum', 'Math.abs(coef.v) >= 1', 'Math.abs(coef.v) >= 0']],
    on('wasm'),
  ),
  ...of(
    'range',
    'compiler/passes/identities.ts',
    [['0 - x is -x', "isNumber(x!, 0) && t !== 'f32'", "isNumber(x!, 0) && t !== 'bool'"]],
    on('reference'),
  ),
  ...of(
    'range',
    'compiler/elaborate/ints.ts',
    [['large powers of integers are those of reals', ': Number.POSITIVE_INFINITY;', ': 64;']],
    on('wasm'),
  ),
  ...of(
    'ties',
    'compiler/ad/partials.ts',
    [
      ['each of equals takes all', 'mul(f32(0.5), g), g)', 'g, g)'],
      [
        'the first of equals takes all',
        "{ when: (n) => not(is('gt', arg(n, 0), arg(n, 1))), tied },",
        "{ when: (n) => not(is('ge', arg(n, 0), arg(n, 1))), tied },",
      ],
      [
        'a tie is one of whole numbers',
        "is('eq', arg(n, 0), arg(n, 1));",
        "is('ne', arg(n, 0), arg(n, 1));",
      ],
    ],
    on('reference'),
  ),
  ...of(
    'powers',
    'compiler/emit/math.ts',
    [
      [
        'one to the infinite is no number',
        'or(or(eq(ex, f(0)), eq(base, one)), oneToInf)',
        'or(eq(ex, f(0)), eq(base, one))',
      ],
    ],
    'special numbers on wasm',
  ),
  ...of(
    'powers',
    'compiler/core/scalar.ts',
    [['one to the infinite is no number', 'x === 1 || (x === -1', 'x === 2 || (x === -1']],
    on('reference'),
  ),
  ...of(
    'long sums',
    'compiler/emit/wasm/wide-sum.ts',
    [['no sum is long', 'terms > few', 'terms > 1e12']],
    on('wasm'),
  ),
  ...of(
    'long sums',
    'compiler/emit/cascade.ts',
    [
      ['no sum is long', 'terms <= radix * radix', 'terms <= 1e12'],
      ['what is handed on is kept', 'd.zero};`', 'from(i)};`'],
      ['what is left on a level is lost', 'end: all.map(', 'end: all.slice(1).map('],
    ],
    on('gpujs'),
  ),
];
