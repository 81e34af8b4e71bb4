/** The TypeScript in docs/ and README.md is type-checked against the library, page by page. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Block, parsePage } from './markdown.ts';
import { repository } from './page.ts';

/** What the pages leave to the reader: data, and a signal. */
const PRELUDE = `
import type { Instance } from 'tenon';
type Data = { shape: number[]; data: Float32Array };
declare const weights: Map<string, Data>;
declare const x1: Data, x0: Data, t: Data, y: Data, data: Float32Array;
declare const state: Map<string, Data>;
declare const batches: Iterable<Data>;
declare const signal: AbortSignal;
declare const noise: Data;
declare const start: Instance, probe: Instance, stepOf: Instance, between: Instance;
`;

test('every ts block compiles', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-docs-ts-'));
  try {
    const pages = ['README.md', ...readdirSync(join(repository, 'docs')).map((n) => `docs/${n}`)];
    const files: string[] = [];
    for (const page of pages.filter((n) => n.endsWith('.md'))) {
      const parts = parsePage(readFileSync(join(repository, page), 'utf8'));
      const blocks = parts.filter((p): p is Block => p.k === 'block' && p.lang === 'ts');
      if (blocks.length === 0) continue;
      const name = `${page.replaceAll('/', '-')}.ts`;
      files.push(name);
      const code = blocks.map((b) => b.text).join('\n');
      writeFileSync(join(folder, name), `${code}${PRELUDE}\nexport {};\n`);
    }
    expect(files).toContain('docs-library.md.ts');
    const config = {
      extends: join(repository, 'tsconfig.json'),
      compilerOptions: {
        paths: { tenon: [join(repository, 'runtime/index.ts')] },
        typeRoots: [join(repository, 'node_modules/@types'), join(repository, 'node_modules')],
        rootDir: '/',
        noUnusedLocals: false,
      },
      files,
      include: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const tsc = join(repository, 'node_modules/typescript/bin/tsc');
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(
      (e: { stdout: string; stderr: string }) => ({ stdout: `${e.stdout}${e.stderr}` }),
    );
    expect(stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
