/**
 * Two checkouts side by side: as text, and the means of a comparison. A group's mean is the geometric
 * mean of its rows' ratios, over the rows that were measured, which it names.
 */
import { digits, table } from '../report.ts';
import type { Row } from './measure.ts';
import { geometricMean } from './ratios.ts';
import type { Group } from './tasks.ts';

/** One run of the procedure: this checkout against the other one, or against itself. */
export type Comparison = {
  readonly rows: readonly Row[];
  readonly means: readonly Mean[];
};

export type Mean = {
  readonly group: Group;
  readonly of: readonly string[];
  readonly ratio: number;
};

/** What comes last is what a reader looks for. */
const order: readonly Group[] = ['compile', 'check', 'parse', 'run'];

export function compared(rows: readonly Row[]): Comparison {
  const means = order.flatMap((group) => {
    const known = rows.filter((r) => r.group === group && r.summary !== undefined);
    if (known.length === 0) return [];
    const ratio = geometricMean(known.map((r) => r.summary!.ratio));
    return [{ group, of: known.map((r) => r.id), ratio }];
  });
  return { rows, means };
}

const ratio = (v: number): string => v.toFixed(3);
const firstLine = (text: string): string => text.split('\n', 1)[0]!;

/** `that` is what the second column is called. */
export function comparisonText(c: Comparison, that: string): string {
  const head = ['', 'this, ms', `${that}, ms`, `this/${that}`, 'lower quartile', 'upper quartile'];
  const body = c.rows.flatMap(({ id, summary: s }) =>
    s === undefined
      ? []
      : [[id, digits(s.this), digits(s.that), ratio(s.ratio), ratio(s.low), ratio(s.high)]],
  );
  const failures = c.rows.flatMap(({ id, why }) =>
    why === undefined ? [] : [`${id}: ${firstLine(why)}`],
  );
  const means = c.means.map((m) => `geometric mean of ${m.of.join(', ')}: ${ratio(m.ratio)}`);
  return [...(body.length > 0 ? [table(head, body)] : []), ...failures, ...means].join('\n');
}
