/**
 * What is said of two checkouts from the times of their turns. A round is a turn of each, one right
 * after the other, so that a slow minute of the machine is in both; its ratio is one observation. The
 * figure of a row is the median of these ratios, which no single disturbed round can move, and its
 * spread is their quartiles. Nothing is judged here.
 */
export type Pair<T> = { readonly this: T; readonly that: T };
export type Side = keyof Pair<unknown>;

/** Who goes first alternates, so that coming first is nobody's advantage. */
export const turns = (round: number): readonly [Side, Side] =>
  round % 2 === 0 ? ['this', 'that'] : ['that', 'this'];

/** The value below which a share `q` of the values lies, linear between neighbours. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at));
}

export type Summary = Pair<number> & {
  /** Median over rounds of this / that: below 1, this checkout is faster. Not `this / that` above. */
  readonly ratio: number;
  /** Quartiles of the rounds' ratios. */
  readonly low: number;
  readonly high: number;
};

/** Of the times of each round (ms), in the order of the rounds. */
export function summary(times: Pair<readonly number[]>): Summary {
  const ratios = times.this.map((t, round) => t / times.that[round]!);
  return {
    this: quantile(times.this, 0.5),
    that: quantile(times.that, 0.5),
    ratio: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
  };
}

/** NaN of nothing. */
export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, v) => sum + Math.log(v), 0) / values.length);
