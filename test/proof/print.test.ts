/**
 * The text of a tree: what is printed is what the tree says, and every row of the tables gives a program
 * in its simplest right form that the checker accepts.
 */
import { describe, expect, it } from 'vitest';
import { check } from '../../dsl/index.ts';
import { type Draft, draftOf } from './draft.ts';
import { sizeRows } from './draw-size.ts';
import { forms } from './forms.ts';
import { fn } from './hand.ts';
import * as m from './make.ts';
import { picksOf } from './picks.ts';
import { printFact, printProgram, printSize } from './print.ts';
import { programAt } from './program.ts';
import { readBy, summed } from './reads.ts';
import { rows } from './rows.ts';
import { settled } from './settle.ts';
import { group, int, minus, multiple, name, nat, over, plus, power, times } from './sizes.ts';
import type { Expr, Fn, Program, Type } from './tree.ts';

const [N, M, K] = ['N', 'M', 'K'].map(name) as [
  ReturnType<typeof name>,
  ReturnType<typeof name>,
  ReturnType<typeof name>,
];

describe('texts', () => {
  it('of sizes have the brackets that the tree has', () => {
    expect(printSize(minus(N, plus(M, 1)))).toBe('N - (M + 1)');
    expect(printSize(times(plus(N, 1), power(M, 2)))).toBe('(N + 1)*M^2');
    expect(printSize(times(group(times(N, M)), K))).toBe('(N*M)*K');
    expect(printSize(over(N, times(nat(2), M)))).toBe('N/(2*M)');
    expect(printFact(multiple(plus(N, 1), nat(4), nat(3)))).toBe('N + 1 % 4 == 3');
  });

  it('of expressions have them where the operators ask for it', () => {
    const read = m.read(
      m.v('x'),
      [N],
      m.at(m.mod(m.mul(int(2), m.sub(m.v('i'), int(-3))), int(5))),
    );
    const body = m.bindLet(
      'k',
      m.add(m.v('i'), int(1)),
      m.mul(read, m.reduce('sum', [m.one('j', N)], m.real(1))),
    );
    const f = fn(
      'f',
      { sizes: ['N'], params: { x: m.array(m.f32, N) } },
      m.array(m.f32, N),
      m.loop([m.one('i', N)], body),
    );
    expect(printProgram({ fns: [f] })).toBe(`fn f[N](x: f32[N]): f32[N] =
  for i: N.
    let k = i + 1
    x[2 * (i - -3) % 5] * (sum j: N. 1.0)
`);
  });

  it('are those of the same program in every run', () => {
    expect(programAt(7, 3).text).toBe(programAt(7, 3).text);
    expect(programAt(7, 3).text).not.toBe(programAt(7, 4).text);
  });
});

// ---------------------------------------------------------------- rows in their simplest form

/** Choices are the first ones, and nothing deviates. */
function simplest(root: boolean, helpers: readonly Fn[] = []): Draft {
  const d = draftOf(picksOf([]), 'main', { root, helpers, deviates: () => false });
  for (const n of ['N', 'M', 'K']) d.sizes.push({ name: n });
  return d;
}

const whole = (d: Draft, value: Expr, type: Type, helpers: readonly Fn[] = []): Program => {
  const head = { name: 'main', sizes: d.sizes, types: [], params: d.params, facts: d.facts };
  return settled({ fns: [...helpers, { ...head, result: type, body: value }] });
};

function refusal(p: Program): string | undefined {
  const text = printProgram(p);
  const { program, diagnostics } = check(new Map([['p.tn', text]]), 'p.tn');
  if (program !== undefined) return undefined;
  return `${diagnostics.find((d) => d.severity === 'error')?.message}\n${text}`;
}

/** True, and beyond what docs/language.md says is proved. */
const beyond = new Set(['huge index', 'data % 3']);

describe('the simplest program of each row is accepted:', () => {
  for (const [row, make] of Object.entries(sizeRows)) {
    it(row, () => {
      const d = simplest(true);
      const size = make(d);
      d.params.push({ name: 'x', type: m.array(m.f32, size) });
      const value = m.loop([m.one('i', size, true)], m.read(m.v('x'), [size], m.at(m.v('i'))));
      expect(refusal(whole(d, value, m.array(m.f32, size)))).toBe(undefined);
    });
  }

  for (const [row, make] of Object.entries(forms)) {
    if (beyond.has(row)) continue;
    it(row, () => {
      const d = simplest(true);
      const value = summed(readBy(d, [make(d)!]));
      expect(refusal(whole(d, value, m.f32))).toBe(undefined);
    });
  }

  for (const [row, make] of Object.entries(rows)) {
    it(row, () => {
      const helpers = row.startsWith('call') ? [helper] : [];
      const d = simplest(!row.startsWith('function'), helpers);
      const { value, type } = make(d)!;
      expect(refusal(whole(d, value, type, helpers))).toBe(undefined);
    });
  }
});

const helper = fn(
  'double',
  { sizes: ['A'], params: { x: m.array(m.f32, name('A')) } },
  m.array(m.f32, name('A')),
  m.mul(m.real(2), m.v('x')),
);
