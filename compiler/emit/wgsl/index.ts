/**
 * A plan as WebGPU shaders: one per kernel, and the memory they share.
 *
 * Invariant: the shaders depend on the plan and the device's limits only, and hold no name that a
 * user wrote; kernels with nothing to do have no shader.
 */
import type { Plan } from '../../plan.ts';
import { splitKernels } from '../split.ts';
import { wgslKernel } from './kernel.ts';
import { type GpuLimits, type GpuMemory, layoutGpu } from './memory.ts';
import { kernelsInLoops } from './walk.ts';

export type Shader = {
  readonly code: string;
  /** Workgroups in x and y. */
  readonly groups: readonly [number, number];
};

export type WgslProgram = {
  /** The plan that the shaders are of: kernels of one nest each. */
  readonly plan: Plan;
  readonly memory: GpuMemory;
  /** By kernel id. */
  readonly shaders: ReadonlyMap<number, Shader>;
};

/** What every WebGPU implementation grants. */
export const leastLimits: GpuLimits = { bindingBytes: 128 * 1024 * 1024, bindings: 8 };

export function wgslProgram(given: Plan, limits: GpuLimits): WgslProgram {
  const plan = splitKernels(given);
  const memory = layoutGpu(plan, limits);
  const shaders = new Map<number, Shader>();
  for (const { kernel, loops } of kernelsInLoops(plan.steps)) {
    const { code, groups } = wgslKernel(plan, memory, kernel, loops);
    if (groups[0] > 0) shaders.set(kernel.id, { code, groups });
  }
  return { plan, memory, shaders };
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
