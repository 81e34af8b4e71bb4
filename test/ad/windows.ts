/** Windows of any stride, offset and padding that nested folds move, and what each cell is due. */
import fc from 'fast-check';

const small = fc.integer({ min: 1, max: 3 });
// Often 0: then every cell may be read in each step.
const step = fc.constantFrom(0, 0, 0, 1, 2, 3);
const any = fc.record({
  // Enough of both that there are fewer cells than reads.
  I: fc.integer({ min: 1, max: 8 }),
  K: fc.integer({ min: 1, max: 8 }),
  L: small,
  M: small,
  a: fc.constantFrom(1, 1, 2, 3),
  b: fc.constantFrom(1, 1, 2, 3),
  c: step,
  d: step,
  offset: fc.constantFrom(0, 0, 0, 1, 2),
  beyond: fc.constantFrom(0, 0, 0, 1, 3),
  padded: fc.constantFrom(false, false, true),
});
export type Window = typeof any extends fc.Arbitrary<infer W> ? W : never;

/** Windows that read every cell in each step, which is seldom met by chance. */
const dense: fc.Arbitrary<Window> = any.map((w) => ({
  ...w,
  ...{ I: 5 + (w.I % 4), K: 5 + (w.K % 4), a: 1, b: 1, c: 0, d: 0, offset: 0, beyond: 0 },
  padded: false,
}));

export const window: fc.Arbitrary<Window> = fc.oneof({ weight: 4, arbitrary: any }, dense);

const reachOf = (w: Window): number =>
  w.a * (w.I - 1) + w.b * (w.K - 1) + w.c * (w.L - 1) + w.d * (w.M - 1) + w.offset;

/** `sqrt` of all cells of windows that two nested folds move, added up. */
export function windows(w: Window, op: string): string {
  const at = `${w.a}*i + ${w.b}*k + ${w.c}*l + ${w.d}*m + ${w.offset}`;
  const read = w.padded ? `(x[${at} - 1] ?? 1)` : `x[${at}]`;
  const body = `${op} i: ${w.I}, k: ${w.K}. sqrt(${read})`;
  return `fn main(x: f32[${reachOf(w) + 1 + w.beyond}]): f32 =
  fold s = 0 for l: ${w.L}.
    fold s = s for m: ${w.M}. s + (${body})
`;
}

/** What each cell is due, with 0 in cells that are not read. */
export function due(
  w: Window,
  op: 'sum' | 'max',
): { readonly x: number[]; readonly want: number[] } {
  const n = reachOf(w) + 1 + w.beyond;
  const reads: number[][] = [];
  for (let l = 0; l < w.L; l++) {
    for (let m = 0; m < w.M; m++) {
      const cells: number[] = [];
      for (let i = 0; i < w.I; i++) {
        for (let k = 0; k < w.K; k++) {
          const at = w.a * i + w.b * k + w.c * l + w.d * m + w.offset;
          cells.push(w.padded ? at - 1 : at);
        }
      }
      reads.push(cells);
    }
  }
  const read = new Set(reads.flat());
  const full = Array.from({ length: n }, (_, i) => (read.has(i) ? 2 + ((7 * i) % 11) / 4 : 0));
  // Where another cell is the extremum, one may have no derivative.
  const sparse = full.map((v, i) => (i % 3 === 0 ? 0 : v));
  const reached = reads.every((cells) => cells.some((i) => i < 0 || sparse[i]! > 0));
  const x = op === 'max' && reached ? sparse : full;
  const want = x.map(() => 0);
  const give = (i: number) => {
    if (i >= 0) want[i]! += 0.5 / Math.sqrt(x[i]!);
  };
  const value = (i: number) => (i < 0 ? 1 : Math.sqrt(x[i]!));
  for (const cells of reads) {
    if (op === 'sum') cells.forEach(give);
    else give(cells.find((i) => cells.every((j) => value(j) <= value(i)))!);
  }
  return { x, want };
}
