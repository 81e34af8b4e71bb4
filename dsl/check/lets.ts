/**
 * Names and patterns: how `let`, `fold` and parameters bring locals into scope.
 *
 * Invariant: every local has its own number in the whole program, so later stages know neither
 * shadowing nor capture. A lambda bound by `let` without a type is checked at each of its uses.
 */
import type { Expr, Name, Pattern } from '../ast.ts';
import { diagnostic } from '../errors.ts';
import * as S from '../size.ts';
import { head, showType } from '../solver.ts';
import type { TExpr, TPattern, Type } from '../typed.ts';
import { errorType } from '../types.ts';
import { brokenBy, type Env, error, type Local, lookup, reason } from './context.ts';
import { check, infer } from './expr.ts';
import { didYouMean } from './names.ts';
import { indexForm } from './proofs.ts';
import { resolveType } from './resolve.ts';
import { typeScope } from './scope.ts';

export type LocalExtra = Pick<Local, 'index' | 'free' | 'template' | 'range'>;

/** The type of a name whose lambda is checked at its uses; nothing looks at it. */
export const TEMPLATE: Type = { k: 'fn', params: [], result: { k: 'record', fields: [] } };

/** A new local; a name that hides another local is worth a warning. */
export function bind(
  env: Env,
  name: Name,
  type: Type,
  kind: Local['kind'],
  extra: LocalExtra = {},
): { local: Local; env: Env } {
  const { fn } = env;
  const hidden = name.text === '_' ? undefined : lookup(env, name.text);
  if (hidden !== undefined) {
    fn.report(
      diagnostic(
        'W0002',
        name.span,
        `\`${name.text}\` hides the ${hidden.kind === 'let' ? 'value' : hidden.kind} of that name`,
        {
          related: [{ span: hidden.span, message: 'the one that is hidden' }],
        },
      ),
    );
  }
  const id = fn.program.fresh();
  const t = head(fn.solver, type);
  const index = extra.index ?? (t.k === 'idx' ? S.variable(`#${id}`) : undefined);
  if (t.k === 'idx' && extra.index === undefined) {
    fn.indexValues.set(`#${id}`, { k: 'range', size: t.size });
  }
  const local: Local = {
    id,
    name: name.text,
    type,
    span: name.span,
    kind,
    used: false,
    ...extra,
    index,
  };
  if (name.text !== '_') fn.locals.set(id, local);
  const scope = name.text === '_' ? env.scope : { local, next: env.scope };
  // Where there is a value of type idx[K], there is a K of at least 1.
  const ranges = t.k === 'idx' && kind !== 'index' ? [...env.ranges, t.size] : env.ranges;
  return { local, env: { ...env, scope, ranges } };
}

/** Binds a pattern to a type; fields that are not named are ignored. */
export function bindPattern(
  env: Env,
  p: Pattern,
  type: Type,
  kind: Local['kind'],
  extra: LocalExtra = {},
): { pattern: TPattern; env: Env } {
  if (p.k === 'name') {
    const { local, env: inner } = bind(env, p.name, type, kind, extra);
    return { pattern: { k: 'name', id: local.id, name: local.name }, env: inner };
  }
  const { solver } = env.fn;
  const t = head(solver, type);
  let refused = brokenBy(t);
  if (t.k !== 'record') {
    refused ??= error(
      env,
      'E0411',
      p.span,
      `this pattern takes a record apart, and the value is ${showType(solver, t)}`,
    );
  }
  let inner = env;
  const fields: { label: string; pattern: TPattern }[] = [];
  for (const f of p.fields) {
    const field = t.k === 'record' ? t.fields.find((x) => x.label === f.label.text) : undefined;
    const fieldType = (): Type => {
      if (field !== undefined) return field.type;
      const message = `${showType(solver, t)} has no field \`${f.label.text}\``;
      const names = t.k === 'record' ? t.fields.map((x) => x.label) : [];
      const hint = didYouMean(f.label.text, names);
      return errorType(refused ?? error(env, 'E0404', f.label.span, message, { hint }));
    };
    const sub = f.pattern ?? ({ k: 'name', name: f.label, span: f.label.span } as const);
    const bound = bindPattern(inner, sub, fieldType(), kind);
    fields.push({ label: f.label.text, pattern: bound.pattern });
    inner = bound.env;
  }
  return { pattern: { k: 'record', fields }, env: inner };
}

type Let = Extract<Expr, { k: 'let' }>;

export function bindLet(env: Env, e: Let, body: (inner: Env) => TExpr): TExpr {
  env.fn.statements.push(e.span.start);
  if (e.value.k === 'lambda' && e.type === undefined && e.pattern.k === 'name') {
    const template = { lambda: e.value, env };
    const { env: inner } = bind(env, e.pattern.name, TEMPLATE, 'let', { template });
    return body(inner);
  }
  const value =
    e.type === undefined
      ? infer(env, e.value)
      : check(
          env,
          e.value,
          resolveType(typeScope(env), e.type),
          reason(e.value.span, e.pattern.k === 'name' ? `\`${e.pattern.name.text}\`` : 'the value'),
        );
  const { statements } = env.fn;
  if (e.body.k !== 'let') statements.push(e.body.span.start);
  const index = indexForm(env, value);
  const bound = bindPattern(
    env,
    e.pattern,
    value.type,
    'let',
    index === undefined ? {} : { index },
  );
  const inside = body(bound.env);
  return { k: 'let', pattern: bound.pattern, value, body: inside, type: inside.type, span: e.span };
}
