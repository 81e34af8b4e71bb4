/** Every program of the project is in its canonical form: `tenon fmt` would change nothing. */
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { formatText } from '../../dsl/format.ts';

const root = resolve(import.meta.dirname, '../..');
const programs = globSync('{models,examples}/**/*.tn', { cwd: root }).sort();

test('there are programs', () => {
  expect(programs).toContain('models/redi.tn');
});

test.each(programs)('%s', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  expect(formatText(file, text).text).toBe(text);
});
