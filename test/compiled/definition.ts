/**
 * Values and gradients against the definitional interpreter (test/oracle), which shares nothing with
 * elaboration and differentiation: a gradient along a direction is the tangent that dual numbers give.
 */
import type { Elaborated } from '../../compiler/elaborate/interface.ts';
import type { TProgram } from '../../dsl/typed.ts';
import { numbers } from '../../runtime/gradcheck/check-point.ts';
import { define, defineTangent } from '../oracle/define.ts';
import { type Bounded, difference, inDouble, type Values } from './bounds.ts';

type Sizes = ReadonlyMap<string, number>;

export function definitionDiffers(
  program: TProgram,
  sizes: Sizes,
  inputs: Values,
  got: Bounded,
  name: (output: number) => string,
): string | undefined {
  const fn = program.fns.get('r.tn#f')!;
  const want = define(program, fn, sizes, [...inputs]).map((x) => Float64Array.from(x));
  return difference({ values: want, bounds: got.bounds }, [...got.values], name, inDouble)?.text;
}

/** The loss is the first result. */
export function gradientDiffers(
  program: TProgram,
  sizes: Sizes,
  plain: Elaborated,
  graded: Elaborated,
  inputs: Values,
  got: Bounded,
  seed: number,
): string | undefined {
  const next = numbers(seed + 1);
  const names = plain.params.flatMap((p) => p.leaves.map(() => p.name));
  const wrt = graded.grads.flatMap((g) => g.leaves.map(() => g.name));
  const moved = inputs.map((x, i) =>
    wrt.includes(names[i]!) ? x.map(() => 2 * next() - 1) : new Float64Array(x.length),
  );
  const fn = program.fns.get('r.tn#f')!;
  const want = defineTangent(program, fn, sizes, [...inputs], moved)[0]![0]!;
  let [slope, bound] = [0, 0];
  for (const [k, name] of wrt.entries()) {
    const dx = moved[names.indexOf(name)]!;
    const at = plain.result.length + k;
    for (const [j, v] of dx.entries()) {
      slope += got.values[at]![j]! * v;
      bound +=
        (got.bounds[at]![j]! + Math.abs(got.values[at]![j]!) * 2 ** -24 * dx.length) * Math.abs(v);
    }
  }
  // Rounding of the sum, and of either side.
  const allowed = 4 * inDouble * bound;
  // A slope that is no number has no bound either; of a loss that is none nothing is said.
  const lost = Number.isFinite(want) && !Number.isFinite(slope);
  const known = Number.isFinite(allowed) || (lost && Number.isFinite(got.values[0]![0]!));
  if (Object.is(slope, want) || !known) return undefined;
  if (Math.abs(slope - want) <= allowed || (Number.isNaN(slope) && Number.isNaN(want)))
    return undefined;
  return `the gradient along a direction is ${slope}, by definition ${want} (bound ${allowed.toExponential(1)})`;
}
