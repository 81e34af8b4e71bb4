/**
 * The two directions of checking: `infer` finds the type of an expression, `check` pushes a type
 * into it. One case per construct; everything longer than a few lines lives in the file of its
 * construct family.
 *
 * Invariant: both return a typed expression whatever happens; a wrong one has type ERROR.
 */
import type { Expr } from '../ast.ts';
import { suggest } from '../equations.ts';
import type { Reported } from '../reported.ts';
import * as S from '../size.ts';
import { hasUnknown, head, newType, type Reason, resolveSize, showType } from '../solver.ts';
import type { Size, TExpr, Type } from '../typed.ts';
import { atom, BOOL, F32, I32 } from '../types.ts';
import { unify } from '../unify.ts';
import { inferBinary, inferUnary, isNumberUnknown } from './arithmetic.ts';
import { checkFor, inferFold, inferFor, inferReduce, inferScan } from './binders.ts';
import { builtinAsFunction } from './builtins.ts';
import { inferCall, useFunction } from './calls.ts';
import {
  broken,
  brokenBy,
  type Env,
  error,
  isBroken,
  localNames,
  lookup,
  reason,
} from './context.ts';
import { clamped } from './edits.ts';
import { checkLambda, inferLambda } from './functions.ts';
import { habit } from './habits.ts';
import { inferBrackets, inferOrElse } from './indexing.ts';
import { bindLet } from './lets.ts';
import { builtinNames, CONSTANTS, didYouMean, isBuiltin } from './names.ts';
import { indexForm, requireInRange } from './proofs.ts';
import { checkArray, checkRecord, inferArray, inferField, inferRecord } from './records.ts';
import { inferEach, inferReduceTree } from './trees.ts';

export function infer(env: Env, e: Expr): TExpr {
  switch (e.k) {
    case 'num':
      return number(env, e);
    case 'bool':
      return { k: 'bool', value: e.value, type: BOOL, span: e.span };
    case 'var':
      return inferName(env, e);
    case 'size':
      return inferSize(env, e);
    case 'lambda':
      return inferLambda(env, e);
    case 'let':
      return bindLet(env, e, (inner) => infer(inner, e.body));
    case 'for':
      return inferFor(env, e);
    case 'reduce':
      return inferReduce(env, e);
    case 'reduceTree':
      return inferReduceTree(env, e);
    case 'each':
      return inferEach(env, e);
    case 'fold':
      return inferFold(env, e, undefined);
    case 'scan':
      return inferScan(env, e);
    case 'if':
      return inferIf(env, e);
    case 'unary':
      return inferUnary(env, e);
    case 'binary':
      return inferBinary(env, e);
    case 'orElse':
      return inferOrElse(env, e);
    case 'left':
    case 'right':
      return broken(
        error(env, 'E0414', e.span, `\`${e.k}\` belongs to an index: \`x[${e.k} i]\``, {
          hint: `what it takes goes in parentheses: \`x[${e.k} (i + 1)]\``,
        }),
        e.span,
      );
    case 'field':
      return inferField(env, e);
    case 'brackets':
      return inferBrackets(env, e);
    case 'call':
      return inferCall(env, e, undefined);
    case 'tuple':
      return broken(
        error(env, 'E0414', e.span, 'a tuple is an index or the counter of a draw, not a value', {
          hint: 'results of several parts are records: `{ a: ..., b: ... }`',
        }),
        e.span,
      );
    case 'array':
      return inferArray(env, e);
    case 'record':
      return inferRecord(env, e);
  }
}

export function check(env: Env, e: Expr, expected: Type, why: Reason): TExpr {
  const want = head(env.fn.solver, expected);
  switch (e.k) {
    case 'lambda':
      return checkLambda(env, e, want, why);
    case 'let':
      return bindLet(env, e, (inner) =>
        check(inner, e.body, expected, { ...why, span: tail(e.body).span }),
      );
    case 'for':
      return want.k === 'tensor'
        ? checkFor(env, e, want, why)
        : coerce(env, inferFor(env, e), want, why);
    case 'if': {
      const inner = { ...env, branch: true };
      const cond = check(env, e.cond, BOOL, reason(e.cond.span, 'the condition'));
      const then = check(inner, e.then, expected, { ...why, span: tail(e.then).span });
      const other = check(inner, e.else, expected, { ...why, span: tail(e.else).span });
      return { k: 'if', cond, then, else: other, type: expected, span: e.span };
    }
    case 'record':
      return want.k === 'record'
        ? checkRecord(env, e, want, why)
        : coerce(env, inferRecord(env, e), want, why);
    case 'array':
      return want.k === 'tensor'
        ? checkArray(env, e, want, why)
        : coerce(env, inferArray(env, e), want, why);
    case 'fold':
      return coerce(env, inferFold(env, e, expected), want, why);
    case 'call':
      return coerce(env, inferCall(env, e, { type: expected, why }), want, why);
    default:
      return coerce(env, infer(env, e), want, why);
  }
}

/** The last expression of a block: where a wrong result is shown. */
export function tail(e: Expr): Expr {
  return e.k === 'let' ? tail(e.body) : e;
}

/** An integer as an index of the type that is needed, which its form is shown to be. */
function inRange(
  env: Env,
  te: TExpr,
  form: Size,
  want: Extract<Type, { k: 'idx' }>,
  why: Reason,
): TExpr {
  requireInRange(env, { te, form, extent: want.size, span: why.span, subject: why.subject });
  return { k: 'inRange', e: te, type: want, span: te.span };
}

/** Makes an inferred expression fit; integers and narrower indices fit `idx[K]` when in range. */
export function coerce(env: Env, te: TExpr, expected: Type, why: Reason): TExpr {
  const { solver } = env.fn;
  const want = head(solver, expected);
  const have = head(solver, te.type);
  if (want.k === 'idx' && !isBroken(have)) {
    const form = indexForm(env, te);
    if (have.k === 'idx') {
      const [own, needed] = [resolveSize(solver, have.size), resolveSize(solver, want.size)];
      if (!hasUnknown(own) && S.equal(own, needed)) return te;
      // A narrower index does as well, so that it says what a size is only if nothing else does.
      suggest(solver, atom(have.size), atom(want.size), why);
      return inRange(env, te, form!, want, why);
    }
    const integer = have.k === 'scalar' && (have.s === 'i32' || have.s === 'u32');
    const literal = have.k === 'var' && solver.unknowns.get(have.name)?.kind === 'number';
    if ((integer || literal) && form !== undefined) {
      if (literal) solver.types.set(have.name, I32);
      return inRange(env, te, form, want, why);
    }
    if (integer) {
      const refused = error(
        env,
        'E0602',
        why.span,
        `${why.subject} is ${showType(solver, have)}, but ${showType(solver, want)} is needed`,
        {
          ...clamped(te.span),
          hint: 'write `clamp(...)` or `wrap(...)` to make an index of an integer',
        },
      );
      return broken(refused, te.span);
    }
  }
  const extra =
    have.k === 'idx' &&
    want.k === 'scalar' &&
    (want.s === 'f32' || want.s === 'i32' || want.s === 'u32');
  const hinted =
    extra && why.hint === undefined
      ? { ...why, hint: `write \`${want.s}(...)\` to make a number of an index` }
      : why;
  const clash = unify(solver, te.type, want, hinted);
  if (clash === undefined) return te;
  const forced: TExpr = { ...te, type: want };
  env.fn.unfit.set(forced, clash);
  return forced;
}

/** A literal; with the `-` before it, if there is one: i32 has one more number below 0. */
export function number(
  env: Env,
  e: Extract<Expr, { k: 'num' }>,
  minus?: Extract<Expr, { k: 'unary' }>,
): TExpr {
  const { solver, obligations } = env.fn;
  const [value, text, span] =
    minus === undefined ? [e.value, e.text, e.span] : [-e.value, `-${e.text}`, minus.span];
  if (!e.isInt) {
    if (Math.abs(e.value) > 3.4028235677973366e38) {
      error(env, 'E0410', e.span, `${e.text} is out of the range of f32`);
    }
    return { k: 'num', value, type: F32, span };
  }
  const type = newType(solver, { label: 'a number', span: e.span }, 'number');
  const te: TExpr = { k: 'num', value, type, span };
  obligations.push(() => literalFits(env, te, value, text));
  return te;
}

/** Reports a number that its type, known at the end, cannot hold. */
function literalFits(env: Env, te: TExpr, value: number, text: string): void {
  const t = head(env.fn.solver, te.type);
  if (t.k !== 'scalar' || !Number.isFinite(value)) return;
  const limits: Record<string, [number, number]> = {
    i32: [-(2 ** 31), 2 ** 31 - 1],
    u32: [0, 2 ** 32 - 1],
    f32: [-3.4028235677973366e38, 3.4028235677973366e38],
  };
  const range = limits[t.s];
  if (range !== undefined && (value < range[0] || value > range[1])) {
    error(env, 'E0410', te.span, `${text} is out of the range of ${t.s}`);
  }
}

function inferSize(env: Env, e: Extract<Expr, { k: 'size' }>): TExpr {
  const { fn } = env;
  const found = fn.sizes.get(e.name);
  if (found === undefined) {
    const refused = error(env, 'E0305', e.span, `there is no size \`${e.name}\` here`, {
      hint:
        didYouMean(e.name, fn.sizes.keys()) ??
        (fn.types.has(e.name) ? `\`${e.name}\` is a type` : undefined),
    });
    return broken(refused, e.span);
  }
  fn.usedSizes.add(e.name);
  const type = newType(fn.solver, { label: 'a number', span: e.span }, 'number');
  return { k: 'size', size: found.size, type, span: e.span };
}

function inferName(env: Env, e: Extract<Expr, { k: 'var' }>): TExpr {
  const local = lookup(env, e.name);
  if (local !== undefined) {
    local.used = true;
    if (local.template !== undefined) return inferLambda(local.template.env, local.template.lambda);
    return { k: 'local', id: local.id, name: local.name, type: local.type, span: e.span };
  }
  const value = env.fn.file.values.get(e.name);
  if (value?.k === 'fn') return useFunction(env, value, [], e.span).fn;
  if (value?.k === 'let') {
    env.fn.program.edges.push({ from: env.fn.id, to: value.id, span: e.span });
    const by = brokenBy(value.type);
    if (by !== undefined) env.fn.fault(by);
    return { k: 'global', id: value.id, type: value.type, span: e.span };
  }
  const by = env.fn.file.broken.get(e.name);
  if (by !== undefined) {
    env.fn.fault(by);
    return broken(by, e.span);
  }
  const constant = CONSTANTS.get(e.name);
  if (constant !== undefined) return { k: 'num', value: constant, type: F32, span: e.span };
  if (isBuiltin(e.name)) return builtinAsFunction(env, e.name, e.span);
  return broken(unknownName(env, e), e.span);
}

export function unknownName(env: Env, e: { name: string; span: Expr['span'] }): Reported {
  const names = [...localNames(env), ...env.fn.file.values.keys(), ...builtinNames()];
  const elsewhere = env.fn.program.files.find((f) => f.values.get(e.name)?.file === f);
  return error(env, 'E0301', e.span, `there is no \`${e.name}\` here`, {
    hint:
      elsewhere === undefined
        ? (habit(e.name) ?? didYouMean(e.name, names))
        : `\`${e.name}\` is declared in ${elsewhere.file}: import it from there`,
  });
}

function inferIf(env: Env, e: Extract<Expr, { k: 'if' }>): TExpr {
  const { solver } = env.fn;
  const cond = check(env, e.cond, BOOL, reason(e.cond.span, 'the condition'));
  const inner = { ...env, branch: true };
  const first = infer(inner, e.then);
  const firstType = head(solver, first.type);
  const why = (branch: string, own: Expr, other: Expr): Reason =>
    reason(tail(own).span, `the \`${branch}\` branch`, {
      related: [{ span: tail(other).span, message: 'the other branch' }],
    });
  const result = (then: TExpr, other: TExpr, type: Type): TExpr => {
    return { k: 'if', cond, then, else: other, type, span: e.span };
  };
  if (isBroken(firstType)) {
    const other = infer(inner, e.else);
    return result(first, other, other.type);
  }
  if (!isNumberUnknown(env, firstType)) {
    const other = check(inner, e.else, first.type, why('else', e.else, e.then));
    return result(first, other, first.type);
  }
  // A number takes the type of the other branch, which may be an index.
  const other = infer(inner, e.else);
  const then = coerce(env, first, other.type, why('then', e.then, e.else));
  return result(then, other, other.type);
}
