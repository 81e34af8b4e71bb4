/** What a run of the lane has seen so far, as numbers that can be added up. */
import { constructs } from '../gen/constructs.ts';
import type { Outcome } from './judge.ts';
import { type Draw, type Random, traits } from './program.ts';
import { rows } from './rows.ts';
import { nestRows } from './rows-nests.ts';

type Tally = Record<string, number>;

export type Counts = {
  programs: number;
  failures: number;
  /** Runs on devices that were compared. */
  runs: number;
  /** Programs that the definitional interpreter has run, too. */
  defined: number;
  /** Programs that were too much work to run. */
  unrun: number;
  /** By cause, with the number of the first program of each. */
  readonly causes: Tally;
  readonly firsts: Tally;
  readonly used: Tally;
};

export const noCounts = (): Counts => ({
  ...{ programs: 0, failures: 0, runs: 0, defined: 0, unrun: 0 },
  ...{ causes: {}, firsts: {}, used: {} },
});

const more = (t: Tally, key: string): void => {
  t[key] = (t[key] ?? 0) + 1;
};

export function count(c: Counts, n: number, p: Random, o: Outcome): void {
  c.programs++;
  for (const name of p.used) more(c.used, name);
  if (o.k === 'fault') {
    c.failures++;
    more(c.causes, o.group);
    c.firsts[o.group] ??= n;
    return;
  }
  c.runs += o.runs;
  if (o.defined) c.defined++;
  if (o.runs === 0) c.unrun++;
}

/** Every class that programs are drawn from: each has its share in the coverage table. */
export const classes: Readonly<Record<Draw, readonly string[]>> = {
  all: [...Object.keys(rows), ...traits],
  nests: Object.keys(nestRows),
};

const percent = (n: number, of: number): string =>
  `${((100 * n) / Math.max(of, 1)).toFixed(1).padStart(5)} %`;

export function report(c: Counts, draw: Draw): string {
  const share = (name: string): string => percent(c.used[name] ?? 0, c.programs);
  const others = Object.keys(constructs).filter((k) => (c.used[`also: ${k}`] ?? 0) > 0).length;
  const causes = Object.entries(c.causes).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return [
    'classes, in how many programs:',
    ...classes[draw].map((name) => `  ${name.padEnd(34)} ${share(name)}`),
    `${String(others).padStart(7)}  constructs of the other lane were mixed in`,
    `${String(c.runs).padStart(7)}  runs compared with the interpreter`,
    `${String(c.defined).padStart(7)}  programs compared with the definitional interpreter`,
    `${String(c.unrun).padStart(7)}  programs were too much work to run`,
    ...(causes.length === 0 ? [] : ['faults by cause:']),
    ...causes.map(
      ([cause, k]) => `${String(k).padStart(7)}  ${cause} (first: program ${c.firsts[cause]})`,
    ),
    '',
  ].join('\n');
}
