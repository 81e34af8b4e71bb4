/**
 * Every page of docs/ is true: programs check, outputs are what the tool prints, links lead
 * somewhere. `npx vitest run test/docs -u` writes the outputs again after the tool has changed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Block, type Part, parsePage, printPage } from './markdown.ts';
import { programsOf, report, repository, sourcesOf, update } from './page.ts';

const folder = join(repository, 'docs');
const LANGUAGES = new Set(['tenon', 'sh', 'text', 'ts']);

for (const name of readdirSync(folder).filter((n) => n.endsWith('.md'))) {
  const text = readFileSync(join(folder, name), 'utf8');
  const parts = parsePage(text);

  describe(name, () => {
    test('is read as it is written', () => {
      expect(printPage(parts)).toBe(text);
    });

    test('has blocks of known kinds only', () => {
      const blocks = parts.filter((p) => p.k === 'block') as Block[];
      expect(
        blocks.filter((b) => !LANGUAGES.has(b.lang)).map((b) => `${b.line}: ${b.head}`),
      ).toEqual([]);
    });

    const programs = programsOf(parts);
    const sound = programs.filter((p) => !p.faulty);
    if (sound.length > 0) {
      test.each(sound.map((p) => [`${p.block.heading} (line ${p.block.line})`, p] as const))(
        '%s',
        (_, program) => {
          const found = report(sourcesOf(parts, program), program.file);
          expect(found.text).toBe('');
          expect(found.broken.length > 0).toBe(program.block.info.has('fails'));
        },
      );
    }

    test('faulty programs are reported, and their reports are shown', () => {
      const silent = programs.filter((p) => {
        return p.faulty && report(sourcesOf(parts, p), p.file).diagnostics.length === 0;
      });
      expect(silent.map((p) => p.block.line)).toEqual([]);
    });

    test('shows what the tool prints', async () => {
      await expect(await update(parts)).toMatchFileSnapshot(join(folder, name));
    });

    test('links to files that exist', () => {
      const links = [...proseOf(parts).matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)].map((m) => m[1]!);
      expect(links.filter((l) => !existsSync(join(folder, l)))).toEqual([]);
    });

    test('links to headings that exist', () => {
      const broken = [...proseOf(parts).matchAll(/\]\(([^)#:]*)#([^)]+)\)/g)].filter(
        ([, file, anchor]) => {
          const target = file === '' ? text : readFileSync(join(folder, file!), 'utf8');
          return !anchorsOf(target).includes(anchor!);
        },
      );
      expect(broken.map((m) => m[0])).toEqual([]);
    });
  });
}

function proseOf(parts: readonly Part[]): string {
  const prose = parts.map((p) => (p.k === 'prose' ? p.text : '')).join('');
  return prose.replace(/`[^`]*`/g, '');
}

/** As GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map((m) =>
    m[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
