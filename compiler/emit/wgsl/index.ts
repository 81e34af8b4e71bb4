/**
 * A plan as WebGPU shaders: one per kernel, and the memory they share.
 *
 * Each kernel takes the first form that fits it: several nests by a thread or by a workgroup, a tiled
 * product, a long reduction by a workgroup, or the plain kernel, which fits all. Invariant: the shaders depend on the plan and the device's limits
 * only, and hold no name that a user wrote; kernels with nothing to do have no shader.
 */
import type { Axis } from '../../core.ts';
import type { Kernel, Plan } from '../../plan.ts';
import { asContraction } from '../../schedule/contract.ts';
import { splitKernels } from '../split.ts';
import { tiledKernel } from './contract.ts';
import { groupForm, scratchFinder, threadKernel, workgroupKernel } from './group.ts';
import { axesOfKernel, cellsOf, plainKernel } from './kernel.ts';
import { MOST_LOOPS, type Printer, printerFor, type Shader } from './lang.ts';
import { isLongReduction, longReduction, MOST_STEPS } from './long-reduction.ts';
import { GpuLimitError, type GpuLimits, type GpuMemory, layoutGpu } from './memory.ts';
import { kernelsInLoops } from './walk.ts';

export type WgslProgram = {
  /** The plan that the shaders are of: kernels that no form takes whole are split. */
  readonly plan: Plan;
  readonly memory: GpuMemory;
  /** By kernel id. */
  readonly shaders: ReadonlyMap<number, Shader>;
};

export type WgslOptions = {
  /** Every kernel in its plain form, for comparison. */
  readonly plain?: boolean;
};

/** What every WebGPU implementation grants. */
export const leastLimits: GpuLimits = { bindingBytes: 128 * 1024 * 1024, bindings: 8 };

export function wgslProgram(
  given: Plan,
  limits: GpuLimits,
  options: WgslOptions = {},
): WgslProgram {
  const whole = (k: Kernel): boolean => !options.plain && groupForm(given, k) !== undefined;
  const plan = splitKernels(given, whole);
  const memory = layoutGpu(plan, limits);
  const shaders = new Map<number, Shader>();
  for (const { kernel, loops } of kernelsInLoops(plan.steps)) {
    if (loops.length > MOST_LOOPS)
      throw new GpuLimitError(`a kernel in ${loops.length} loops; shaders hold ${MOST_LOOPS}`);
    if (isIdle(plan, kernel)) continue;
    const printer = printerFor(plan, memory, loops, scratchFinder(plan, kernel));
    const form = options.plain ? plainKernel : formOf(plan, kernel);
    shaders.set(kernel.id, form(printer, kernel, loops));
  }
  return { plan, memory, shaders };
}

type Form = (p: Printer, k: Kernel, loops: readonly Axis[]) => Shader;

function formOf(plan: Plan, k: Kernel): Form {
  if (k.nests.length > 1) return groupForm(plan, k) === 'thread' ? threadKernel : workgroupKernel;
  const c = asContraction(k);
  // A tile counts along the sum in one i32.
  if (c && cellsOf(c.red) <= MOST_STEPS) return (p, _k, loops) => tiledKernel(p, k, c, loops);
  return isLongReduction(k) ? longReduction : plainKernel;
}

/** Whether a kernel has no cell to write. */
function isIdle(plan: Plan, k: Kernel): boolean {
  if (k.nests.length > 1) return cellsOf(k.grid) === 0;
  const { parallel } = axesOfKernel(k);
  return cellsOf(parallel) === 0 || plan.bufs[k.nests[0]!.store.buf]!.words === 0;
}

/** All shaders as one text, for people. */
export function emitWgsl(given: Plan): string {
  const { plan, shaders } = wgslProgram(given, { ...leastLimits, bindingBytes: 2 ** 32 });
  const out: string[] = [];
  for (const { kernel } of kernelsInLoops(plan.steps)) {
    const s = shaders.get(kernel.id);
    if (!s) continue;
    out.push(`// kernel ${kernel.id}: ${s.groups[0]} x ${s.groups[1]} workgroups\n${s.code}`);
  }
  return out.join('\n');
}
