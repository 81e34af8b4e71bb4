/** What a run of the lane has seen so far, as numbers that can be added up, and what it prints at its end. */
import type { Outcome } from './judge.ts';
import { type Random, rows, traits } from './program.ts';

type Tally = Record<string, number>;

export type Counts = {
  programs: number;
  compared: number;
  failures: number;
  numbers: number;
  unknown: number;
  leaves: number;
  notZero: number;
  unrun: number;
  /** By cause, with the number of the first program of each. */
  readonly causes: Tally;
  readonly firsts: Tally;
  readonly used: Tally;
};

export const noCounts = (): Counts => ({
  ...{ programs: 0, compared: 0, failures: 0, numbers: 0, unknown: 0, leaves: 0, notZero: 0 },
  ...{ unrun: 0, causes: {}, firsts: {}, used: {} },
});

const more = (t: Tally, key: string): void => {
  t[key] = (t[key] ?? 0) + 1;
};

export function count(c: Counts, n: number, p: Random, o: Outcome): void {
  c.programs++;
  for (const name of p.used) more(c.used, name);
  switch (o.k) {
    case 'fault':
      c.failures++;
      more(c.causes, o.group);
      c.firsts[o.group] ??= n;
      return;
    case 'too much work':
      c.unrun++;
      return;
    case 'fine':
      c.compared++;
      c.numbers += o.numbers;
      c.unknown += o.unknown;
      c.leaves += o.leaves;
      c.notZero += o.notZero;
      return;
  }
}

export const classes: readonly string[] = [...Object.keys(rows), ...traits];

const percent = (n: number, of: number): string =>
  `${((100 * n) / Math.max(of, 1)).toFixed(1).padStart(5)} %`;

export function report(c: Counts): string {
  const causes = Object.entries(c.causes).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const line = (n: number, text: string): string => `${String(n).padStart(9)}  ${text}`;
  return [
    'classes, in how many programs:',
    ...classes.map((name) => `  ${name.padEnd(38)} ${percent(c.used[name] ?? 0, c.programs)}`),
    line(c.compared, 'programs agreed with JAX'),
    line(
      c.numbers,
      `numbers compared, of ${percent(c.unknown, c.numbers).trim()} nothing is known`,
    ),
    line(c.leaves, `gradients, ${percent(c.notZero, c.leaves).trim()} of them not zero`),
    line(c.unrun, 'programs were too much work'),
    ...(causes.length === 0 ? [] : ['faults by cause:']),
    ...causes.map(([cause, n]) => line(n, `${cause} (first: program ${c.firsts[cause]})`)),
    '',
  ].join('\n');
}
