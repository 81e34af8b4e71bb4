/**
 * A whole program: files in dependency order, heads first, then bodies, then what concerns several
 * declarations (recursion, requirements on type parameters).
 *
 * Invariant: one declaration's errors do not stop the next one; the typed program is handed out
 * only when there is no error at all.
 */
import type { Decl, Module, Name } from '../ast.ts';
import { diagnostic } from '../errors.ts';
import { type Reported, Reports } from '../reported.ts';
import type { Diagnostic, Span } from '../source.ts';
import type { CheckResult, TCheck, TFn, TLet, TProgram } from '../typed.ts';
import { isBroken } from '../types.ts';
import { checkFn, checkGradient, checkLet, checkProperty } from './bodies.ts';
import type { AliasDecl, FileScope, Program } from './context.ts';
import { expandAlias, namesOf, resolveFn, resolveLet } from './declare.ts';
import { checkRecursion } from './recursion.ts';
import { checkRequirements } from './requirements.ts';

// ---------------------------------------------------------------- the whole

export type Input = {
  readonly modules: ReadonlyMap<string, Module>;
  /** The file that an import names. */
  readonly resolve: (from: string, written: string) => string;
  /** What was wrong with the files themselves. */
  readonly faults: readonly Diagnostic[];
  /** Names that a file with syntax errors seems to declare: unknown, but not reported again. */
  readonly declared: (file: string) => readonly string[];
};

/** Lambdas checked at their uses, per program. */
const BUDGET = 20_000;

export function checkProgram(input: Input): CheckResult {
  const reports = new Reports(input.faults);
  const { report } = reports;
  let next = 0;
  const program: Program = {
    report,
    edges: [],
    instances: [],
    requirements: new Map(),
    fresh: () => ++next,
    files: [],
    values: new Set(),
    budget: { left: BUDGET },
  };
  const files = new Map<string, FileScope>();
  const fns = new Map<string, TFn>();
  const lets = new Map<string, TLet>();
  const checks: TCheck[] = [];
  const aliases: AliasDecl[] = [];
  for (const [file, module] of input.modules) {
    const scope: FileScope = {
      file,
      types: new Map(),
      values: new Map(),
      broken: new Map(),
      loaded: program.files,
    };
    const faulty = reports.errorIn(file);
    if (faulty !== undefined) for (const n of input.declared(file)) scope.broken.set(n, faulty);
    files.set(file, scope);
    program.files.push(scope);
    const decls = namesOf(module, scope, report);
    aliases.push(...scope.types.values());
    for (const d of decls) {
      if (d.k === 'import') importNames(input, files, scope, d, decls, reports);
    }
    const imported = new Set(scope.values.keys());
    for (const d of decls) {
      if (d.k !== 'fn' && d.k !== 'let') continue;
      if (imported.has(d.name.text)) {
        report(
          diagnostic('E0303', d.name.span, `the name \`${d.name.text}\` is taken by an import`, {
            hint: 'choose another name, or leave it out of the import',
            related: importOf(decls, d.name.text),
          }),
        );
        continue;
      }
      const sig = d.k === 'fn' ? resolveFn(d, scope, report) : resolveLet(d, scope, report);
      if (sig.k === 'let') program.values.add(sig.id);
      scope.values.set(d.name.text, sig);
    }
    for (const a of scope.types.values()) expandAlias(a, report);
    checkBodies(program, scope, decls, { fns, lets, checks });
  }
  checkRecursion(program);
  if (!reports.list.some((d) => d.code === 'E0304')) checkRequirements(program);
  const sorted = inTextOrder(reports.list.map(polished), [...files.keys()]);
  if (sorted.some((d) => d.severity === 'error')) return { diagnostics: sorted };
  const typed: TProgram = {
    fns,
    lets,
    aliases: new Map(
      aliases.flatMap(({ id, name, decl, body }) =>
        body === undefined || isBroken(body)
          ? []
          : [[id, { name, params: decl.params.map((p) => p.name.text), body }] as const],
      ),
    ),
    checks,
    files: [...files.keys()],
  };
  return { program: typed, diagnostics: sorted };
}

function importOf(decls: readonly Decl[], name: string): Diagnostic['related'] {
  const names = decls.flatMap((d) => (d.k === 'import' ? d.names : []));
  const first = names.find((n) => n.text === name);
  return first && [{ span: first.span, message: 'imported here' }];
}

function importNames(
  input: Input,
  files: ReadonlyMap<string, FileScope>,
  scope: FileScope,
  d: Extract<Decl, { k: 'import' }>,
  decls: readonly Decl[],
  reports: Reports,
): void {
  const { report } = reports;
  const from = files.get(input.resolve(scope.file, d.from));
  for (const n of d.names) {
    const type = from?.types.get(n.text);
    const value = from?.values.get(n.text);
    if (type === undefined && value === undefined) {
      scope.broken.set(n.text, missing(reports, scope, from, n));
    } else if (scope.types.has(n.text) || scope.values.has(n.text)) {
      const own = scope.types.get(n.text);
      const related =
        own?.file === scope
          ? [{ span: own.decl.name.span, message: 'declared here' }]
          : importOf(decls, n.text);
      report(diagnostic('E0303', n.span, `the name \`${n.text}\` is taken`, { related }));
    } else if (type !== undefined) {
      scope.types.set(n.text, type);
    } else {
      scope.values.set(n.text, value!);
    }
  }
}

/** A name that a module does not give: said when the files were read, or there is a fault in that file. */
function missing(
  reports: Reports,
  scope: FileScope,
  from: FileScope | undefined,
  n: Name,
): Reported {
  const known =
    reports.errorIn(scope.file) ?? (from === undefined ? undefined : reports.errorIn(from.file));
  if (known !== undefined) return known;
  return reports.report(diagnostic('E0203', n.span, `the module has no \`${n.text}\``));
}

function checkBodies(
  program: Program,
  scope: FileScope,
  decls: readonly Decl[],
  out: { fns: Map<string, TFn>; lets: Map<string, TLet>; checks: TCheck[] },
): void {
  const derivatives = new Map<string, Extract<Decl, { k: 'derivative' }>>();
  for (const d of decls) {
    if (d.k !== 'derivative') continue;
    const of = scope.values.get(d.of.text);
    if (of?.k !== 'fn' || of.file !== scope) {
      if (!scope.broken.has(d.of.text)) {
        program.report(
          diagnostic('E0703', d.of.span, `there is no function \`${d.of.text}\` in this file`, {
            hint: 'a derivative is declared in the file of its function',
          }),
        );
      }
    } else if (derivatives.has(d.of.text)) {
      program.report(diagnostic('E0303', d.of.span, `\`${d.of.text}\` has a derivative already`));
    } else {
      derivatives.set(d.of.text, d);
    }
  }
  for (const d of decls) {
    switch (d.k) {
      case 'fn': {
        const sig = scope.values.get(d.name.text);
        if (sig?.k !== 'fn' || sig.decl !== d) break;
        const typed = checkFn(program, sig, derivatives.get(d.name.text));
        if (typed !== undefined) out.fns.set(typed.id, typed);
        break;
      }
      case 'let': {
        const sig = scope.values.get(d.name.text);
        if (sig?.k !== 'let' || sig.decl !== d) break;
        const typed = checkLet(program, sig);
        if (typed !== undefined) out.lets.set(typed.id, typed);
        break;
      }
      case 'check': {
        const typed = checkProperty(program, scope, d);
        if (typed !== undefined) out.checks.push(typed);
        break;
      }
      case 'checkGradient': {
        const typed = checkGradient(program, scope, d);
        if (typed !== undefined) out.checks.push(typed);
        break;
      }
      case 'import':
      case 'type':
      case 'derivative':
        break;
    }
  }
}

function sentence(text: string): string {
  const word = /^[a-z]+(?![\w[])/.test(text);
  const first = word ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.?!]$/.test(first) ? first : `${first}.`;
}

function polished(d: Diagnostic): Diagnostic {
  return {
    ...d,
    message: sentence(d.message),
    hint: d.hint === undefined ? undefined : sentence(d.hint),
    related: d.related?.map((r) => ({ ...r, message: sentence(r.message) })),
  };
}

function inTextOrder(diagnostics: readonly Diagnostic[], files: readonly string[]): Diagnostic[] {
  const rank = (s: Span) => files.indexOf(s.file);
  return [...diagnostics].sort(
    (a, b) => rank(a.span) - rank(b.span) || a.span.start - b.span.start || a.span.end - b.span.end,
  );
}
