/**
 * Seeded bugs of the emitters, in what they know of numbers: where vectors start, which numbers are small,
 * whose extent an axis has, and what special numbers become. Rules and rows as in mutants.ts.
 */
import { type Mutant, of } from './row.ts';

export const emitters: readonly Mutant[] = [
  ...of('lanes', 'compiler/emit/wasm/arith.ts', [
    [
      'every loop of vectors starts at a multiple of four',
      'start: this.env.axes.get(axis)?.congruence ?? unknown',
      'start: { m: 4, r: 0 }',
    ],
    [
      'bounds of guards wrap at 32 bits',
      '[Math.max(x.lo, -(2 ** 31)), Math.min(x.hi, 2 ** 31)]',
      '[x.lo, x.hi]',
    ],
  ]),
  ...of('lanes', 'compiler/emit/wasm/lanes.ts', [
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
  ]),
  ...of('lanes', 'compiler/emit/wasm/congruence.ts', [
    [
      'a sum has the coarser modulus',
      'congruence(gcd(a.m, b.m), a.r + b.r)',
      'congruence(Math.max(a.m, b.m), a.r + b.r)',
    ],
  ]),
  ...of('lanes', 'compiler/emit/wasm/graph.ts', [
    ['a loop counts from 0', 'C.plus(from, C.congruence(step, 0))', 'C.congruence(step, 0)'],
    [
      'loops inside of loops begin where the outer one does',
      'C.times(loop.congruence, by)',
      'C.times(loop.congruence, 4 * by)',
    ],
  ]),
  ...of('extents', 'compiler/emit/wasm/nest.ts', [
    [
      'an axis has the extent that some nest of the kernel gives it',
      '...nests.flatMap((n) => [n.axes, n.red])',
      '...[...nests, ...k.nests].flatMap((n) => [n.axes, n.red])',
    ],
  ]),
  ...of('extents', 'compiler/emit/wgsl/group.ts', [
    ['a nest of no cells is numbered', 'if (cellsOf(n.axes) === 0) return [];', ''],
  ]),
  ...of('integers of gpu.js', 'compiler/emit/gpujs/analysis.ts', [
    ['negative numbers are small', 'r.lo >= -LIMIT && r.hi <= LIMIT', 'r.hi <= LIMIT'],
    [
      'what is stored is not looked at',
      "to.t === 'i32' && !isSmall(this.#buffers.of(n.store.buf))",
      "to.t === 'i32' && !isSmall(values.of(n.body))",
    ],
  ]),
  ...of('integers of gpu.js', 'compiler/bounds/range.ts', [
    [
      'a quotient by a negative number is nothing',
      'for (const part of [below, above])',
      'for (const part of [above])',
    ],
    [
      'a remainder is not negative',
      'out = union(out, neg(modPositive(neg(a), neg(below))));',
      'out = union(out, modPositive(neg(a), neg(below)));',
    ],
  ]),
  ...of('special numbers', 'compiler/emit/math.ts', [
    [
      'the root of -Infinity is NaN',
      'select(eq(base, neg(inf)), inf, abs(sqrt(base)))',
      'abs(sqrt(base))',
    ],
    ['the root of -0 is -0', 'inf, abs(sqrt(base)))', 'inf, sqrt(base))'],
    ['sin(-0) is 0', 'quarter === 0 ? select(eq(v, f(0)), v, signed) : signed', 'signed'],
    ['small halves are not rounded', 'whole(mul(a, f(2 ** 24)), 0)', 'mul(a, f(2 ** 24))'],
  ]),
  ...of('special numbers', 'compiler/emit/wgsl/literal.ts', [
    ['the least integer is another one', "'i32(-2147483648)'", "'(-2147483647i)'"],
  ]),
  ...of('special numbers', 'compiler/emit/gpujs/prims.ts', [
    ['-0 is 0 in code', 'if (Object.is(x, -0)) return gpuNumber(x);', ''],
    ['-0.4 is rounded to 0', '<= 0.5 ? ${a} * 0 :', '<= 0.5 ? 0 :'],
  ]),
  ...of('special numbers', 'compiler/emit/wasm/ops.ts', [
    [
      'words are divided by powers of two as signed numbers',
      "t === 'u32' ? 'i32.shr_u' : 'i32.shr_s'",
      "'i32.shr_s'",
    ],
  ]),
  ...of('special numbers', 'compiler/emit/wasm/wide.ts', [
    [
      'the larger of wide numbers is the smaller',
      'return choose(less(a, b), b, a);',
      'return choose(less(b, a), b, a);',
    ],
  ]),
];
