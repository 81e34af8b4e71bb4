/**
 * What `gradcheck` promises whoever reads its table: wrong derivatives are found and shown on a small
 * input, silent zeros whatever their size, points that cannot be used are counted and too many of
 * them are a failure, and no function is called wrong that only varies fast.
 */
import { describe, expect, it } from 'vitest';
import { check } from '../../dsl/index.ts';
import { renderDiagnostics } from '../../dsl/render.ts';
import { type FunctionReport, gradcheckFunction } from '../../runtime/gradcheck/check-function.ts';

function report(text: string, name: string, seed = 1): FunctionReport {
  const sources = new Map([['t.tn', text]]);
  const { program, diagnostics } = check(sources, 't.tn');
  const fn = program?.fns.get(`t.tn#${name}`);
  if (program === undefined || fn === undefined) {
    throw new Error(renderDiagnostics(diagnostics, sources));
  }
  return gradcheckFunction(program, fn, { runs: 20, seed });
}

const leaf = (r: FunctionReport, name: string) => r.leaves.find((l) => l.leaf === name)!;

describe('a wrong derivative', () => {
  const text = `fn cubed(x: f32): f32 = x * x * x
derivative cubed(x, dx) = 2 * x * x * dx

fn energy[N, M](w: f32[N, M], x: f32[M]): f32 =
  let y = for i: N. sum j. w[i, j] * x[j]
  let z = for i. tanh(y[i])
  sum i. cubed(z[i])
`;

  it.each([1, 2, 3])(
    'is shown at the smallest sizes, with its leaf, element and line (seed %i)',
    (seed) => {
      const r = report(text, 'energy', seed);
      expect(r.ok).toBe(false);
      const f = r.failure!;
      expect(f.leaf).toBe('w');
      expect(f.element).toBe(0);
      expect(f.message).toMatch(/derivative .* by differences/);
      expect([...f.point.sizes.values()]).toEqual([1, 1]);
      expect(text.slice(f.span!.start, f.span!.end)).toBe('cubed(z[i])');
      const { worst, problem } = leaf(r, 'w');
      expect(worst.error).toBeGreaterThan(worst.bound);
      expect(problem).toMatch(/by differences/);
    },
  );

  it('of one element among many is named', () => {
    const r = report(
      `fn twice(x: f32): f32 = 2 * x
derivative twice(x, dx) = 3 * dx

fn second[N](x: f32[N]): f32 where N == 3 = x[0] + twice(x[1]) + x[2]
`,
      'second',
    );
    expect(r.failure).toMatchObject({ leaf: 'x', element: 1 });
  });
});

describe('a derivative that is zero where the value varies', () => {
  it('fails, and the leaves before it are verified', () => {
    const r = report(
      `fn gate(x: f32): f32 = 1 / (1 + exp(-x))
derivative gate(x, dx) = 0 * dx

fn mixed[N](x: f32[N], g: f32[N]): f32[N] = for i. x[i] * gate(g[i])
`,
      'mixed',
    );
    expect(leaf(r, 'x').problem).toBeUndefined();
    expect(leaf(r, 'g').problem).toMatch(/is zero, but the value varies/);
  });

  it.each([1e-3, 1e-6, 1e-9])('fails however little it varies: %f', (scale) => {
    const r = report(
      `fn silent(x: f32): f32 = sin(x)
derivative silent(x, dx) = 0 * dx

fn f(x: f32): f32 = 1 + ${scale} * silent(x)
`,
      'f',
    );
    expect(leaf(r, 'x').problem).toMatch(/is zero, but the value varies/);
  });

  it('is right under stop, at steps and at what is not used', () => {
    const text = `fn stopped[N](x: f32[N]): f32 = sum i. stop(x[i])
fn steps[N](x: f32[N]): f32 = sum i. floor(3 * x[i]) + sign(x[i])
fn some(p: { a: f32, b: f32, c: f32[2] }, x: f32): f32 = p.a * sin(x)
`;
    for (const name of ['stopped', 'steps']) {
      expect(leaf(report(text, name), 'x').problem, name).toBeUndefined();
    }
    const r = report(text, 'some');
    expect(r.ok).toBe(true);
    expect(r.leaves.map((l) => [l.leaf, l.unused, l.accepted])).toEqual([
      ['p.a', false, 20],
      ['p.b', true, 20],
      ['p.c', true, 20],
      ['x', false, 20],
    ]);
  });
});

describe('points that cannot be used', () => {
  it('are counted, and too many of them are a failure', () => {
    // Kinks 3e-6 apart: none of the steps fits between two of them.
    const r = report('fn saw(x: f32): f32 = abs(sin(1000000 * x))\n', 'saw');
    const { resampled, problem } = leaf(r, 'x');
    expect(resampled).toBeGreaterThan(0);
    expect(problem).toMatch(/drawn again for kinks or values that are not finite/);
    expect(r.failure).toBeUndefined();
  });

  it('leave fewer than twenty where the function is seldom finite', () => {
    const r = report('fn wall(x: f32): f32 = log(x - 1.99)\n', 'wall');
    expect(leaf(r, 'x').problem).toMatch(/^only \d of 40 points accepted/);
  });

  it('make a logarithm choose positive numbers', () => {
    const r = report('fn entropy(p: f32): f32 = p * log(p)\n', 'entropy');
    expect(r.ok).toBe(true);
    expect(r.domain!.lo).toBeGreaterThan(0);
    expect(leaf(r, 'p').resampled).toBe(0);
  });

  it('are few where kinks are rare', () => {
    const r = report('fn hat[N](x: f32[N]): f32 = sum i. max(0, 1 - abs(x[i]))\n', 'hat');
    expect(r.ok).toBe(true);
    expect(leaf(r, 'x').resampled).toBeLessThanOrEqual(1);
  });
});

describe('fast functions', () => {
  it('judged by the estimate of the difference are counted, and over 1 % is a failure', () => {
    const r = report('fn fast(x: f32): f32 = sin(20000 * x)\n', 'fast');
    const { estimated, cells, problem } = leaf(r, 'x');
    expect(estimated).toBeGreaterThan(0.01 * cells);
    expect(problem).toMatch(/judged by the estimated error/);
  });

  it.each([200, 2000, 20_000, 100_000, 200_000])(
    'with %i radians a unit are never called wrong',
    (k) => {
      for (const f of ['sin', 'cos', 'tanh']) {
        const r = report(`fn f(x: f32): f32 = abs(${f}(${k} * x)) + x\n`, 'f');
        expect(r.failure, `${f}(${k} x)`).toBeUndefined();
      }
    },
  );
});
