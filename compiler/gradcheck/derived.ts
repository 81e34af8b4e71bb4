/**
 * The derivative programs that a gradient check compares: tangents from inputs and their tangents,
 * cotangents from inputs and the cotangents of results, and the size of a tangent's terms.
 *
 * Invariant: a derivative that is structurally zero has no output; `zero` says which, so that a
 * check can ask whether the function really does not vary there.
 */
import { jvp, vjp } from '../ad/index.ts';
import { supplyAfter } from '../core/build.ts';
import type { Core, Var } from '../core.ts';
import { magnitude } from './magnitude.ts';

export const isReal = (x: Var): boolean => x.t === 'f32';

export type Derived = {
  readonly core: Core;
  /** For each tangent or cotangent, whether it has no output because it is zero. */
  readonly zero: readonly boolean[];
  /** How many outputs come before the derivatives. */
  readonly values: number;
};

/** inputs, tangents of f32 inputs -> outputs, tangents of `of` (the f32 outputs without). */
export function tangentProgram(core: Core, of?: readonly Var[]): Derived {
  const supply = supplyAfter(core);
  const wrt = core.inputs.filter(isReal).map((x) => ({ x, dx: supply.like(x, `d${x.name}`) }));
  const d = jvp(core.body, wrt, supply);
  const outs = (of ?? core.outputs.filter(isReal)).map((y) => d.tangentOf(y));
  return {
    core: {
      inputs: [...core.inputs, ...wrt.map((w) => w.dx)],
      consts: core.consts,
      body: [...d.primal, ...d.tangent],
      outputs: [...core.outputs, ...outs.filter((v) => v !== null)],
    },
    zero: outs.map((v) => v === null),
    values: core.outputs.length,
  };
}

/** inputs, cotangents of f32 outputs -> outputs, cotangents of f32 inputs. */
export function cotangentProgram(core: Core): Derived {
  const supply = supplyAfter(core);
  const seeds = core.outputs.filter(isReal).map((y) => ({ y, ct: supply.like(y, `${y.name}_ct`) }));
  const reals = core.inputs.filter(isReal);
  const d = vjp(core.body, reals, seeds, supply);
  const outs = reals.map((x) => d.cotangentOf(x));
  return {
    core: {
      inputs: [...core.inputs, ...seeds.map((s) => s.ct)],
      consts: core.consts,
      body: [...d.primal, ...d.adjoint],
      outputs: [...core.outputs, ...outs.filter((v) => v !== null)],
    },
    zero: outs.map((v) => v === null),
    values: core.outputs.length,
  };
}

/** As `tangentProgram`, the sum of |terms| in place of each tangent; give it |dx|. */
export function termSizes(tangent: Derived, reals: number): Core {
  return magnitude(tangent.core, tangent.core.inputs.slice(tangent.core.inputs.length - reals));
}
