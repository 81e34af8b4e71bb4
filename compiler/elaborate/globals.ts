/**
 * Top-level `let`s: evaluated once per compilation, in f64, at compile time (noise schedules, tables).
 *
 * Invariant: a global has no free sizes and no inputs, so its value is a constant of the program:
 * scalars become literals, arrays constant data.
 */

import { constE, readE } from '../core/expr.ts';
import { interpret } from '../core/interpret.ts';
import { evalExpr } from './eval.ts';
import { leavesOf, skeletonOf, treeOf, wholeDims } from './leaves.ts';
import { type Cx, inBlock, storeLeaf } from './scope.ts';
import { noTypes, type Value } from './value.ts';

export function globalValue(cx: Cx, id: string): Value {
  const known = cx.globals.get(id);
  if (known !== undefined) return known;
  const decl = cx.program.lets.get(id);
  if (decl === undefined) throw new Error(`no global ${id}`);
  // Enclosing folds are no part of it.
  const { stmts, result } = inBlock(cx, () => {
    const value = evalExpr(cx, { sizes: new Map(), types: noTypes, locals: null }, decl.body);
    const leaves = leavesOf(value);
    const vars = leaves.map((leaf) => storeLeaf(cx, leaf, [], decl.name, 'copy'));
    return { skeleton: wholeDims(skeletonOf(value)), vars };
  });
  const data = interpret({ inputs: [], consts: cx.consts, body: stmts, outputs: result.vars }, []);
  const value = treeOf(result.skeleton, (k, ix) => {
    const v = result.vars[k]!;
    return ix.length === 0 ? constE(v.t, data[k]![0]!) : readE(v, ix);
  });
  result.vars.forEach((v, k) => {
    if (v.shape.length > 0) cx.consts.push({ v, data: data[k]! });
  });
  cx.globals.set(id, value);
  return value;
}
