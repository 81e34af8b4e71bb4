/**
 * A program that shows everything it computes: every variable is an output, those inside folds
 * stacked by step.
 *
 * Invariant: the statements are those of the program; a fold has further `ys` and nothing else.
 */
import { defsOf, type Supply, supplyAfter } from '../../compiler/core/build.ts';
import type { Core, Fold, Stmt, Var } from '../../compiler/core.ts';

/** The folds around a variable, outermost first, and the variable with one dimension for each. */
export type Shown = { readonly v: Var; readonly path: readonly Fold[] };

export type Exposed = { readonly core: Core; readonly shown: ReadonlyMap<Var, Shown> };

export function expose(core: Core): Exposed {
  const shown = new Map<Var, Shown>();
  for (const x of [...core.inputs, ...core.consts.map((c) => c.v)])
    shown.set(x, { v: x, path: [] });
  const { body, vars } = block(core.body, supplyAfter(core));
  const paths = new Map<Var, readonly Fold[]>();
  findPaths(core.body, [], paths);
  for (const [x, v] of vars) shown.set(x, { v, path: paths.get(x)! });
  // An output may be an input, or stand twice.
  return { core: { ...core, body, outputs: [...new Set(vars.values())] }, shown };
}

/** The block with more `ys`, and under which variable of this block each inner one is seen. */
function block(body: readonly Stmt[], supply: Supply) {
  const vars = new Map<Var, Var>();
  const out = body.map((s): Stmt => {
    for (const d of defsOf(s)) vars.set(d, d);
    if (s.k !== 'fold') return s;
    const inner = block(s.body, supply);
    for (const c of s.carry) inner.vars.set(c.in, c.in);
    const ys = [...inner.vars].map(([x, elem]) => {
      const v = supply.var(x.name, x.t, [s.trip, ...elem.shape]);
      vars.set(x, v);
      return { v, elem };
    });
    return { ...s, body: inner.body, ys: [...s.ys, ...ys] };
  });
  return { body: out, vars };
}

function findPaths(
  body: readonly Stmt[],
  path: readonly Fold[],
  into: Map<Var, readonly Fold[]>,
): void {
  for (const s of body) {
    for (const d of defsOf(s)) into.set(d, path);
    if (s.k !== 'fold') continue;
    for (const c of s.carry) into.set(c.in, [...path, s]);
    findPaths(s.body, [...path, s], into);
  }
}
