/** Comparison of what two forms of a program compute: exact for integers, relative for f32. */
import { expect } from 'vitest';
import type { Var } from '../../compiler/core.ts';

export function sameValues(
  got: readonly Float64Array[],
  want: readonly Float64Array[],
  outputs: readonly Var[],
  tolerance = 1e-9,
): void {
  outputs.forEach((x, i) => {
    const [a, b] = [got[i]!, want[i]!];
    expect(a.length).toBe(b.length);
    for (let k = 0; k < a.length; k++) {
      const [p, q] = [a[k]!, b[k]!];
      if (x.t !== 'f32' || !Number.isFinite(q)) expect(p + 0).toEqual(q + 0);
      else expect(Math.abs(p - q)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(q)));
    }
  });
}
