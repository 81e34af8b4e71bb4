/** The table of bindings. */
import { callRows } from './calls.ts';
import { binder, type Draft, fitting } from './draft.ts';
import { plainName } from './draw-size.ts';
import { forms } from './forms.ts';
import { array, f32, loop } from './make.ts';
import { readBy } from './reads.ts';
import type { Made, Row } from './row.ts';
import { dataRows } from './rows-data.ts';
import { foldRows } from './rows-folds.ts';
import { functionRows } from './rows-functions.ts';
import { loopRows } from './rows-loops.ts';

export const rows: Readonly<Record<string, Row>> = {
  ...loopRows,
  ...foldRows,
  ...dataRows,
  ...functionRows,
  ...callRows,
};

/** What reads most stands there more than once. */
const names = [
  ...[...Object.keys(rows), ...Object.keys(functionRows), ...Object.keys(functionRows)],
  ...['for', 'for', 'sum', 'sum', 'in a loop'],
];
const calls = Object.keys(callRows);

/** Of one index alone, which always can be. */
const plain = (d: Draft): Made => {
  const i = binder(d, plainName(d));
  const { value } = readBy(d, [forms['index alone']!(d, i)!]);
  return { value: loop([i], value), type: array(f32, i.size) };
};

export function drawRow(d: Draft, calling: boolean): Made {
  const name = d.p.one(calling ? calls : names);
  const made = fitting(
    () => rows[name]!(d),
    () => undefined,
  );
  if (made === undefined) return plain(d);
  d.used.add(name);
  return made;
}
