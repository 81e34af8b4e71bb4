/**
 * The rule of a custom derivative is linear in its tangents, or it is refused at its place: reverse mode
 * transposes it, and would otherwise fail on it or give the gradient of another function.
 */
import { describe, expect, it } from 'vitest';
import { CompileError } from '../../compiler/elaborate/errors.ts';
import { elaborateSource, runSource } from '../elaborate/run-source.ts';

const program = (rule: string) => `fn f(x: f32): f32 = sin(x)

derivative f(x, dx) = ${rule}

fn g(x: f32): f32 = grad(f, x)
fn g2(x: f32): f32 = grad(g, x)
fn g3(x: f32): f32 = grad(g2, x)
fn j(x: f32): f32 = jvp(f, x, 1.0).tangent
fn j2(x: f32): f32 = jvp(j, x, 1.0).tangent
fn j3(x: f32): f32 = jvp(j2, x, 1.0).tangent
fn m3(x: f32): f32 = grad(j2, x)

fn along(x: f32, u: f32): f32 = cos(x) * u
derivative along(x, u, dx, du) = cos(x) * du - sin(x) * dx * u

fn askew(x: f32, u: f32): f32 = cos(x) * u
derivative askew(x, u, dx, du) = cos(x) * du - sin(x) * dx * u * u

fn adrift(x: f32, u: f32): { v: f32, w: f32 } = { v: cos(x) * u, w: cos(x) }
derivative adrift(x, u, dx, du) = { v: cos(x) * du - sin(x) * dx * u, w: du }

fn drift(x: f32, u: f32): { v: f32, w: f32 } = { v: cos(x) * u, w: cos(x) }
derivative drift(x, u, dx, du) = { v: cos(x) * du - sin(x) * dx * u, w: -sin(x) * dx }

fn apply(h: f32 -> f32, x: f32): f32 = h(x)
derivative apply(h, x, dx) = jvp(h, x, dx).tangent
`;

const calls = [
  'along(x, dx)',
  'along(x, along(x, dx)) / cos(x)',
  'fold a = 0 for _: 4. a + along(x, dx) / 4',
  // What a function captured is an input like any other, and results that do not depend on dx are values.
  'apply(y -> y * dx, cos(x))',
  'drift(x, dx).v * drift(x, dx).w / cos(x)',
];

const linear = [
  'cos(x) * dx',
  'dx * cos(x) / 1 + (dx - dx)',
  '-(-dx) * cos(x)',
  'if x > 2 then 0 else cos(x) * dx',
  'fold a = 0 for _: 4. a + cos(x) * dx / 4',
  '(sum i: 2. (scan a = dx for _: 2. a * 1)[i]) * cos(x) / 2',
  '(sum i: 3. [dx, 0, dx][i]) * cos(x) / 2',
  'jvp(y -> sin(y) * dx, x, 1.0).tangent',
  'vjp(y -> sin(y), x, dx).gradient',
  'grad(y -> sin(y), x) * dx',
  'grad(t -> t^2 * cos(x), dx) / 2',
  'checkpoint(y -> cos(y) * dx, x)',
  ...calls,
];

const bent = [
  'dx * dx',
  'abs(dx)',
  'if dx > 0 then dx else 2 * dx',
  'max(dx, 0)',
  'stop(dx) * cos(x)',
  'floor(dx)',
  'x / dx',
  'exp(dx)',
  'cos(x) * bf16(dx)',
  'f32(i32(dx))',
  'dx * f32(dx > 0)',
  'fold a = dx for _: 3. a * a',
  'fold a = 1 for _: 3. a * (cos(x) + dx)',
  'prod i: 2. dx * f32(i)',
  '[dx, dx][argmax i. [dx, 2 * dx][i]] * cos(x)',
  // A call of a function whose own rule is not linear in these tangents, or goes by none of their paths.
  'askew(x, dx)',
  'along(dx, x)',
  'along(dx, dx)',
  'adrift(x, dx).v * adrift(x, dx).w',
];

/** Not even without the tangent it is 0. */
const shifted = ['dx + 1', 'cos(x)', 'if x > 0 then dx else 1'];

describe('a custom derivative', () => {
  it.each(linear)('that is linear has a gradient: %s', (rule) => {
    const [[got]] = runSource(program(rule), 'g', [[0.5]]) as [[number]];
    expect(got).toBeCloseTo(Math.cos(0.5), 12);
  });

  it.each(calls)('that calls another one has derivatives of every order: %s', (rule) => {
    const at = (fn: string): number => runSource(program(rule), fn, [[0.5]])[0]![0]!;
    const [first, second, third] = [Math.cos(0.5), -Math.sin(0.5), -Math.cos(0.5)];
    for (const fn of ['g', 'j']) expect(at(fn)).toBeCloseTo(first, 12);
    for (const fn of ['g2', 'j2']) expect(at(fn)).toBeCloseTo(second, 12);
    for (const fn of ['g3', 'j3', 'm3']) expect(at(fn)).toBeCloseTo(third, 12);
  });

  it.each([...bent, ...shifted])('that is not is refused at its place: %s', (rule) => {
    const text = program(rule);
    for (const fn of ['f', 'g']) {
      let e: unknown;
      try {
        elaborateSource(text, fn);
      } catch (caught) {
        e = caught;
      }
      expect(e).toBeInstanceOf(CompileError);
      const { code, span, message } = e as CompileError;
      expect([code, message]).toEqual([
        'E0811',
        'The derivative of `f` is not linear in its tangents.',
      ]);
      const shown = text.slice(span!.start, span!.end);
      expect(rule).toContain(shown);
    }
  });
});
