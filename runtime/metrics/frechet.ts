/**
 * The Frechet distance between two Gaussians (Dowson & Landau 1982), which is FID (Heusel et al.
 * 2017) when they are fitted to the features of real and of generated pictures:
 *
 *   |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))
 *
 * Everything is f64. The trace of the root is taken as that of (C1^(1/2) C2 C1^(1/2))^(1/2), which
 * is symmetric, so that rounding can give no complex values; eigenvalues that rounding made
 * negative count as zero.
 */
import { TenonError } from '../errors.ts';
import { symmetricEigen } from './eigen.ts';

export type Gaussian = {
  readonly mean: Float64Array;
  /** [D, D], row-major. */
  readonly covariance: Float64Array;
};

/**
 * Mean and unbiased covariance of the rows of [count, size].
 * @throws TenonError (`input`) for fewer than two rows or values that are not finite.
 */
export function fitGaussian(rows: ArrayLike<number>, size: number): Gaussian {
  const count = rows.length / size;
  if (!Number.isInteger(count) || count < 2) {
    throw new TenonError('input', `${rows.length} values are no two rows of ${size} features`);
  }
  const mean = new Float64Array(size);
  for (let i = 0; i < rows.length; i++) {
    const v = rows[i]!;
    if (!Number.isFinite(v)) {
      throw new TenonError(
        'input',
        `feature ${i % size} of picture ${Math.floor(i / size)} is ${v}`,
      );
    }
    mean[i % size]! += v / count;
  }
  const covariance = new Float64Array(size * size);
  const row = new Float64Array(size);
  for (let n = 0; n < count; n++) {
    for (let d = 0; d < size; d++) row[d] = rows[n * size + d]! - mean[d]!;
    for (let a = 0; a < size; a++) {
      for (let b = 0; b <= a; b++) covariance[a * size + b]! += (row[a]! * row[b]!) / (count - 1);
    }
  }
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < a; b++) covariance[b * size + a] = covariance[a * size + b]!;
  }
  return { mean, covariance };
}

/** Zero for equal Gaussians, symmetric, in the square of the features' unit. */
export function frechetDistance(p: Gaussian, q: Gaussian): number {
  const size = p.mean.length;
  if (q.mean.length !== size) {
    throw new TenonError('usage', `Gaussians over ${size} and ${q.mean.length} features`);
  }
  let distance = 0;
  for (let i = 0; i < size; i++) {
    distance += (p.mean[i]! - q.mean[i]!) ** 2;
    distance += p.covariance[i * size + i]! + q.covariance[i * size + i]!;
  }
  const root = squareRoot(p.covariance, size);
  const inner = multiply(multiply(root, q.covariance, size), root, size);
  const trace = symmetricEigen(inner, size).values.reduce(
    (s, v) => s + Math.sqrt(Math.max(0, v)),
    0,
  );
  // Rounding can leave a distance of equal Gaussians a little below zero.
  return Math.max(0, distance - 2 * trace);
}

/** The symmetric root V diag(sqrt l) V' of a positive semi-definite matrix. */
function squareRoot(a: Float64Array, size: number): Float64Array {
  const { values, vectors } = symmetricEigen(a, size);
  const out = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    const s = Math.sqrt(Math.max(0, values[k]!));
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        out[i * size + j]! += s * vectors[k * size + i]! * vectors[k * size + j]!;
      }
    }
  }
  return out;
}

function multiply(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const v = a[i * size + k]!;
      for (let j = 0; j < size; j++) out[i * size + j]! += v * b[k * size + j]!;
    }
  }
  return out;
}
