/**
 * Executes a page: its programs are checked, formatted and tested, its commands are run in process,
 * and the page is written again with what came out.
 *
 * A page that is true is its own snapshot: `update` gives back the very text that is in docs/.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { formatText } from '../../dsl/format.ts';
import { check, type Diagnostic, type Sources } from '../../dsl/index.ts';
import { renderDiagnostics } from '../../dsl/render.ts';
import { front } from '../../runtime/cli/front.ts';
import { checkProperty } from '../../runtime/gradcheck/property.ts';
import { type Block, excerpt, type Part, printPage } from './markdown.ts';
import { stage, type Wanted } from './stages.ts';

export const repository = resolve(import.meta.dirname, '../..');

/** A program of a page: one block, or the parts of one file. */
export type Program = { readonly file: string; readonly block: Block; readonly faulty: boolean };

/** The programs of a page that stand alone, and each file once, at its last part. */
export function programsOf(parts: readonly Part[]): Program[] {
  const blocks = parts.filter((p) => p.k === 'block' && p.lang === 'tenon') as Block[];
  const last = new Map(blocks.map((b) => [b.info.get('file'), b]));
  return blocks.flatMap((block): Program[] => {
    const file = block.info.get('file');
    const faulty = block.info.has('error');
    if (file === undefined) return [{ file: 'example.tn', block, faulty }];
    return last.get(file) === block ? [{ file, block, faulty }] : [];
  });
}

/**
 * A block is the program it shows, except that `times=N` repeats a line that ends with
 * `# and so on`; numbers that end a name of several letters count on.
 */
export function textOf(block: Block): string {
  const times = Number(block.info.get('times') ?? 1);
  if (times === 1) return block.text;
  return block.text.replace(/^.*# and so on$/gm, (line) =>
    Array.from({ length: times }, (_, i) =>
      line.replace(
        /\b([a-z]{2,})(\d+)\b/g,
        (_all, name: string, n: string) => `${name}${Number(n) + i}`,
      ),
    ).join('\n'),
  );
}

/** The files of a page, with one program as `file`. */
export function sourcesOf(parts: readonly Part[], program?: Program): Map<string, string> {
  const out = new Map<string, string>();
  for (const p of parts) {
    if (p.k !== 'block' || p.lang !== 'tenon') continue;
    const file = p.info.get('file');
    if (file === undefined) continue;
    const before = out.get(file);
    out.set(file, before === undefined ? textOf(p) : `${before}\n${textOf(p)}`);
  }
  if (program !== undefined && program.block.info.get('file') === undefined) {
    out.set(program.file, textOf(program.block));
  }
  return out;
}

export type Report = {
  readonly diagnostics: readonly Diagnostic[];
  readonly text: string;
  /** Names of `check` declarations that do not hold. */
  readonly broken: readonly string[];
};

const RUNS = 12;

export function report(sources: Sources, file: string): Report {
  const { diagnostics, program } = check(sources, file);
  const broken: string[] = [];
  for (const c of program?.checks ?? []) {
    if (c.file !== file || c.what.k !== 'property') continue;
    if (!checkProperty(program!, c.what.fn, { runs: RUNS, seed: 1 }).ok) broken.push(c.name);
  }
  return { diagnostics, text: renderDiagnostics(diagnostics, sources), broken };
}

/** Formatted, unless it is faulty in its syntax or abridged. */
function formatted(block: Block): string {
  if (block.info.has('times')) return block.text;
  return formatText('example.tn', block.text).text ?? block.text;
}

/** Runs the `npx tenon` lines of a block; what goes to both streams, in order. */
async function shell(block: Block): Promise<{ output: string; code: number }> {
  let output = '';
  let code = 0;
  for (const line of block.text.split('\n')) {
    const words = wordsOf(line.replace(/(^|\s)#.*/, ''));
    if (words.length === 0) continue;
    if (words[0] !== 'npx' || words[1] !== 'tenon') throw new Error(`cannot run: ${line}`);
    const write = (text: string) => {
      output += text;
    };
    const io = { out: write, err: write, signal: new AbortController().signal, terminal: false };
    code = await front(words.slice(2), io);
  }
  return { output, code };
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2] ?? m[3]!);
}

function wantedOf({ info }: Block): Wanted {
  const sizes = (info.get('size') ?? '').split(',').map((s): [string, number] => {
    const [name = '', n] = s.split('=');
    return [name, Number(n)];
  });
  const get = (name: string) => info.get(name) ?? '';
  return {
    stage: get('stage'),
    file: get('file'),
    fn: get('fn'),
    by: get('by'),
    sizes: new Map(sizes),
  };
}

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;

/** Equal but for the last digits of decimals, which depend on the order of additions. */
function agree(a: string, b: string): boolean {
  if (a.replace(NUMBER, '#') !== b.replace(NUMBER, '#')) return false;
  const [x, y] = [a, b].map((t) => [...t.matchAll(NUMBER)].map((m) => m[0]));
  return x!.every((text, i) => {
    const other = y![i]!;
    if (text === other) return true;
    const both = [text, other].map(Number) as [number, number];
    if (![text, other].some((t) => /[.e]/.test(t))) return false;
    return Math.abs(both[0] - both[1]) <= 1e-3 * Math.max(Math.abs(both[0]), Math.abs(both[1]));
  });
}

/** The page with every program formatted and every output made again. */
export async function update(parts: readonly Part[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-docs-'));
  const home = process.cwd();
  try {
    for (const name of ['models', 'examples'])
      symlinkSync(join(repository, name), join(folder, name));
    copyFileSync(join(repository, 'package.json'), join(folder, 'package.json'));
    process.chdir(folder);
    const programs = new Map(programsOf(parts).map((p) => [p.block, p]));
    const out: Part[] = [];
    let last: string | undefined;
    for (const [i, p] of parts.entries()) {
      if (p.k === 'prose') {
        // Output stands right after what makes it.
        if (p.text.trim() !== '') last = undefined;
        out.push(p);
      } else if (p.lang === 'tenon') {
        // A command sees the files as far as a reader has come.
        const file = p.info.get('file');
        if (file !== undefined) {
          mkdirSync(dirname(join(folder, file)), { recursive: true });
          writeFileSync(join(folder, file), sourcesOf(parts.slice(0, i + 1)).get(file)!);
        }
        const program = programs.get(p);
        last =
          program?.faulty === true
            ? report(sourcesOf(parts, program), program.file).text
            : undefined;
        out.push({ ...p, text: formatted(p) });
      } else if (p.lang === 'sh') {
        last = (await shell(p)).output;
        out.push(p);
      } else if (p.lang === 'text' && p.info.has('stage')) {
        const text = stage(sourcesOf(parts.slice(0, i)), wantedOf(p));
        out.push({ ...p, text: excerpt(text, p.info) });
      } else if (p.lang === 'text' && !p.info.has('of')) {
        if (last === undefined) throw new Error(`line ${p.line}: output of nothing`);
        const text = excerpt(last, p.info);
        out.push(agree(p.text, text) ? p : { ...p, text });
      } else {
        out.push(p);
      }
    }
    return printPage(out);
  } finally {
    process.chdir(home);
    rmSync(folder, { recursive: true, force: true });
  }
}
