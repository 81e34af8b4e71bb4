/**
 * Random inputs of a function from its types alone: a value for every leaf, at sizes of sizes.ts
 * (QuickCheck's idea, Claessen & Hughes 2000, with fast-check's integrated shrinking).
 *
 * Invariant: every point can be run: indices lie in their ranges, keys are two words.
 */
import fc from 'fast-check';
import type { LeafSpec } from '../../compiler/elaborate/interface.ts';
import { bindSizes, type SizeEnv } from '../../compiler/elaborate/sizes.ts';
import { leafSpecs } from '../../compiler/elaborate/types.ts';
import type { TFn } from '../../dsl/typed.ts';
import { leafName } from './show.ts';

/** An interval that f32 leaves are drawn from: round numbers, or (`odd`) numbers that are not. */
export type Domain = { readonly lo: number; readonly hi: number; readonly odd?: boolean };

/**
 * Tried in order. Round numbers read well and meet 0 and ties, where mistakes like to be; among many
 * elements some is always at such a kink, and numbers that are not round are beside it, of either
 * sign. A logarithm or a root wants positive numbers, a probability those below one, others those
 * above.
 */
export const domains: readonly Domain[] = [
  { lo: -2, hi: 2 },
  { lo: -2, hi: 2, odd: true },
  { lo: 0.1, hi: 2 },
  { lo: 0.05, hi: 0.95 },
  { lo: 1.1, hi: 8 },
];

export type Point = {
  readonly sizes: SizeEnv;
  readonly leaves: readonly { readonly name: string; readonly spec: LeafSpec }[];
  /** One array per leaf, in the order of the function's inputs. */
  readonly inputs: readonly Float64Array[];
};

/** Values at given sizes. */
export function pointAt(fn: TFn, sizes: SizeEnv, domain: Domain): fc.Arbitrary<Point> {
  const env = bindSizes(fn, sizes);
  const leaves = fn.params.flatMap((p) =>
    leafSpecs(p.type, env).map((spec) => ({ name: leafName(p.name, spec), spec })),
  );
  return fc
    .tuple(...leaves.map(({ spec }) => arbitraryLeaf(spec, domain)))
    .map((inputs): Point => ({ sizes, leaves, inputs }));
}

function arbitraryLeaf(spec: LeafSpec, domain: Domain): fc.Arbitrary<Float64Array> {
  const length = spec.shape.reduce((m, d) => m * d, 1);
  return fc
    .array(arbitraryScalar(spec, domain), { minLength: length, maxLength: length })
    .map((xs) => Float64Array.from(xs));
}

function arbitraryScalar(spec: LeafSpec, domain: Domain): fc.Arbitrary<number> {
  switch (spec.scalar) {
    case 'f32':
      return arbitraryReal(domain);
    case 'i32':
      return fc.integer({ min: -5, max: 5 });
    case 'u32':
      return fc.integer({ min: 0, max: 9 });
    case 'bool':
      return fc.integer({ min: 0, max: 1 });
    case 'idx':
      return fc.integer({ min: 0, max: Math.max(0, (spec.bound ?? 1) - 1) });
    case 'key':
      return fc.integer({ min: 0, max: 2 ** 32 - 1 });
  }
}

/** Whole thousandths: counter-examples read well, and shrinking has somewhere to go. */
function arbitraryReal({ lo, hi, odd = false }: Domain): fc.Arbitrary<number> {
  const [min, max] = [Math.ceil(lo * 1000), Math.floor(hi * 1000)];
  if (!odd) return fc.integer({ min, max }).map((n) => n / 1000);
  // Within the thousandth, away from its ends.
  const rest = fc.integer({ min: 50, max: 950 });
  return fc.tuple(fc.integer({ min, max: max - 1 }), rest).map(([n, r]) => (n + r / 1000) / 1000);
}
