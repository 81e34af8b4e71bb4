/**
 * Eigen-decomposition of symmetric matrices in f64. The solver is ml-matrix's (Householder
 * tridiagonalisation and implicit QL, after EISPACK and JAMA); this file fixes what a solver leaves
 * open, so that results do not depend on it: order and sign.
 *
 * Invariant: values descend; row i of `vectors` is a unit eigenvector of value i, whose entry of
 * largest magnitude (the first one of equals) is positive.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { TenonError } from '../errors.ts';

export type Eigen = {
  readonly size: number;
  readonly values: Float64Array;
  /** [size, size], one eigenvector a row. */
  readonly vectors: Float64Array;
};

/**
 * @param a row-major [size, size]; the symmetric part is what counts.
 * @throws TenonError (`input`) for a matrix that holds values which are not finite.
 */
export function symmetricEigen(a: ArrayLike<number>, size: number): Eigen {
  const m = Matrix.zeros(size, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const v = (a[i * size + j]! + a[j * size + i]!) / 2;
      if (!Number.isFinite(v)) {
        throw new TenonError('input', `a covariance holds ${v} at (${i}, ${j})`);
      }
      m.set(i, j, v);
    }
  }
  // By a power of two, which changes no digit; beside 1, what is below the least normal numbers' square
  // root is 0, since the solver's search for small entries does not end among subnormal ones.
  const scale = 2 ** Math.floor(Math.log2(Math.max(m.max(), -m.min()) || 1));
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      const v = m.get(i, j) / scale;
      m.set(i, j, Math.abs(v) < 1e-150 ? 0 : v);
    }
  const solved = new EigenvalueDecomposition(m, { assumeSymmetric: true });
  const order = solved.realEigenvalues
    .map((value, column) => ({ value, column }))
    .sort((p, q) => q.value - p.value || p.column - q.column);
  const vectors = new Float64Array(size * size);
  order.forEach(({ column }, row) => {
    const v = solved.eigenvectorMatrix.getColumn(column);
    const sign = v[largest(v)]! < 0 ? -1 : 1;
    for (let j = 0; j < size; j++) vectors[row * size + j] = sign * v[j]!;
  });
  return { size, values: Float64Array.from(order, (o) => scale * o.value), vectors };
}

function largest(v: readonly number[]): number {
  return v.reduce((best, x, i) => (Math.abs(x) > Math.abs(v[best]!) ? i : best), 0);
}
