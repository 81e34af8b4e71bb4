/**
 * Proofs that did not hold once, each as a tree written by hand: the exact interpreter finds the place,
 * and the judge says so whatever a checker says. A judge that never fails proves nothing.
 */
import { describe, expect, it } from 'vitest';
import { check } from '../../dsl/index.ts';
import type { Device } from '../../runtime/devices/device.ts';
import { openDevice } from '../../runtime/index.ts';
import { f32s, fn, plainOf, program, reasonOf } from './hand.ts';
import { type Judge, judged } from './judge.ts';
import * as m from './make.ts';
import { printProgram } from './print.ts';
import {
  asExpr,
  atLeast,
  fact,
  int,
  minus,
  multiple,
  name,
  nat,
  over,
  plus,
  power,
  times,
} from './sizes.ts';
import type { Expr, Index, Program, Size } from './tree.ts';
import type { Check } from './verdict.ts';

const [N, M, A, B, D, H, K] = ['N', 'M', 'A', 'B', 'D', 'H', 'K'].map(name) as [
  Size,
  Size,
  Size,
  Size,
  Size,
  Size,
  Size,
];
const x = m.v('x');
const xOf = (dim: Size) => ({ x: m.array(m.f32, dim) });
const call = (f: string, sizes: Readonly<Record<string, Size>>, args: readonly Expr[]): Expr => ({
  ...{ k: 'call', fn: f, args, named: args.length, types: args.map(() => undefined) },
  sizes: Object.entries(sizes).map(([n, size]) => ({ name: n, size, how: 'name', elide: false })),
});
const sumOf = (dim: Size): Expr =>
  m.reduce('sum', [m.one('i', dim)], m.read(x, [dim], m.at(m.v('i'))));
const countTo = (n: number): Expr => m.loop([m.one('c', nat(n))], m.cast('f32', m.v('c')));

/** dropped-equation.tn */
const dropped = program(
  fn(
    'quarter',
    { sizes: ['D'], params: xOf(D), facts: [multiple(D, nat(4))] },
    m.array(m.f32, over(D, nat(4))),
    m.loop([m.one('i', over(D, nat(4)))], m.read(x, [D], m.at(m.mul(int(4), m.v('i'))))),
  ),
  fn(
    'main',
    { sizes: ['N', 'M'], params: xOf(plus(N, 1)), facts: [multiple(plus(N, 1), nat(4))] },
    m.array(m.f32, M),
    call('quarter', { D: plus(N, 1) }, [x]),
  ),
);

/** negative-quotient.tn */
const quotient = program(
  fn(
    'main',
    { params: xOf(nat(500)) },
    m.array(m.f32, nat(2), nat(7)),
    m.loop(
      [m.one('i', nat(2)), m.one('j', nat(7))],
      m.read(x, [nat(500)], m.at(m.mul(m.v('i'), m.div(m.sub(m.v('j'), int(3)), int(2))))),
    ),
  ),
);

/** too-large-index.tn */
const hugeIndex = program(
  fn(
    'main',
    { sizes: ['N'], params: xOf(N), facts: [atLeast(N, 1)] },
    m.f32,
    m.read(x, [N], m.at(asExpr(power(N, 25)))),
  ),
);

/** too-large-tuple.tn, at extents of 1 */
const hugeTuple = program(
  fn(
    'main',
    { sizes: ['A', 'B', 'N'], params: xOf(N) },
    m.f32,
    m.reduce(
      'sum',
      [m.one('i', power(A, 13)), m.one('j', power(B, 13))],
      m.read(x, [N], m.tuple([m.at(m.v('i')), m.at(m.v('j'))], [power(A, 13), power(B, 13)])),
    ),
  ),
);

/** remainder-divisor.tn: `a`, `b` and `c` */
const ix: Index = m.tuple([m.at(m.v('h')), m.at(m.v('e'))], [H, over(D, H)]);
const byHeads = fn(
  'byHeads',
  { sizes: ['D', 'H'], params: xOf(D), facts: [multiple(D, H)] },
  m.array(m.f32, H, over(D, H)),
  m.loop([m.one('h', H), m.one('e', over(D, H))], m.read(x, [D], ix)),
);
const divisor = program(
  byHeads,
  fn(
    'main',
    { sizes: ['M'], params: xOf(times(nat(6), M)) },
    m.array(m.f32, M, nat(6)),
    call('byHeads', { D: times(nat(6), M), H: M }, [x]),
  ),
);
const remainder = program(
  fn(
    'odd',
    { sizes: ['N', 'K'], params: xOf(N), facts: [multiple(N, K, nat(1))] },
    m.f32,
    sumOf(N),
  ),
  fn(
    'main',
    { sizes: ['K'], params: xOf(plus(K, 1)) },
    m.f32,
    call('odd', { N: plus(K, 1), K }, [x]),
  ),
);
const never = program(
  fn(
    'never',
    { sizes: ['N'], params: xOf(N), facts: [multiple(N, nat(4), nat(5))] },
    m.f32,
    sumOf(N),
  ),
  fn('main', {}, m.f32, call('never', { N: nat(9) }, [countTo(9)])),
);

/** negative-size.tn */
const negative = program(
  fn(
    'g',
    { sizes: ['D', 'A', 'B'], params: xOf(A), facts: [fact(D, '==', minus(A, B))] },
    m.array(m.f32, D),
    m.loop([m.one('i', D)], m.read(x, [A], m.at(m.v('i')))),
  ),
  fn(
    'main',
    { sizes: ['N', 'M'], params: xOf(N) },
    m.f32,
    m.bindLet('v', call('g', { D: minus(N, M), A: N, B: M }, [x]), m.real(0)),
  ),
);

/** empty-tree.tn */
const emptyTree = program(
  fn('main', { sizes: ['N'], params: xOf(N) }, m.f32, {
    k: 'reduceTree',
    op: 'max',
    names: ['a'],
    trees: [x],
    body: m.v('a'),
    of: 'f32',
  }),
);

const wrong: readonly (readonly [
  string,
  Program,
  Readonly<Record<string, number>>,
  string,
  number,
])[] = [
  ['a dropped equation', dropped, { N: 3, M: 6 }, 'shape', 4],
  ['a negative quotient in a product', quotient, {}, 'read', 500],
  ['an index beyond every number', hugeIndex, { N: 2 }, 'read', 2],
  ['a tuple beyond every number', hugeTuple, { A: 2, B: 1, N: 5 }, 'shape', 5],
  ['a divisor that may be 0', divisor, { M: 0 }, 'fact', 0],
  ['a remainder of a division by 1', remainder, { K: 1 }, 'fact', 2],
  ['a remainder that is no less than its divisor', never, {}, 'fact', 0],
  ['a size that is less than nothing', negative, { N: 2, M: 5 }, 'size', 2],
  ['a tree of nothing', emptyTree, { N: 0 }, 'empty', 0],
];

describe('the exact interpreter finds', () => {
  for (const [what, p, sizes, reason, elements] of wrong) {
    it(`${what}: ${reason}`, () => {
      const args = p.fns.at(-1)!.params.length === 0 ? [] : [f32s(...new Array(elements).fill(1))];
      expect(reasonOf(p, { sizes, args })).toBe(reason);
    });
  }

  it('nothing where the sizes are right', () => {
    expect(plainOf(dropped, { sizes: { N: 3, M: 1 }, args: [f32s(7, 1, 1, 1)] })).toEqual([7]);
    expect(reasonOf(divisor, { sizes: { M: 2 }, args: [f32s(...new Array(12).fill(1))] })).toBe(
      undefined,
    );
  });

  it('nothing in an empty loop: empty-fact.tn, empty-hoist.tn and empty-wrap.tn', () => {
    const top = fn(
      'top',
      { sizes: ['N'], params: xOf(N), facts: [atLeast(N, 1)] },
      m.f32,
      sumOf(N),
    );
    const body = m.add(
      call('top', { N }, [x]),
      m.bindLet('first', m.read(x, [N], m.at(int(0))), m.v('first')),
    );
    const main = fn(
      'main',
      { sizes: ['N'], params: xOf(N) },
      m.array(m.f32, N),
      m.loop([m.one('i', N)], body),
    );
    expect(plainOf(program(top, main), { sizes: { N: 0 }, args: [f32s()] })).toEqual([]);
  });
});

// ---------------------------------------------------------------- the judge

const random = (p: Program) => ({
  program: p,
  text: printProgram(p),
  used: new Set<string>(),
  seed: 1,
});
const credulous: Check = (sources) => ({
  ...{ program: { fns: new Map(), lets: new Map(), files: [] } as never, diagnostics: [] },
  sources: new Map(sources),
});

describe('the judge', () => {
  for (const [what, p, , reason] of wrong) {
    it(`takes no checker's word for ${what}`, async () => {
      const o = await judged({ check: credulous, devices: [] }, random(p));
      expect(o).toMatchObject({
        k: 'fault',
        kind: 'reads outside',
        group: `reads outside: ${reason}`,
      });
    });
  }

  const right = program(
    fn(
      'main',
      { sizes: ['N'], params: xOf(N) },
      m.recordType({ loss: m.f32, back: m.array(m.f32, N) }),
      m.record({
        loss: sumOf(N),
        back: m.loop(
          [m.one('i', N)],
          m.read(x, [N], m.at(m.sub(m.sub(asExpr(N), int(1)), m.v('i')))),
        ),
      }),
    ),
  );

  /** A reference whose numbers are changed. */
  async function lying(change: (x: number, output: number) => number): Promise<Judge> {
    const honest = await openDevice('reference');
    const device: Device = {
      ...honest,
      prepare: async (compiled) => {
        const e = await honest.prepare(compiled);
        return {
          ...{ write: e.write, run: e.run, bytes: e.bytes, dispose: e.dispose },
          read: async (o) => (await e.read(o)).map((v) => change(v, o)),
        };
      },
    };
    return { check, devices: [device] };
  }

  it('accepts what is right', async () => {
    const o = await judged(await lying((v) => v), random(right), { gradients: true });
    expect(o).toMatchObject({ k: 'accepted', runs: 5 });
  });

  it('sees a number that is off by an eighth', async () => {
    const o = await judged(await lying((v, o) => (o === 1 ? v + 0.125 : v)), random(right));
    expect(o).toMatchObject({ k: 'fault', kind: 'wrong value' });
  });

  it('sees a gradient that is twice what it should be', async () => {
    const twice = await lying((v, o) => (o === 2 ? 2 * v : v));
    expect(await judged(twice, random(right), { gradients: true })).toMatchObject({
      ...{ k: 'fault', kind: 'wrong gradient' },
    });
  });

  it('sees a device that throws', async () => {
    const j = await lying(() => {
      throw new RangeError('memory access out of bounds');
    });
    expect(await judged(j, random(right))).toMatchObject({ k: 'fault', kind: 'internal error' });
  });
});
