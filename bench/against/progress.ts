/**
 * How much longer it takes, from what was expected of the work that is done and how long it took. Not
 * every round is told: a line every few seconds is enough to see that it moves.
 */
import { duration } from '../../runtime/cli/progress.ts';

const every = 5000;

/** `total` in the seconds that the work is expected to take on a machine that nobody is on. */
export function progress(
  total: number,
  note: (text: string) => void,
  now = () => performance.now(),
) {
  const began = now();
  let told = -every;
  let done = 0;
  return (seconds: number, what: string): void => {
    done += seconds;
    const t = now();
    if (t - told < every) return;
    told = t;
    const left = ((t - began) / 1000 / done) * Math.max(total - done, 0);
    note(`${what}, about ${duration(left)} left`);
  };
}
