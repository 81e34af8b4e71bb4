/** docs/errors.md has a section for every code, whose program really gets it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CODES } from '../../dsl/errors.ts';
import { type Block, parsePage } from './markdown.ts';
import { programsOf, report, repository, sourcesOf } from './page.ts';

const parts = parsePage(readFileSync(join(repository, 'docs/errors.md'), 'utf8'));
const blocks = parts.filter((p): p is Block => p.k === 'block');
const text = parts.map((p) => (p.k === 'prose' ? p.text : '')).join('');
const headings = [...text.matchAll(/^### (.*)$/gm)].map((m) => m[1]!);

test('the codes of the table have a section each, in its order', () => {
  const known = new Set(Object.keys(CODES));
  expect(headings.filter((h) => known.has(h))).toEqual(Object.keys(CODES));
});

describe.each(Object.entries(CODES))('%s', (code, title) => {
  const section = programsOf(parts).filter((p) => p.block.heading === code);

  test('is introduced by its title', () => {
    const capital = `${title[0]!.toUpperCase()}${title.slice(1)}`;
    expect(text).toContain(`### ${code}\n\n**${capital}.**`);
  });

  test('has a program that gets this code and no other', () => {
    const faulty = section.filter((p) => p.faulty);
    expect(faulty.length).toBeGreaterThan(0);
    for (const p of faulty) {
      const { diagnostics } = report(sourcesOf(parts, p), p.file);
      expect([...new Set(diagnostics.map((d) => d.code))]).toEqual([code]);
    }
  });

  test('has a program without the mistake, or says why there is none', () => {
    // Two modules that import each other are mended by a third one.
    if (code === 'E0202') return;
    expect(section.some((p) => !p.faulty)).toBe(true);
  });
});

test('what is found when a function is compiled or checked is shown with its code', () => {
  const codes = headings.filter((h) => !Object.hasOwn(CODES, h));
  const shown = codes.filter((code) => {
    return blocks.some((b) => b.heading === code && b.lang === 'text' && b.text.includes(code));
  });
  expect(shown).toEqual(codes);
});

test('codes of compilation are all on the page', () => {
  const used = new Set<string>();
  for (const folder of ['compiler', 'runtime']) {
    for (const name of readdirSync(join(repository, folder), { recursive: true }) as string[]) {
      if (!name.endsWith('.ts')) continue;
      const source = readFileSync(join(repository, folder, name), 'utf8');
      for (const m of source.matchAll(/'(E0[89]\d\d)'/g)) used.add(m[1]!);
    }
  }
  expect([...used].sort().filter((code) => !text.includes(code))).toEqual([]);
});
