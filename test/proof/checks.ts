/**
 * Reads that a compiled plan looks after while it runs, by kind: none today. A plan that counts them
 * says so in a field `checks`; its numbers are added up over all programs and shown at the end.
 */
import type { Plan } from '../../compiler/plan.ts';
import type { Compiled } from '../../runtime/devices/device.ts';

export type Checks = Readonly<Record<string, number>>;

export function checksOf(program: Compiled): Checks {
  const plan: Plan & { readonly checks?: Checks } = program.plan();
  return plan.checks ?? {};
}
