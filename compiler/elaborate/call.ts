/**
 * Applying functions: arguments are settled, parameters bound, the body evaluated in place. A
 * function with a custom derivative becomes a `custom` block with its own tangent program.
 *
 * Invariant: a call leaves no trace but the statements of its body; the number of calls of one
 * compilation is bounded, so that a program which explodes when specialised is refused and not
 * waited for.
 */
import type { Span } from '../../dsl/source.ts';
import type { TExpr } from '../../dsl/typed.ts';
import { linearRule } from '../ad/linear.ts';
import type { Custom } from '../core.ts';
import { CompileError } from './errors.ts';
import { evalExpr } from './eval.ts';
import { leavesOf, type Skeleton, skeletonOf, treeOf, wholeDims } from './leaves.ts';
import {
  type Cx,
  inBlock,
  outerAxesOf,
  push,
  readLeaf,
  settle,
  storeLeaf,
  unionAxes,
} from './scope.ts';
import { bindSizes, evalExtent } from './sizes.ts';
import {
  asStored,
  bind,
  type Env,
  type FnValue,
  type TypeEnv,
  type Value,
  zipScalars,
} from './value.ts';

export function fnValue(cx: Cx, env: Env, x: TExpr & { k: 'fn' }): FnValue {
  const fn = cx.program.fns.get(x.id);
  if (fn === undefined) throw new Error(`no function ${x.id}`);
  const given = new Map<string, number>();
  for (const [name, size] of x.sizes) given.set(name, evalExtent(size, env.sizes, x.span));
  const types: TypeEnv = new Map([...x.types].map(([name, t]) => [name, { t, in: env }]));
  return { k: 'fn', f: { k: 'named', fn, sizes: bindSizes(fn, given, x.span), types } };
}

/** What is given for each parameter; nothing where the default of a named function is meant. */
export type Given = readonly (Value | undefined)[];

export function callValue(cx: Cx, f: Value, args: Given, span: Span): Value {
  if (f.k !== 'fn') throw new Error(`a ${f.k} is not a function`);
  if (++cx.calls > cx.limits.calls) {
    throw new CompileError(
      'E0805',
      `Specialising this program takes more than ${cx.limits.calls} function calls.`,
      span,
      'A function that calls another twice doubles the work at each level; bind the result with `let`, or use `fold`.',
    );
  }
  if (f.f.k === 'lambda') {
    const { expr, env } = f.f;
    const inner = expr.params.reduce((e, p, i) => bind(e, p.id, settle(cx, args[i]!, p.name)), env);
    return evalExpr(cx, inner, expr.body);
  }
  if (f.f.k === 'either') {
    const { a, b, combine } = f.f;
    const settled = args.map((x) => x && settle(cx, x, 'x'));
    return zipScalars(callValue(cx, a, settled, span), callValue(cx, b, settled, span), combine);
  }
  if (f.f.k === 'none') throw new Error('a function of an array without elements is called');
  const { fn, sizes, types } = f.f;
  // A default belongs to the function: it sees the parameters before it, and nothing of the caller.
  let env: Env = { sizes, types, locals: null };
  const settled = fn.params.map((p, i) => {
    const v = settle(cx, asStored(args[i] ?? evalExpr(cx, env, p.init!)), p.name);
    env = bind(env, p.id, v);
    return v;
  });
  return fn.derivative === undefined ? evalExpr(cx, env, fn.body) : callCustom(cx, f, settled);
}

/** @throws CompileError where the rule has no transpose, so that reverse mode could not be had. */
function linear(cx: Cx, jvp: Custom['jvp'], name: string, written: Span): Custom['jvp'] {
  const { rule, lost } = linearRule(jvp, cx.supply);
  if (lost === undefined) return rule;
  const inside = (s: Span) =>
    s.file === written.file && s.start >= written.start && s.end <= written.end;
  throw new CompileError(
    'E0811',
    `The derivative of \`${name}\` is not linear in its tangents.`,
    lost.spans.find(inside) ?? written,
    'It is a sum of products of a tangent and a factor that no tangent is part of: `cos(x) * dx`.',
  );
}

function holdsFunction(s: Skeleton): boolean {
  switch (s.k) {
    case 'fn':
      return true;
    case 'record':
      return s.fields.some((f) => holdsFunction(f.of));
    case 'tensor':
      return holdsFunction(s.elem);
    case 'scalar':
    case 'key':
      return false;
  }
}

/** See `Custom` in core.ts: the tangent program is kept beside the body until it is needed. */
function callCustom(cx: Cx, f: FnValue, args: readonly Value[]): Value {
  if (f.f.k !== 'named' || f.f.fn.derivative === undefined) throw new Error('no derivative');
  const { fn, sizes, types } = f.f;
  const { derivative } = f.f.fn;
  const active = args
    .map((a, i) => ({ a, i }))
    .filter(({ a }) => leavesOf(a).some((leaf) => leaf.t === 'f32'));
  // What a function among the arguments captured is no parameter, though the same value may be one.
  const as = args.some((a) => holdsFunction(skeletonOf(a))) ? 'copy' : 'whole';
  const stored = active.map(({ a, i }) => {
    const leaves = leavesOf(a);
    const outer = leaves.map((leaf) => outerAxesOf(cx, [leaf]));
    return {
      i,
      leaves,
      outer,
      skeleton: wholeDims(skeletonOf(a)),
      vars: leaves.map((leaf, k) => storeLeaf(cx, leaf, outer[k]!, fn.params[i]!.name, as)),
    };
  });
  const ins = stored.flatMap((s) => s.vars.filter((v) => v.t === 'f32'));
  const dins = ins.map((v) => cx.supply.like(v, `d${v.name}`));
  const dinOf = new Map(ins.map((v, i) => [v, dins[i]!]));
  const rebuilt = (tangent: boolean): Value[] => {
    const out = [...args];
    for (const s of stored) {
      out[s.i] = treeOf(s.skeleton, (k, ix) => {
        const v = s.vars[k]!;
        return readLeaf(tangent ? (dinOf.get(v) ?? v) : v, s.outer[k]!, ix);
      });
    }
    return out;
  };
  const values = rebuilt(false);
  const tangents = rebuilt(true);
  const env = fn.params.reduce<Env>((e, p, i) => bind(e, p.id, values[i]!), {
    sizes,
    types,
    locals: null,
  });
  const denv = derivative.tangents.reduce<Env>(
    (e, t) => bind(e, t.id, tangents[t.of]!),
    derivative.params.reduce<Env>((e, p, i) => bind(e, p.id, values[i]!), {
      sizes,
      types,
      locals: null,
    }),
  );

  const primal = inBlock(cx, () => {
    const value = evalExpr(cx, env, fn.body);
    const leaves = leavesOf(value);
    return { value, leaves, need: outerAxesOf(cx, leaves) };
  });
  const tangent = inBlock(cx, () => {
    const leaves = leavesOf(evalExpr(cx, denv, derivative.body));
    return { leaves, need: outerAxesOf(cx, leaves) };
  });
  const outer = unionAxes(primal.result.need, tangent.result.need);
  const outs = inBlock(
    cx,
    () => primal.result.leaves.map((leaf) => storeLeaf(cx, leaf, outer, fn.name, 'copy')),
    primal.stmts,
  ).result;
  const douts = inBlock(
    cx,
    () => tangent.result.leaves.map((leaf) => storeLeaf(cx, leaf, outer, `d${fn.name}`, 'copy')),
    tangent.stmts,
  ).result;
  const jvp = linear(cx, { dins, douts, body: tangent.stmts }, fn.name, derivative.body.span);
  push(cx, { k: 'custom', ins, outs, body: primal.stmts, jvp, spans: [cx.span] });
  return treeOf(wholeDims(skeletonOf(primal.result.value)), (k, ix) =>
    readLeaf(outs[k]!, outer, ix),
  );
}
