/** Computed values against exact ones, each with a bound; a bound that is not finite judges nothing. */
export type Cell = {
  readonly index: number;
  readonly got: number;
  readonly want: number;
  readonly bound: number;
};

export type Compared = {
  readonly cells: number;
  readonly off: readonly Cell[];
  /** The largest error relative to its bound; the first cell where all are exact. */
  readonly worst: Cell;
};

export function compareCells(
  got: Float64Array,
  want: Float64Array,
  bounds: Float64Array,
): Compared {
  const off: Cell[] = [];
  let worst: Cell = { index: 0, got: got[0] ?? 0, want: want[0] ?? 0, bound: bounds[0] ?? 0 };
  let most = 0;
  for (const [index, v] of want.entries()) {
    const [g, bound] = [got[index]!, bounds[index]!];
    if (same(g, v) || Number.isNaN(bound) || bound === Infinity) continue;
    const cell = { index, got: g, want: v, bound };
    const error = Math.abs(g - v);
    const ratio = Number.isNaN(error) ? Infinity : error / bound;
    if (!(error <= bound)) off.push(cell);
    if (ratio > most) {
      most = ratio;
      worst = cell;
    }
  }
  return { cells: want.length, off, worst };
}

/** What overflows float32 is infinite there. */
const same = (g: number, v: number): boolean =>
  Object.is(g, v) ||
  (Number.isNaN(g) && Number.isNaN(v)) ||
  (Math.abs(g) === Infinity && Math.fround(v) === g);
