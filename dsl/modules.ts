/**
 * Module resolution: from one file to all the files that it needs, parsed, in dependency order.
 *
 * The host gives the texts, as a map or a function; nothing here touches a file system. File names
 * are paths with `/`; imports are relative to the importing file. Every module is parsed once.
 *
 * Invariant: never throws. Names that an import asks for exist in the module that it names, unless
 * that module has syntax errors (the broken declaration may be the one that is missing).
 */
import type { Decl, Module, Name } from './ast.ts';
import { isBuiltin } from './check/names.ts';
import { diagnostic } from './errors.ts';
import { parseModule } from './parse.ts';
import type { Diagnostic, Sources, Span } from './source.ts';
import { didYouMean } from './suggest.ts';

/** The text of a file, or undefined where there is none. */
export type Loader = (file: string) => string | undefined;

export type Loaded = {
  /** The root's name, as it is a key of `modules`. */
  readonly root: string;
  /** Dependencies before those who import them; the root last. */
  readonly modules: ReadonlyMap<string, Module>;
  readonly sources: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
};

export function loadModules(root: string, host: Sources | Loader): Loaded {
  const load = typeof host === 'function' ? host : loaderOf(host);
  const known = typeof host === 'function' ? [] : [...host.keys()].map(normalise);
  const modules = new Map<string, Module>();
  const sources = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  const broken = new Set<string>();
  /** The files being read, root first: what a circle is made of. */
  const path: string[] = [];

  const fetch = (file: string, at: Span, written: string): boolean => {
    const got = tryLoad(load, file);
    if (got.k === 'text') {
      sources.set(file, got.text);
      return true;
    }
    const why = got.k === 'missing' ? 'not found' : `cannot be read: ${got.why}`;
    const hint = importHint(written) ?? didYouMean(file, known);
    const message = `Module "${written}" ${why}${got.k === 'missing' ? '.' : ''}`;
    diagnostics.push(diagnostic('E0201', at, message, hint === undefined ? {} : { hint }));
    return false;
  };

  const visit = (file: string): void => {
    const parsed = parseModule(file, sources.get(file)!);
    diagnostics.push(...parsed.diagnostics);
    if (parsed.diagnostics.some((d) => d.severity === 'error')) broken.add(file);
    path.push(file);
    for (const decl of parsed.module.decls) {
      if (decl.k !== 'import') continue;
      const target = resolveImport(file, decl.from);
      if (path.includes(target)) {
        diagnostics.push(circle([...path.slice(path.indexOf(target)), target], decl.fromSpan));
        continue;
      }
      if (!modules.has(target)) {
        if (!fetch(target, decl.fromSpan, decl.from)) continue;
        visit(target);
      }
      if (!broken.has(target)) checkNames(decl.names, modules.get(target)!, diagnostics);
    }
    path.pop();
    modules.set(file, parsed.module);
  };

  const start = normalise(root);
  if (fetch(start, { file: start, start: 0, end: 0 }, root)) visit(start);
  return { root: start, modules, sources, diagnostics };
}

/** What other modules may import: types, functions and top-level lets. */
export function exportsOf(module: Module): ReadonlyMap<string, Decl> {
  const out = new Map<string, Decl>();
  for (const d of module.decls) {
    if (d.k === 'type' || d.k === 'fn' || d.k === 'let') out.set(d.name.text, d);
  }
  return out;
}

function checkNames(names: readonly Name[], module: Module, out: Diagnostic[]): void {
  const exported = exportsOf(module);
  for (const { text, span } of names) {
    if (exported.has(text)) continue;
    const hint = whereFrom(text, module) ?? didYouMean(text, exported.keys());
    const message = `Module "${module.file}" declares no \`${text}\`.`;
    out.push(diagnostic('E0203', span, message, hint === undefined ? {} : { hint }));
  }
}

/** Of a name that is no module's to give, or another one's. */
function whereFrom(name: string, module: Module): string | undefined {
  if (isBuiltin(name)) return `\`${name}\` is built in and needs no import.`;
  const via = module.decls.find((d) => d.k === 'import' && d.names.some((n) => n.text === name));
  if (via?.k !== 'import') return undefined;
  return `That module imports it from "${resolveImport(module.file, via.from)}": import it from there, too.`;
}

function circle(files: readonly string[], span: Span): Diagnostic {
  return diagnostic(
    'E0202',
    span,
    `Modules import each other in a circle: ${files.join(' -> ')}.`,
    {
      hint:
        files.length > 2
          ? 'Move what both need into a third module.'
          : 'A module needs no import of its own names.',
    },
  );
}

// ---------------------------------------------------------------- file names

/** `./nn.tn` in `models/redi.tn` is `models/nn.tn`. */
export function resolveImport(from: string, written: string): string {
  if (written.startsWith('/')) return normalise(written);
  const slash = from.lastIndexOf('/');
  return normalise(slash < 0 ? written : `${from.slice(0, slash + 1)}${written}`);
}

/** Without `.`, `..` where something precedes it, and empty parts. */
function normalise(file: string): string {
  const out: string[] = [];
  for (const part of file.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && out.length > 0 && out.at(-1) !== '..') out.pop();
    else out.push(part);
  }
  return (file.startsWith('/') ? '/' : '') + out.join('/');
}

function loaderOf(sources: Sources): Loader {
  const byName = new Map([...sources].map(([name, text]) => [normalise(name), text]));
  return (file) => byName.get(file);
}

type Got =
  | { readonly k: 'text'; readonly text: string }
  | { readonly k: 'missing' }
  | { readonly k: 'failed'; readonly why: string };

function tryLoad(load: Loader, file: string): Got {
  try {
    const text = load(file);
    return text === undefined ? { k: 'missing' } : { k: 'text', text };
  } catch (e) {
    return { k: 'failed', why: e instanceof Error ? e.message : String(e) };
  }
}

function importHint(written: string): string | undefined {
  if (!written.endsWith('.tn')) return 'File names of modules end in `.tn`.';
  return undefined;
}
