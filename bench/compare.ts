/** Whether two peers computed the same. */

/**
 * The largest difference of each tensor, relative to the largest element of the reference, and the
 * largest of these over the names; Infinity when a tensor is missing, misshapen or not finite.
 */
export function compare(
  got: ReadonlyMap<string, Float32Array>,
  reference: ReadonlyMap<string, Float32Array>,
  names: readonly string[],
): number {
  return names.reduce((worst, name) => {
    const a = got.get(name);
    const b = reference.get(name);
    return Math.max(worst, a && b ? difference(a, b) : Number.POSITIVE_INFINITY);
  }, 0);
}

function difference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!);
    if (!Number.isFinite(d)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, d);
    scale = Math.max(scale, Math.abs(b[i]!));
  }
  return scale === 0 ? worst : worst / scale;
}
