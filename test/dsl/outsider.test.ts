/**
 * Faulty programs written from docs/language.md, and committed before they were run: an experiment
 * on whether a newcomer's mistakes are found where a newcomer would look. Each file of outsider/
 * ends with the places and codes that its author expected; the messages are in the snapshot. Where
 * the tool was right and the author was not, the file says so (`# instead of`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { check, type Diagnostic } from '../../dsl/index.ts';
import { placeOf, renderDiagnostics } from '../../dsl/render.ts';
import { follow } from './follow.ts';

const folder = join(import.meta.dirname, 'outsider');
const texts = new Map(
  readdirSync(folder).map((name): [string, string] => {
    // What was expected is no part of the program.
    const text = readFileSync(join(folder, name), 'utf8');
    return [name, text.replace(/^# (expect|instead of) .*\n/gm, '')];
  }),
);
const expected = new Map(
  [...texts.keys()].map((name): [string, string[]] => {
    const text = readFileSync(join(folder, name), 'utf8');
    const lines = [...text.matchAll(/^# expect (\S+) (\S+)$/gm)];
    return [
      name,
      lines.map(([, place, code]) => `${/^\d/.test(place!) ? `${name}:` : ''}${place} ${code}`),
    ];
  }),
);
const roots = [...texts.keys()].filter((name) => expected.get(name)!.length > 0);

function placed(d: Diagnostic): string {
  const { line, column } = placeOf(texts.get(d.span.file)!, d.span.start);
  return `${d.span.file}:${line}:${column} ${d.code}`;
}

test('at least forty, of every kind', () => {
  expect(roots.length).toBeGreaterThanOrEqual(40);
  const kinds = new Set(roots.map((name) => name.split('-')[0]));
  expect(kinds.size).toBeGreaterThanOrEqual(14);
});

describe.each(roots)('%s', (name) => {
  const { diagnostics } = check(texts, name);

  test('is reported where its author expected it', () => {
    expect(diagnostics.map(placed)).toEqual(expected.get(name));
  });

  test('with this message', () => {
    expect(renderDiagnostics(diagnostics, texts)).toMatchSnapshot();
  });

  test('and hints that work', () => {
    for (const d of diagnostics) follow(d, texts, name);
  });
});
