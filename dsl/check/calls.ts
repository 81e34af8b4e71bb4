/**
 * Calls: arguments by position and by name, lambdas after the other arguments.
 *
 * Invariant: a typed call is positional. A default belongs to the callee: it is checked there, once,
 * for all sizes and types, and a call only leaves its place open.
 */
import type { Expr } from '../ast.ts';
import { isReported, type Reported } from '../reported.ts';
import { head, type Reason, showType } from '../solver.ts';
import type { Span } from '../source.ts';
import type { TExpr, Type } from '../typed.ts';
import { unify } from '../unify.ts';
import { inferBuiltin } from './builtins.ts';
import { broken, brokenBy, type Env, error, type FnSig, lookup, reason } from './context.ts';
import { check, infer, unknownName } from './expr.ts';
import { callLambda } from './functions.ts';
import { instantiate, type SizeArg } from './instances.ts';
import { didYouMean, isBuiltin } from './names.ts';
import { holdsOpen, isOpen, unknownType } from './unknown.ts';

type Call = Extract<Expr, { k: 'call' }>;
type Args = Call['args'];
export type Expected = { readonly type: Type; readonly why: Reason };

/** A top-level function as a value. */
export function useFunction(
  env: Env,
  sig: FnSig,
  sizes: readonly SizeArg[],
  span: Span,
): { fn: TExpr } {
  const use = instantiate(env, sig, sizes, span);
  return { fn: isReported(use) ? broken(use, span) : use.fn };
}

function topLevel(env: Env, e: Expr): FnSig | undefined {
  if (e.k !== 'var' || lookup(env, e.name) !== undefined) return undefined;
  const found = env.fn.file.values.get(e.name);
  return found?.k === 'fn' ? found : undefined;
}

function builtinName(env: Env, e: Expr): string | undefined {
  if (e.k !== 'var' || lookup(env, e.name) !== undefined || env.fn.file.values.has(e.name))
    return undefined;
  return isBuiltin(e.name) ? e.name : undefined;
}

/** `attention[H]` as a value; undefined when the brackets are a read. */
export function inferSized(env: Env, e: Extract<Expr, { k: 'brackets' }>): TExpr | undefined {
  const sig = topLevel(env, e.target);
  if (sig !== undefined) return useFunction(env, sig, e.args, e.target.span).fn;
  const name = builtinName(env, e.target);
  if (name === undefined) return undefined;
  const message = `\`${name}\` takes no sizes in brackets here; call it with \`(...)\``;
  return broken(error(env, 'E0412', e.span, message), e.span);
}

export function inferCall(env: Env, e: Call, expected: Expected | undefined): TExpr {
  const [target, sizes] = e.fn.k === 'brackets' ? [e.fn.target, e.fn.args] : [e.fn, []];
  const sig = topLevel(env, target);
  if (sig !== undefined) return callFunction(env, sig, sizes, e, target.span, expected);
  const name = builtinName(env, target);
  if (name !== undefined) return inferBuiltin(env, name, sizes, e, expected);
  if (e.fn.k === 'var') {
    const local = lookup(env, e.fn.name);
    if (local?.template !== undefined) {
      local.used = true;
      return callLambda(env, local.template, e);
    }
    if (local === undefined && !env.fn.file.values.has(e.fn.name)) {
      const by = env.fn.file.broken.get(e.fn.name);
      if (by !== undefined) env.fn.fault(by);
      return brokenCall(env, e, by ?? missing(env, e.fn));
    }
  }
  if (e.fn.k === 'lambda') return callLambda(env, { lambda: e.fn, env }, e);
  return callValue(env, infer(env, e.fn), e);
}

const REDUCTIONS = new Set(['sum', 'prod', 'mean', 'argmax', 'argmin', 'all', 'any', 'max', 'min']);

function missing(env: Env, e: Extract<Expr, { k: 'var' }>): Reported {
  if (!REDUCTIONS.has(e.name)) return unknownName(env, e);
  return error(env, 'E0301', e.span, `\`${e.name}\` reduces over an index and is no function`, {
    hint: `write \`${e.name} i. x[i]\``,
  });
}

/** Looks at the arguments of a call that was reported, for causes of their own. */
export function brokenCall(env: Env, e: Call, by: Reported): TExpr {
  for (const a of e.args) if (a.value.k !== 'lambda' && a.value.k !== 'tuple') infer(env, a.value);
  return broken(by, e.span);
}

// ---------------------------------------------------------------- function values

function callValue(env: Env, fn: TExpr, e: Call): TExpr {
  const { solver } = env.fn;
  const t = head(solver, fn.type);
  const by = brokenBy(t);
  if (by !== undefined) return brokenCall(env, e, by);
  if (isOpen(env, t)) {
    return brokenCall(env, e, unknownType(env, fn, e.fn.span, 'it cannot be called'));
  }
  if (t.k !== 'fn') {
    const refused = error(
      env,
      'E0405',
      e.fn.span,
      `this is ${showType(solver, t)}, which is not a function`,
      {
        hint:
          t.k === 'tensor'
            ? 'a tensor is read with brackets: `x[i]`'
            : t.k === 'scalar' || t.k === 'var'
              ? 'a product is written with `*`: `a * (b + c)`'
              : undefined,
      },
    );
    return brokenCall(env, e, refused);
  }
  const named = e.args.find((a) => a.name !== undefined)?.name;
  if (named !== undefined) {
    const message = 'a function value has no parameter names; give its arguments by position';
    return broken(error(env, 'E0406', named.span, message), e.span);
  }
  if (e.args.length !== t.params.length) {
    const message = `this function takes ${count(t.params.length)}, not ${e.args.length}: it is ${showType(solver, t)}`;
    return brokenCall(env, e, error(env, 'E0406', e.span, message));
  }
  const called = e.fn.k === 'var' ? `\`${e.fn.name}\`` : 'this function';
  const args = inOrder(
    env,
    e.args.map((a) => a.value),
    (value, i) =>
      check(env, value, t.params[i]!, reason(value.span, `argument ${i + 1} of ${called}`)),
  );
  return { k: 'call', fn, args, type: t.result, span: e.span };
}

export function count(n: number): string {
  return n === 0 ? 'no arguments' : n === 1 ? 'one argument' : `${n} arguments`;
}

/** Functions wait until the data beside them has said what the types are. */
function isLate(env: Env, e: Expr): boolean {
  if (e.k === 'lambda') return true;
  const name = e.k === 'brackets' ? e.target : e;
  if (name.k !== 'var') return false;
  const local = lookup(env, name.name);
  if (local !== undefined) return local.template !== undefined;
  return env.fn.file.values.get(name.name)?.k === 'fn' || isBuiltin(name.name);
}

/** Checks arguments, functions last; `between` runs when the data is done. */
export function inOrder(
  env: Env,
  args: readonly Expr[],
  one: (e: Expr, i: number) => TExpr,
  between: () => void = () => {},
): TExpr[] {
  const out: (TExpr | undefined)[] = args.map((a, i) => (isLate(env, a) ? undefined : one(a, i)));
  between();
  return args.map((a, i) => out[i] ?? one(a, i));
}

// ---------------------------------------------------------------- top-level functions

/** The argument of each parameter; none where its default is meant. */
function matchArgs(env: Env, sig: FnSig, e: Call): (Args[number] | undefined)[] | Reported {
  const out: (Args[number] | undefined)[] = sig.args.map(() => undefined);
  const declared = { span: sig.decl.name.span, message: `\`${sig.name}\` is declared here` };
  let position = 0;
  for (const a of e.args) {
    const i =
      a.name === undefined ? position++ : sig.args.findIndex((p) => p.name === a.name!.text);
    if (a.name !== undefined && i < 0) {
      return error(
        env,
        'E0406',
        a.name.span,
        `\`${sig.name}\` has no parameter \`${a.name.text}\``,
        {
          hint:
            didYouMean(
              a.name.text,
              sig.args.map((p) => p.name),
            ) ?? `its parameters are ${sig.args.map((p) => `\`${p.name}\``).join(', ')}`,
          related: [declared],
        },
      );
    }
    if (i >= sig.args.length) {
      return error(
        env,
        'E0406',
        a.value.span,
        `\`${sig.name}\` takes ${count(sig.args.length)}, not ${e.args.length}`,
        {
          related: [declared],
        },
      );
    }
    if (out[i] !== undefined) {
      return error(
        env,
        'E0406',
        a.name?.span ?? a.value.span,
        `the argument \`${sig.args[i]!.name}\` of \`${sig.name}\` is given twice`,
      );
    }
    out[i] = a;
  }
  const missing = sig.args.filter((p, i) => out[i] === undefined && p.init === undefined);
  if (missing.length > 0) {
    const list = missing.map((p) => `\`${p.name}\``).join(', ');
    return error(
      env,
      'E0406',
      e.span,
      `\`${sig.name}\` needs ${missing.length === 1 ? 'an argument' : 'arguments'} ${list}`,
      {
        related: [declared],
      },
    );
  }
  return out;
}

/** Evidence that an argument, or the body of a function that is one, was reported. */
function refusedBy(te: TExpr): Reported | undefined {
  return brokenBy(te.type) ?? (te.k === 'lambda' ? refusedBy(te.body) : undefined);
}

function callFunction(
  env: Env,
  sig: FnSig,
  sizes: readonly SizeArg[],
  e: Call,
  span: Span,
  expected: Expected | undefined,
): TExpr {
  const { solver } = env.fn;
  const given = matchArgs(env, sig, e);
  if (isReported(given)) return brokenCall(env, e, given);
  const use = instantiate(env, sig, sizes, span);
  if (isReported(use)) return brokenCall(env, e, use);
  const values = given.filter((a) => a !== undefined);
  const index = values.map((a) => given.indexOf(a));
  let unfit: Reported | undefined;
  const checked = inOrder(
    env,
    values.map((a) => a.value),
    (value, i) => {
      const n = index[i]!;
      const why = reason(value.span, `argument \`${sig.args[n]!.name}\` of \`${sig.name}\``, {
        lift: `\`${sig.name}\` is not applied to each by itself: write \`for i. ${sig.name}(...)\`, and index this with \`i\``,
        related: [
          { span: sig.decl.args[n]!.name.span, message: `the parameter \`${sig.args[n]!.name}\`` },
        ],
      });
      const te = check(env, value, use.args[n]!, why);
      unfit ??= env.fn.unfit.get(te);
      return te;
    },
    () => {
      if (expected === undefined || unfit !== undefined) return;
      const want = head(solver, expected.type);
      if (want.k !== 'idx' && head(solver, use.result).k !== 'idx') {
        unify(solver, use.result, want, expected.why);
      }
    },
  );
  if (unfit !== undefined) return broken(unfit, e.span);
  // What a refused argument would have said of the result is missing there, and no second mistake.
  const refused = checked.map(refusedBy).find((by) => by !== undefined);
  if (refused !== undefined && holdsOpen(env, use.result)) return broken(refused, e.span);
  const args = given.map((a) => (a === undefined ? undefined : checked[values.indexOf(a)]));
  const type =
    expected !== undefined && head(solver, use.result).k !== 'idx' ? expected.type : use.result;
  return { k: 'call', fn: use.fn, args, type, span: e.span };
}
