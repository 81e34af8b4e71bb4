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

/** What a text declares or imports, by the look of its lines: also what the parser had to leave out. */
const DECLARED = /^(?:fn|let|type)[ \t]+([A-Za-z]\w*)/gm;
const IMPORTED = /^(?:import|from)\b(?:[^\n]|\n[ \t}])*/gm;

function namesIn(text: string): string[] {
  const declared = [...text.matchAll(DECLARED)].map((m) => m[1]!);
  const imports = [...text.matchAll(IMPORTED)];
  return [...declared, ...imports.flatMap((m) => m[0].match(/[A-Za-z]\w*/g) ?? [])];
}

export function check(sources: Sources | Loader, root: string): Checked {
  const loaded = loadModules(root, sources);
  const faulty = new Set(loaded.diagnostics.map((d) => d.span.file));
  const result = checkProgram({
    modules: loaded.modules,
    resolve: resolveImport,
    faults: loaded.diagnostics,
    declared: (file) => (faulty.has(file) ? namesIn(loaded.sources.get(file) ?? '') : []),
  });
  const files = [...loaded.modules.keys()];
  const diagnostics: Diagnostic[] = [...result.diagnostics].sort(
    (a, b) =>
      files.indexOf(a.span.file) - files.indexOf(b.span.file) || a.span.start - b.span.start,
  );
  const ok = !diagnostics.some((d) => d.severity === 'error');
  return { program: ok ? result.program : undefined, diagnostics, sources: loaded.sources };
}
