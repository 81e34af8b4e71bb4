/** Runs a function of a program text on the f64 interpreter, every pass of elaboration verified. */

import { interpret } from '../../compiler/core/interpret.ts';
import { printCore } from '../../compiler/core/print.ts';
import { verify } from '../../compiler/core/verify.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import type { Elaborated, ElaborateOptions } from '../../compiler/elaborate/interface.ts';
import { check } from '../../dsl/index.ts';
import { renderDiagnostics } from '../../dsl/render.ts';

export function elaborateSource(
  text: string,
  fn: string,
  sizes: Record<string, number> = {},
  options: ElaborateOptions = {},
): Elaborated {
  const sources = new Map([['t.tn', text]]);
  const { program, diagnostics } = check(sources, 't.tn');
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (program === undefined || errors.length > 0) {
    throw new Error(renderDiagnostics(errors, sources));
  }
  const e = elaborate(program, `t.tn#${fn}`, new Map(Object.entries(sizes)), options);
  const violations = verify(e.core);
  if (violations.length > 0) {
    throw new Error(`${JSON.stringify(violations[0])}\n${printCore(e.core)}`);
  }
  return e;
}

/** Outputs as plain arrays, in the order of the result's leaves, then the gradients'. */
export function runSource(
  text: string,
  fn: string,
  inputs: readonly (readonly number[])[] = [],
  sizes: Record<string, number> = {},
  options: ElaborateOptions = {},
): number[][] {
  const { core } = elaborateSource(text, fn, sizes, options);
  return interpret(
    core,
    inputs.map((x) => Float64Array.from(x)),
  ).map((x) => Array.from(x));
}
