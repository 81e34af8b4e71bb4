/**
 * Seeded bugs, at most five a rule: each replaces one piece of text in one file by something that
 * type-checks, throws nothing by itself and changes a value. `npm run mutants` says which test kills
 * each (after DeMillo, Lipton & Sayward 1978).
 */

import { backend } from './backend.ts';
import { checker } from './checker.ts';
import { derivatives } from './derivatives.ts';
import { emitters } from './emitters.ts';
import { numbers } from './numbers.ts';
import { plans } from './plans.ts';
import { type Mutant, of } from './row.ts';

export const mutants: readonly Mutant[] = [
  ...checker,
  ...derivatives,
  ...emitters,
  ...of('index algebra', 'compiler/core/ix.ts', [
    [
      'a remainder loses its low digits',
      'addIx(scaleIx(modIx(p.a, by / p.g, extents), p.g), p.s)',
      'addIx(scaleIx(modIx(p.a, by / p.g, extents), p.g), scaleIx(p.s, 0))',
    ],
    [
      'intervals of negative multiples are turned round',
      'lo += t.m > 0 ? t.m * r.lo : t.m * r.hi;',
      'lo += t.m * r.lo;',
    ],
    [
      'a guard that may just fail always holds',
      'r.lo >= g.lo && r.hi < g.hi',
      'r.lo >= g.lo && r.hi <= g.hi',
    ],
    [
      'a nested quotient forgets a divisor',
      'return divIx(shiftIx(only.e, r.c * only.by), only.by * by, extents);',
      'return divIx(shiftIx(only.e, r.c * only.by), by * by, extents);',
    ],
  ]),
  ...of('elaboration of indices', 'compiler/elaborate/indexing.ts', [
    [
      'right starts at the left',
      'return shiftIx(indexOf(cx, env, ix.part, extent - offset), offset);',
      'return shiftIx(indexOf(cx, env, ix.part, extent - offset), 0 * offset);',
    ],
    [
      'every fallback is zero',
      "if (byAxes && e.k === 'read' && other.k === 'const' && other.v === 0) return guarded;",
      "if (byAxes && e.k === 'read' && other.k === 'const') return guarded;",
    ],
    [
      'parts of a concatenation change places',
      'zipScalars(guarded, other, (a, b) => selectE(insideE(kept, cx.extents), a, b))',
      'zipScalars(guarded, other, (a, b) => selectE(insideE(kept, cx.extents), b, a))',
    ],
  ]),
  ...of('elaboration of numbers', 'compiler/elaborate/ints.ts', [
    [
      'odd powers are even',
      'return n % 2 === 0 ? square : times(square, a);',
      "return n % 2 === 0 ? square : prim('mul', square, square);",
    ],
    [
      'an axis is always zero',
      'eq: (lo, hi) => (lo === 0 && hi === 0 ? true',
      'eq: (lo, hi) => (lo === 0 || hi === 0 ? true',
    ],
    [
      'negation of an index does nothing',
      'neg: (a) => scaleIx(a, -1),',
      'neg: (a) => scaleIx(a, 1),',
    ],
  ]),
  ...of('elaboration of reductions', 'compiler/elaborate/eval.ts', [
    [
      'a mean divides by its first extent',
      'const n = b.axes.reduce((m, a) => m * a.extent, 1);',
      'const n = b.axes[0]!.extent;',
    ],
    [
      'both branches are the first',
      'zipScalars(a, b, (p, q) => selectE(cond, p, q))',
      'zipScalars(a, b, (p, q) => selectE(cond, p, p === q ? q : p))',
    ],
  ]),
  ...of('elaboration of derivatives', 'compiler/elaborate/derive.ts', [
    [
      'the seed of a gradient is two',
      "emitNest(cx, 'one', axes, constE('f32', 1))",
      "emitNest(cx, 'one', axes, constE('f32', 2))",
    ],
  ]),
  ...of('elaboration of trees', 'compiler/elaborate/trees.ts', [
    ['sums over trees take fixed leaves', 'if (field.fixed) continue;', ''],
    [
      'a mean over a tree counts leaves',
      'reduce((m, p) => m + p.count, 0)',
      'reduce((m, p) => m + Math.sign(p.count), 0)',
    ],
  ]),
  ...of('draws', 'compiler/elaborate/draws.ts', [
    [
      'a uniform draw fills half the interval',
      "prim('idiv', word, u32(256))",
      "prim('idiv', word, u32(512))",
    ],
    ['split draws what draws draw', 'draw: 0, split: 1', 'draw: 0, split: 0'],
  ]),
  ...of('simplification', 'compiler/passes/identities.ts', [
    ['x + x is x', "s.prim('mul', s.const(t, 2), x!)", "s.prim('mul', s.const(t, 1), x!)"],
    [
      '0 - x is x',
      "isNumber(x!, 0) && t !== 'f32' ? s.prim('neg', y!) : undefined",
      'isNumber(x!, 0) ? y : undefined',
    ],
    [
      'the larger is the smaller',
      "isTrue(below) === (op === 'min') ? x : y",
      "isTrue(below) === (op === 'min') ? y : x",
    ],
    [
      'x < x + 1 is false',
      'lt: comparison((lo, hi) => (hi < 0 ? true : lo >= 0 ? false',
      'lt: comparison((lo, hi) => (hi < -1 ? true : lo >= -1 ? false',
    ],
  ]),
  ...of('fission', 'compiler/passes/fission.ts', [
    [
      'a sign that leaves a sum is lost',
      'coef: negated(a!.coef ?? constE(e.t, 1))',
      'coef: a!.coef ?? constE(e.t, 1)',
    ],
    [
      'of two factors that stay one is lost',
      'rest: product(a!.rest, b!.rest) }',
      'rest: a!.rest ?? b!.rest }',
    ],
  ]),
  ...of('fusion', 'compiler/passes/fuse.ts', [
    [
      'what is not 0 at 0 is 0 outside of a guard',
      '    default:\n      return false;\n  }\n}\n\n// ---------------------------------------------------------------- sharing',
      '    default:\n      return e.args.every((a) => vanishes(a, guard));\n  }\n}\n\n//',
    ],
    [
      'a shared value is read transposed',
      'm.axes.map((a) => ixAxis(match.get(a.id)!)),',
      '[...m.axes].reverse().map((a) => ixAxis(match.get(a.id)!)),',
    ],
  ]),
  ...of('guards', 'compiler/passes/guards.ts', [
    [
      'the last multiple is out of range',
      'Math.ceil(high / divisor) + 0',
      'Math.floor(high / divisor) + 0',
    ],
    ['a mirrored guard is off by one', '[c - g.hi + 1, c - g.lo + 1]', '[c - g.hi, c - g.lo]'],
  ]),
  ...of('hoisting', 'compiler/passes/hoist.ts', [
    [
      'what depends on the step leaves the fold',
      'f.trip === 0 || freeAxesOfStmt(s).has(f.l.id) || !usesOf(s)',
      'f.trip === 0 || !usesOf(s)',
    ],
  ]),
  ...of('scheduling', 'compiler/schedule/lower.ts', [
    [
      'carries change slots one step late',
      'modIx(addIx(step, ixConst(1)), 2, noExtents)',
      'modIx(addIx(step, ixConst(0)), 2, noExtents)',
    ],
    [
      'the result of an odd fold is its other slot',
      '(f.rev ? 0 : f.trip) : f.trip % 2',
      '(f.rev ? 0 : f.trip) : 0',
    ],
    [
      'a stacked carry runs the wrong way',
      'stacked ? (f.rev ? addIx(l, ixConst(1)) : l)',
      'stacked ? (f.rev ? l : addIx(l, ixConst(1)))',
    ],
  ]),
  ...of('memory', 'compiler/schedule/memory.ts', [
    [
      'what dies and what is born share memory',
      'p.first <= l.last && l.first <= p.last',
      'p.first < l.last && l.first < p.last',
    ],
    [
      'what lives through a loop is freed in it',
      'const span = t.scopes[home] ?? { first: t.at, last: t.at };',
      'const span = { first: t.at, last: t.at + 0 * home };',
    ],
  ]),
  ...of('transcendentals', 'compiler/emit/math.ts', [
    ['sine has another third coefficient', '0.008332188241183758', '0.008432188241183758'],
    [
      'log adds the low part of ln 2 with the wrong sign',
      'const ln2lo = f(-2.1219444e-4);',
      'const ln2lo = f(2.1219444e-4);',
    ],
    ['exp is flushed too early', 'pmax(pmin(v, f(89)), f(-104))', 'pmax(pmin(v, f(89)), f(-2))'],
  ]),
  ...of('Wasm', 'compiler/emit/wasm/arith.ts', [
    ['lanes run backwards', '[0, s, 2 * s, 3 * s]', '[3 * s, 2 * s, s, 0]'],
    [
      'the remainder of a negative index is mirrored',
      "g.add(r, g.op('i32.and', 'i32', below, by))",
      "g.op('i32.sub', 'i32', g.op('i32.xor', 'i32', r, below), below)",
    ],
    ['the quotient of a negative index truncates', 'g.add(q, below)', 'q'],
  ]),
  ...of('places from data', 'compiler/schedule/access.ts', [
    [
      'what no guard lets through is added all the same',
      "body: prim('select', s.body.t, ok, body, zero),",
      'body,',
    ],
    [
      'a place of no value has one',
      "return prim('select', e.t, ok, load, { k: 'const', t: e.t, v: 0 });",
      'return load;',
    ],
  ]),
  ...of('WGSL', 'compiler/emit/wgsl/prims.ts', [
    [
      'floor division truncates',
      'return select(q, q - 1, r != 0 && (r < 0) != (b < 0));',
      'return q;',
    ],
    [
      'the larger of two is the smaller',
      'return select(select(a, b, a < b), b, ',
      'return select(select(a, b, b < a), b, ',
    ],
  ]),
  ...of('WGSL', 'compiler/emit/wgsl/contract.ts', [
    ['every chunk of a tile is the first', "'let deep = chunk + d;'", "'let deep = d;'"],
  ]),
  ...of('WGSL', 'compiler/emit/wgsl/long-reduction.ts', [
    ['the tree of a long reduction lacks its root', 'half > 0u; half', 'half > 1u; half'],
  ]),
  ...of('WGSL', 'compiler/emit/wgsl/reduce.ts', [
    ['of equals the last is the largest', "argmax: pick('>', least)", "argmax: pick('>=', least)"],
  ]),
  ...of('gpu.js', 'compiler/emit/gpujs/prims.ts', [
    ['a product of conditions is their sum', "and: infix('*')", "and: infix('+')"],
    ['what is equal is not at most', "le: test('<='),", "le: test('<'),"],
    ['the larger of two is the smaller', "max: extreme('>')", "max: extreme('<')"],
  ]),
  ...of('gpu.js', 'compiler/emit/gpujs/kernel.ts', [
    [
      'of equals the last is the least',
      "argmin: pick('<', Infinity)",
      "argmin: pick('<=', Infinity)",
    ],
  ]),
  ...backend,
  ...plans,
  ...numbers,
];
