/**
 * Built-in functions: scalar functions and casts, draws and splits of keys, integers to indices.
 *
 * Functions never lift: `exp` of a tensor is an error whose hint is the loop. Draws take a counter,
 * an integer or a row-major tuple of indices. Derivatives are in derivatives.ts.
 */
import type { Expr } from '../ast.ts';
import { extreme } from '../ranges.ts';
import { isReported, type Reported } from '../reported.ts';
import * as S from '../size.ts';
import { hasUnknown, head, newSize, resolveSize, showType } from '../solver.ts';
import type { Span } from '../source.ts';
import type { BuiltinName, ScalarOp, Size, TExpr, TIndex, Type } from '../typed.ts';
import { BOOL, F32, I32, KEY, SCALARS } from '../types.ts';
import { unify } from '../unify.ts';
import { isInteger, isNumberUnknown } from './arithmetic.ts';
import { requireNotEmpty } from './binders.ts';
import { brokenCall, count, type Expected } from './calls.ts';
import { broken, brokenBy, type Env, error, isBroken, reason } from './context.ts';
import { inferDerivative, isDerivative } from './derivatives.ts';
import { check, infer } from './expr.ts';
import type { SizeArg } from './instances.ts';
import {
  builtinParams,
  CASTS,
  FLOAT_FUNCTIONS,
  isScalarFunction,
  PAIR_FUNCTIONS,
} from './names.ts';
import { indexForm, rangeContext, requireInRange } from './proofs.ts';
import { resolveSize as resolveWritten } from './resolve.ts';
import { sizeExprOf, typeScope } from './scope.ts';
import { isOpen, unknownType } from './unknown.ts';
import { childrenOf } from './walk.ts';

type Call = Extract<Expr, { k: 'call' }>;

export function inferBuiltin(
  env: Env,
  name: string,
  sizes: readonly SizeArg[],
  e: Call,
  expected: Expected | undefined,
): TExpr {
  const named = e.args.find((a) => a.name !== undefined)?.name;
  if (named !== undefined) {
    const message = `the arguments of \`${name}\` are given by position`;
    return brokenCall(env, e, error(env, 'E0406', named.span, message));
  }
  if (sizes.length > 0 && name !== 'randint') {
    const message = `\`${name}\` takes no sizes in brackets`;
    return brokenCall(env, e, error(env, 'E0412', e.fn.span, message));
  }
  const args = e.args.map((a) => a.value);
  const params = builtinParams(name);
  if (params === undefined && !isScalarFunction(name)) {
    const message = `\`${name}\` is a number, not a function`;
    return brokenCall(env, e, error(env, 'E0405', e.fn.span, message));
  }
  const wanted = params?.length ?? (PAIR_FUNCTIONS.has(name) ? 2 : 1);
  if (args.length !== wanted) {
    const list = params === undefined ? '' : `: \`${name}(${params.join(', ')})\``;
    const one = PAIR_FUNCTIONS.has(name) && args.length === 1;
    const message = `\`${name}\` takes ${count(wanted)}, not ${args.length}${list}`;
    const refused = error(env, 'E0406', e.span, message, {
      hint: one
        ? `of all elements it is \`${name} i. x[i]\``
        : (name === 'grad' || name === 'valueGrad') && args.length > 2
          ? `a function of several is one of a record: \`${name}(p -> f(p.a, p.b), { a: x, b: y })\``
          : undefined,
    });
    return brokenCall(env, e, refused);
  }
  if (params === undefined) return scalarFunction(env, name as ScalarOp, args, e.span);
  const b = name as BuiltinName;
  if (isDerivative(b)) return inferDerivative(env, b, args, e.span);
  switch (b) {
    case 'split':
    case 'normal':
    case 'uniform':
    case 'randint':
      return draw(env, b, args, sizes, e.span, expected);
    case 'clamp':
    case 'wrap':
      return toIndex(env, b, args[0]!, e.span, expected);
    default:
      throw new Error(`no rule for ${b}`);
  }
}

// ---------------------------------------------------------------- scalar functions

type Argument = { readonly te: TExpr; readonly type: Type };

function scalarArgument(env: Env, name: string, e: Expr): Argument | Reported {
  const { solver } = env.fn;
  const te = infer(env, e);
  const type = head(solver, te.type);
  const by = brokenBy(type);
  if (by !== undefined) return by;
  if (type.k === 'scalar' || type.k === 'idx' || isNumberUnknown(env, type)) return { te, type };
  if (isOpen(env, type)) {
    if (CASTS.has(name)) {
      // What it gives is known; what it takes is looked at when everything is.
      env.fn.obligations.push(() => requireCastable(env, name, te, e.span));
      return { te, type };
    }
    return unknownType(env, te, e.span);
  }
  return noScalar(env, name, type, e.span);
}

function noScalar(env: Env, name: string, type: Type, span: Span): Reported {
  const shown = showType(env.fn.solver, type);
  return error(env, 'E0402', span, `\`${name}\` takes a scalar, and this is ${shown}`, {
    hint:
      type.k === 'fn'
        ? 'call the function'
        : `functions do not lift: write \`each v in x. ${name}(v${PAIR_FUNCTIONS.has(name) ? ', ...' : ''})\``,
  });
}

function requireCastable(env: Env, name: string, te: TExpr, span: Span): void {
  const t = head(env.fn.solver, te.type);
  if (isBroken(t) || t.k === 'idx' || (t.k === 'scalar' && t.s !== 'key')) return;
  if (t.k === 'var' && t.name.startsWith('?')) return; // reported, or a number
  if (t.k === 'scalar') error(env, 'E0401', span, `\`${name}\` takes a number, and this is key`);
  else noScalar(env, name, t, span);
}

function scalarFunction(env: Env, op: ScalarOp, args: readonly Expr[], span: Span): TExpr {
  const { solver } = env.fn;
  const values = args.map((a) => scalarArgument(env, op, a));
  const by = values.find(isReported);
  if (by !== undefined) return broken(by, span);
  const [x, y] = values as Argument[];
  const result = (type: Type): TExpr => ({
    k: 'prim',
    op,
    args: (values as Argument[]).map((v) => v.te),
    type,
    span,
  });
  const shown = () => showType(solver, x!.type);
  const bad = (what: string, hint?: string): TExpr => {
    const message = `\`${op}\` takes ${what}, and this is ${shown()}`;
    return broken(error(env, 'E0401', args[0]!.span, message, { hint }), span);
  };
  if (CASTS.has(op)) {
    const type = SCALARS.get(op)!;
    if (x!.type.k === 'scalar' && x!.type.s === 'key') return bad('a number');
    // A cast says what a number that is written in it is, and nothing of one that has a name: its type
    // would depend on which of its uses stands first.
    if (isNumberUnknown(env, x!.type) && op !== 'bool' && !mentionsNamed(env, x!.te, x!.type))
      unify(solver, x!.type, type, reason(span, `\`${op}\``));
    return result(type);
  }
  if (FLOAT_FUNCTIONS.has(op) || op === 'isfinite') {
    if (isInteger(x!.type)) return bad('f32', `write \`${op}(f32(...))\``);
    const clash = unify(solver, x!.type, F32, reason(args[0]!.span, `the argument of \`${op}\``));
    return clash ? broken(clash, span) : result(op === 'isfinite' ? BOOL : F32);
  }
  const number = (t: Type) =>
    isInteger(t) || isNumberUnknown(env, t) || (t.k === 'scalar' && t.s === 'f32');
  if (!number(x!.type)) return bad('a number');
  if (!PAIR_FUNCTIONS.has(op)) return result(x!.type.k === 'idx' ? I32 : x!.type);
  if (x!.type.k === 'idx' || y!.type.k === 'idx') {
    for (const [i, v] of [x!, y!].entries()) {
      if (v.type.k === 'idx') continue;
      const why = reason(args[i]!.span, `argument ${i + 1} of \`${op}\``);
      const clash = unify(solver, v.type, I32, why);
      if (clash !== undefined) return broken(clash, span);
    }
    return result(I32);
  }
  const clash = unify(solver, y!.type, x!.type, reason(args[1]!.span, `argument 2 of \`${op}\``));
  return clash ? broken(clash, span) : result(x!.type);
}

/** Whether a name stands in an expression whose type, still open, is the expression's own. */
function mentionsNamed(env: Env, te: TExpr, open: Type): boolean {
  const t = head(env.fn.solver, te.type);
  if (t.k !== 'var' || open.k !== 'var' || t.name !== open.name) return false;
  return te.k === 'local' || childrenOf(te).some((c) => mentionsNamed(env, c, open));
}

/** `exp` passed where a function is expected: a lambda around it. */
export function builtinAsFunction(env: Env, name: string, span: Span): TExpr {
  if (!FLOAT_FUNCTIONS.has(name)) {
    const refused = error(
      env,
      'E0414',
      span,
      `\`${name}\` can be called, but not passed as a value`,
      {
        hint: `write a function around it: \`x -> ${name}(x)\``,
      },
    );
    return broken(refused, span);
  }
  const id = env.fn.program.fresh();
  const x: TExpr = { k: 'local', id, name: 'x', type: F32, span };
  return {
    k: 'lambda',
    params: [{ id, name: 'x', type: F32 }],
    body: { k: 'prim', op: name as ScalarOp, args: [x], type: F32, span },
    type: { k: 'fn', params: [F32], result: F32 },
    span,
  };
}

// ---------------------------------------------------------------- draws

type Part = { readonly index: TIndex; readonly range: Size };

/**
 * A component of a counter and how many values it takes. Those after the first one must stay below
 * their range and not be negative, or two places would have one number.
 */
function counterPart(env: Env, e: Expr, outermost: boolean): Part | Reported {
  if (e.k === 'tuple') return counterTuple(env, e);
  const { solver } = env.fn;
  const te = infer(env, e);
  const t = head(solver, te.type);
  const by = brokenBy(t);
  if (by !== undefined) return by;
  if (isNumberUnknown(env, t)) unify(solver, t, I32, reason(e.span, 'the counter'));
  const now = head(solver, te.type);
  if (!isInteger(now)) {
    return error(
      env,
      'E0401',
      e.span,
      `a counter is an integer or an index, and this is ${showType(solver, now)}`,
    );
  }
  const index: TIndex = { k: 'at', e: te };
  if (now.k === 'idx') return { index, range: now.size };
  const form = indexForm(env, te);
  const constant = form === undefined ? undefined : S.constant(form);
  if (constant !== undefined && constant < 0) {
    return error(env, 'E0601', e.span, 'a counter is not negative');
  }
  const most = form === undefined ? undefined : extreme(rangeContext(env), form, 'max');
  if (form !== undefined && most !== undefined && !hasUnknown(resolveSize(solver, most))) {
    const range = S.add(most, S.ONE);
    if (!outermost) {
      const what = {
        te,
        form,
        extent: range,
        span: e.span,
        subject: 'this component of the counter',
      };
      requireInRange(env, what);
    }
    return { index, range };
  }
  if (outermost) return { index, range: S.ONE };
  return error(
    env,
    'E0602',
    e.span,
    'how many values this component of the counter takes is not known',
    {
      hint: 'put it first in the tuple, or make it an index with `clamp(...)`',
    },
  );
}

function counterTuple(env: Env, e: Extract<Expr, { k: 'tuple' }>): Part | Reported {
  const parts: Part[] = [];
  for (const [i, item] of e.items.entries()) {
    const part = counterPart(env, item, i === 0);
    if (isReported(part)) return part;
    parts.push(part);
  }
  const ranges = parts.map((p) => p.range);
  return {
    index: { k: 'tuple', parts: parts.map((p) => p.index), ranges },
    range: S.product(ranges),
  };
}

function draw(
  env: Env,
  name: 'split' | 'normal' | 'uniform' | 'randint',
  args: readonly Expr[],
  sizes: readonly SizeArg[],
  span: Span,
  expected: Expected | undefined,
): TExpr {
  const [k, i] = args;
  const key = check(env, k!, KEY, reason(k!.span, `the key of \`${name}\``));
  const part = counterPart(env, i!, true);
  if (isReported(part)) return broken(part, span);
  const counter: TExpr = { k: 'counter', index: part.index, type: I32, span: i!.span };
  const type =
    name === 'split' ? KEY : name === 'randint' ? drawnIndex(env, sizes, span, expected) : F32;
  return { k: 'builtin', name, args: [key, counter], type, span };
}

/** idx[K]: K from `randint[K]`, from the expected type, or from where the index is used. */
function drawnIndex(
  env: Env,
  sizes: readonly SizeArg[],
  span: Span,
  expected: Expected | undefined,
): Type {
  if (sizes.length === 0) return indexOf(env, 'randint', span, expected);
  const e = sizes.length === 1 ? sizeExprOf(sizes[0]!.value) : undefined;
  if (e === undefined) {
    error(env, 'E0412', span, '`randint` has one size: `randint[K](key, i)`');
    return indexOf(env, 'randint', span, expected);
  }
  const { size } = resolveWritten(typeScope(env), e);
  requireNotEmpty(env, size, span, 'randint');
  return { k: 'idx', size };
}

/** An index of the size that is expected, or that its use will say; there must be one to give. */
function indexOf(env: Env, name: string, span: Span, expected: Expected | undefined): Type {
  const { solver } = env.fn;
  const want = expected === undefined ? undefined : head(solver, expected.type);
  const hint =
    name === 'randint'
      ? 'write `randint[K](key, i)`'
      : 'use it as an index, or pass it where `idx[K]` is expected';
  const label = `the size of this \`${name}\``;
  const size = want?.k === 'idx' ? want.size : newSize(solver, { label, span, hint });
  requireNotEmpty(env, size, span, name);
  return { k: 'idx', size };
}

// ---------------------------------------------------------------- integers to indices

function toIndex(
  env: Env,
  name: 'clamp' | 'wrap',
  e: Expr,
  span: Span,
  expected: Expected | undefined,
): TExpr {
  const { solver } = env.fn;
  const te = infer(env, e);
  const t = head(solver, te.type);
  const by = brokenBy(t);
  if (by !== undefined) return broken(by, span);
  if (isNumberUnknown(env, t)) unify(solver, t, I32, reason(e.span, `the argument of \`${name}\``));
  const now = head(solver, te.type);
  if (!isInteger(now)) {
    const refused = error(
      env,
      'E0401',
      e.span,
      `\`${name}\` takes an integer, and this is ${showType(solver, now)}`,
      {
        hint: now.k === 'scalar' && now.s === 'f32' ? `write \`${name}(i32(...))\`` : undefined,
      },
    );
    return broken(refused, span);
  }
  return { k: 'builtin', name, args: [te], type: indexOf(env, name, span, expected), span };
}
