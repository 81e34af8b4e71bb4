/** The kernels of a plan in order, and the states of its loops in the order a run meets them. */
import type { Axis } from '../../core.ts';
import type { Kernel, Step } from '../../plan.ts';

/** Each kernel with the axes of the loops around it, outermost first. */
export function* kernelsInLoops(
  steps: readonly Step[],
  loops: readonly Axis[] = [],
): Generator<{ kernel: Kernel; loops: readonly Axis[] }> {
  for (const s of steps) {
    if (s.k === 'kernel') yield { kernel: s, loops };
    else yield* kernelsInLoops(s.steps, [...loops, s.axis]);
  }
}

/** A run, dispatch by dispatch: `at` are the values of the enclosing loops, outermost first. */
export function* dispatches(
  steps: readonly Step[],
  at: readonly number[] = [],
): Generator<{ kernel: Kernel; at: readonly number[] }> {
  for (const s of steps) {
    if (s.k === 'kernel') yield { kernel: s, at };
    else {
      for (let i = 0; i < s.axis.extent; i++) {
        const l = s.rev ? s.axis.extent - 1 - i : i;
        yield* dispatches(s.steps, [...at, l]);
      }
    }
  }
}
