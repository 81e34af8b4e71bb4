/** The Wasm target: a plan as a module, and as text for people. */
import type { Plan } from '../../plan.ts';
import { buildWasm } from './module.ts';
import { printFunctions } from './wat.ts';

export { emitWasm, type WasmOptions, type WasmPlan } from './module.ts';

export const emitWat = (plan: Plan): string => printFunctions(buildWasm(plan, { fma: true }).fns);
