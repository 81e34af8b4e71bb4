/** The exact interpreter on trees whose values are known. */
import { describe, expect, it } from 'vitest';
import * as oracle from '../oracle/threefry.ts';
import { uniform } from './draws.ts';
import { f32s, fn, ints, plainOf, program, reasonOf, u32 as u32Value, valueAt } from './hand.ts';
import * as m from './make.ts';
import { asExpr, atLeast, int, minus, name, nat, over, plus } from './sizes.ts';
import type { Expr, Index } from './tree.ts';
import { real, whole } from './value.ts';

const N = name('N');
const x = m.v('x');
const i = m.v('i');
const overN = [m.one('i', N)];
const vector = m.array(m.f32, N);
/** fn main[N](x: f32[N]): f32[N] = for i. e */
const eachOf = (e: Expr) =>
  program(fn('main', { sizes: ['N'], params: { x: vector } }, vector, m.loop(overN, e)));
const xAt = (e: Expr): Expr => m.read(x, [N], m.at(e));
const compare = (left: Expr, op: '<' | '>=', right: Expr): Expr => ({
  ...{ k: 'compare', op, left, right },
});

describe('integers', () => {
  it('are exact as indices: back of index-overflow.tn reverses', () => {
    const same = m.div(m.mul(int(67108864), i), int(67108864));
    const back = eachOf(xAt(m.sub(m.sub(asExpr(N), int(1)), same)));
    const given = Array.from({ length: 40 }, (_, k) => k);
    expect(plainOf(back, { sizes: { N: 40 }, args: [f32s(...given)] })).toEqual(given.reverse());
  });

  it('wrap as values, also through a let that an index sees whole', () => {
    const k = m.mul(int(67108864), i);
    const e = m.bindLet(
      'k',
      k,
      m.add(xAt(m.div(m.v('k'), int(67108864))), m.cast('f32', m.mod(m.v('k'), int(7)))),
    );
    const out = plainOf(eachOf(e), {
      sizes: { N: 34 },
      args: [f32s(...new Array<number>(34).fill(1))],
    });
    // 33 * 2^26 is 2214592512, and -2080374784 in 32 bits.
    expect([(out as number[])[1], (out as number[])[33]]).toEqual([
      1 + (67108864 % 7),
      1 + ((-2080374784 % 7) + 7),
    ]);
  });

  it('are divided downwards, and the remainder has the sign of the divisor', () => {
    const list = [m.div(int(-7), int(2)), m.mod(int(-7), int(2)), m.mod(int(7), int(-2))];
    const items = [...list, m.div(int(5), int(0)), m.mod(int(5), int(0))].map((value) => ({
      ...{ spread: false, value },
    }));
    const p = program(fn('main', {}, m.array(m.i32, nat(5)), { k: 'array', items }));
    expect(plainOf(p)).toEqual([-4, 1, -1, 5, 0]);
  });

  it('of u32 are clamped as what they are', () => {
    const three = m.array(m.f32, nat(3));
    const pick = (how: 'clamp' | 'wrap') =>
      m.read(x, [nat(3)], m.at({ k: 'pick', how, arg: m.v('u'), size: nat(3) }));
    const body = m.record({ clamped: pick('clamp'), wrapped: pick('wrap') });
    const type = m.recordType({ clamped: m.f32, wrapped: m.f32 });
    const p = program(fn('main', { params: { x: three, u: m.u32 } }, type, body));
    const args = [f32s(10, 20, 30), u32Value(4_000_000_000)];
    expect(plainOf(p, { args })).toEqual({ clamped: 30, wrapped: 20 });
  });
});

describe('loops', () => {
  it('that are empty evaluate nothing', () => {
    const e = m.sub(xAt(i), xAt(int(0)));
    expect(plainOf(eachOf(e), { sizes: { N: 0 }, args: [f32s()] })).toEqual([]);
    expect(plainOf(eachOf(e), { sizes: { N: 2 }, args: [f32s(3, 5)] })).toEqual([0, 2]);
  });

  it('over nothing sum to 0, multiply to 1, and have no largest', () => {
    const of = (op: 'sum' | 'prod' | 'max') =>
      program(
        fn('main', { sizes: ['N'], params: { x: vector } }, m.f32, m.reduce(op, overN, xAt(i))),
      );
    const none = { sizes: { N: 0 }, args: [f32s()] };
    expect([plainOf(of('sum'), none), plainOf(of('prod'), none)]).toEqual([0, 1]);
    expect(reasonOf(of('max'), none)).toBe('empty');
    expect(plainOf(of('max'), { sizes: { N: 2 }, args: [f32s(3, 5)] })).toBe(5);
  });

  it('carry an index through data', () => {
    const to = m.array(m.idx(N), N);
    const fold: Expr = {
      ...{ k: 'scan', name: 's', type: m.idx(N), init: m.v('start'), binder: m.one('l', nat(3)) },
      body: m.read(m.v('to'), [N], m.at(m.v('s'))),
    };
    const body = m.bindLet('start', int(0), fold, m.idx(N));
    const p = program(
      fn(
        'main',
        { sizes: ['N'], params: { to }, facts: [atLeast(N, 1)] },
        m.array(m.idx(N), nat(3)),
        body,
      ),
    );
    expect(plainOf(p, { sizes: { N: 4 }, args: [ints(2, 0, 3, 1)] })).toEqual([2, 3, 1]);
    expect(reasonOf(p, { sizes: { N: 0 }, args: [ints()] })).toBe('fact');
  });
});

describe('reads', () => {
  const read = (dim: ReturnType<typeof nat>, ix: Index, orElse?: Expr) => {
    const e = m.read(x, [dim], ix);
    const read = orElse === undefined || e.k !== 'read' ? e : { ...e, orElse };
    return program(fn('main', { params: { x: m.array(m.f32, dim) } }, m.f32, read));
  };
  const six = { args: [f32s(0, 1, 2, 3, 4, 5)] };

  it('of a tuple are row-major, each part in its range', () => {
    const at = (a: number, b: number) => m.tuple([m.at(int(a)), m.at(int(b))], [nat(2), nat(3)]);
    expect(plainOf(read(nat(6), at(1, 2)), six)).toBe(5);
    expect(reasonOf(read(nat(6), at(0, 3)), six)).toBe('read');
  });

  it('of the parts of a sum begin where they do', () => {
    const right: Index = { k: 'right', part: m.at(int(0)), size: nat(2) };
    const left: Index = { k: 'left', part: m.at(int(3)), size: nat(4) };
    expect(plainOf(read(nat(6), right), six)).toBe(4);
    expect(plainOf(read(nat(6), left), six)).toBe(3);
    expect(reasonOf(read(nat(6), { ...left, part: m.at(int(4)) }), six)).toBe('read');
  });

  it('are padded outside', () => {
    const big = m.mul(int(1073741824), int(4));
    expect(plainOf(read(nat(6), m.at(int(2)), m.real(0.5)), six)).toBe(2);
    // 2^32 is 0 in 32 bits.
    expect(plainOf(read(nat(6), m.at(big), m.real(0.5)), six)).toBe(0.5);
  });
});

describe('choices', () => {
  it('by sizes leave the other branch alone, by data look at both', () => {
    const by = (cond: Expr): Expr => ({ k: 'if', cond, yes: xAt(int(5)), no: m.real(1) });
    const p = (cond: Expr) =>
      program(fn('main', { sizes: ['N'], params: { x: vector } }, m.f32, by(cond)));
    const two = { sizes: { N: 2 }, args: [f32s(3, 5)] };
    expect(plainOf(p(compare(asExpr(N), '>=', int(6))), two)).toBe(1);
    expect(reasonOf(p(compare(xAt(int(0)), '<', m.real(0))), two)).toBe('read');
  });
});

describe('trees', () => {
  const P = m.recordType({ a: m.f32, b: vector }, ['a']);
  const sum: Expr = {
    ...{ k: 'reduceTree', op: 'sum', names: ['v'], trees: [m.v('p')], body: m.v('v'), of: 'f32' },
  };

  it('leave out what is fixed', () => {
    const p = program(fn('main', { sizes: ['N'], params: { p: P } }, m.f32, sum));
    const value = { value: f32s(1, 2), fixed: false };
    const args = [
      {
        k: 'record',
        fields: new Map([
          ['a', { value: real(7), fixed: false }],
          ['b', value],
        ]),
      },
    ] as const;
    expect(plainOf(p, { sizes: { N: 2 }, args })).toBe(3);
  });

  it('give defaults that the callee evaluates: default-error.tn is 6', () => {
    const S = { k: 'var', name: 'S' } as const;
    const of = (op: 'sum' | 'prod'): Expr => ({
      ...{ k: 'reduceTree', op, names: ['v'], trees: [x], body: m.v('v'), of: 'f32' },
    });
    const init = m.add(m.real(5), of('prod'));
    const g = fn(
      'g',
      { types: ['S'], params: { x: S, n: { name: 'n', type: m.f32, init } } },
      m.f32,
      m.add(m.v('n'), of('sum')),
    );
    const type = m.recordType({ a: m.f32 }, ['a']);
    const call: Expr = {
      ...{ k: 'call', fn: 'g', sizes: [], args: [m.v('p'), undefined], named: 2, types: [] },
    };
    const main = fn('main', {}, m.f32, m.bindLet('p', m.record({ a: m.real(3) }), call, type));
    expect(plainOf(program(g, main))).toBe(6);
  });
});

describe('sizes', () => {
  const p = (size: ReturnType<typeof minus>) =>
    program(
      fn(
        'main',
        { sizes: ['N', 'M'] },
        m.array(m.f32, size),
        m.loop([m.one('i', size)], m.real(1)),
      ),
    );

  it('are not negative, and quotients are whole', () => {
    const M = name('M');
    expect(plainOf(p(minus(N, M)), { sizes: { N: 3, M: 1 } })).toEqual([1, 1]);
    expect(reasonOf(p(minus(N, M)), { sizes: { N: 1, M: 3 } })).toBe('size');
    expect(reasonOf(p(over(N, M)), { sizes: { N: 3, M: 2 } })).toBe('quotient');
    expect(reasonOf(p(over(N, M)), { sizes: { N: 0, M: 0 } })).toBe('quotient');
    // What is less than nothing on the way may be more in the end.
    expect(plainOf(p(plus(minus(N, M), M)), { sizes: { N: 1, M: 3 } })).toEqual([1]);
  });
});

describe('derivatives and draws', () => {
  it('a tangent goes through products, reads and choices of the largest', () => {
    const best = m.reduce('max', overN, m.mul(xAt(i), xAt(i)));
    const p = program(fn('main', { sizes: ['N'], params: { x: vector } }, m.f32, best));
    const items = [real(1, 5), real(-3, 2)];
    const out = valueAt(p, { sizes: { N: 2 }, args: [{ k: 'tensor', items }] });
    expect(out).toMatchObject({ k: 'real', v: 9, d: -12 });
  });

  it('draws are those of Threefry, numbered beyond 32 bits', () => {
    for (const n of [0, 1, 77, 2 ** 32 - 1]) {
      expect(uniform([3, 9], BigInt(n))).toBe(oracle.uniform([3, 9], n));
    }
    const [word] = oracle.threefry([3, 9], [5, 2]);
    expect(uniform([3, 9], 2n ** 32n + 5n)).toBe((word >>> 8) * 2 ** -24);
    expect(whole(3n)).toMatchObject({ x: 3n, w: 3n });
  });
});
