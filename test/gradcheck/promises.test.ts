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

  it.each([
    'where D % 2 == 0 = for (i: D/2, j: 2). x[(i, j)]^2\nderivative f(x, dx) = for (i: D/2, j: 2). 2 * x[(i, j)] * dx[(j, i)]',
    'where D % H == 0, H >= 1 = for (h: H, e: D/H). x[(h, e)]^2\nderivative f(x, dx) = for (h: H, e: D/H). 2 * x[(h, e)] * dx[(e, h)]',
  ])('that mistakes the parts of a multiple for each other is found', (rest) => {
    const sizes = rest.includes('H') ? 'D, H' : 'D';
    expect(report(`fn f[${sizes}](x: f32[D]): f32[D] ${rest}\n`, 'f').failure).toBeDefined();
  });

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

  it('make a root choose numbers above one', () => {
    const r = report('fn acosh(x: f32): f32 = log(x + sqrt(x * x - 1))\n', 'acosh');
    expect(r.ok).toBe(true);
    expect(r.domain!.lo).toBeGreaterThan(1);
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

describe('a derivative that is wrong in places', () => {
  it.each([
    [
      'at one extent',
      'fn f[N](x: f32[N]): f32 = sum i. x[i] * x[i]',
      '(if N == 5 then 3 else 2) * (sum i. x[i] * dx[i])',
      [5],
    ],
    [
      'at unequal extents',
      'fn f[N, M](x: f32[N, M]): f32 = sum i, j. x[i, j]^2',
      '(if N == M then 2 else 3) * (sum i, j. x[i, j] * dx[i, j])',
      [1, 2],
    ],
    [
      'at one element',
      'fn f[N](x: f32[N]): f32[N] = for i. x[i] * x[i]',
      'for i. (if i == 2 then 3 else 2) * x[i] * dx[i]',
      [3],
    ],
    [
      'at negative numbers',
      'fn f(x: f32): f32 = x^3',
      'if x < 0 then -3 * x^2 * dx else 3 * x^2 * dx',
      [],
    ],
    [
      'at large numbers',
      'fn f(x: f32): f32 = x^3',
      'if x > 1.9 then 2 * x^2 * dx else 3 * x^2 * dx',
      [],
    ],
    ['by a millionth', 'fn f(x: f32): f32 = sin(x)', '1.000001 * cos(x) * dx', []],
  ])('is found: %s', (_, fn, rule, sizes) => {
    const r = report(`${fn}\nderivative f(x, dx) = ${rule}\n`, 'f');
    expect(r.failure).toBeDefined();
    expect([...r.failure!.point.sizes.values()].sort((a, b) => a - b)).toEqual(sizes);
  });

  it('is found at negative numbers among so many elements that one is always at a kink', () => {
    for (const f of ['for i. re(x[i])', 'for i. abs(x[i]) + re(x[i])']) {
      const text = `fn re(x: f32): f32 = max(x, 0)
derivative re(_x, dx) = dx

fn f(x: f32[500]): f32[500] = ${f}
`;
      expect(report(text, 'f').failure, f).toBeDefined();
      const right = report(
        text.replace('re(_x, dx) = dx', 're(x, dx) = if x > 0 then dx else 0'),
        'f',
      );
      expect(right.ok, f).toBe(true);
      expect(right.domain!.lo).toBeLessThan(0);
    }
  });

  it('is not taken for a function that turns within the step', () => {
    // Twice the slope everywhere, by so little that points on both sides look the same.
    const r = report(
      'fn f(x: f32): f32 = sin(x)\nderivative f(x, dx) = (cos(x) + 0.000001) * dx\n',
      'f',
    );
    expect(r.failure).toBeDefined();
    expect(leaf(r, 'x').resampled).toBe(0);
  });
});

describe('units do not matter', () => {
  // Powers of two, so that nothing but the exponent changes.
  const scales = [-80, -40, -20, 0, 40, 80].map((n) => 2 ** n);
  const verdict = (scale: number, rule: string) =>
    report(
      `fn h(x: f32): f32 = x^2 + sin(x)
derivative h(x, dx) = ${rule}

fn f[N](x: f32[N], y: f32): f32 = ${scale} * ((sum i. h(x[i])) * y)
`,
      'f',
    );

  it.each(scales)('a right derivative is right at the scale %f', (scale) => {
    expect(verdict(scale, '(2 * x + cos(x)) * dx').ok).toBe(true);
  });

  it.each(scales)('a wrong one is wrong at the scale %f', (scale) => {
    expect(verdict(scale, '(2.001 * x + cos(x)) * dx').failure).toBeDefined();
    expect(leaf(verdict(scale, '0 * dx'), 'x').problem).toMatch(/is zero, but the value varies/);
  });

  it('a small result is not judged by a large one beside it', () => {
    const r = report(
      `fn h(x: f32): f32 = x * x
derivative h(x, dx) = 3 * x * dx

fn f(x: f32): f32[2] = [1000000 * x, 0.000001 * h(x)]
`,
      'f',
    );
    expect(r.failure!.message).toMatch(/^out\[1\]: derivative/);
  });
});

describe('sizes', () => {
  it.each([
    'A == 7*B, B >= 2',
    'A % 4 == 1, B == A + 2, A >= 9',
    'A == 0, B == 0',
    'B == 14, A <= B',
  ])('are found where %s', (facts) => {
    const r = report(
      `fn f[A, B](x: f32[A], y: f32[B]): f32 where ${facts} = (sum i. x[i]^2) + (sum i. y[i])\n`,
      'f',
    );
    expect(r.skipped).toBeUndefined();
    expect(r.ok).toBe(true);
  });

  it('that are not found are a reason, and stop nothing else', () => {
    const r = report('fn f[A](x: f32[A]): f32 where A >= 1000 = sum i. x[i]^2\n', 'f');
    expect(r).toMatchObject({ skipped: 'no sizes that `f` allows were found', unsized: ['A'] });
  });
});

describe('big numbers that cancel', () => {
  it.each([1, 2, 3, 6])('are no mistake of a derivative, nor kinks (seed %i)', (seed) => {
    const far = '(x + 100000) * (y - 100000) - (x - 100000) * (y + 100000)';
    const r = report(`fn f(x: f32, y: f32): f32 = ${far}\n`, 'f', seed);
    expect(r.leaves.map((l) => l.problem)).toEqual([undefined, undefined]);
    expect(r.domain).toEqual({ lo: -2, hi: 2 });
  });
});

describe('terms that cancel', () => {
  it('hide no wrong derivative behind their sum', () => {
    // |terms| of 1.5^20 = 3325 for a derivative of 0.5^20.
    const r = report(
      `fn same(x: f32): f32 = x
derivative same(x, dx) = 1.1 * dx

fn f(x: f32): f32 = fold h = x for _: 20. h - 0.5 * same(h)
`,
      'f',
    );
    expect(r.failure).toMatchObject({ leaf: 'x' });
    const right = 'fn f(x: f32): f32 = fold h = x for _: 20. h - 0.5 * h\n';
    expect(report(right, 'f').ok).toBe(true);
  });
});

describe('a sum of |terms| beyond all numbers', () => {
  it.each(['h', 'other(h)'])('judges nothing: such a point is drawn again (%s)', (step) => {
    // 2001^100 times the derivative, which stays 1: whatever it is, it would be within the bound.
    const r = report(
      `fn other(x: f32): f32 = x
derivative other(x, dx) = 1.0001 * dx

fn f(x: f32): f32 = fold h = x for _: 100. 1001 * h - 1000 * ${step}
`,
      'f',
    );
    expect(r.failure).toBeUndefined();
    expect(leaf(r, 'x').problem).toMatch(/drawn again/);
  });
});
