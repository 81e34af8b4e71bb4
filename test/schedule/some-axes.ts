/** By y the cotangent is summed over two of its axes, by x over all five. */
export const someAxes = `fn main[M](y: f32[6*(M*M)], x: f32[6]): f32 =
  let v = for i: 6, j: M, k: M, m: 5, n: 3. y[(i, (j, k))] - x[5]
  M * (sum i, j, k, m, n. v[i, j, k, m, n] * f32(i))
`;
