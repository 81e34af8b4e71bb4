/**
 * Seeded bugs in the rules of the checker: a sign, a condition that is dropped, a fact that is assumed.
 * Each is hunted by the proof lane alone: either a random program reads outside in the exact
 * interpreter, or the second proof (compiler/bounds) puts a check where there is none otherwise.
 */
import { type Mutant, of } from './row.ts';

const rows: readonly Mutant[] = [
  ...of('checker: facts', 'dsl/facts.ts', [
    [
      'a remainder is none',
      'S.mul(S.num(step), S.variable(fresh.name)), S.num(start))',
      'S.mul(S.num(step), S.variable(fresh.name)), S.num(0 * start))',
    ],
    [
      'a remainder may be the divisor',
      'facts.assumptions.push(S.sub(right, S.ONE), S.sub(S.sub(right, equals), S.ONE), equals);',
      'facts.assumptions.push(S.sub(S.sub(right, S.ONE), S.ONE), S.sub(right, equals), equals);',
    ],
    [
      'a lower bound is one more',
      'const bound = S.sub(S.ZERO, parts.rest);',
      'const bound = S.sub(S.ONE, parts.rest);',
    ],
    [
      'an equation is solved with the other sign',
      'atom(m.c === 1 ? S.sub(S.ZERO, parts.rest) : parts.rest)',
      'atom(m.c === 1 ? parts.rest : S.sub(S.ZERO, parts.rest))',
    ],
    [
      'at most is at least',
      'facts.assumptions.push(S.sub(right.size, left.size));',
      'facts.assumptions.push(S.sub(left.size, right.size));',
    ],
  ]),
  ...of('checker: sizes that are not negative', 'dsl/prove.ts', [
    [
      'a part of a whole number is rounded up',
      'const c = Math.floor(m.c / g);',
      'const c = Math.ceil(m.c / g);',
    ],
    [
      'a goal may be scaled by less than nothing',
      'if (m.c >= 0 || search.left <= 0) continue;',
      'if (m.c === 0 || search.left <= 0) continue;',
    ],
    ['one case does for both', 'if (at(S.ZERO) && at(S.add(', 'if (at(S.add('],
    [
      'what may be negative is',
      'return p.every((m) => m.c < 0) && p.some((m) => m.v.length === 0);',
      'return p.every((m) => m.c < 0) && p.length > 0;',
    ],
    [
      'all sizes of a range of several are at least 1',
      'if (r.length === 1 && r[0]!.c > 0) for (const v of r[0]!.v) ones.add(v);',
      'if (r[0]!.c > 0) for (const v of S.variables(r)) ones.add(v);',
    ],
    [
      'what is too large is not negative',
      'if (S.isTooLarge(p)) return false;',
      'if (S.isTooLarge(p)) return true;',
    ],
  ]),
  ...of('checker: ranges', 'dsl/ranges.ts', [
    [
      'one past the end is in range',
      'const last = S.sub(c.resolve(extent), S.ONE);',
      'const last = c.resolve(extent);',
    ],
    [
      'the least index need not be zero',
      'const low = (least === undefined || !proves(c, least)) && !neverNegative(c, p);',
      'const low = least === undefined && !neverNegative(c, p);',
    ],
    [
      'a range has one element less',
      'return { lo: S.ZERO, hi: S.sub(c.resolve(v.size), S.ONE) };',
      'return { lo: S.ZERO, hi: S.sub(c.resolve(v.size), S.num(2)) };',
    ],
    [
      'a divisor may be anything',
      'return least !== undefined && proves(c, S.sub(least, S.ONE));',
      'return least !== undefined;',
    ],
    [
      'a constant is rounded up in a quotient',
      'S.num(Math.floor(constantTerm / k))',
      'S.num(Math.ceil(constantTerm / k))',
    ],
    [
      'a coefficient of no known sign is positive',
      'return most !== undefined && proves(c, negated(most)) ? -1 : undefined;',
      'return most !== undefined && proves(c, negated(most)) ? -1 : 1;',
    ],
    [
      'a remainder is below the divisor less one',
      'return isDivisor(c, by, depth) ? { lo: S.ZERO, hi: S.sub(by, S.ONE) } : undefined;',
      'return isDivisor(c, by, depth) ? { lo: S.ZERO, hi: S.sub(by, S.num(2)) } : undefined;',
    ],
    [
      'the rest of a quotient is smaller than it is',
      'out.known.push(low, S.sub(rest, low));',
      'out.known.push(low, S.sub(S.sub(rest, S.ONE), low));',
    ],
  ]),
  ...of('checker: equations', 'dsl/equations.ts', [
    [
      'sizes that differ by a number are equal',
      'if (!s.provesEqual(a.size, b.size)) mismatch(s, e);',
      'if (!s.provesEqual(a.size, b.size) && S.constant(difference) === undefined) mismatch(s, e);',
    ],
    [
      'a quotient that is not exact leaves its rest out',
      'const value = quotientOf(s, parts.rest, parts.coefficient);',
      'const value = quotientOf(s, parts.rest.filter((m) => m.v.length > 0), parts.coefficient);',
    ],
  ]),
  ...of('checker: what a call shows', 'dsl/check/instances.ts', [
    [
      'a remainder is at most its divisor',
      '...atLeast(right, S.add(equals, S.ONE))]',
      '...atLeast(right, equals)]',
    ],
    ['at least is at most', 'return atLeast(left, right);', 'return atLeast(right, left);'],
  ]),
  ...of('checker: whole numbers', 'dsl/check/proofs.ts', [
    [
      'a negative number is positive',
      "if (te.op === 'neg' && a !== undefined) return S.sub(S.ZERO, a);",
      "if (te.op === 'neg' && a !== undefined) return a;",
    ],
    [
      'both branches are the first',
      'return S.equal(a, b) ? a : opaque(',
      'return S.variables(a).length >= 0 ? a : opaque(',
    ],
    [
      'an index is whatever number of its type',
      "if (proof.k === 'proved') return;\n    if (hasUnknown(size)) return;",
      "if (proof.k === 'proved' || proof.k === 'unknown') return;\n    if (hasUnknown(size)) return;",
    ],
  ]),
  ...of('checker: parts of a sum', 'dsl/check/indexing.ts', [
    [
      'a part may be larger than the whole',
      'if (!provesNonNegative(env.fn.facts, S.sub(extent, size), rangeContext(env).positive)) {',
      'if (S.constant(size) !== undefined && !provesNonNegative(env.fn.facts, S.sub(extent, size))) {',
    ],
  ]),
  ...of('checker: ranges that are not empty', 'dsl/check/binders.ts', [
    [
      'every range has an element',
      'if (provesNonNegative(facts, S.sub(now, S.ONE), positive)) return;',
      'if (provesNonNegative(facts, now, positive)) return;',
    ],
  ]),
];

/** Kinds that are drawn too rarely for the lane; the second proof stops the programs of `refusals`. */
const refused: readonly Mutant[] = [
  ...of('checker: layouts', 'dsl/check/permuted.ts', [
    [
      'every order is the written one',
      'return same && !agree(x, y);',
      'return same && x.length < 0;',
    ],
  ]),
  ...of('checker: layouts', 'dsl/equations.ts', [
    ['parts of a tuple are not compared', 's.compared.push({ a, b, reason });', ''],
  ]),
  ...of('checker: sizes by position', 'dsl/check/instances.ts', [
    [
      'no name is that of another size',
      'const own = a.value.name;\n  if (!',
      'const own = a.value.name;\n  if (',
    ],
    [
      'a size with a name is by position too',
      'if (a.name !== undefined || a.value.k',
      'if (a.value.k',
    ],
  ]),
  ...of('checker: facts', 'dsl/facts.ts', [
    [
      'remainders by any divisor are known',
      "if (f.op !== '%' || !S.equal(f.now.right, asked.right)) return false;",
      "if (f.op !== '%') return false;",
    ],
  ]),
  ...of('checker: sizes that were solved', 'dsl/check/finish.ts', [
    [
      'a difference is no matter',
      'if (hasUnknown(now) || S.hasNoNegativeTerm(now)) continue;',
      'if (hasUnknown(now) || now.length > 1) continue;',
    ],
  ]),
  ...of('checker: what a call shows', 'dsl/check/instances.ts', [
    [
      'a size that a fact defines may be negative',
      'if (provesNonNegative(env.fn.facts, now, rangeContext(env).positive)) return;\n  reportNegative',
      'if (provesNonNegative(env.fn.facts, now, rangeContext(env).positive) || now.length > 1) return;\n  reportNegative',
    ],
    [
      'equal sizes are those that may be',
      'return provesEqual(facts, left, right)',
      'return provesEqual(facts, left, right) || !differ(left, right)',
    ],
  ]),
  ...of('checker: ranges', 'dsl/ranges.ts', [
    [
      'a quotient by 1 is less than the whole',
      'if ((S.constant(by) ?? 0) >= 2 && proves(c, less)) return less;',
      'if (proves(c, less)) return less;',
    ],
    [
      'powers of what is negative grow',
      'if (powers.length > 1 && !proves(c, b.lo)) return undefined;',
      'if (powers.length > 9 && !proves(c, b.lo)) return undefined;',
    ],
    [
      'a condition chooses the greater one',
      "const lo = pick(a.lo, b.lo, v.op !== 'max');",
      "const lo = pick(a.lo, b.lo, v.op === 'min');",
    ],
    [
      'a quotient below 0 is 0',
      'const lo = proves(c, least) ? S.ZERO : (down ?? termsOf(least, -1));',
      'const lo = proves(c, least) ? S.ZERO : (down ?? S.ZERO);',
    ],
  ]),
];

export const checker: readonly Mutant[] = [
  ...rows.map((m) => ({ ...m, lane: 'proofs hold' })),
  ...refused.map((m) => ({ ...m, lane: 'faults are refused, right programs are not' })),
];
