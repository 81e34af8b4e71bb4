/**
 * Where a derivative first goes wrong: the tangent of every intermediate value against its own
 * difference, in program order. The first that disagrees is the statement to look at, since all it
 * reads agrees.
 *
 * Invariant: only statements of the outermost block are looked into; inside a fold the fold is named.
 */

import { defsOf } from '../../compiler/core/build.ts';
import type { Core, Var } from '../../compiler/core.ts';
import { isReal } from '../../compiler/gradcheck/derived.ts';
import type { Span } from '../../dsl/source.ts';
import { prepareProgram, type Values } from './point.ts';

export function firstDisagreement(core: Core, inputs: Values, dx: Values): Span | undefined {
  const seen = new Set<Var>();
  const stages = core.body.flatMap((s) =>
    defsOf(s)
      .filter((v) => isReal(v) && !seen.has(v) && seen.add(v))
      .map((v) => ({ v, span: s.spans[0] })),
  );
  const program = prepareProgram({ ...core, outputs: stages.map((s) => s.v) });
  const { d, terms } = program.tangent(inputs, dx);
  const tolerance = terms.map((t) => t.map((x) => 1e-7 * x));
  const diff = program.differences(inputs, dx, tolerance);
  const first = stages.findIndex((_, i) =>
    d[i]!.some((got, j) => {
      const bound = Math.max(tolerance[i]![j]! + diff.rounding[i]![j]!, 4 * diff.error[i]![j]!);
      return Math.abs(got - diff.d[i]![j]!) > bound;
    }),
  );
  return stages[first]?.span;
}
