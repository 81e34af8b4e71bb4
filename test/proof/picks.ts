/**
 * Choices read off a list of numbers. Past its end every choice is the first one, and the first of every
 * table is the simplest and the right one, so that fast-check shrinks a program by dropping numbers.
 */

export type Picks = {
  readonly below: (n: number) => number;
  readonly one: <T>(options: readonly T[]) => T;
  /** In so many of a hundred cases. */
  readonly chance: (percent: number) => boolean;
};

export function picksOf(numbers: readonly number[]): Picks {
  let at = 0;
  const below = (n: number): number => (n <= 1 ? 0 : (numbers[at++] ?? 0) % n);
  return {
    below,
    one: (options) => options[below(options.length)]!,
    chance: (percent) => below(100) >= 100 - percent,
  };
}
