/** What the lane prints at its end. */
import type { Counts } from './counts.ts';
import { shares } from './coverage.ts';

const percent = (x: number): string => `${(100 * x).toFixed(1).padStart(5)} %`;

const ranked = (tally: Readonly<Record<string, number>>): readonly [string, number][] =>
  Object.entries(tally).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));

const list = (title: string, tally: Readonly<Record<string, number>>, most = 30): string[] => {
  const all = ranked(tally);
  if (all.length === 0) return [];
  const rest = all.slice(most).reduce((n, [, x]) => n + x, 0);
  const lines = all.slice(0, most).map(([name, n]) => `${String(n).padStart(7)}  ${name}`);
  return [`${title}:`, ...lines, ...(rest === 0 ? [] : [`${String(rest).padStart(7)}  others`])];
};

export function report(c: Counts): string {
  const covered = shares(c.programs, c.used, c.usedAccepted).map(
    (s) => `  ${s.name.padEnd(28)} ${percent(s.share)}, accepted ${percent(s.accepted)}`,
  );
  const of = (n: number): string => `${String(n).padStart(7)}  ${percent(n / c.programs)}`;
  const firsts = Object.fromEntries(
    Object.entries(c.causes).map(([cause, n]) => [
      `${cause} (first: program ${c.firsts[cause]})`,
      n,
    ]),
  );
  return [
    'constructs, in how many programs, and how many of those are accepted:',
    ...covered,
    `${of(c.accepted)}  accepted`,
    `${of(c.refused['rightly'] ?? 0)}  refused rightly`,
    `${of(c.refused['fine'] ?? 0)}  refused but fine`,
    `${of(c.refused['vacuous'] ?? 0)}  refused, and no sizes to try`,
    ...list('refused but fine, by code', c.fine, 15),
    ...list('refused when specialised, by code', c.refusedAt),
    `${String(c.runs).padStart(7)}  runs compared with the exact interpreter`,
    ...list('accesses of the plans', c.checks),
    ...(c.unshown.length === 0
      ? []
      : [`checked by loops alone in programs ${c.unshown.join(' ')}`]),
    ...list('faults', c.faults),
    ...list('faults by cause', firsts),
    '',
  ].join('\n');
}
