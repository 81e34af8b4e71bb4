/**
 * One row: the two sides take turns, the same number each, and every time is kept in the order of the
 * rounds. A row has either all of its times or the reason why it has none.
 */

import type { Checkout } from './checkout.ts';
import { type Pair, type Side, type Summary, summary, turns } from './ratios.ts';
import { blaming, type Group, type Task } from './tasks.ts';

export type Row = {
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  /** Largest difference between the two sides' results. */
  readonly error?: number;
  /** Milliseconds of every turn. */
  readonly times?: Pair<readonly number[]>;
  readonly summary?: Summary;
  /** Why there are no times. */
  readonly why?: string;
};

/** `took` hears of every piece of work done, with the seconds that it was expected to take. */
export async function measure(
  task: Task,
  pair: Pair<Checkout>,
  rounds: number,
  took: (seconds: number, what: string) => void,
): Promise<Row> {
  const { id, title, group, seconds, tolerance } = task;
  const row = { id, title, group };
  try {
    const { error, turn, end } = await task.begin(pair);
    took(seconds.begin, `${id}: ready`);
    try {
      // Also when it is NaN.
      if (error !== undefined && !(error <= tolerance)) {
        const why = `results differ by ${error.toExponential(1)} (tolerance ${tolerance})`;
        return { ...row, error, why };
      }
      const times: Record<Side, number[]> = { this: [], that: [] };
      for (let round = 0; round < rounds; round++) {
        for (const side of turns(round)) times[side].push(await blaming(side, turn(side)));
        took(2 * seconds.turn, `${id}: round ${round + 1} of ${rounds}`);
      }
      return { ...row, error, times, summary: summary(times) };
    } finally {
      await end();
    }
  } catch (e) {
    return { ...row, why: e instanceof Error ? e.message : String(e) };
  }
}
