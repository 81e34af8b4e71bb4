/**
 * The passes between elaboration and scheduling, in order. Each keeps the meaning of the program up
 * to reassociation of sums; `verify` holds after each (tests run it).
 */
import type { Core } from './core.ts';

export type Pass = { readonly name: string; readonly run: (core: Core) => Core };

export const passes: readonly Pass[] = [];

export function optimise(core: Core): Core {
  return passes.reduce((c, p) => p.run(c), core);
}
