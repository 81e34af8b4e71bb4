/**
 * `each` and reductions over trees: the scalars of every leaf that is not fixed (decision 7).
 *
 * The trees must have one type. A tensor or a scalar is a tree of one leaf, so `each` is also the
 * pointwise map and may then change the scalar type. A type parameter is a tree of f32, which the
 * callers are asked to show.
 */
import type { Expr } from '../ast.ts';
import { isReported, type Reported } from '../reported.ts';
import { head, resolveType, showType } from '../solver.ts';
import type { TExpr, Type } from '../typed.ts';
import { F32, leavesOf, withLeaf } from '../types.ts';
import { unify } from '../unify.ts';
import { isNumberUnknown } from './arithmetic.ts';
import { NEEDS_ELEMENTS, reducedType } from './binders.ts';
import { broken, brokenBy, type Env, error, isBroken, reason } from './context.ts';
import { requireLeaves } from './derivatives.ts';
import { check, infer, tail } from './expr.ts';
import { bind } from './lets.ts';
import { warnTrailing } from './lints.ts';
import { requireElements } from './requirements.ts';
import { isOpen, unknownType } from './unknown.ts';

type Each = Extract<Expr, { k: 'each' | 'reduceTree' }>;

type Bound = {
  readonly trees: TExpr[];
  readonly names: { id: number; name: string }[];
  readonly type: Type;
  /** The scalar of every leaf. */
  readonly leaf: Type;
  readonly env: Env;
};

function bindTrees(env: Env, e: Each): Bound | Reported {
  const { solver } = env.fn;
  const op = e.k === 'each' ? 'each' : e.op;
  if (e.names.length !== e.trees.length) {
    return error(
      env,
      'E0413',
      e.span,
      `\`${op}\` has ${e.names.length} name${e.names.length === 1 ? '' : 's'} for ${e.trees.length} tree${e.trees.length === 1 ? '' : 's'}`,
      {
        hint: `write \`${op} a, b in t, u. ...\``,
      },
    );
  }
  const first = infer(env, e.trees[0]!);
  const firstType = head(solver, first.type);
  const trees = [first];
  for (const t of e.trees.slice(1)) {
    const why = reason(t.span, `this tree of \`${op}\``, {
      related: [
        { span: e.trees[0]!.span, message: 'the first tree, whose structure the others have' },
      ],
    });
    trees.push(isBroken(firstType) ? infer(env, t) : check(env, t, first.type, why));
  }
  const by = trees.map((t) => brokenBy(head(solver, t.type))).find((x) => x !== undefined);
  if (by !== undefined) return by;
  const leaf = leafOf(env, e, first, op);
  if (isReported(leaf)) return leaf;
  let inner = env;
  const names = e.names.map((n) => {
    const bound = bind(inner, n, leaf, 'element');
    inner = bound.env;
    return { id: bound.local.id, name: n.text };
  });
  return { trees, names, type: first.type, leaf, env: inner };
}

function leafOf(env: Env, e: Each, first: TExpr, op: string): Type | Reported {
  const { solver } = env.fn;
  const { type } = first;
  const t = resolveType(solver, type);
  const span = e.trees[0]!.span;
  if (isNumberUnknown(env, t)) {
    unify(solver, t, F32, reason(span, 'this tree'));
    return F32;
  }
  const leaves = leavesOf(t).filter((l) => !l.fixed);
  if (leaves.some((l) => isOpen(env, l.type))) return unknownType(env, first, span);
  if (leaves.some((l) => l.type.k === 'fn')) {
    return error(
      env,
      'E0413',
      span,
      `\`${op}\` works on data, and ${showType(solver, t)} holds a function`,
    );
  }
  for (const l of leaves)
    if (isNumberUnknown(env, l.type)) unify(solver, l.type, F32, reason(span, 'this tree'));
  const scalars = leaves
    .map((l) => (l.type.k === 'var' ? F32 : l.type))
    .filter((l) => !isBroken(l));
  const leaf = scalars[0];
  if (leaf === undefined) {
    return error(env, 'E0413', span, `${showType(solver, t)} has no leaf that is not fixed`);
  }
  const same = (a: Type) =>
    a.k === leaf.k && (a.k !== 'scalar' || leaf.k !== 'scalar' || a.s === leaf.s) && a.k !== 'idx';
  if (scalars.length > 1 && !scalars.every(same)) {
    requireLeaves(env, type, span, 'trees', op);
    return F32;
  }
  if (leaves.some((l) => l.type.k === 'var')) requireLeaves(env, type, span, 'trees', op);
  return leaf;
}

export function inferEach(env: Env, e: Extract<Each, { k: 'each' }>): TExpr {
  const { solver } = env.fn;
  const bound = bindTrees(env, e);
  if (isReported(bound)) return broken(bound, e.span);
  const body = infer(bound.env, e.body);
  const t = head(solver, body.type);
  const at = tail(e.body).span;
  const by = brokenBy(t);
  if (by !== undefined) return broken(by, e.span);
  if (isOpen(env, t)) return broken(unknownType(env, body, at), e.span);
  if (t.k !== 'scalar' && t.k !== 'idx' && !isNumberUnknown(env, t)) {
    const message = `\`each\` gives one scalar for each scalar, and its body is ${showType(solver, t)}`;
    return broken(error(env, 'E0402', at, message), e.span);
  }
  const leaf = head(solver, bound.leaf);
  const tree = resolveType(solver, bound.type);
  const generic = leavesOf(tree).some((l) => l.type.k === 'var' && !l.type.name.startsWith('?'));
  const keeps =
    generic ||
    isNumberUnknown(env, t) ||
    (t.k === 'scalar' && leaf.k === 'scalar' && t.s === leaf.s);
  if (keeps) {
    const want = generic ? F32 : leaf;
    const clash = unify(solver, t, want, reason(at, 'the body of `each`'));
    if (clash !== undefined) return broken(clash, e.span);
  }
  const type = keeps ? bound.type : withLeaf(tree, body.type);
  return { k: 'each', names: bound.names, trees: bound.trees, body, type, span: e.span };
}

export function inferReduceTree(env: Env, e: Extract<Each, { k: 'reduceTree' }>): TExpr {
  const bound = bindTrees(env, e);
  if (isReported(bound)) return broken(bound, e.span);
  if (e.op === 'argmax' || e.op === 'argmin') {
    const refused = error(env, 'E0414', e.span, `\`${e.op}\` gives an index, and a tree has none`, {
      hint: `write \`${e.op} i. x[i]\``,
    });
    return broken(refused, e.span);
  }
  if (NEEDS_ELEMENTS.has(e.op)) requireElements(env, bound.type, e.span, e.op);
  const body = infer(bound.env, e.body);
  warnTrailing(
    env.fn,
    e.op,
    e.names.map((n) => n.text),
    e.body,
  );
  const type = reducedType(
    env,
    e.op,
    body,
    e.body,
    e.names.map((n) => n.text),
  );
  if (isReported(type)) return broken(type, e.span);
  return {
    k: 'reduceTree',
    op: e.op,
    names: bound.names,
    trees: bound.trees,
    body,
    type,
    span: e.span,
  };
}
