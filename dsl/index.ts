/**
 * The front end: texts in, a typed program or diagnostics out. Nothing here reads files or prints.
 *
 * `check(sources, root)` takes a map from file names to texts, or a function that gives the text of
 * a file; imports are relative to the importing file. Never throws.
 */
import { checkProgram } from './check/program.ts';
import { type Loader, loadModules, resolveImport } from './modules.ts';
import type { Diagnostic, Sources } from './source.ts';
import type { CheckResult } from './typed.ts';

export type { Loader } from './modules.ts';
export type { Diagnostic, Severity, Sources, Span } from './source.ts';
export type { CheckResult, TProgram } from './typed.ts';

export type Checked = CheckResult & {
  /** The texts that were read, by file name: what `render` needs to show a diagnostic. */
  readonly sources: Sources;
};

export function check(sources: Sources | Loader, root: string): Checked {
  const loaded = loadModules(root, sources);
  const result = checkProgram({ modules: loaded.modules, resolve: resolveImport });
  const diagnostics: Diagnostic[] = [...loaded.diagnostics, ...result.diagnostics];
  const ok = !diagnostics.some((d) => d.severity === 'error');
  return { program: ok ? result.program : undefined, diagnostics, sources: loaded.sources };
}
