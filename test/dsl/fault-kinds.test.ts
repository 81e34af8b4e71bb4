/**
 * How many refused programs there are of each kind that the language must refuse with a good message:
 * by us (the snapshots of check-refuses-*), and by two people who had read the reference only
 * (outsider/ by the first word of the file's name, newcomer/ by the kind that its author gave).
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const here = import.meta.dirname;
const read = (name: string) => readFileSync(join(here, name), 'utf8');

/** The groups of our own, the words of outsider files and what newcomer kinds say. */
const KINDS: Readonly<Record<string, readonly [own: string, outsider: string, newcomer: RegExp]>> =
  {
    'a wrong size in a call': ['wrong size in a call', 'call', /size|where/],
    'an index of another size': [
      'an index of one size in a dimension of another',
      'index',
      /index in two|index type/,
    ],
    'an index out of range': [
      'an index that may leave its range',
      'range',
      /out of range|unproved/,
    ],
    'a size not inferred': ['a size that cannot be inferred', 'infer', /inferred/],
    'a missing or unknown field': ['a missing or unknown field', 'field', /record/],
    'a non-scalar for a scalar': [
      'a non-scalar where a scalar is needed',
      'scalar',
      /lift|number of indices|operator on any/,
    ],
    'grad of a non-scalar': ['grad of a non-scalar', 'grad', /grad of/],
    'a derivative by an integer': [
      'a derivative by something that is no f32',
      'integer',
      /wrt an int|bad tree/,
    ],
    'a cyclic import': ['a cyclic import', 'cycle', /import/],
    'an unused or shadowed binding': ['an unused or shadowed binding', 'unused', /unused/],
    recursion: ['recursion', 'recursion', /recursion/],
    'a literal out of range': ['a literal out of range', 'literal', /literal/],
    'a name that is taken': ['a name that is taken', 'taken', /taken|keyword as name/],
    'unbalanced brackets': ['unbalanced brackets', 'bracket', /bracket/],
  };

const own = globSync('__snapshots__/check-refuses-*.snap', { cwd: here }).flatMap((file) =>
  [...read(file).matchAll(/^exports\[`(.+?) > /gm)].map((m) => m[1]!),
);
// A program's other modules are named `root.module.tn`.
const outsider = globSync('outsider/*.tn', { cwd: here }).filter((f) => f.split('.').length === 2);
const newcomer: readonly { readonly kind: string }[] = JSON.parse(read('newcomer/expected.json'));

test('at least five of each kind', () => {
  const rows = Object.entries(KINDS).map(([kind, [group, word, pattern]]) => {
    const counts = [
      own.filter((g) => g === group).length,
      outsider.filter((f) => f.startsWith(`outsider/${word}-`)).length,
      newcomer.filter((c) => pattern.test(c.kind)).length,
    ];
    return { kind, counts, total: counts.reduce((a, b) => a + b) };
  });
  const table = rows
    .map((r) => `${r.kind.padEnd(30)} ${r.counts.join(' + ').padEnd(11)} = ${r.total}`)
    .join('\n');
  expect(table).toMatchInlineSnapshot(`
    "a wrong size in a call         13 + 4 + 10 = 27
    an index of another size       9 + 4 + 3   = 16
    an index out of range          21 + 5 + 5  = 31
    a size not inferred            7 + 3 + 2   = 12
    a missing or unknown field     12 + 4 + 3  = 19
    a non-scalar for a scalar      12 + 4 + 3  = 19
    grad of a non-scalar           7 + 5 + 1   = 13
    a derivative by an integer     8 + 3 + 2   = 13
    a cyclic import                5 + 3 + 4   = 12
    an unused or shadowed binding  9 + 3 + 0   = 12
    recursion                      8 + 3 + 1   = 12
    a literal out of range         9 + 3 + 0   = 12
    a name that is taken           8 + 3 + 1   = 12
    unbalanced brackets            5 + 3 + 1   = 9"
  `);
  expect(rows.filter((r) => r.total < 5)).toEqual([]);
  expect(own.length + outsider.length + newcomer.length).toBeGreaterThanOrEqual(80);
});
