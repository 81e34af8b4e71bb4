/**
 * Programs from files: reads the root and, following imports, everything it needs. The only part of
 * the API that touches the file system, and only when called.
 */
import { resolveImport } from '../../dsl/modules.ts';
import { importsOf } from '../../dsl/parse.ts';
import type { Sources } from '../../dsl/source.ts';
import { TenonError } from '../errors.ts';
import { compile, type Program } from './program.ts';

/**
 * The texts of a program on disk, keyed by their paths as reached from `path`; `rootText` stands for
 * a root that is not on disk.
 * @throws TenonError (`io`) when the root cannot be read. An import that cannot be read is left to
 * the checker, which reports it at its place.
 */
export async function readProgram(
  path: string,
  rootText?: string,
): Promise<{ sources: Sources; root: string }> {
  const { readFile } = await import('node:fs/promises');
  const { systemError } = await import('../io/system-error.ts');
  const root = resolveImport('', path);
  const sources = new Map<string, string>();
  const pending = [root];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (sources.has(file)) continue;
    let text: string;
    try {
      text = file === root && rootText !== undefined ? rootText : await readFile(file, 'utf8');
    } catch (e) {
      if (file !== root) continue;
      throw systemError(e, 'read', path);
    }
    sources.set(file, text);
    for (const from of importsOf(file, text)) pending.push(resolveImport(file, from));
  }
  return { sources, root };
}

/**
 * A program from a file.
 * @throws TenonError (`io`), ProgramError with every diagnostic.
 */
export async function load(path: string): Promise<Program> {
  if (path === '') throw new TenonError('usage', 'no file is named');
  const { sources, root } = await readProgram(path);
  return compile(sources, root);
}
