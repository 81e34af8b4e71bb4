/** wasm with a wrong kernel: plans are changed on their way to the emitter. */
import type { KExpr, KNest, Plan, Step } from '../../compiler/plan.ts';
import type { Device } from '../../runtime/devices/device.ts';
import { wasmDevice } from '../../runtime/devices/wasm.ts';

export function brokenDevice(break_: (nest: KNest, plan: Plan) => KNest): Device {
  const wasm = wasmDevice({ threads: 1 });
  return {
    name: 'wasm',
    prepare: (program) =>
      wasm.prepare({
        ...program,
        plan: (options) => {
          const plan = program.plan(options);
          return { ...plan, steps: plan.steps.map((s) => broken(s, (n) => break_(n, plan))) };
        },
      }),
    dispose: () => wasm.dispose(),
  };
}

function broken(s: Step, break_: (n: KNest) => KNest): Step {
  return s.k === 'loop'
    ? { ...s, steps: s.steps.map((t) => broken(t, break_)) }
    : { ...s, nests: s.nests.map(break_) };
}

/** The body with every application of `op` computed as `as`: a rule of an emitter that is wrong. */
export const confused =
  (op: string, as: string) =>
  (n: KNest): KNest => {
    const go = (e: KExpr): KExpr =>
      e.k === 'prim'
        ? { ...e, op: (e.op === op ? as : e.op) as typeof e.op, args: e.args.map(go) }
        : e;
    return { ...n, body: go(n.body) };
  };
