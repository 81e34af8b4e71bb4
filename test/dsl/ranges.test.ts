/**
 * Soundness of the proofs: whatever `provesNonNegative` and `proveInRange` accept is true for all
 * small sizes that satisfy the facts, and for all index values. Completeness on the index forms
 * that programs use.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact, SizeExpr } from '../../dsl/ast.ts';
import { assumeAll, type Facts, noFacts } from '../../dsl/facts.ts';
import { provesNonNegative } from '../../dsl/prove.ts';
import { type IndexValue, proveInRange } from '../../dsl/ranges.ts';
import * as S from '../../dsl/size.ts';
import type { Size } from '../../dsl/typed.ts';
import { atom } from '../../dsl/types.ts';

const span = { file: 'a.tn', start: 0, end: 0 };
const NAMES = ['A', 'B', 'C'];

const nat = (value: number): SizeExpr => ({ k: 'nat', value, span });
const name = (n: string): SizeExpr => ({ k: 'var', name: n, span });

function sizeOf(e: SizeExpr, get: (n: string) => Size): Size {
  if (e.k === 'nat') return S.num(e.value);
  if (e.k === 'var') return get(e.name);
  const [l, r] = [sizeOf(e.left, get), sizeOf(e.right, get)];
  return e.op === '+' ? S.add(l, r) : e.op === '*' ? S.mul(l, r) : S.sub(l, r);
}

function factsOf(list: readonly Fact[]): Facts {
  const facts = noFacts(NAMES);
  assumeAll(
    facts,
    list,
    (e) => atom(sizeOf(e, (n) => facts.sizes.get(n)!.size)),
    (e) => sizeOf(e, S.variable),
    provesNonNegative,
  );
  return facts;
}

const leaf = fc.oneof(fc.constantFrom(...NAMES).map(name), fc.nat(4).map(nat));
const written: fc.Arbitrary<SizeExpr> = fc.oneof(
  leaf,
  fc
    .tuple(fc.constantFrom('+', '*', '-'), leaf, leaf)
    .map(([op, left, right]): SizeExpr => ({ k: 'op', op: op as '+', left, right, span })),
);
const compared: fc.Arbitrary<Fact> = fc
  .tuple(written, fc.constantFrom('<=', '>=', '=='), written)
  .map(([left, op, right]) => ({ left, op: op as '<=', right, span }));
const sum: fc.Arbitrary<SizeExpr> = fc
  .tuple(fc.constantFrom('+', '*'), leaf, leaf)
  .map(([op, left, right]): SizeExpr => ({ k: 'op', op: op as '+', left, right, span }));
const remainder: fc.Arbitrary<Fact> = fc
  .tuple(fc.oneof(leaf, sum), leaf, fc.oneof(fc.nat(3).map(nat), leaf))
  .map(([left, right, equals]) => ({ left, op: '%', right, equals, span }));
const fact: fc.Arbitrary<Fact> = fc.oneof(compared, remainder);

const polynomial = fc
  .array(
    fc.record({
      c: fc.integer({ min: -3, max: 4 }),
      v: fc.array(fc.constantFrom(...NAMES), { maxLength: 2 }),
    }),
    { maxLength: 4 },
  )
  .map((ms) =>
    ms.reduce<Size>(
      (s, m) => S.add(s, S.product([S.num(m.c), ...m.v.map((n) => S.variable(n))])),
      S.ZERO,
    ),
  );

function holds(f: Fact, env: Record<string, number>): boolean {
  const value = (e: SizeExpr) => S.evaluate(sizeOf(e, S.variable), (v) => env[v])!;
  const [l, r] = [value(f.left), value(f.right)];
  // A remainder has a divisor of at least 1 and is below it: NaN and the rest equal nothing.
  if (f.op === '%') return r >= 1 && l % r === value(f.equals!);
  return f.op === '<=' ? l <= r : f.op === '>=' ? l >= r : l === r;
}

/** All assignments of small numbers to the names. */
function* grid(most: number): Generator<Record<string, number>> {
  for (let A = 0; A <= most; A++)
    for (let B = 0; B <= most; B++) for (let C = 0; C <= most; C++) yield { A, B, C };
}

// ---------------------------------------------------------------- whole expressions

type Whole =
  | { readonly k: 'size'; readonly size: Size }
  | {
      readonly k: '+' | '-' | '*' | '//' | '%' | 'min' | 'max' | 'if';
      readonly a: Whole;
      readonly b: Whole;
    };

const size = fc.oneof(
  fc.constantFrom(...NAMES).map((n) => S.variable(n)),
  fc.integer({ min: 1, max: 4 }).map(S.num),
);
const extent = fc.oneof(
  size,
  fc.tuple(size, size).map(([a, b]) => S.mul(a, b)),
  fc.tuple(size, size).map(([a, b]) => S.add(a, b)),
);
const { whole } = fc.letrec<{ whole: Whole }>((tie) => ({
  whole: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .oneof(
        { weight: 4, arbitrary: fc.constantFrom('#1', '#2').map((n) => S.variable(n)) },
        { weight: 1, arbitrary: size },
        { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }).map(S.num) },
      )
      .map((of): Whole => ({ k: 'size', size: of })),
    fc.record({
      k: fc.constantFrom('+', '-', '*', '//', '%', 'min', 'max', 'if'),
      a: tie('whole'),
      b: tie('whole'),
    }) as fc.Arbitrary<Whole>,
  ),
}));

/** As check/proofs.ts makes it of an expression. */
function formOf(e: Whole, ranges: Record<string, IndexValue>, now: (s: Size) => Size): Size {
  if (e.k === 'size') return now(e.size);
  const [a, b] = [formOf(e.a, ranges, now), formOf(e.b, ranges, now)];
  const opaque = (value: IndexValue): Size => {
    const name = `#${Object.keys(ranges).length + 1}`;
    ranges[name] = value;
    return S.variable(name);
  };
  switch (e.k) {
    case '+':
      return S.add(a, b);
    case '-':
      return S.sub(a, b);
    case '*':
      return S.mul(a, b);
    case '//':
      return opaque({ k: 'div', of: a, by: b });
    case '%':
      return opaque({ k: 'mod', of: a, by: b });
    case 'min':
    case 'max':
    case 'if':
      return opaque({ k: 'either', of: [a, b], op: e.k });
  }
}

/** Every value that conditions may choose; a quotient by 0 is what is divided, and its remainder 0. */
function valuesOf(e: Whole, env: Readonly<Record<string, number>>): number[] {
  if (e.k === 'size') return [S.evaluate(e.size, (v) => env[v])!];
  const [as, bs] = [valuesOf(e.a, env), valuesOf(e.b, env)];
  if (e.k === 'if') return [...as, ...bs];
  const apply = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '//': (a, b) => (b === 0 ? a : Math.floor(a / b)),
    '%': (a, b) => (b === 0 ? 0 : a - b * Math.floor(a / b)),
    min: Math.min,
    max: Math.max,
  } satisfies Record<string, (a: number, b: number) => number>;
  const f: (a: number, b: number) => number = apply[e.k];
  return as.flatMap((a) => bs.map((b) => f(a, b)));
}

describe('facts', () => {
  test('what is proved non-negative is so wherever the facts hold', () => {
    let proved = 0;
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 3 }), polynomial, (list, p) => {
        const facts = factsOf(list);
        // The goal as the checker has it: over the names that are free under the facts.
        const goal = S.substitute(p, (v) => facts.sizes.get(v)?.size);
        if (!provesNonNegative(facts, goal)) return;
        if (p.some((m) => m.c < 0)) proved += 1;
        for (const env of grid(4)) {
          if (!list.every((f) => holds(f, env))) continue;
          expect(S.evaluate(p, (v) => env[v])).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 3000 },
    );
    expect(proved).toBeGreaterThan(20);
  });

  test('a range that is not empty counts as at least one', () => {
    const facts = noFacts(NAMES);
    const goal = S.sub(S.variable('A'), S.ONE);
    expect(provesNonNegative(facts, goal)).toBe(false);
    expect(provesNonNegative(facts, goal, [S.variable('A')])).toBe(true);
    expect(provesNonNegative(facts, goal, [S.mul(S.variable('A'), S.variable('B'))])).toBe(true);
    expect(provesNonNegative(facts, goal, [S.add(S.variable('A'), S.variable('B'))])).toBe(false);
  });
});

describe('index ranges', () => {
  const i = S.variable('#1');
  const j = S.variable('#2');
  const A = S.variable('A');
  const B = S.variable('B');

  function prove(
    p: Size,
    extent: Size,
    ranges: Record<string, IndexValue>,
    facts = noFacts(NAMES),
  ) {
    const positive = Object.values(ranges).flatMap((r) => (r.k === 'range' ? [r.size] : []));
    return proveInRange({ facts, positive, value: (v) => ranges[v], resolve: (s) => s }, p, extent)
      .k;
  }
  const over = (size: Size): IndexValue => ({ k: 'range', size });

  test.each([
    ['i in A', i, A, { '#1': over(A) }, 'proved'],
    ['i + 1 in A', S.add(i, S.ONE), A, { '#1': over(A) }, 'high'],
    ['i - 1 in A', S.sub(i, S.ONE), A, { '#1': over(A) }, 'low'],
    ['A - 1 - i in A', S.sub(S.sub(A, S.ONE), i), A, { '#1': over(A) }, 'proved'],
    [
      'i*B + j in A*B',
      S.add(S.mul(i, B), j),
      S.mul(A, B),
      { '#1': over(A), '#2': over(B) },
      'proved',
    ],
    [
      'i*A + j in A*B',
      S.add(S.mul(i, A), j),
      S.mul(A, B),
      { '#1': over(A), '#2': over(B) },
      'high',
    ],
    ['A + j in A + B', S.add(A, j), S.add(A, B), { '#2': over(B) }, 'proved'],
    ['0 in A', S.ZERO, A, {}, 'high'],
    ['data', S.variable('#9'), A, {}, 'unknown'],
  ] as const)('%s: %s', (_, p, extent, ranges, outcome) => {
    expect(prove(p, extent, ranges)).toBe(outcome);
  });

  test('i // 2 and i % 2', () => {
    const half: IndexValue = { k: 'div', of: i, by: S.num(2) };
    const twice = S.mul(S.num(2), A);
    expect(prove(j, A, { '#1': over(twice), '#2': half })).toBe('proved');
    expect(prove(j, A, { '#1': over(S.add(twice, S.ONE)), '#2': half })).toBe('high');
    expect(prove(j, S.num(2), { '#2': { k: 'mod', of: i, by: S.num(2) } })).toBe('proved');
    expect(prove(j, S.ONE, { '#2': { k: 'mod', of: i, by: S.num(2) } })).toBe('high');
  });

  test('a quotient that is not exact is no more than what it divides', () => {
    const by = (of: Size, k: Size): IndexValue => ({ k: 'div', of, by: k });
    expect(prove(j, A, { '#1': over(A), '#2': by(i, S.num(2)) })).toBe('proved');
    expect(prove(j, A, { '#1': over(A), '#2': by(i, B), '#3': over(B) })).toBe('proved');
    expect(prove(j, S.add(A, S.ONE), { '#2': by(A, S.num(2)) })).toBe('proved');
    expect(prove(j, A, { '#2': by(A, S.num(2)) })).toBe('unknown');
    expect(prove(j, A, { '#2': by(A, S.num(2)), '#3': over(A) })).toBe('proved');
    expect(prove(j, A, { '#2': by(A, B), '#3': over(A), '#4': over(B) })).toBe('unknown');
  });

  test('quotients that are proved in range are so for every size and index', () => {
    let proved = 0;
    const size = fc.oneof(
      fc.constantFrom(...NAMES).map((n) => S.variable(n)),
      fc.integer({ min: 1, max: 4 }).map(S.num),
    );
    const factor = fc.oneof(size, fc.constant(S.ONE), fc.constant(S.num(-1)));
    const offset = fc.oneof(fc.integer({ min: -2, max: 2 }).map(S.num), size);
    fc.assert(
      fc.property(factor, offset, size, size, size, offset, (a, b, m, k, n, o) => {
        const of = S.add(S.mul(a, i), b);
        const extent = S.add(n, o);
        const ranges = { '#1': over(m), '#2': { k: 'div', of, by: k }, '#3': over(k) } as const;
        if (prove(j, extent, ranges) !== 'proved') return;
        proved += 1;
        for (const env of grid(4)) {
          const value = (s: Size, extra = {}) => S.evaluate(s, (v) => ({ ...env, ...extra })[v])!;
          if (value(k) < 1) continue;
          for (let x = 0; x < value(m); x++) {
            const at = Math.floor(value(of, { '#1': x }) / value(k));
            expect(at >= 0 && at < value(extent)).toBe(true);
          }
        }
      }),
      { numRuns: 6000 },
    );
    expect(proved).toBeGreaterThan(300);
  });

  test('what is proved in range is in range for every size and index', () => {
    let proved = 0;
    const coefficient = fc.oneof(
      fc.integer({ min: -2, max: 3 }).map(S.num),
      fc.constantFrom(...NAMES).map((n) => S.variable(n)),
    );
    const range = fc.oneof(
      fc.constantFrom(...NAMES).map((n) => S.variable(n)),
      fc.integer({ min: 1, max: 4 }).map(S.num),
    );
    const extents = fc.oneof(
      polynomial,
      fc.tuple(range, range).map(([x, y]) => S.mul(x, y)),
      fc.tuple(range, range).map(([x, y]) => S.add(x, y)),
    );
    fc.assert(
      fc.property(
        coefficient,
        coefficient,
        polynomial,
        range,
        range,
        extents,
        (a, b, c, m, n, e) => {
          const offset = S.constant(c) === undefined ? S.ZERO : c;
          const p = S.add(S.add(S.mul(a, i), S.mul(b, j)), offset);
          if (prove(p, e, { '#1': over(m), '#2': over(n) }) !== 'proved') return;
          proved += 1;
          for (const env of grid(3)) {
            const value = (s: Size, extra = {}) => S.evaluate(s, (v) => ({ ...env, ...extra })[v])!;
            for (let x = 0; x < value(m); x++) {
              for (let y = 0; y < value(n); y++) {
                const at = value(p, { '#1': x, '#2': y });
                expect(at >= 0 && at < value(e)).toBe(true);
              }
            }
          }
        },
      ),
      { numRuns: 4000 },
    );
    expect(proved).toBeGreaterThan(100);
  });

  test('of any whole expression, under any facts', () => {
    let proved = 0;
    fc.assert(
      fc.property(
        fc.array(fact, { maxLength: 2 }),
        whole,
        size,
        size,
        extent,
        (list, e, m, n, last) => {
          const facts = factsOf(list);
          const now = (s: Size) => S.substitute(s, (v) => facts.sizes.get(v)?.size);
          const ranges: Record<string, IndexValue> = { '#1': over(now(m)), '#2': over(now(n)) };
          const form = formOf(e, ranges, now);
          if (prove(form, now(last), ranges, facts) !== 'proved') return;
          proved += 1;
          for (const env of grid(4)) {
            if (!list.every((f) => holds(f, env))) continue;
            const value = (s: Size) => S.evaluate(s, (v) => env[v])!;
            for (let x = 0; x < value(m); x++) {
              for (let y = 0; y < value(n); y++) {
                const at = valuesOf(e, { ...env, '#1': x, '#2': y });
                const inside = at.every((v) => v >= 0 && v < value(last));
                expect(inside, `${at} at ${JSON.stringify({ ...env, x, y })}`).toBe(true);
              }
            }
          }
        },
      ),
      { numRuns: 8000 },
    );
    expect(proved).toBeGreaterThan(300);
  });
});
