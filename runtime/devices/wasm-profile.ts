/**
 * The Wasm device with a clock between kernels: every kernel of a plan is an export of its own and is
 * called from here, on this thread, so that each can be timed. The code of a kernel is what the
 * device runs on one thread; the calls add less than a microsecond each.
 *
 * Invariant: results are those of the device, bit for bit.
 */

import type { AxisId } from '../../compiler/core.ts';
import { emitWasm } from '../../compiler/emit/wasm/module.ts';
import type { Plan, Step } from '../../compiler/plan.ts';
import { TenonError } from '../errors.ts';
import type { Device } from './device.ts';
import {
  memoryOf,
  type Runner,
  refuse,
  startedWide,
  WasmExecutable,
  wasmAvailability,
  wasmFeatures,
} from './wasm.ts';

/** One call of a kernel, in milliseconds since the run began. */
export type Call = { readonly kernel: number; readonly start: number; readonly end: number };

/** `told` gets the plan once it is prepared, then the calls of every run in order. */
export function profilingDevice(told: {
  prepared(plan: Plan): void;
  ran(calls: readonly Call[]): void;
}): Device {
  return {
    name: 'wasm',
    async prepare(program) {
      const available = wasmAvailability();
      if (!available.ok) throw new TenonError('device', available.reason);
      const plan = program.plan({ resident: true });
      const made = emitWasm(plan, {
        fma: wasmFeatures().relaxed,
        wide: startedWide(),
        exportKernels: true,
      });
      refuse(made.pages * 65536);
      const memory = memoryOf(made.pages, false);
      const { instance } = await WebAssembly.instantiate(made.bytes, { env: { memory } });
      told.prepared(plan);
      const runner = kernelByKernel(plan, instance.exports, told.ran);
      return new WasmExecutable(plan, memory, runner, made.address, program.locate);
    },
    dispose() {},
  };
}

function kernelByKernel(
  plan: Plan,
  exports: WebAssembly.Exports,
  ran: (calls: readonly Call[]) => void,
): Runner {
  return {
    async run(signal) {
      const calls: Call[] = [];
      const at = new Map<AxisId, number>();
      const began = performance.now();
      const walk = (steps: readonly Step[]): void => {
        for (const s of steps) {
          if (signal?.aborted) throw new TenonError('aborted', 'the run was aborted');
          if (s.k === 'loop') {
            const last = s.axis.extent - 1;
            for (let i = 0; i <= last; i++) {
              at.set(s.axis.id, s.rev ? last - i : i);
              walk(s.steps);
            }
            continue;
          }
          const kernel = exports[`k${s.id}`] as (...loops: number[]) => void;
          const loops = s.loops.map((a) => at.get(a.id)!);
          const start = performance.now();
          kernel(...loops);
          calls.push({ kernel: s.id, start: start - began, end: performance.now() - began });
        }
      };
      walk(plan.steps);
      ran(calls);
    },
    dispose() {},
  };
}
