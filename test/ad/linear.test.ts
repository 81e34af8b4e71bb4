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
`;

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
];

/** Not even without the tangent it is 0. */
const shifted = ['dx + 1', 'cos(x)', 'if x > 0 then dx else 1'];

describe('a custom derivative', () => {
  it.each(linear)('that is linear has a gradient: %s', (rule) => {
    const [[got]] = runSource(program(rule), 'g', [[0.5]]) as [[number]];
    expect(got).toBeCloseTo(Math.cos(0.5), 12);
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
