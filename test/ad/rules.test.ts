/** Custom derivatives in both modes and to third order, wherever a call may stand. */
import { describe, expect, it, test } from 'vitest';
import { runSource } from '../elaborate/run-source.ts';
import { differences, rules } from './rules.ts';

describe('a rule', () => {
  test.each(rules.map((r) => [r.name, r.text] as const))('%s', (_, text) => {
    expect(differences(text)).toEqual([]);
  });

  it('that says something else than the body counts, on tangents too', () => {
    const text = `fn gate(x: f32, u: f32): f32 = u * floor(x)
derivative gate(x, u, dx, du) = du * floor(x) + u * dx
fn half(x: f32): f32 = x * x / 2
derivative half(x, dx) = gate(x, dx)
fn slope(x: f32): f32 = grad(half, x)
fn main(x: f32): f32[3] = [slope(x), grad(slope, x), jvp(slope, x, 1.0).tangent]
`;
    expect(runSource(text, 'main', [[2.5]])).toEqual([[2, 1, 1]]);
  });

  it('through which a tangent passes to another rule must stay linear there', () => {
    const text = `fn bent(x: f32, u: f32): f32 = u * x
derivative bent(x, u, dx, du) = du * x + u * u * dx
fn own(x: f32): f32 = x * x / 2
derivative own(x, dx) = bent(x, dx)
fn main(x: f32): f32 = grad(own, x)
`;
    expect(() => runSource(text, 'main', [[2]])).toThrow(/not linear in its tangents/);
  });

  it('at a type without numbers has no tangent', () => {
    const text = `fn ident[S](x: S): S = x
derivative ident(x, dx) = dx
fn main(n: i32): i32 = ident(n)
`;
    expect(runSource(text, 'main', [[3]])).toEqual([[3]]);
  });
});

describe('stop', () => {
  it('stops what the functions of a record captured, however deep', () => {
    const text = `fn make(w: f32): { a: f32, h: f32 -> f32 } =
  let inner: f32 -> f32 = y -> y * w
  { a: w, h: y -> inner(y) + w }
fn main(w: f32): f32 = grad(v -> stop(make(v)).h(v), w)
`;
    expect(runSource(text, 'main', [[2]])).toEqual([[2]]);
  });
});
