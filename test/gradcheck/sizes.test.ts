/** Which sizes a function is tried at. */
import { describe, expect, it } from 'vitest';
import { check } from '../../dsl/index.ts';
import type { TFn } from '../../dsl/typed.ts';
import { allowedSizes, coveringSizes } from '../../runtime/gradcheck/sizes.ts';

function fn(text: string): TFn {
  const { program } = check(new Map([['t.tn', text]]), 't.tn');
  return program!.fns.get('t.tn#f')!;
}

const chosen = (text: string, sizes: Record<string, number> = {}) =>
  coveringSizes(allowedSizes(fn(text), { sizes })).map((s) => Object.fromEntries(s));

describe('sizes', () => {
  it('are each extent once where there is one', () => {
    const all = chosen('fn f[N](x: f32[N]): f32 = sum i. x[i]\n');
    expect(all.map((s) => s.N).sort()).toEqual([1, 2, 3, 5]);
  });

  it('are each extent of each, and unequal: what is transposed shows at no others', () => {
    const all = chosen('fn f[A, B, C](x: f32[A, B, C]): f32 = sum i, j, k. x[i, j, k]\n');
    for (const name of ['A', 'B', 'C']) {
      expect([...new Set(all.map((s) => s[name]))].sort()).toEqual([1, 2, 3, 5]);
    }
    for (const s of all) expect(new Set(Object.values(s)).size).toBe(3);
  });

  it('that are given stay', () => {
    const all = chosen('fn f[A, B](x: f32[A, B]): f32 = sum i, j. x[i, j]\n', { A: 7 });
    expect(all.map((s) => s.A)).toEqual([7, 7, 7, 7]);
  });

  it('that are far from the usual ones are the smallest', () => {
    const facts = 'N >= 30, N % 7 == 3';
    const all = chosen(`fn f[N](x: f32[N]): f32 where ${facts} = sum i. x[i]\n`);
    expect(all.map((s) => s.N).sort()).toEqual([31, 38, 45]);
  });

  it('that must be multiples are more than once their divisor', () => {
    const even = chosen('fn f[D](x: f32[D]): f32 where D % 2 == 0 = sum i. x[i]\n');
    expect(even.map((s) => s.D)).toEqual([2, 4, 6]);
    const heads = chosen('fn f[D, H](x: f32[D]): f32 where D % H == 0, H >= 1 = sum i. x[i]\n');
    expect(heads.filter((s) => s.H! > 1 && s.D! > s.H!).length).toBeGreaterThanOrEqual(2);
    for (const s of heads) expect(s.D! % s.H!).toBe(0);
    expect(Object.keys(heads[0]!).sort()).toEqual(['D', 'H']);
  });

  it('that follow from each other in a chain are proper multiples all along it', () => {
    const facts = 'A % B == 0, B % C == 0, C >= 1';
    const all = chosen(`fn f[A, B, C](x: f32[A]): f32 where ${facts} = sum i: A. x[i]\n`);
    expect(all.some((s) => s.C! > 1 && s.B! > s.C! && s.A! > s.B!)).toBe(true);
    const circle = 'A == B, B == A';
    expect(chosen(`fn f[A, B](x: f32[A]): f32 where ${circle} = sum i. x[i]\n`).length).toBe(4);
  });

  it('that nothing below a thousand satisfies are none', () => {
    expect(chosen('fn f[N](x: f32[N]): f32 where N >= 1000 = sum i. x[i]\n')).toEqual([]);
    // An index of nothing has no value.
    const none = 'fn f[K, N](x: f32[K], l: idx[K][N]): f32 where K == 0, N >= 1 = sum i. x[l[i]]\n';
    expect(allowedSizes(fn(none), {})).toEqual([]);
  });
});
