/**
 * Bodies: one function, top-level value or check at a time, against its resolved head.
 *
 * Invariant: each declaration has its own solver and obligations (context.ts), so that its errors
 * stay its own; the typed declaration is returned only when it has no error.
 */
import type { Decl, Expr, FnDecl } from '../ast.ts';
import { diagnostic } from '../errors.ts';
import { knownRemainder, noFacts, quotientIn } from '../facts.ts';
import { provesEqual, provesNonNegative } from '../prove.ts';
import { type Report, type Reported, watched } from '../reported.ts';
import * as S from '../size.ts';
import type { Solver } from '../solver.ts';
import type { Dim, TCheck, TExpr, TFn, TLet, Type } from '../typed.ts';
import { BOOL, leavesOf } from '../types.ts';
import {
  type Env,
  type FileScope,
  type Fn,
  type FnSig,
  type LetSig,
  type Program,
  reason,
} from './context.ts';
import { addFactTo, resolveHead } from './declare.ts';
import { check, tail } from './expr.ts';
import { finish, finished } from './finish.ts';
import { warnKeys } from './keys.ts';
import { bind } from './lets.ts';
import { warnUnused } from './lints.ts';
import { resolveType } from './resolve.ts';

function newSolver(
  program: Program,
  { facts, addFact }: Pick<Fn, 'facts' | 'addFact'>,
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
    provesEqual: (a, b) => provesEqual(facts, a, b),
    atMost: (a, b) => provesNonNegative(facts, S.sub(b, a)),
    knowsRemainder: (left, right) => knownRemainder(facts, { left, right, equals: S.ZERO }),
    quotient: (of, by) => quotientIn(facts, of, by),
    derived: [...facts.derived],
    addFact,
    echoes: new Map(),
    statement: (at) => statements.findLast((start) => start <= at.start) ?? -1,
    fresh: program.fresh,
  };
}

function newFn(
  program: Program,
  of: Pick<Fn, 'id' | 'name' | 'file' | 'facts' | 'types' | 'usedSizes' | 'addFact'>,
  faulty?: Reported,
): Fn {
  let errors = faulty === undefined ? 0 : 1;
  let first = faulty;
  const statements: number[] = [];
  const fault = (by: Reported): void => {
    errors += 1;
    first ??= by;
  };
  const report = watched(program.report, fault, () => faulty === undefined);
  return {
    ...of,
    program,
    sizes: of.facts.sizes as ReadonlyMap<string, Dim>,
    solver: newSolver(program, of, report, statements),
    statements,
    obligations: [],
    explanations: [],
    instances: [],
    indexValues: new Map(),
    locals: new Map(),
    report,
    unfit: new WeakMap(),
    faulty,
    errors: () => errors,
    failed: () => first,
    fault,
    usedSizes: new Set(of.usedSizes),
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

export function checkFn(
  program: Program,
  sig: FnSig,
  derivative: Extract<Decl, { k: 'derivative' }> | undefined,
): TFn | undefined {
  const { decl } = sig;
  const { id, name, file, facts } = sig;
  const fn = newFn(
    program,
    {
      ...{ id, name, file, facts, types: sig.typeNames, usedSizes: sig.used },
      addFact: addFactTo(decl.where, decl.headEnd, `\`${name}\``),
    },
    sig.faulty,
  );
  const root: Env = { fn, scope: undefined, ranges: [] };
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
  const before = program.edges.length;
  const tangent = derivative === undefined ? undefined : checkDerivative(root, sig, derivative);
  for (let i = before; i < program.edges.length; i++) {
    program.edges[i] = { ...program.edges[i]!, inDerivative: true };
  }
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
      .map((p) => ({ name: p.name, init: sig.defaults.get(p.name)?.size })),
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
  const tangents = active.map((a, i) => ({
    ...ids[sig.args.length + i]!,
    of: sig.args.indexOf(a),
  }));
  return { params: ids.slice(0, sig.args.length), tangents, body };
}

export function checkLet(program: Program, sig: LetSig): TLet | undefined {
  const fn = newFn(program, {
    id: sig.id,
    name: sig.name,
    file: sig.file,
    facts: noFacts([]),
    types: new Map(),
    usedSizes: new Set<string>(),
    addFact: () => ({}),
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

export function checkProperty(
  program: Program,
  file: FileScope,
  d: Extract<Decl, { k: 'check' }>,
): TCheck | undefined {
  const faults: Reported[] = [];
  const report = watched(program.report, (by) => faults.push(by));
  const head = resolveHead(
    file,
    d,
    d.args.map((a) => a.type),
    report,
  );
  const types = d.args.map((a) => resolveType(head.scope, a.type));
  const id = `${file.file}#check ${d.name.text}`;
  const fn = newFn(
    program,
    {
      ...{ id, name: d.name.text, file, facts: head.facts },
      ...{ types: head.typeNames, usedSizes: head.scope.used },
      addFact: addFactTo(d.where, d.headEnd, 'the check'),
    },
    faults[0],
  );
  const { env, params } = bindParams({ fn, scope: undefined, ranges: [] }, d, types);
  const why = reason(tail(d.body).span, `the check \`${d.name.text}\``, {
    hint: 'a check is a condition that holds for all inputs, such as `f(x) >= 0`',
  });
  const body = check(env, d.body, BOOL, why);
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

export function checkGradient(
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
  const params = sig.params.filter((p) => p.kind === 'size').map((p) => p.decl);
  const { where, headEnd } = d;
  const head = resolveHead(file, { params, where, headEnd }, [], program.report);
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
