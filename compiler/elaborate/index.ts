/**
 * Elaboration: one function of a typed program at concrete sizes becomes a core program over the
 * leaves of its parameters (see interface.ts).
 *
 * Invariant: the result is first-order, with literal sizes; equal inputs give the same core, id for
 * id.
 */
import type { Span } from '../../dsl/source.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { vjp } from '../ad/index.ts';
import { constE, readE } from '../core/expr.ts';
import type { Core, Stmt, Var } from '../core.ts';
import { callValue } from './call.ts';
import { CompileError } from './errors.ts';
import { evalExpr } from './eval.ts';
import type { Elaborated, ElaborateOptions, LeafSpec, ParamSpec, PathStep } from './interface.ts';
import { type Leaf, leavesOf, leavesOfSkeleton, treeOf } from './leaves.ts';
import { type Cx, emitNest, freshAxis, newCx, storeLeaf } from './scope.ts';
import { bindSizes, type SizeEnv } from './sizes.ts';
import { resultSpan } from './steps.ts';
import { leafSpecs, skeletonOfType } from './types.ts';
import { bind, type Env, lookup } from './value.ts';

const defaultMaxStatements = 100_000;

export function elaborate(
  program: TProgram,
  fnId: string,
  given: SizeEnv,
  options: ElaborateOptions = {},
): Elaborated {
  const fn = program.fns.get(fnId);
  if (fn === undefined) throw new CompileError('E0808', `There is no function \`${fnId}\`.`);
  const cx = newCx(program, resultSpan(fn.body), options.maxStatements ?? defaultMaxStatements);
  const sizes = bindSizes(fn, given);
  if (fn.typeParams.length > 0) skeletonOfType({ k: 'var', name: '' }, sizes, fn.span);

  const inputs: Var[] = [];
  let env: Env = { sizes, locals: null };
  const params = fn.params.map((p) => {
    const skeleton = skeletonOfType(p.type, sizes, fn.span);
    const leaves = leafSpecs(p.type, sizes, fn.span);
    const vars = leavesOfSkeleton(skeleton).map((leaf, i): Var => {
      const v = cx.supply.var(varName(p.name, leaf.path), leaf.t, leaf.dims);
      const bound = leaves[i]?.bound;
      return bound === undefined ? v : { ...v, bound };
    });
    inputs.push(...vars);
    env = bind(
      env,
      p.id,
      treeOf(skeleton, (k, ix) => readE(vars[k]!, ix)),
    );
    return { spec: { name: p.name, type: p.type, leaves }, vars };
  });

  // Its own derivative holds for a function that is called from outside, too.
  const value =
    fn.derivative === undefined
      ? evalExpr(cx, env, fn.body)
      : callValue(
          cx,
          { k: 'fn', f: { k: 'named', fn, sizes } },
          fn.params.map((p) => lookup(env.locals, p.id)!),
          fn.span,
        );
  const byPath = new Map(leavesOf(value).map((leaf) => [pathKey(leaf.path), leaf]));
  const result = leafSpecs(fn.result, sizes, fn.span);
  const taken = new Set<Var>(inputs);
  const outputs = result.map((spec) => {
    const leaf = byPath.get(pathKey(spec.path));
    if (leaf === undefined) throw new Error(`the result has no leaf ${pathKey(spec.path)}`);
    return storeOutput(cx, leaf, varName('out', spec.path), taken);
  });

  const wanted = options.grad ?? [];
  const grads =
    wanted.length === 0
      ? { stmts: cx.stmts, specs: [], outputs: [] }
      : differentiate(cx, fn, params, result, outputs, wanted);
  const core: Core = {
    inputs,
    consts: cx.consts,
    body: grads.stmts,
    outputs: [...outputs, ...grads.outputs],
  };
  return { core, params: params.map((p) => p.spec), result, grads: grads.specs };
}

function pathKey(path: readonly PathStep[]): string {
  return path.map((s) => (typeof s === 'string' ? s : '*')).join('.');
}

function varName(root: string, path: readonly PathStep[]): string {
  return [root, ...path.filter((s) => typeof s === 'string')].join('.');
}

/** Every output is a variable of its own: never an input, never the same twice. */
function storeOutput(cx: Cx, leaf: Leaf, name: string, taken: Set<Var>): Var {
  const before = cx.stmts.length;
  let v = storeLeaf(cx, leaf, [], name, 'split');
  if (taken.has(v) || (before === cx.stmts.length && !definedHere(cx, v))) {
    v = storeLeaf(cx, leaf, [], name, 'copy');
  }
  taken.add(v);
  return v;
}

/** Not a compile-time constant. */
function definedHere(cx: Cx, v: Var): boolean {
  return !cx.consts.some((c) => c.v === v);
}

type Param = { readonly spec: ParamSpec; readonly vars: readonly Var[] };

function differentiate(
  cx: Cx,
  fn: TFn,
  params: readonly Param[],
  result: readonly LeafSpec[],
  outputs: readonly Var[],
  wanted: readonly string[],
): { stmts: readonly Stmt[]; specs: readonly ParamSpec[]; outputs: readonly Var[] } {
  const loss = outputs[0];
  if (loss === undefined || loss.t !== 'f32' || result[0]!.shape.length > 0) {
    throw notScalar(fn.span, fn.name);
  }
  const chosen = wanted.map((name) => {
    const p = params.find((q) => q.spec.name === name);
    if (p !== undefined) return p;
    throw new CompileError(
      'E0809',
      `\`${fn.name}\` has no parameter \`${name}\` to differentiate by.`,
      fn.span,
      `Its parameters are ${params.map((q) => `\`${q.spec.name}\``).join(', ')}.`,
    );
  });
  const picked = chosen.map((p) => ({
    spec: p.spec,
    of: p.spec.leaves
      .map((leaf, k) => ({ leaf, v: p.vars[k]! }))
      .filter(({ leaf }) => leaf.scalar === 'f32' && !leaf.fixed),
  }));
  for (const p of picked) {
    if (p.of.length > 0) continue;
    throw new CompileError(
      'E0809',
      `\`${p.spec.name}\` of \`${fn.name}\` holds nothing to differentiate by.`,
      fn.span,
      'Derivatives are taken with respect to f32 leaves that are not `fixed`.',
    );
  }
  const seed = emitNest(cx, 'one', [], constE('f32', 1));
  const wrt = picked.flatMap((p) => p.of.map(({ v }) => v));
  const d = vjp(cx.stmts, wrt, [{ y: loss, ct: seed }], cx.supply);
  cx.stmts = [...d.primal, ...d.adjoint];
  const out = wrt.map((x) => d.cotangentOf(x) ?? zeros(cx, x));
  return {
    stmts: cx.stmts,
    specs: picked.map((p) => ({
      name: p.spec.name,
      type: p.spec.type,
      leaves: p.of.map(({ leaf }) => leaf),
    })),
    outputs: distinct(cx, out),
  };
}

function zeros(cx: Cx, x: Var): Var {
  const axes = x.shape.map((n) => freshAxis(cx, n, 'i'));
  return emitNest(cx, `d${x.name}`, axes, constE('f32', 0));
}

/** Two parameters may have one cotangent variable; an output has its own. */
function distinct(cx: Cx, vars: readonly Var[]): readonly Var[] {
  const seen = new Set<Var>();
  return vars.map((v) => {
    if (!seen.has(v)) {
      seen.add(v);
      return v;
    }
    const axes = v.shape.map((n) => freshAxis(cx, n, 'i'));
    const body = readE(
      v,
      axes.map((a) => ({ c: 0, terms: [{ m: 1, a: { k: 'axis' as const, id: a.id } }] })),
    );
    return emitNest(cx, v.name, axes, body);
  });
}

function notScalar(span: Span, name: string): CompileError {
  return new CompileError(
    'E0810',
    `\`${name}\` does not give a scalar, so it has no gradient.`,
    span,
    'Return f32, or a record whose first field is the scalar loss.',
  );
}
