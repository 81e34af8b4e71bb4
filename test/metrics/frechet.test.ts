/** The Frechet distance against closed forms, and the order and signs of eigenvectors. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { symmetricEigen } from '../../runtime/metrics/eigen.ts';
import { fitGaussian, frechetDistance, type Gaussian } from '../../runtime/metrics/frechet.ts';

const positive = fc.double({ min: 0.01, max: 50, noNaN: true });
const real = fc.double({ min: -20, max: 20, noNaN: true });

const diagonal = (mean: readonly number[], variances: readonly number[]): Gaussian => {
  const n = mean.length;
  const covariance = new Float64Array(n * n);
  variances.forEach((v, i) => {
    covariance[i * n + i] = v;
  });
  return { mean: Float64Array.from(mean), covariance };
};

/** A rotation by Gram and Schmidt of arbitrary rows; null when they are nearly dependent. */
function rotation(entries: readonly number[], n: number): number[][] | null {
  const rows: number[][] = [];
  for (let i = 0; i < n; i++) {
    let v = entries.slice(i * n, (i + 1) * n);
    for (const r of rows) {
      const p = v.reduce((s, x, j) => s + x * r[j]!, 0);
      v = v.map((x, j) => x - p * r[j]!);
    }
    const length = Math.hypot(...v);
    if (length < 1e-2) return null;
    rows.push(v.map((x) => x / length));
  }
  return rows;
}

const rotated = (g: Gaussian, r: number[][]): Gaussian => {
  const n = g.mean.length;
  const covariance = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let a = 0; a < n; a++)
        for (let b = 0; b < n; b++)
          covariance[i * n + j]! += r[i]![a]! * g.covariance[a * n + b]! * r[j]![b]!;
  const mean = Float64Array.from(r, (row) => row.reduce((s, x, j) => s + x * g.mean[j]!, 0));
  return { mean, covariance };
};

const pair = fc.integer({ min: 1, max: 6 }).chain((n) => {
  const list = (of: fc.Arbitrary<number>) => fc.array(of, { minLength: n, maxLength: n });
  return fc.record({ m1: list(real), m2: list(real), v1: list(positive), v2: list(positive) });
});

const closedForm = (p: { m1: number[]; m2: number[]; v1: number[]; v2: number[] }): number =>
  p.m1.reduce(
    (s, m, i) => s + (m - p.m2[i]!) ** 2 + (Math.sqrt(p.v1[i]!) - Math.sqrt(p.v2[i]!)) ** 2,
    0,
  );

describe('the Frechet distance', () => {
  it('of Gaussians with diagonal covariances is the sum over the axes', () => {
    fc.assert(
      fc.property(pair, (p) => {
        const got = frechetDistance(diagonal(p.m1, p.v1), diagonal(p.m2, p.v2));
        const want = closedForm(p);
        expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-9 * (1 + want));
      }),
    );
  });

  it('does not change when both are rotated, and is symmetric', () => {
    fc.assert(
      fc.property(pair, fc.array(real, { minLength: 36, maxLength: 36 }), (p, entries) => {
        const n = p.m1.length;
        const r = rotation(entries, n);
        fc.pre(r !== null);
        const a = rotated(diagonal(p.m1, p.v1), r!);
        const b = rotated(diagonal(p.m2, p.v2), r!);
        const want = closedForm(p);
        expect(Math.abs(frechetDistance(a, b) - want)).toBeLessThanOrEqual(1e-6 * (1 + want));
        expect(Math.abs(frechetDistance(b, a) - want)).toBeLessThanOrEqual(1e-6 * (1 + want));
      }),
    );
  });

  it('of a Gaussian from itself is zero, also when it is singular', () => {
    const g = diagonal([1, 2, 3], [4, 0, 9]);
    expect(frechetDistance(g, g)).toBeCloseTo(0, 9);
  });

  it('is fitted to rows with the unbiased covariance', () => {
    const g = fitGaussian([1, 2, 3, 4, 5, 9], 2);
    expect([...g.mean]).toEqual([3, 5]);
    expect([...g.covariance]).toEqual([4, 7, 7, 13]);
  });

  it('names a feature that is not finite', () => {
    expect(() => fitGaussian([1, 2, 3, Number.NaN], 2)).toThrow('feature 1 of picture 1 is NaN');
    expect(() => fitGaussian([1, 2], 2)).toThrow('no two rows');
  });
});

describe('symmetric eigenvectors', () => {
  it('rebuild the matrix, descend and have their largest entry positive', () => {
    const square = fc
      .integer({ min: 1, max: 7 })
      .chain((n) => fc.array(real, { minLength: n * n, maxLength: n * n }));
    fc.assert(
      fc.property(square, (entries) => {
        const n = Math.sqrt(entries.length);
        const { values, vectors } = symmetricEigen(entries, n);
        for (let i = 0; i < n; i++) {
          if (i > 0) expect(values[i]!).toBeLessThanOrEqual(values[i - 1]!);
          const row = vectors.subarray(i * n, (i + 1) * n);
          const top = row.reduce((b, v) => (Math.abs(v) > Math.abs(b) ? v : b), 0);
          expect(top).toBeGreaterThan(0);
          for (let j = 0; j < n; j++) {
            let got = 0;
            for (let k = 0; k < n; k++) {
              got += values[k]! * vectors[k * n + i]! * vectors[k * n + j]!;
            }
            const want = (entries[i * n + j]! + entries[j * n + i]!) / 2;
            expect(Math.abs(got - want)).toBeLessThan(1e-9);
          }
        }
      }),
    );
  });
});
