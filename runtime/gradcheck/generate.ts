/**
 * Random inputs of a function from its types alone: sizes that satisfy its facts, then a value for
 * every leaf (QuickCheck's idea, Claessen & Hughes 2000, with fast-check's integrated shrinking).
 *
 * Invariant: every point can be run: sizes satisfy the `where` facts, indices lie in their ranges,
 * keys are two words. Smaller sizes come first, so that a counter-example shrinks to them.
 */
import fc from 'fast-check';
import { CompileError } from '../../compiler/elaborate/errors.ts';
import type { LeafSpec } from '../../compiler/elaborate/interface.ts';
import { bindSizes, evalSize, type SizeEnv } from '../../compiler/elaborate/sizes.ts';
import { leafSpecs } from '../../compiler/elaborate/types.ts';
import type { SizeFact, TFn } from '../../dsl/typed.ts';
import { TenonError } from '../errors.ts';

/** An interval that f32 leaves are drawn from. */
export type Domain = { readonly lo: number; readonly hi: number };

export type Point = {
  readonly sizes: SizeEnv;
  readonly leaves: readonly { readonly name: string; readonly spec: LeafSpec }[];
  /** One array per leaf, in the order of the function's inputs. */
  readonly inputs: readonly Float64Array[];
};

export type GenerateOptions = {
  /** Sizes that are given and not drawn. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Further facts, of a `check ... where`. */
  readonly where?: readonly SizeFact[];
  readonly domain?: Domain;
  /** No point holds more numbers than this. */
  readonly maxElements?: number;
};

const usual = [1, 2, 3, 5] as const;
const enumerated = 5_000;
/** Where the search for an extent that fits ends. */
const farthest = 1000;

/** The usual extents and the small numbers that the facts mention (`where D == 6`). */
function candidates(facts: readonly SizeFact[]): readonly number[] {
  const named = facts
    .flatMap((f) => [f.left, f.right, f.equals])
    .flat()
    .map((m) => m.c)
    .filter((c) => c >= 1 && c <= 16);
  return [...new Set([...usual, ...named])].sort((a, b) => a - b);
}

/** The smallest extents that satisfy the facts about one size alone: `D % 2 == 0, D % 3 == 0`. */
function smallest(fits: (v: number) => boolean): readonly number[] {
  const found: number[] = [];
  for (let v = 1; v <= farthest && found.length < 2; v++) if (fits(v)) found.push(v);
  return found;
}

/** Every choice of sizes that the facts allow, smallest product first. */
export function allowedSizes(fn: TFn, options: GenerateOptions): readonly SizeEnv[] {
  const given = options.sizes ?? {};
  const names = fn.sizes.map((p) => p.name);
  const facts = [...fn.facts, ...(options.where ?? [])];
  const extents = candidates(facts);
  // A fact about one size alone leaves it fewer extents, so that the few that fit are met.
  const free = names
    .filter((n) => given[n] === undefined)
    .map((name) => {
      const own = facts.filter((f) => namesIn(f).every((v) => v === name));
      const fits = (v: number) => own.every((f) => holds(f, new Map([[name, v]])));
      const near = extents.filter(fits);
      return { name, extents: near.length > 0 ? near : smallest(fits) };
    });
  // Whoever gives every size means them.
  const most = free.length === 0 ? Infinity : (options.maxElements ?? 1500);
  const total = free.reduce((n, f) => n * f.extents.length, 1);
  const stride = Math.max(1, Math.floor(total / enumerated)) | 1;
  const found: { sizes: SizeEnv; weight: number }[] = [];
  for (let n = 0, k = 0; n < Math.min(total, enumerated); n++, k = (k + stride) % total) {
    const sizes = new Map(Object.entries(given));
    let rest = k;
    for (const f of free) {
      sizes.set(f.name, f.extents[rest % f.extents.length]!);
      rest = Math.floor(rest / f.extents.length);
    }
    const weight = elements(fn, sizes, options.where ?? []);
    if (weight !== undefined && weight <= most) {
      found.push({ sizes, weight });
    }
  }
  if (found.length === 0) {
    throw new TenonError('usage', `no sizes that \`${fn.name}\` allows were found`, {
      hint: 'Give sizes that satisfy its where clause, for example --size N=4.',
    });
  }
  return found.sort((a, b) => a.weight - b.weight).map((f) => f.sizes);
}

/** How many numbers the inputs hold; undefined where a fact does not hold. */
function elements(fn: TFn, sizes: SizeEnv, where: readonly SizeFact[]): number | undefined {
  try {
    const env = bindSizes(fn, sizes);
    for (const f of where) if (!holds(f, env)) return undefined;
    return fn.params
      .flatMap((p) => leafSpecs(p.type, env))
      .reduce((n, leaf) => n + leaf.shape.reduce((m, d) => m * d, 1), 1);
  } catch (e) {
    if (e instanceof CompileError && e.code !== 'E0807') return undefined;
    throw e;
  }
}

function namesIn(f: SizeFact): string[] {
  return [f.left, f.right, f.equals].flat().flatMap((m) => m.v);
}

function holds(f: SizeFact, env: SizeEnv): boolean {
  const left = evalSize(f.left, env);
  const right = evalSize(f.right, env);
  switch (f.op) {
    case '==':
      return left === right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
    case '%':
      return right > 0 && left % right === evalSize(f.equals, env);
  }
}

export function arbitraryPoint(fn: TFn, options: GenerateOptions = {}): fc.Arbitrary<Point> {
  const choices = allowedSizes(fn, options);
  const domain = options.domain ?? { lo: -2, hi: 2 };
  return fc.nat(choices.length - 1).chain((n) => pointAt(fn, choices[n]!, domain));
}

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

export function leafName(root: string, spec: LeafSpec): string {
  return [root, ...spec.path.map((s) => (typeof s === 'string' ? s : '*'))].join('.');
}

function arbitraryLeaf(spec: LeafSpec, domain: Domain): fc.Arbitrary<Float64Array> {
  const length = spec.shape.reduce((m, d) => m * d, 1);
  return fc
    .array(arbitraryScalar(spec, domain), { minLength: length, maxLength: length })
    .map((xs) => Float64Array.from(xs));
}

/** Whole thousandths: counter-examples read well, and shrinking has somewhere to go. */
function arbitraryScalar(spec: LeafSpec, { lo, hi }: Domain): fc.Arbitrary<number> {
  switch (spec.scalar) {
    case 'f32':
      return fc
        .integer({ min: Math.ceil(lo * 1000), max: Math.floor(hi * 1000) })
        .map((n) => n / 1000);
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
