/**
 * Seeded bugs of the emitters, in what they know of numbers: where vectors start, which numbers are small,
 * whose extent an axis has, and what special numbers become. Rules and rows as in mutants.ts.
 */
import { type Mutant, of } from './row.ts';

export const emitters: readonly Mutant[] = [
  ...of(
    'lanes',
    'compiler/emit/wasm/arith.ts',
    [
      [
        'every loop of vectors starts at a multiple of four',
        'start: this.env.axes.get(axis)?.congruence ?? unknown',
        'start: { m: 4, r: 0 }',
      ],
    ],
    'operands at quotients and remainders on wasm',
  ),
  ...of(
    'lanes',
    'compiler/emit/wasm/lanes.ts',
    [
      [
        'the last lane may leave its block',
        'const last = r + 3 * inner;',
        'const last = r + 2 * inner;',
      ],
      ['what is added to an axis does not count', 'exactly(e.c)', 'exactly(0)'],
      [
        'the other axes are multiples of everything',
        'vec.start : unknown;',
        'vec.start : exactly(0);',
      ],
    ],
    'operands at quotients and remainders on wasm',
  ),
  ...of(
    'lanes',
    'compiler/emit/wasm/congruence.ts',
    [
      [
        'a sum has the coarser modulus',
        'congruence(gcd(a.m, b.m), a.r + b.r)',
        'congruence(Math.max(a.m, b.m), a.r + b.r)',
      ],
    ],
    'operands at quotients and remainders on wasm',
  ),
  ...of(
    'lanes',
    'compiler/emit/wasm/graph.ts',
    [
      ['a loop counts from 0', 'C.plus(from, C.congruence(step, 0))', 'C.congruence(step, 0)'],
      [
        'loops inside of loops begin where the outer one does',
        'C.times(loop.congruence, by)',
        'C.times(loop.congruence, 4 * by)',
      ],
    ],
    'operands at quotients and remainders on wasm',
  ),
  ...of(
    'extents',
    'compiler/emit/wasm/arith.ts',
    [
      [
        'bounds of guards wrap at 32 bits',
        '[Math.max(x.lo, -(2 ** 31)), Math.min(x.hi, 2 ** 31)]',
        '[x.lo, x.hi]',
      ],
    ],
    'programs at the borders on wasm',
  ),
  ...of(
    'extents',
    'compiler/emit/wgsl/group.ts',
    [['a nest of no cells is numbered', 'if (cellsOf(n.axes) === 0) return [];', '']],
    'programs at the borders on webgpu',
  ),
  ...of(
    'integers of gpu.js',
    'compiler/emit/gpujs/analysis.ts',
    [
      ['negative numbers are small', 'r.lo >= -LIMIT && r.hi <= LIMIT', 'r.hi <= LIMIT'],
      [
        'what is stored is not looked at',
        "to.t === 'i32' && !isSmall(this.#buffers.of(n.store.buf))",
        "to.t === 'i32' && !isSmall(values.of(n.body))",
      ],
    ],
    'chains of integers on gpujs',
  ),
  ...of(
    'special numbers',
    'compiler/emit/math.ts',
    [
      [
        'the root of -Infinity is NaN',
        'select(eq(base, neg(inf)), inf, abs(sqrt(base)))',
        'abs(sqrt(base))',
      ],
      ['the root of -0 is -0', 'inf, abs(sqrt(base)))', 'inf, sqrt(base))'],
      ['sin(-0) is 0', 'quarter === 0 ? select(eq(v, f(0)), v, signed) : signed', 'signed'],
      ['small halves are not rounded', 'whole(mul(a, f(2 ** 24)), 0)', 'mul(a, f(2 ** 24))'],
    ],
    'special numbers on wasm',
  ),
  ...of(
    'special numbers',
    'compiler/emit/wgsl/literal.ts',
    [['the least integer is another one', "'i32(-2147483648)'", "'(-2147483647i)'"]],
    'special numbers on webgpu',
  ),
  ...of(
    'special numbers',
    'compiler/emit/gpujs/prims.ts',
    [
      ['-0 is 0 in code', 'Number.NaN, -0];', 'Number.NaN];'],
      ['-0.4 is rounded to 0', '} * 0 : (', '} * 0 + 0 : ('],
    ],
    'special numbers on gpujs',
  ),
  ...of(
    'special numbers',
    'compiler/emit/wasm/ops.ts',
    [
      [
        'words are divided by powers of two as signed numbers',
        "t === 'u32' ? 'i32.shr_u' : 'i32.shr_s'",
        "'i32.shr_s'",
      ],
    ],
    'special numbers on wasm',
  ),
  ...of(
    'special numbers',
    'compiler/emit/wasm/wide.ts',
    [
      [
        'the larger of wide numbers is the smaller',
        'return choose(less(a, b), b, a);',
        'return choose(less(b, a), b, a);',
      ],
    ],
    'special numbers on wasm',
  ),
];
