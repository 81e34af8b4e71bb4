/** The table of index forms. */
import { type Draft, fitting } from './draft.ts';
import type { Form, Formed } from './form.ts';
import { arithForms } from './forms-arith.ts';
import { dataForms } from './forms-data.ts';
import { factForms } from './forms-fact.ts';
import { plainForms } from './forms-plain.ts';
import type { OneBinder } from './tree.ts';

export const forms: Readonly<Record<string, Form>> = {
  ...plainForms,
  ...arithForms,
  ...dataForms,
  ...factForms,
};

/** What has little chance otherwise stands there more than once. */
const rows = [
  ...Object.keys(forms),
  ...['left', 'right', 'negative quotient', 'quotient of a difference'],
  ...['fact A + B <= C', 'fact N == A*B', 'fact N % 4 == 1', 'fact A == B - C', 'fact A == B - C'],
];

/** One of them, or an index alone where the one that was drawn does not fit. */
export function drawForm(d: Draft, base?: OneBinder): Formed {
  const row = d.p.one(rows);
  const made = fitting(
    () => forms[row]!(d, base),
    () => undefined,
  );
  if (made === undefined) return forms['index alone']!(d, base)!;
  d.used.add(row);
  return made;
}
