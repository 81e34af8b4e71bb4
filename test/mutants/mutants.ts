/**
 * Seeded bugs, at most five a rule: each replaces one piece of text in one file by something that
 * type-checks, throws nothing by itself and changes a value. `npm run mutants` says which test kills
 * each (after DeMillo, Lipton & Sayward 1978).
 */

import { backend } from './backend.ts';
import { type Mutant, of } from './row.ts';

export const mutants: readonly Mutant[] = [
  ...of('partial derivatives', 'compiler/ad/partials.ts', [
    [
      'sin has the wrong sign',
      "sin: [(n, g) => mul(g, prim('cos', arg(n, 0)))]",
      "sin: [(n, g) => neg(mul(g, prim('cos', arg(n, 0))))]",
    ],
    ['tanh forgets a square', "prim('sub', one, prim('mul', n, n))", "prim('sub', one, n)"],
    [
      'div by its second argument has the wrong sign',
      '(n, g) => neg(div(mul(g, n), arg(n, 1)))',
      '(n, g) => div(mul(g, n), arg(n, 1))',
    ],
    ['sqrt loses its half', 'div(mul(g, f32(0.5)), n)', 'div(mul(g, f32(1)), n)'],
    [
      'min gives the other argument',
      "{ when: (n) => is('le', arg(n, 0), arg(n, 1)) }",
      "{ when: (n) => is('ge', arg(n, 0), arg(n, 1)) }",
    ],
  ]),
  ...of('reductions', 'compiler/ad/reductions.ts', [
    ['min is at the maximum', "position(s, 'argmin', supply)", "position(s, 'argmax', supply)"],
    [
      'a factor of a product multiplies itself',
      'shiftIx(scaleIx(ixAxis(r!), -1), 1)',
      'shiftIx(scaleIx(ixAxis(r!), 1), 0)',
    ],
    ['an odd factor is left out', 'left.reduceRight((p', 'left.slice(1).reduceRight((p'],
    [
      'pairs are not h apart',
      'scaleIx(ixAxis(pair), h)',
      'scaleIx(ixAxis(pair), Math.max(h - 1, 0))',
    ],
  ]),
  ...of('forward mode', 'compiler/ad/jvp.ts', [
    [
      'the tangent of an extremum counts everywhere',
      'const body = select(when, d, zero);',
      'const body = select(when, d, d);',
    ],
    [
      'a pair forgets the other factor',
      'const body = mul(d, otherOfPair(s));',
      'const body = mul(d, mul(otherOfPair(s), otherOfPair(s)));',
    ],
  ]),
  ...of('linearity of rules', 'compiler/ad/linear.ts', [
    [
      'two tangents may be multiplied',
      "return b === 'free' ? a : 'other';",
      "return b === 'free' ? a : 'linear';",
    ],
    [
      'a tangent and a constant may be added',
      "return b === 'zero' ? a : 'other';",
      "return b === 'zero' ? a : 'linear';",
    ],
    [
      'a product of tangents is linear',
      "const adds = s.op === null || s.op === 'sum';",
      "const adds = s.op === null || s.op === 'sum' || s.op === 'prod';",
    ],
    ['a tangent may decide', "return args.every(isValue) ? 'free' : 'other';", "return 'free';"],
  ]),
  ...of('inverting reads', 'compiler/ad/solve.ts', [
    [
      'the sign of a multiplier is lost',
      'scaleIx(eq.known, m > 0 ? -1 : 1), Math.abs(m)',
      'scaleIx(eq.known, -1), Math.abs(m)',
    ],
    ['divisibility is not asked for', 'this.#demand(isZero(modIx(e, m, this.extents)));', ''],
    [
      'bounds of a solution are one too wide',
      'if (u.bounded) this.#demand({ e: value, lo: 0, hi: u.extent });\n    this.#open',
      'if (u.bounded) this.#demand({ e: value, lo: 0, hi: u.extent + 1 });\n    this.#open',
    ],
    [
      'digits of a flipped axis are off by one',
      'shiftIx(rest, -m * (u.extent - 1))',
      'shiftIx(rest, -m * u.extent)',
    ],
    ['what is left of the digits may be anything', '    this.#demand(isZero(rest));\n  }', '  }'],
  ]),
  ...of('transposition', 'compiler/ad/transpose.ts', [
    [
      'equal reads count once',
      'ct: old === undefined ? f.ct : add(old.ct, f.ct)',
      'ct: old === undefined ? f.ct : old.ct',
    ],
    [
      'iterations that do not matter count once',
      'mul(body, f32(times))',
      'mul(body, f32(Math.min(times, 1)))',
    ],
    [
      'of several cotangents only the last counts',
      'readAt(p.v, axes) : p.body)).reduce(add)',
      'readAt(p.v, axes) : p.body)).slice(-1).reduce(add)',
    ],
  ]),
  ...of('folds', 'compiler/ad/transpose-fold.ts', [
    ['backward runs forwards', 'rev: !f.rev', 'rev: f.rev'],
    [
      'the first carry gets no cotangent',
      'f.carry.forEach((c, i) => {\n    if (t.linear.has(c.init))',
      'f.carry.forEach((c, i) => {\n    if (i > 0 && t.linear.has(c.init))',
    ],
    [
      'a slice is read at any step',
      'a.id === l.id && !rest.some((ix) => freeAxesIx(ix).has(l.id))',
      'a.id !== l.id || !rest.some((ix) => freeAxesIx(ix).has(l.id))',
    ],
  ]),
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
      "if (e.k === 'read' && other.k === 'const' && other.v === 0) return guarded;",
      "if (e.k === 'read' && other.k === 'const') return guarded;",
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
      'return intOf(scaleIx(x, -1));',
      'return intOf(scaleIx(x, 1));',
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
      "isNumber(x!, 0) ? s.prim('neg', y!) : undefined",
      'isNumber(x!, 0) ? y : undefined',
    ],
    ['-(x - y) is x - y', "s.prim('sub', d[1]!, d[0]!)", "s.prim('sub', d[0]!, d[1]!)"],
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
      "coef: prim('neg', a!.coef ?? constE(e.t, 1))",
      'coef: a!.coef ?? constE(e.t, 1)',
    ],
    [
      'a divisor that leaves a sum multiplies it',
      "coef: prim('div', a!.coef ?? constE('f32', 1), e.args[1]!)",
      "coef: prim('mul', a!.coef ?? constE('f32', 1), e.args[1]!)",
    ],
    [
      'of two factors that stay one is lost',
      'rest: product(a!.rest, b!.rest) }',
      'rest: a!.rest ?? b!.rest }',
    ],
  ]),
  ...of('hoisting', 'compiler/passes/hoist.ts', [
    [
      'what depends on the step leaves the fold',
      'f.trip === 0 || freeAxesOfStmt(s).has(f.l.id) || !usesOf(s)',
      'f.trip === 0 || !usesOf(s)',
    ],
  ]),
  ...of('sizes', 'dsl/ranges.ts', [
    [
      'one past the end is in range',
      'S.sub(S.sub(c.resolve(extent), S.ONE), most)',
      'S.sub(c.resolve(extent), most)',
    ],
    [
      'the least index need not be zero',
      '[!proves(c, least), !proves(c, gap)]',
      '[false, !proves(c, gap)]',
    ],
    [
      'a range has one index more',
      'hi: S.sub(c.resolve(v.size), S.ONE) };',
      'hi: S.sub(S.sub(c.resolve(v.size), S.ONE), S.ONE) };',
    ],
  ]),
  ...of('facts', 'dsl/facts.ts', [
    [
      'any constant is non-negative',
      'if (S.constant(p) !== undefined) return false;',
      'if (S.constant(p) !== undefined) return true;',
    ],
    [
      'smaller means larger',
      'assumeNonNegative(facts, S.sub(right.size, left.size));',
      'assumeNonNegative(facts, S.sub(left.size, right.size));',
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
  ...backend,
];
