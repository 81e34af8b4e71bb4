/** Cotangents that are added up where data says, or partly so: points that may meet. */
export const scattered = `fn main[N, M, K](x: f32[N + M], l: idx[M][N], w: f32[N, K], v: f32[N, K]): f32 where N >= 1, M >= 1, K >= 1 =
  (sum i, k: K. sin(x[i + l[i]] * w[i, k])) + (sum i, k. v[(i + l[i]) % N, k] * w[i, k])
`;

/** By y the cotangent is summed over two of its axes, by x over all five. */
export const someAxes = `fn main[M](y: f32[6*(M*M)], x: f32[6]): f32 =
  let v = for i: 6, j: M, k: M, m: 5, n: 3. y[(i, (j, k))] - x[5]
  M * (sum i, j, k, m, n. v[i, j, k, m, n] * f32(i))
`;
