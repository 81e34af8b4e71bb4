/** README.md shows examples/ridge.tn as it is, and a message as the tool prints it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Block, parsePage } from './markdown.ts';
import { report, repository } from './page.ts';

const read = (name: string) => readFileSync(join(repository, name), 'utf8');
const blocks = parsePage(read('README.md')).filter((p): p is Block => p.k === 'block');
const example = read('examples/ridge.tn');

test('the program is examples/ridge.tn', () => {
  expect(blocks.map((b) => b.text)).toContain(example);
  expect(report(new Map([['ridge.tn', example]]), 'ridge.tn')).toMatchObject({
    text: '',
    broken: [],
  });
});

test('the mistake is reported as shown', () => {
  const shown = blocks.find((b) => b.text.startsWith('ridge.tn:'))!.text;
  const faulty = example.replace('predict(m, x[n])', 'predict(m, x)');
  expect(faulty).not.toBe(example);
  expect(report(new Map([['ridge.tn', faulty]]), 'ridge.tn').text).toContain(shown.trimEnd());
});
