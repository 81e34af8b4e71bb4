/**
 * Lambdas: checked against the function type they are given to, or at each use when bound by `let`.
 *
 * Functions exist at compile time only and are inlined, so a `let`-bound lambda is as good as a
 * local generic function; the program's budget bounds how often such bodies are checked.
 */
import type { Expr } from '../ast.ts';
import type { Reported } from '../reported.ts';
import { head, newType, type Reason, showType } from '../solver.ts';
import type { TExpr, Type } from '../typed.ts';
import { isNumberUnknown } from './arithmetic.ts';
import { brokenCall, count, inOrder } from './calls.ts';
import { broken, brokenBy, type Env, error, type Local } from './context.ts';
import { check, infer, tail } from './expr.ts';
import { isFree } from './indexing.ts';
import { bind, type LocalExtra, TEMPLATE } from './lets.ts';
import { indexForm } from './proofs.ts';

type Lambda = Extract<Expr, { k: 'lambda' }>;

function bindParams(
  env: Env,
  e: Lambda,
  types: readonly Type[],
  extras: readonly LocalExtra[] = [],
): { env: Env; params: Local[] } {
  const params: Local[] = [];
  let inner = env;
  e.params.forEach((p, i) => {
    const bound = bind(inner, p, types[i]!, 'parameter', extras[i]);
    params.push(bound.local);
    inner = bound.env;
  });
  return { env: inner, params };
}

function lambda(e: Lambda, params: readonly Local[], body: TExpr): TExpr {
  return {
    k: 'lambda',
    params: params.map((p) => ({ id: p.id, name: p.name, type: p.type })),
    body,
    type: { k: 'fn', params: params.map((p) => p.type), result: body.type },
    span: e.span,
  };
}

/** Evidence, once it is so, that lambdas were checked more often than any program should need. */
function spend(env: Env, e: Lambda): Reported | undefined {
  const { budget } = env.fn.program;
  budget.left -= 1;
  if (budget.left > 0) return undefined;
  budget.spent ??= error(
    env,
    'E0415',
    e.span,
    'the lambdas of this program call each other too often to be specialised',
    {
      hint: 'give this function a type, or make it a top-level `fn`',
    },
  );
  return budget.spent;
}

export function inferLambda(env: Env, e: Lambda): TExpr {
  const spent = spend(env, e);
  if (spent !== undefined) return broken(spent, e.span);
  const types = e.params.map((p) =>
    newType(
      env.fn.solver,
      {
        label: `the type of \`${p.text}\``,
        span: p.span,
        hint: 'give the function a type where it is bound or passed',
      },
      'type',
    ),
  );
  const { env: inner, params } = bindParams(env, e, types);
  const body = infer(inner, e.body);
  const by = brokenBy(body.type);
  return by === undefined ? lambda(e, params, body) : broken(by, e.span);
}

export function checkLambda(env: Env, e: Lambda, expected: Type, why: Reason): TExpr {
  const { solver } = env.fn;
  const by = brokenBy(expected);
  if (by !== undefined) return broken(by, e.span);
  if (expected.k === 'var' && expected.name.startsWith('?') && !isNumberUnknown(env, expected)) {
    const te = inferLambda(env, e);
    solver.types.set(expected.name, te.type);
    return te;
  }
  if (expected.k !== 'fn') {
    const message = `${why.subject} is a function, but ${showType(solver, expected)} is needed`;
    const refused = error(env, 'E0401', e.span, message, { related: why.related });
    return broken(refused, e.span);
  }
  if (expected.params.length !== e.params.length) {
    const message = `${why.subject} takes ${count(e.params.length)}, but it is called with ${count(expected.params.length)}`;
    const refused = error(env, 'E0406', e.span, message, { related: why.related });
    return broken(refused, e.span);
  }
  const spent = spend(env, e);
  if (spent !== undefined) return broken(spent, e.span);
  const { env: inner, params } = bindParams(env, e, expected.params);
  const body = check(inner, e.body, expected.result, {
    ...why,
    subject: `the result of ${why.subject}`,
    span: tail(e.body).span,
  });
  return { ...lambda(e, params, body), type: expected };
}

/** A lambda called where it stands, or by the name a `let` gave it. */
export function callLambda(
  env: Env,
  f: { readonly lambda: Lambda; readonly env: Env },
  e: Extract<Expr, { k: 'call' }>,
): TExpr {
  const named = e.args.find((a) => a.name !== undefined)?.name;
  if (named !== undefined) {
    const message = 'give the arguments of this function by position';
    return brokenCall(env, e, error(env, 'E0406', named.span, message));
  }
  if (e.args.length !== f.lambda.params.length) {
    const refused = error(
      env,
      'E0406',
      e.span,
      `this function takes ${count(f.lambda.params.length)}, not ${e.args.length}`,
      {
        related: [{ span: f.lambda.span, message: 'the function' }],
      },
    );
    return brokenCall(env, e, refused);
  }
  const spent = spend(env, f.lambda);
  if (spent !== undefined) return broken(spent, e.span);
  // A lambda that is passed is checked where it is used, as one that a `let` names.
  const data = e.args.map((a) => a.value).filter((a) => a.k !== 'lambda');
  const args = inOrder(env, data, (a) => infer(env, a));
  const given = e.args.map(({ value }) => {
    if (value.k !== 'lambda') return args[data.indexOf(value)]!;
    return { lambda: value, env };
  });
  const types = given.map((a) => ('lambda' in a ? TEMPLATE : head(env.fn.solver, a.type)));
  const outer: Env = { ...f.env, ranges: env.ranges };
  // What is known of an index argument is known of the parameter.
  const extras = given.map((a): LocalExtra => {
    if ('lambda' in a) return { template: a };
    const index = indexForm(env, a);
    return index === undefined ? {} : { index, free: isFree(env, a) };
  });
  const { env: inner, params } = bindParams(outer, f.lambda, types, extras);
  const body = infer(inner, f.lambda.body);
  const by = brokenBy(body.type);
  if (by !== undefined) return broken(by, e.span);
  const fn = lambda(
    f.lambda,
    params.filter((p) => p.template === undefined),
    body,
  );
  return { k: 'call', fn, args, type: body.type, span: e.span };
}
