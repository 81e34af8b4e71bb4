/**
 * A whole program: files in dependency order, heads first, then bodies, then what concerns several
 * declarations (recursion, requirements on type parameters).
 *
 * Invariant: one declaration's errors do not stop the next one; the typed program is handed out
 * only when there is no error at all.
 */
import type { Decl, Expr, FnDecl, Module } from '../ast.ts';
import { diagnostic } from '../errors.ts';
import { type Facts, inUserNames, noFacts } from '../facts.ts';
import type { Diagnostic, Span } from '../source.ts';
import type { CheckResult, Dim, TCheck, TExpr, TFn, TLet, TProgram, Type } from '../typed.ts';
import { BOOL, ERROR, leavesOf } from '../types.ts';
import type { Solver } from '../unify.ts';
import type { AliasDecl, Env, FileScope, Fn, FnSig, LetSig, Program } from './context.ts';
import { reason } from './context.ts';
import { expandAlias, namesOf, resolveFn, resolveHead, resolveLet } from './declare.ts';
import { check, tail } from './expr.ts';
import { finish, finished } from './finish.ts';
import { warnKeys } from './keys.ts';
import { bind } from './lets.ts';
import { warnUnused } from './lints.ts';
import { checkRecursion } from './recursion.ts';
import { checkRequirements } from './requirements.ts';
import { resolveType } from './resolve.ts';

type Report = (d: Diagnostic) => void;

function newSolver(
  program: Program,
  facts: Facts,
  report: Report,
  statements: readonly number[],
): Solver {
  return {
    unknowns: new Map(),
    sizes: new Map(),
    types: new Map(),
    pending: [],
    guesses: [],
    soft: [],
    compared: [],
    report,
    userNames: (s) => inUserNames(facts, s),
    echoes: new Set(),
    statement: (at) => statements.findLast((start) => start <= at.start) ?? -1,
    fresh: program.fresh,
  };
}

function newFn(
  program: Program,
  of: { id: string; name: string; file: FileScope; facts: Facts; types: ReadonlyMap<string, Type> },
): Fn {
  let errors = 0;
  const statements: number[] = [];
  const report: Report = (d) => {
    if (d.severity === 'error') errors += 1;
    program.report(d);
  };
  return {
    ...of,
    program,
    sizes: of.facts.sizes as ReadonlyMap<string, Dim>,
    solver: newSolver(program, of.facts, report, statements),
    statements,
    obligations: [],
    instances: [],
    indexValues: new Map(),
    locals: new Map(),
    report,
    errors: () => errors,
    usedSizes: new Set(),
  };
}

// ---------------------------------------------------------------- bodies

type Params = {
  readonly id: number;
  readonly name: string;
  readonly type: Type;
  readonly init?: Expr;
}[];

function bindParams(
  env: Env,
  decl: FnDecl | Extract<Decl, { k: 'check' }>,
  types: readonly Type[],
): { env: Env; params: Params } {
  const params: Params = [];
  let inner = env;
  decl.args.forEach((a, i) => {
    const bound = bind(inner, a.name, types[i]!, 'parameter');
    inner = bound.env;
    params.push({ id: bound.local.id, name: a.name.text, type: types[i]!, init: a.init });
  });
  return { env: inner, params };
}

function usedInHead(
  fn: Fn,
  types: readonly Type[],
  facts: Facts,
  decl: { args: readonly { type: unknown }[] },
): void {
  // Any mention in the head counts: what is written there decides what a caller must give.
  const text = JSON.stringify([decl.args.map((a) => a.type), facts.facts, types]);
  for (const name of [...fn.sizes.keys(), ...fn.types.keys()]) {
    if (text.includes(`"${name}"`)) fn.usedSizes.add(name);
  }
}

function checkFn(
  program: Program,
  sig: FnSig,
  derivative: Extract<Decl, { k: 'derivative' }> | undefined,
): TFn | undefined {
  const { decl } = sig;
  const fn = newFn(program, {
    id: sig.id,
    name: sig.name,
    file: sig.file,
    facts: sig.facts,
    types: sig.typeNames,
  });
  const root: Env = { fn, scope: undefined, ranges: [] };
  usedInHead(fn, [...sig.args.map((a) => a.type), sig.result], sig.facts, decl);
  const inits: (TExpr | undefined)[] = [];
  let env = root;
  const params: Params = [];
  decl.args.forEach((a, i) => {
    const type = sig.args[i]!.type;
    inits.push(
      a.init === undefined
        ? undefined
        : check(env, a.init, type, reason(a.init.span, `the default of \`${a.name.text}\``)),
    );
    const bound = bind(env, a.name, type, 'parameter');
    env = bound.env;
    params.push({ id: bound.local.id, name: a.name.text, type });
  });
  const body = check(
    env,
    decl.body,
    sig.result,
    reason(tail(decl.body).span, `the result of \`${sig.name}\``),
  );
  const tangent = derivative === undefined ? undefined : checkDerivative(root, sig, derivative);
  const ok = finish(fn);
  warnUnused(fn, sig.params);
  if (!ok) return undefined;
  const typedBody = finished(fn, body);
  warnKeys(fn, typedBody);
  return {
    id: sig.id,
    name: sig.name,
    doc: decl.doc,
    span: decl.span,
    sizes: sig.params
      .filter((p) => p.kind === 'size')
      .map((p) => ({ name: p.name, init: sig.defaults.get(p.name) })),
    typeParams: [...sig.typeNames.keys()],
    derived: sig.facts.derived,
    facts: sig.facts.facts,
    params: params.map((p, i) => {
      const init = inits[i];
      return { id: p.id, name: p.name, type: p.type, init: init && finished(fn, init) };
    }),
    result: sig.result,
    body: typedBody,
    derivative: tangent && { ...tangent, body: finished(fn, tangent.body) },
  };
}

/** Whether a parameter of this type has a tangent: some leaf is f32, or may be. */
function isDifferentiable(t: Type): boolean {
  return leavesOf(t).some(
    (l) => !l.fixed && ((l.type.k === 'scalar' && l.type.s === 'f32') || l.type.k === 'var'),
  );
}

function checkDerivative(
  root: Env,
  sig: FnSig,
  d: Extract<Decl, { k: 'derivative' }>,
): TFn['derivative'] | undefined {
  const { report } = root.fn;
  const active = sig.args.filter((a) => isDifferentiable(a.type));
  const wanted = [...sig.args.map((a) => a.name), ...active.map((a) => `d${a.name}`)];
  if (d.args.length !== wanted.length) {
    report(
      diagnostic(
        'E0703',
        d.span,
        `the derivative of \`${sig.name}\` has ${wanted.length} names, not ${d.args.length}`,
        {
          hint: `write \`derivative ${sig.name}(${wanted.join(', ')}) = ...\`: the parameters, then the tangents of those that are f32`,
        },
      ),
    );
    return undefined;
  }
  const ids: { id: number; name: string }[] = [];
  let env = root;
  d.args.forEach((name, i) => {
    const n = sig.args.length;
    const type = i < n ? sig.args[i]!.type : active[i - n]!.type;
    const bound = bind(env, name, type, i < n ? 'parameter' : 'tangent');
    env = bound.env;
    if (i < n) bound.local.used = true;
    ids.push({ id: bound.local.id, name: name.text });
  });
  const body = check(
    env,
    d.body,
    sig.result,
    reason(tail(d.body).span, `the tangent of \`${sig.name}\``),
  );
  return { params: ids.slice(0, sig.args.length), tangents: ids.slice(sig.args.length), body };
}

function checkLet(program: Program, sig: LetSig): TLet | undefined {
  const fn = newFn(program, {
    id: sig.id,
    name: sig.name,
    file: sig.file,
    facts: noFacts([]),
    types: new Map(),
  });
  const env: Env = { fn, scope: undefined, ranges: [] };
  const body = check(
    env,
    sig.decl.body,
    sig.type,
    reason(tail(sig.decl.body).span, `\`${sig.name}\``),
  );
  const ok = finish(fn);
  warnUnused(fn, []);
  return ok
    ? { id: sig.id, name: sig.name, type: sig.type, body: finished(fn, body), span: sig.decl.span }
    : undefined;
}

function checkProperty(
  program: Program,
  file: FileScope,
  d: Extract<Decl, { k: 'check' }>,
): TCheck | undefined {
  const head = resolveHead(
    file,
    d.params,
    d.args.map((a) => a.type),
    d.where,
    program.report,
  );
  const types = d.args.map((a) => resolveType(head.scope, a.type));
  const id = `${file.file}#check ${d.name.text}`;
  const fn = newFn(program, {
    id,
    name: d.name.text,
    file,
    facts: head.facts,
    types: head.typeNames,
  });
  usedInHead(fn, types, head.facts, d);
  const { env, params } = bindParams({ fn, scope: undefined, ranges: [] }, d, types);
  const body = check(env, d.body, BOOL, reason(tail(d.body).span, `the check \`${d.name.text}\``));
  const ok = finish(fn);
  warnUnused(fn, head.params);
  if (!ok) return undefined;
  const property: TFn = {
    id,
    name: d.name.text,
    doc: d.doc,
    span: d.span,
    sizes: head.params.filter((p) => p.kind === 'size').map((p) => ({ name: p.name })),
    typeParams: [...head.typeNames.keys()],
    derived: head.facts.derived,
    facts: head.facts.facts,
    params: params.map((p) => ({ id: p.id, name: p.name, type: p.type })),
    result: BOOL,
    body: finished(fn, body),
  };
  return {
    name: d.name.text,
    file: file.file,
    span: d.span,
    what: { k: 'property', fn: property },
  };
}

function checkGradient(
  program: Program,
  file: FileScope,
  d: Extract<Decl, { k: 'checkGradient' }>,
): TCheck | undefined {
  const sig = file.values.get(d.of.text);
  if (sig?.k !== 'fn') {
    if (!file.broken.has(d.of.text)) {
      program.report(diagnostic('E0301', d.of.span, `there is no function \`${d.of.text}\` here`));
    }
    return undefined;
  }
  const head = resolveHead(
    file,
    sig.params.filter((p) => p.kind === 'size').map((p) => p.decl),
    [],
    d.where,
    program.report,
  );
  if (!sig.args.some((a) => isDifferentiable(a.type))) {
    program.report(
      diagnostic('E0702', d.of.span, `\`${sig.name}\` has no parameter of f32 to differentiate by`),
    );
  }
  return {
    name: `gradient of ${d.of.text}`,
    file: file.file,
    span: d.span,
    what: { k: 'gradient', fn: sig.id, where: head.facts.facts },
  };
}

// ---------------------------------------------------------------- the whole

export type Input = {
  readonly modules: ReadonlyMap<string, Module>;
  /** The file that an import names. */
  readonly resolve: (from: string, written: string) => string;
  /** Names that a file with syntax errors seems to declare: unknown, but not reported again. */
  readonly declared: (file: string) => readonly string[];
};

/** Lambdas checked at their uses, per program. */
const BUDGET = 20_000;

export function checkProgram(input: Input): CheckResult {
  const diagnostics: Diagnostic[] = [];
  const seen = new Set<string>();
  const report: Report = (d) => {
    const id = `${d.code} ${d.span.file} ${d.span.start} ${d.span.end} ${d.message}`;
    if (seen.has(id)) return;
    seen.add(id);
    diagnostics.push(polished(d));
  };
  let next = 0;
  const program: Program = {
    report,
    edges: [],
    instances: [],
    requirements: new Map(),
    fresh: () => ++next,
    budget: BUDGET,
  };
  const files = new Map<string, FileScope>();
  const fns = new Map<string, TFn>();
  const lets = new Map<string, TLet>();
  const checks: TCheck[] = [];
  const aliases: AliasDecl[] = [];
  for (const [file, module] of input.modules) {
    const scope: FileScope = { file, types: new Map(), values: new Map(), broken: new Set(input.declared(file)) };
    files.set(file, scope);
    const decls = namesOf(module, scope, report);
    aliases.push(...scope.types.values());
    for (const d of decls) if (d.k === 'import') importNames(input, files, scope, d, report);
    const imported = new Set(scope.values.keys());
    for (const d of decls) {
      if (d.k !== 'fn' && d.k !== 'let') continue;
      if (imported.has(d.name.text)) {
        report(
          diagnostic('E0303', d.name.span, `the name \`${d.name.text}\` is taken by an import`),
        );
        continue;
      }
      scope.values.set(
        d.name.text,
        d.k === 'fn' ? resolveFn(d, scope, report) : resolveLet(d, scope, report),
      );
    }
    for (const a of scope.types.values()) expandAlias(a, report);
    checkBodies(program, scope, decls, { fns, lets, checks });
  }
  checkRecursion(program);
  if (!diagnostics.some((d) => d.code === 'E0304')) checkRequirements(program);
  const sorted = inTextOrder(diagnostics, [...files.keys()]);
  if (diagnostics.some((d) => d.severity === 'error')) return { diagnostics: sorted };
  const typed: TProgram = {
    fns,
    lets,
    aliases: new Map(
      aliases
        .filter((a) => a.body !== ERROR)
        .map((a) => [
          a.id,
          { name: a.name, params: a.decl.params.map((p) => p.name.text), body: a.body },
        ]),
    ),
    checks,
    files: [...files.keys()],
  };
  return { program: typed, diagnostics: sorted };
}

function importNames(
  input: Input,
  files: ReadonlyMap<string, FileScope>,
  scope: FileScope,
  d: Extract<Decl, { k: 'import' }>,
  report: Report,
): void {
  const from = files.get(input.resolve(scope.file, d.from));
  for (const n of d.names) {
    const type = from?.types.get(n.text);
    const value = from?.values.get(n.text);
    if (scope.types.has(n.text) || scope.values.has(n.text)) {
      report(diagnostic('E0303', n.span, `the name \`${n.text}\` is taken`));
    } else if (type !== undefined) {
      scope.types.set(n.text, type);
    } else if (value !== undefined) {
      scope.values.set(n.text, value);
    } else {
      scope.broken.add(n.text);
    }
  }
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
  const first = text.charAt(0).toUpperCase() + text.slice(1);
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
