/**
 * `grad`, `valueGrad`, `vjp`, `jvp`, `stop`, `checkpoint` and the other functions of whole trees.
 *
 * Invariant: what is differentiated is a function of one tree whose leaves are f32 or fixed; a
 * leaf of another type is refused here, or passed on to the caller as a requirement when it belongs
 * to a type parameter (requirements.ts).
 */
import type { Expr } from '../ast.ts';
import { isReported, type Reported } from '../reported.ts';
import { head, newType, resolveType, showType } from '../solver.ts';
import type { Span } from '../source.ts';
import type { BuiltinName, TExpr, Type } from '../typed.ts';
import { F32, KEY, leavesOf } from '../types.ts';
import { unify } from '../unify.ts';
import { isNumberUnknown } from './arithmetic.ts';
import {
  broken,
  brokenBy,
  type Env,
  error,
  isBroken,
  type Requirement,
  reason,
} from './context.ts';
import { check, infer, tail } from './expr.ts';
import { note } from './requirements.ts';

type OfTrees = Extract<
  BuiltinName,
  'stop' | 'checkpoint' | 'grad' | 'valueGrad' | 'vjp' | 'jvp' | 'normalLike' | 'zerosLike'
>;

export function isDerivative(name: BuiltinName): name is OfTrees {
  switch (name) {
    case 'stop':
    case 'checkpoint':
    case 'grad':
    case 'valueGrad':
    case 'vjp':
    case 'jvp':
    case 'normalLike':
    case 'zerosLike':
      return true;
    default:
      return false;
  }
}

function pair(first: [string, Type], second: [string, Type]): Type {
  const fields = [first, second].map(([label, type]) => ({ label, type, fixed: false }));
  return { k: 'record', fields };
}

/** Data, not a function. */
function tree(env: Env, name: string, e: Expr): TExpr | Reported {
  const { solver } = env.fn;
  const te = infer(env, e);
  const t = head(solver, te.type);
  const by = brokenBy(t);
  if (by !== undefined) return by;
  if (t.k === 'fn') {
    return error(env, 'E0401', e.span, `\`${name}\` takes data here, and this is a function`);
  }
  // Numbers without a type of their own are f32 here, at any leaf.
  for (const leaf of leavesOf(resolveType(solver, t))) {
    if (isNumberUnknown(env, leaf.type)) unify(solver, leaf.type, F32, reason(e.span, 'a leaf'));
  }
  return te;
}

export function inferDerivative(env: Env, name: OfTrees, args: readonly Expr[], span: Span): TExpr {
  const { solver } = env.fn;
  const built = (values: readonly TExpr[], type: Type): TExpr => ({
    k: 'builtin',
    name,
    args: values,
    type,
    span,
  });
  switch (name) {
    case 'stop':
    case 'zerosLike': {
      const t = tree(env, name, args[0]!);
      if (isReported(t)) return broken(t, span);
      if (name === 'zerosLike') requireLeaves(env, t.type, args[0]!.span, 'trees', name);
      return built([t], t.type);
    }
    case 'normalLike': {
      const key = check(env, args[0]!, KEY, reason(args[0]!.span, 'the key of `normalLike`'));
      const t = tree(env, name, args[1]!);
      if (isReported(t)) return broken(t, span);
      requireLeaves(env, t.type, args[1]!.span, 'trees', name);
      return built([key, t], t.type);
    }
    case 'checkpoint':
    case 'grad':
    case 'valueGrad':
    case 'vjp':
    case 'jvp':
      break;
  }
  // The point first: it says what the function takes.
  const x = tree(env, name, args[1]!);
  if (isReported(x)) return broken(x, span);
  if (name !== 'checkpoint') requireLeaves(env, x.type, args[1]!.span, 'gradient', name);
  const result = newType(solver, { label: 'the result', span }, 'type');
  const f = check(
    env,
    args[0]!,
    { k: 'fn', params: [x.type], result },
    reason(args[0]!.span, `the function given to \`${name}\``, {
      related: [
        {
          span: args[1]!.span,
          message: `the argument it is called with, ${showType(solver, x.type)}`,
        },
      ],
    }),
  );
  const y = head(solver, result);
  const by = brokenBy(y) ?? brokenBy(head(solver, f.type));
  if (by !== undefined) return broken(by, span);
  switch (name) {
    case 'checkpoint':
      return built([f, x], result);
    case 'grad':
    case 'valueGrad': {
      const refused = scalarResult(env, name, args[0]!, y);
      if (refused !== undefined) return broken(refused, span);
      return built([f, x], name === 'grad' ? x.type : pair(['value', F32], ['gradient', x.type]));
    }
    case 'vjp': {
      const why = reason(args[2]!.span, 'the cotangent of `vjp`');
      return built(
        [f, x, check(env, args[2]!, result, why)],
        pair(['value', result], ['gradient', x.type]),
      );
    }
    case 'jvp': {
      const why = reason(args[2]!.span, 'the tangent of `jvp`');
      return built(
        [f, x, check(env, args[2]!, x.type, why)],
        pair(['value', result], ['tangent', result]),
      );
    }
  }
}

/** Evidence that what is differentiated is no scalar. */
function scalarResult(env: Env, name: string, f: Expr, y: Type): Reported | undefined {
  const { solver } = env.fn;
  if (isNumberUnknown(env, y)) unify(solver, y, F32, reason(f.span, 'the result'));
  const now = head(solver, y);
  if (now.k === 'scalar' && now.s === 'f32') return undefined;
  if (now.k === 'var' && now.name.startsWith('?')) {
    return unify(
      solver,
      now,
      F32,
      reason(f.span, `the result of the function given to \`${name}\``),
    );
  }
  const at = f.k === 'lambda' ? tail(f.body).span : f.span;
  return error(
    env,
    'E0701',
    at,
    `\`${name}\` differentiates one f32, and this function gives ${showType(solver, now)}`,
    {
      hint:
        now.k === 'scalar' || now.k === 'idx'
          ? 'whole numbers and bools have no derivative'
          : 'sum it to a scalar, or use `vjp` or `jvp`',
    },
  );
}

/** Every leaf that is not fixed must be f32; asked again of callers for type parameters. */
export function requireLeaves(
  env: Env,
  type: Type,
  span: Span,
  why: Requirement['why'],
  name: string,
): void {
  const { fn } = env;
  fn.obligations.push(() => {
    const t = resolveType(fn.solver, type);
    if (isBroken(t)) return;
    const leaves = leavesOf(t).filter((l) => !l.fixed && !isBroken(l.type));
    const bad = leaves.find(
      (l) => !(l.type.k === 'scalar' && l.type.s === 'f32') && l.type.k !== 'var',
    );
    if (bad !== undefined) {
      const what = bad.path === '' ? 'this' : `the leaf \`${bad.path}\``;
      const shown = showType(fn.solver, bad.type);
      if (why === 'gradient') {
        error(
          env,
          'E0702',
          span,
          `\`${name}\` needs f32 to differentiate by, and ${what} is ${shown}`,
          {
            hint:
              bad.path === ''
                ? `what is not f32 can be passed along: \`${name}(w -> f(w, n), w)\``
                : 'mark the field `fixed`, or keep it out of the tree',
          },
        );
      } else {
        error(env, 'E0413', span, `\`${name}\` works on trees of f32, and ${what} is ${shown}`, {
          hint: bad.path === '' ? undefined : 'mark the field `fixed`, or keep it out of the tree',
        });
      }
      return;
    }
    const params = new Set(leaves.map((l) => (l.type.k === 'var' ? l.type.name : undefined)));
    for (const param of params) {
      if (param !== undefined && !param.startsWith('?')) note(fn.program, fn.id, { param, why });
    }
  });
}
