/**
 * Loops over elements (`for` and the reductions) and over steps (`fold`, `scan`).
 *
 * Invariant: every binder has a range, written or inferred from where its index is used; the ranges
 * of enclosing binders are in `env.ranges`, because the body runs only when they are not empty. The
 * carry of a fold has one type for all steps.
 */
import type { Binder, Expr } from '../ast.ts';
import { equate, equateProduct, sameLayout } from '../equations.ts';
import { provesNonNegative } from '../prove.ts';
import { isReported, type Reported } from '../reported.ts';
import * as S from '../size.ts';
import {
  hasUnknown,
  head,
  newSize,
  type Reason,
  resolveSize,
  showSize,
  showType,
} from '../solver.ts';
import type { Dim, Size, TBinder, TExpr, Type } from '../typed.ts';
import { atom, BOOL, dropDims, F32, productDim, tensorOf } from '../types.ts';
import { unify } from '../unify.ts';
import { isNumberUnknown } from './arithmetic.ts';
import { broken, brokenBy, type Env, error, isBroken, reason } from './context.ts';
import { withRange } from './edits.ts';
import { check, coerce, infer, tail } from './expr.ts';
import { bind, bindPattern } from './lets.ts';
import { binderNames, warnTrailing } from './lints.ts';
import { isUndecided, rangeContext } from './proofs.ts';
import { resolveSize as resolveWritten } from './resolve.ts';
import { typeScope } from './scope.ts';
import { isOpen, unknownType } from './unknown.ts';

type Bound = { readonly binder: TBinder; readonly dim: Dim; readonly env: Env };
type BoundOne = Bound & { readonly binder: Extract<TBinder, { k: 'one' }> };

function bindOne(env: Env, b: Extract<Binder, { k: 'one' }>): BoundOne {
  const { solver } = env.fn;
  const written = b.size === undefined ? undefined : resolveWritten(typeScope(env), b.size);
  const label = b.name.text === '_' ? 'the range of `_`' : `the range of \`${b.name.text}\``;
  const dim =
    written ??
    atom(
      newSize(solver, {
        label,
        span: b.span,
        inside: env.ranges,
        ...withRange(env, b.name.text, b.name.span),
      }),
    );
  const type: Type = { k: 'idx', size: dim.size };
  const bound = bind(env, b.name, type, 'index', { free: written === undefined, range: dim });
  const inner = { ...bound.env, ranges: [...env.ranges, dim.size] };
  return {
    binder: { k: 'one', id: bound.local.id, name: b.name.text, size: dim.size },
    dim,
    env: inner,
  };
}

/** Brings one binder into scope; `expected` is the dimension it will run over, when known. */
function bindIndex(env: Env, b: Binder, expected?: { dim: Dim; why: Reason }): Bound {
  const { solver } = env.fn;
  if (b.k === 'one') {
    const bound = bindOne(env, b);
    if (expected !== undefined) {
      const { subject } = expected.why;
      const name = b.name.text === '_' ? 'this range' : `\`${b.name.text}\``;
      equate(solver, bound.dim, expected.dim, {
        ...expected.why,
        span: b.span,
        origin: subject,
        sizes: (own, size) => `${name} runs over ${own}, but ${subject} has size ${size} here`,
      });
    }
    return bound;
  }
  const items: TBinder[] = [];
  const dims: Dim[] = [];
  let inner = env;
  for (const item of b.items) {
    const bound = bindIndex(inner, item);
    items.push(bound.binder);
    dims.push(bound.dim);
    inner = bound.env;
  }
  const why = { ...(expected?.why ?? reason(b.span, 'this tuple')), span: b.span };
  const dim = productDim(dims);
  const ranges = dims.map((d) => d.size);
  equateProduct(solver, ranges, expected?.dim, why);
  if (expected !== undefined) sameLayout(solver, dim, expected.dim, why);
  return { binder: { k: 'tuple', items }, dim, env: inner };
}

function bindAll(
  env: Env,
  ix: readonly Binder[],
  expected: readonly Dim[] = [],
  why?: Reason,
): { binders: TBinder[]; dims: Dim[]; env: Env } {
  const binders: TBinder[] = [];
  const dims: Dim[] = [];
  let inner = env;
  ix.forEach((b, i) => {
    const dim = expected[i];
    const bound = bindIndex(inner, b, dim && why ? { dim, why } : undefined);
    binders.push(bound.binder);
    dims.push(bound.dim);
    inner = bound.env;
  });
  return { binders, dims, env: inner };
}

// ---------------------------------------------------------------- for

type For = Extract<Expr, { k: 'for' }>;

export function inferFor(env: Env, e: For): TExpr {
  const bound = bindAll(env, e.ix);
  const body = infer(bound.env, e.body);
  const t = head(env.fn.solver, body.type);
  const by = brokenBy(t);
  if (by !== undefined) return broken(by, e.span);
  if (t.k === 'fn') {
    const refused = error(
      env,
      'E0414',
      e.body.span,
      'an array of functions has no element to store',
      {
        hint: 'write a function of the index: `i -> ...`',
      },
    );
    return broken(refused, e.span);
  }
  const type = tensorOf(bound.dims, body.type);
  return { k: 'for', binders: bound.binders, body, type, span: e.span };
}

export function checkFor(
  env: Env,
  e: For,
  expected: Extract<Type, { k: 'tensor' }>,
  why: Reason,
): TExpr {
  if (e.ix.length > expected.dims.length && head(env.fn.solver, expected.elem).k !== 'var') {
    return coerce(env, inferFor(env, e), expected, why);
  }
  const bound = bindAll(env, e.ix, expected.dims, why);
  const rest = e.ix.length > expected.dims.length ? undefined : dropDims(expected, e.ix.length);
  if (rest === undefined) {
    const body = infer(bound.env, e.body);
    const te: TExpr = {
      k: 'for',
      binders: bound.binders,
      body,
      type: tensorOf(bound.dims, body.type),
      span: e.span,
    };
    return coerce(env, te, expected, why);
  }
  const subject = `an element of ${why.subject}`;
  const body = check(bound.env, e.body, rest, { ...why, subject, span: tail(e.body).span });
  const type = tensorOf(
    bound.dims.map((d, i) => (d.form.k === 'atom' ? expected.dims[i]! : d)),
    rest,
  );
  return { k: 'for', binders: bound.binders, body, type, span: e.span };
}

// ---------------------------------------------------------------- reductions

type Reduce = Extract<Expr, { k: 'reduce' }>;

/** Asks for a range that is not empty, from the caller's facts or here. */
export function requireNotEmpty(env: Env, size: Size, span: Expr['span'], op: string): void {
  const { solver, obligations, facts, addFact } = env.fn;
  obligations.push(() => {
    const now = resolveSize(solver, size);
    // Unknown sizes are reported as such.
    if (hasUnknown(now) || isUndecided(env)) return;
    const positive = rangeContext(env).positive;
    if (provesNonNegative(facts, S.sub(now, S.ONE), positive)) return;
    const shown = showSize(solver, now);
    const empty = S.constant(now) === 0;
    const hint = { ...addFact(`${shown} >= 1`) };
    error(
      env,
      'E0603',
      span,
      `\`${op}\` needs a range that is not empty, and ${shown} ${empty ? 'is' : 'may be'} 0`,
      empty ? {} : { ...hint, hint: `add \`where ${shown} >= 1\` to the function` },
    );
  });
}

export const NEEDS_ELEMENTS: ReadonlySet<string> = new Set([
  'max',
  'min',
  'mean',
  'argmax',
  'argmin',
]);

export function inferReduce(env: Env, e: Reduce): TExpr {
  const bound = bindAll(env, e.ix);
  const body = infer(bound.env, e.body);
  warnTrailing(env.fn, e.op, binderNames(e.ix), e.body);
  const size = S.product(bound.dims.map((d) => d.size));
  if (NEEDS_ELEMENTS.has(e.op)) requireNotEmpty(env, size, e.span, e.op);
  const scalar = reducedType(env, e.op, body, e.body, binderNames(e.ix));
  if (isReported(scalar)) return broken(scalar, e.span);
  if ((e.op === 'argmax' || e.op === 'argmin') && e.ix.length > 1) {
    const message = `\`${e.op}\` gives one index; over several ranges write a tuple: \`${e.op} (i, j). ...\``;
    return broken(error(env, 'E0414', e.span, message), e.span);
  }
  const type: Type = e.op === 'argmax' || e.op === 'argmin' ? { k: 'idx', size } : scalar;
  return { k: 'reduce', op: e.op, binders: bound.binders, body, type, span: e.span };
}

/** `mean n. x[n]` of a matrix: all of it, or one result for each element of a row. */
function indexAll(op: Reduce['op'], names: readonly string[], body: Expr, missing: number): string {
  const free = ['i', 'j', 'k', 'l', 'm', 'n'].filter((n) => !names.includes(n)).slice(0, missing);
  const read =
    body.k === 'brackets' && body.target.k === 'var' && body.args.every((a) => a.value.k === 'var')
      ? [body.target.name, ...body.args.map((a) => (a.value as { name: string }).name)]
      : ['x', ...names];
  const x = `${read[0]}[${[...read.slice(1), ...free].join(', ')}]`;
  const [own, more] = [names.join(', '), free.join(', ')];
  return `index the body as well: \`${op} ${own}, ${more}. ${x}\` for all of it, \`for ${more}. ${op} ${own}. ${x}\` for one result each`;
}

/** The scalar type of a reduction over bodies of this type. */
export function reducedType(
  env: Env,
  op: Reduce['op'],
  body: TExpr,
  source: Expr,
  names: readonly string[],
): Type | Reported {
  const { solver } = env.fn;
  const t = head(solver, body.type);
  const at = tail(source).span;
  const by = brokenBy(t);
  if (by !== undefined) return by;
  if (op === 'all' || op === 'any') {
    return unify(solver, t, BOOL, reason(at, `the body of \`${op}\``)) ?? BOOL;
  }
  if (t.k === 'tensor' || t.k === 'record' || t.k === 'fn') {
    return error(
      env,
      'E0402',
      at,
      `\`${op}\` reduces scalars, and its body is ${showType(solver, t)}`,
      {
        hint:
          t.k === 'tensor'
            ? indexAll(op, names, source, t.dims.length)
            : `map over the leaves first: \`each a in ... .\``,
      },
    );
  }
  const number = isNumberUnknown(env, t);
  if (op === 'mean' && number) {
    unify(solver, t, F32, reason(at, 'the body of `mean`'));
    return F32;
  }
  if (isOpen(env, t)) return unknownType(env, body, at);
  const fits =
    number ||
    (t.k === 'scalar' && (t.s === 'f32' || (op !== 'mean' && (t.s === 'i32' || t.s === 'u32'))));
  if (fits) return t;
  return error(
    env,
    t.k === 'var' ? 'E0408' : 'E0409',
    at,
    `\`${op}\` does not work on ${showType(solver, t)}`,
    {
      hint:
        t.k === 'idx' || op === 'mean'
          ? 'write `f32(...)` around the body'
          : t.k === 'scalar' && t.s === 'bool'
            ? 'write `f32(...)` to count true as 1, or use `all` or `any`'
            : undefined,
    },
  );
}

// ---------------------------------------------------------------- fold and scan

type Fold = Extract<Expr, { k: 'fold' | 'scan' }>;

function carry(
  env: Env,
  e: Fold,
  expected: Type | undefined,
): { te: TExpr; type: Type; dim: Dim } | Reported {
  const { solver } = env.fn;
  const named = e.pattern.k === 'name' ? `\`${e.pattern.name.text}\`` : 'the carry';
  // The result's type helps a literal start; a start that has a type of its own keeps it, so that a
  // step that changes it is what is reported.
  const literal = ['num', 'record', 'array', 'for', 'unary', 'call'].includes(e.init.k);
  const target = expected === undefined || !literal ? undefined : head(solver, expected);
  const init =
    target === undefined || (target.k === 'var' && target.name.startsWith('?'))
      ? infer(env, e.init)
      : check(env, e.init, target, reason(e.init.span, `the start of ${named}`));
  const t = head(solver, init.type);
  if (t.k === 'fn') {
    return error(env, 'E0414', e.init.span, `a \`${e.k}\` carries data, not functions`);
  }
  if (e.ix.k === 'tuple') {
    return error(env, 'E0414', e.ix.span, `a \`${e.k}\` goes over one index`, {
      hint: 'write a product range: `for n: A*B.`',
    });
  }
  const step = bindOne(env, e.ix);
  const bound = bindPattern(step.env, e.pattern, init.type, 'carry');
  const why = reason(tail(e.body).span, `the next ${named} of this \`${e.k}\``, {
    related: [{ span: e.init.span, message: 'the start, whose type every step keeps' }],
  });
  const body = isBroken(t) ? infer(bound.env, e.body) : check(bound.env, e.body, init.type, why);
  const { id, name, size } = step.binder;
  const te: TExpr = {
    k: e.k,
    pattern: bound.pattern,
    init,
    binder: { id, name, size },
    body,
    type: init.type,
    span: e.span,
  };
  return { te, type: init.type, dim: step.dim };
}

export function inferFold(env: Env, e: Fold, expected: Type | undefined): TExpr {
  const c = carry(env, e, expected);
  return isReported(c) ? broken(c, e.span) : c.te;
}

/** The carries after each step, stacked. */
export function inferScan(env: Env, e: Fold): TExpr {
  const c = carry(env, e, undefined);
  const by = isReported(c) ? c : brokenBy(head(env.fn.solver, c.type));
  if (isReported(c) || by !== undefined) return broken(by!, e.span);
  return { ...c.te, type: tensorOf([c.dim], c.type) };
}
