/**
 * Seeded bugs of differentiation: rules of primitives and reductions, dead branches, inverted reads,
 * transposition, folds. Rules and rows as in mutants.ts.
 */
import { type Mutant, of } from './row.ts';

export const derivatives: readonly Mutant[] = [
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
      "{ when: (n) => is('le', arg(n, 0), arg(n, 1)), tied }",
      "{ when: (n) => is('ge', arg(n, 0), arg(n, 1)), tied }",
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
  ...of('dead branches', 'compiler/ad/scalar.ts', [
    [
      'a cotangent of a dead branch meets its partials',
      'mask: keepsZero.has(n.op) ? a.mask : a.live',
      'mask: a.mask',
    ],
    [
      'what two branches use lives where both do',
      'const live = or(a.live, b.live);',
      'const live = and(a.live, b.live);',
    ],
    [
      'a use in one branch forgets the other',
      'live.set(x, old === undefined ? there : or(old, there))',
      'live.set(x, old === undefined ? there : there)',
    ],
    [
      'a root may stand outside its branch',
      "  'erf',\n  'select',",
      "  'erf',\n  'sqrt',\n  'log',\n  'select',",
    ],
  ]),
  ...of('conditions of uses', 'compiler/ad/narrow.ts', [
    ['the last use alone counts', ': or(old, mine);', ': mine;'],
    [
      'a value that is used under a condition is 0',
      'select(condition, body, zeroE(',
      'select(condition, zeroE(body.t), zeroE(',
    ],
  ]),
  ...of('splitting', 'compiler/ad/split.ts', [
    [
      'a function is 0 outside of what it reads',
      'const outside = valueAt0(e);',
      'const outside = 0 * valueAt0(e);',
    ],
  ]),
  ...of('equations', 'compiler/ad/equations.ts', [
    ['an inverse has the wrong sign', 'floorMod(Number(x), m)', 'floorMod(-Number(x), m)'],
    ['windows that touch do not overlap', 'reach >= Math.abs(m)', 'reach > Math.abs(m)'],
  ]),
  ...of('taking folds apart', 'compiler/ad/unzip.ts', [
    [
      'the carry of a second step is the initial one',
      'f.trip === 1 || c.next === c.in',
      'f.trip <= 2 || c.next === c.in',
    ],
  ]),
  ...of('values beside derivatives', 'compiler/ad/narrow.ts', [
    ['a value has only the first of its uses', ': or(old, mine);', ': old;'],
    [
      'what nothing asks for uses tangents',
      "return this.#uses.get(x) ?? 'never';",
      "return this.#uses.get(x) ?? 'always';",
    ],
  ]).map(ruled),
  ...of('values beside derivatives', 'compiler/ad/scalar.ts', [
    ['every iteration of an extremum counts', "op !== 'max' && op !== 'min'", "op !== 'sum'"],
    [
      'what passes no tangent reads the copy',
      '(passes(e, i) ? go(a) : a)',
      '(a.t === e.t ? go(a) : a)',
    ],
    ['both branches are chosen alike', 'i === 1 ? c! : not(c!)', 'c!'],
  ]).map(ruled),
  ...of('windows', 'compiler/ad/split.ts', [
    [
      'a step of a fold is every step',
      'if (extent === undefined) return false;',
      'if (extent === undefined) continue;',
    ],
  ]).map(ruled),
  ...of('rules', 'compiler/ad/jvp.ts', [
    ['what was captured has no derivative', 'if (captured.length > 0)', 'if (captured.length > 1)'],
    [
      'a block on tangents is differentiated by them twice',
      'except.has(x) ? undefined : this.#tangents.get(x)',
      'this.#tangents.get(x)',
    ],
    [
      'a block on tangents has no tangent by them',
      'if ([...linear].some(isActive))',
      'if ([...linear].every((x) => !isActive(x)) && linear.size > 9)',
    ],
  ]).map(ruled),
  ...of('rules', 'compiler/ad/linear.ts', [
    [
      'a call on tangents is its body',
      'if (linear.length === block.ins.length) return inner;',
      'if (linear.length > 0) return inner;',
    ],
    [
      'a captured tangent is no input',
      'if (more.length === 0) return s;',
      'if (s.ins.length > 0) return s;',
    ],
    [
      'results that do not depend on tangents are linear in them',
      'return block.outs.every(onTangents)',
      'return block.outs.some(onTangents)',
    ],
  ]).map(ruled),
  ...of('rules', 'compiler/ad/transpose-custom.ts', [
    [
      'a transposed block is linear in nothing',
      'linear: cts.map((_, i) => xs.length + i)',
      'linear: []',
    ],
    [
      'a transposed rule is that of the first result',
      'y: copies.get(y) ?? y, ct: cts[i]!',
      'y: copies.get(ys[0]!) ?? y, ct: cts[i]!',
    ],
  ]).map(ruled),
  ...of('rules', 'compiler/elaborate/call.ts', [
    ['an argument is what a function captured', "? 'copy' : 'whole'", "? 'whole' : 'whole'"],
    [
      'tangents are counted by arguments with numbers',
      'tangents[t.of]!',
      'tangents[active[derivative.tangents.indexOf(t)]!.i]!',
    ],
  ]).map(ruled),
  ...of('stop', 'compiler/elaborate/value.ts', [
    [
      'what a function captured goes on',
      '{ ...x, env: { ...x.env, locals: frame(x.env.locals) } }',
      'x',
    ],
  ]).map(ruled),
];

/** Found by the tables of test/ad. */
function ruled(m: Mutant): Mutant {
  return { ...m, lane: 'rules and values' };
}
