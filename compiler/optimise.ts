/**
 * The passes between elaboration and scheduling, in order. Each keeps the meaning of the program up
 * to reassociation of sums; `verify` holds after each (tests run it).
 *
 * Derivatives are taken during elaboration, so the first pass ends differentiation. Simplification
 * runs before fission, which then sees each expression once and views as what they view, and after
 * it, to merge the equal parts that were split off.
 */
import type { Core } from './core.ts';
import { dropDerivatives } from './passes/finish.ts';
import { fission } from './passes/fission.ts';
import { hoist } from './passes/hoist.ts';
import { simplify } from './passes/simplify.ts';

export type Pass = { readonly name: string; readonly run: (core: Core) => Core };

export const passes: readonly Pass[] = [
  { name: 'end of differentiation', run: dropDerivatives },
  { name: 'simplify', run: simplify },
  { name: 'fission', run: fission },
  { name: 'hoist', run: hoist },
  { name: 'simplify again', run: simplify },
];

export function optimise(core: Core): Core {
  return passes.reduce((c, p) => p.run(c), core);
}
