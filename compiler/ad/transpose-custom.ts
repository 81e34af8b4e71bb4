/**
 * The transpose of a custom block that stands in the rule of another one: a block of its own.
 *
 * Note [Blocks on tangents]. y = A(x) u, linear in the tangents u, with the rule that says how A
 * changes with x: dy = (dA(x) dx) u. Its transpose is u' = A(x)^T y', linear in the cotangents y',
 * and that changes with x by (dA(x) dx)^T y': the transpose of the rule, in u as well. So the rule of
 * the user is kept through reverse mode, at every order.
 *
 * Invariant: the block's body and its rule where the tangents of u are 0 are linear in u (linear.ts
 * refuses others), so both have a transpose.
 */
import { copyBlock, mapNest, readAt, type Supply } from '../core/build.ts';
import type { Extents } from '../core/ix.ts';
import type { Custom, Stmt, Var } from '../core.ts';
import { zero } from './arith.ts';
import { zeros } from './jvp.ts';
import { onCopies } from './linear.ts';
import { cotangentName, Transposer } from './transpose.ts';
import { unzip } from './unzip.ts';

export function transposeCustom(c: Custom, t: Transposer): void {
  const { supply } = t;
  const cotangents = c.outs.map((y) => t.take(y));
  if (cotangents.every((v) => v === null)) return;
  const us = c.ins.filter((x) => t.linear.has(x));
  const xs = c.ins.filter((x) => !t.linear.has(x));
  const cts = cotangents.map((v, i) => {
    if (v !== null) return v;
    const z = zeros(c.outs[i]!, c, supply);
    t.out.push(z.def);
    return z.v;
  });
  const transposed: Custom = {
    k: 'custom',
    ...{ ins: [...xs, ...cts], linear: cts.map((_, i) => xs.length + i) },
    ...{ ...bodyOf(c, us, cts, t), jvp: ruleOf(c, us, cts, t) },
    spans: c.spans,
  };
  t.out.push(...onCopies(transposed, transposed.linear!, supply));
  us.forEach((u, i) => {
    t.giveVar(u, transposed.outs[i]!, c.spans);
  });
}

function bodyOf(c: Custom, us: readonly Var[], cts: readonly Var[], t: Transposer) {
  const vars = new Map<Var, Var>();
  const body = copyBlock(c.body, t.supply, vars);
  return transposeOf(body, us, c, seeds(c.outs, cts, vars), t.supply, t.outer);
}

/** The rule, by the values among the ins: the cotangents have none, see `linear` of a block. */
function ruleOf(c: Custom, us: readonly Var[], cts: readonly Var[], t: Transposer): Custom['jvp'] {
  const { supply } = t;
  const vars = new Map<Var, Var>();
  const before: Stmt[] = [];
  const dxs: Var[] = [];
  c.ins.forEach((x, i) => {
    const d = supply.like(x, `d${x.name}`);
    if (!us.includes(x)) dxs.push(d);
    else before.push(zeroed(d, c, supply));
    vars.set(c.jvp.dins[i]!, d);
  });
  const rule = copyBlock([...c.body, ...c.jvp.body], supply, vars);
  const { body, outs } = transposeOf(
    [...before, ...rule],
    us,
    c,
    seeds(c.jvp.douts, cts, vars),
    supply,
    t.outer,
  );
  const dcts = cts.map((v) => supply.like(v, `d${v.name}`));
  return { dins: [...dxs, ...dcts], douts: outs, body };
}

const zeroed = (v: Var, c: Custom, supply: Supply): Stmt =>
  mapNest(v, supply.axes(v.shape), zero, c.spans);

type Seed = { readonly y: Var; readonly ct: Var };

const seeds = (
  ys: readonly Var[],
  cts: readonly Var[],
  copies: ReadonlyMap<Var, Var>,
): readonly Seed[] => ys.map((y, i) => ({ y: copies.get(y) ?? y, ct: cts[i]! }));

/** Statements that give the cotangents of `us`, each by a variable that they define. */
function transposeOf(
  body: readonly Stmt[],
  us: readonly Var[],
  c: Custom,
  given: readonly Seed[],
  supply: Supply,
  outer: Extents,
): { readonly body: readonly Stmt[]; readonly outs: readonly Var[] } {
  const linear = new Set(us);
  const parts = unzip(body, linear, supply);
  const t = new Transposer(linear, supply, outer);
  for (const { y, ct } of given) if (linear.has(y)) t.giveVar(y, ct, c.spans);
  t.run(parts.linear);
  const outs = us.map((u) => {
    const v = t.take(u);
    const out = supply.like(u, cotangentName(u));
    const axes = supply.axes(u.shape);
    t.out.push(mapNest(out, axes, v === null ? zero : readAt(v, axes), c.spans));
    return out;
  });
  return { body: [...parts.primal, ...t.out], outs };
}
