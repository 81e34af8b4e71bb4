/**
 * The end of one declaration: solve what is left, report what nothing says, run the obligations.
 *
 * The order matters: equations first, then written forms and suggestions (unify.settle), then
 * numbers without a type become i32, then unknowns that are left are errors, then proofs.
 */

import { settle } from '../equations.ts';
import { diagnostic } from '../errors.ts';
import { provesNonNegative } from '../prove.ts';
import * as S from '../size.ts';
import { hasUnknown, isUnknownName, resolveSize } from '../solver.ts';
import type { Size, TExpr } from '../typed.ts';
import { I32 } from '../types.ts';
import type { Fn } from './context.ts';
import { resolveUse } from './instances.ts';
import { warnPermuted } from './permuted.ts';
import { reportNegative } from './proofs.ts';
import { zonk } from './zonk.ts';

/** Runs everything that waited for the sizes; true when the declaration has no error. */
export function finish(fn: Fn): boolean {
  const { solver } = fn;
  settle(solver);
  for (const [name, u] of solver.unknowns) {
    if (u.kind === 'number' && !solver.types.has(name)) solver.types.set(name, I32);
  }
  if (fn.errors() === 0) for (const explain of fn.explanations) explain();
  if (fn.errors() === 0) reportLeftOver(fn);
  requireSizes(fn);
  for (const run of fn.obligations) run();
  warnPermuted(fn);
  for (const i of fn.instances) {
    const types = resolveUse({ fn, scope: undefined, ranges: [] }, i.types);
    fn.program.instances.push({ ...i, from: fn.id, types });
  }
  return fn.errors() === 0;
}

/** A body with every unknown replaced; a size that came out too large is reported at its place. */
export function finished(fn: Fn, body: TExpr): TExpr {
  return zonk(fn.solver, body, (span) => {
    if (fn.errors() > 0) return; // one is enough: what holds it is too large as well
    fn.report(
      diagnostic('E0506', span, 'a size of this is too large', {
        hint: 'sizes are exact up to 2^53',
      }),
    );
  });
}

/** No size that was solved may be negative, whatever the sizes of this declaration are. */
function requireSizes(fn: Fn): void {
  const { solver } = fn;
  for (const [name, u] of solver.unknowns) {
    if (u.kind !== 'size' || !solver.sizes.has(name)) continue;
    const now = resolveSize(solver, S.variable(name));
    if (hasUnknown(now) || S.hasNoNegativeTerm(now)) continue;
    const positive = (u.inside ?? []).map((r) => resolveSize(solver, r));
    if (provesNonNegative(fn.facts, now, positive)) continue;
    const what = u.owner === undefined ? u.label : `\`${u.label}\` of \`${u.owner}\``;
    reportNegative(fn, what, now, u.span);
  }
}

/** One error for each group of unknowns that hang together. */
function reportLeftOver(fn: Fn): void {
  const { solver } = fn;
  const done = new Set<string>();
  const groups: Size[] = solver.pending.flatMap((e) => [
    resolveSize(solver, S.add(e.a.size, e.b.size)),
  ]);
  const spread = (name: string): void => {
    if (done.has(name)) return;
    done.add(name);
    for (const g of groups) {
      if (!S.mentions(g, (v) => v === name)) continue;
      for (const v of S.variables(g)) if (isUnknownName(v)) spread(v);
    }
  };
  for (const [name, u] of solver.unknowns) {
    if (done.has(name)) continue;
    if (u.kind === 'number') continue;
    if (u.kind === 'size' ? solver.sizes.has(name) : solver.types.has(name)) continue;
    const what = u.owner === undefined ? u.label : `the ${u.kind} \`${u.label}\` of \`${u.owner}\``;
    const code = u.kind === 'size' ? 'E0502' : 'E0408';
    fn.report(diagnostic(code, u.span, `cannot infer ${what}`, { hint: u.hint, fix: u.fix }));
    if (u.kind === 'size') spread(name);
  }
}
