/**
 * A derivative at one point along one direction: the values beside it against those without it,
 * forward mode against differences, the detector of derivatives that are zero where the value varies,
 * and reverse mode against forward mode.
 *
 * Invariant: nothing here is tuned to a program: a difference may be off by 1e-7 of the sum of |terms|
 * (1e-3 of the derivative where that is less) or by its own estimate, a dot product by 1e-12 of the
 * sum of |terms|.
 */
import type { Point } from './generate.ts';
import type { CheckedProgram, Differences, Values } from './point.ts';

type Error = { readonly error: number; readonly bound: number };

export type Verdict =
  | { readonly k: 'kink' }
  | ({ readonly k: 'wrong'; readonly message: string } & Error)
  | ({
      readonly k: 'ok';
      readonly cells: number;
      /** Cells judged by the estimated error of the difference. */
      readonly estimated: number;
      /** Some derivative is not zero. */
      readonly varies: boolean;
    } & Error);

/** The f32 inputs that a direction moves, by position. */
export type Along = number | ReadonlySet<number> | 'all';

const directions = 3;

/** Forward against differences, then reverse against forward, along some f32 inputs. */
export function checkPoint(
  program: CheckedProgram,
  point: Point,
  along: Along,
  seed: number,
): Verdict {
  const dx = direction(program, point, along, numbers(seed));
  return checkDirection(program, point, dx, seed);
}

/** The first element of an input along which alone the derivative is wrong, and how. */
export function firstElement(
  program: CheckedProgram,
  point: Point,
  position: number,
  seed: number,
): { readonly element: number; readonly message: string } | undefined {
  const zeros = program.reals.map((i) => new Float64Array(point.inputs[i]!.length));
  for (const element of zeros[position]!.keys()) {
    const dx = zeros.map((z, k) => (k === position ? z.map((_, n) => (n === element ? 1 : 0)) : z));
    const v = checkDirection(program, point, dx, seed);
    if (v.k === 'wrong') return { element, message: v.message };
  }
  return undefined;
}

// ---------------------------------------------------------------- what a point gives

/** Values, and cotangents for some random weights: the same whatever the direction. */
type Backward = {
  readonly program: CheckedProgram;
  readonly seed: number;
  /** Of all outputs, without a derivative. */
  readonly values: Values;
  /** What reverse mode changes of them. */
  readonly changed: string | undefined;
  readonly weighted: readonly { readonly ct: Values; readonly back: Values }[];
};

/** Every leaf is checked at the same points. */
const backward = new WeakMap<Point, Backward>();

function backwardAt(program: CheckedProgram, point: Point, seed: number): Backward {
  const known = backward.get(point);
  if (known?.program === program && known.seed === seed) return known;
  const values = program.value(point.inputs);
  const ys = program.outputs.map((i) => values[i]!);
  const next = numbers(~seed);
  const weighted = Array.from({ length: directions }, () => {
    const ct = ys.map((y) => randomLike(y, next));
    return { ct, back: program.cotangent(point.inputs, ct) };
  });
  const changed = weighted
    .map(({ back }) => valueChanged(program, point.inputs, values, back.values))
    .find((m) => m !== undefined);
  const made: Backward = {
    ...{ program, seed, values, changed },
    weighted: weighted.map(({ ct, back }) => ({ ct, back: back.d })),
  };
  backward.set(point, made);
  return made;
}

/** Asking for a derivative changes no value, but for the order of sums and products. */
function valueChanged(
  program: CheckedProgram,
  inputs: Values,
  without: Values,
  beside: Values,
): string | undefined {
  for (const [i, ys] of without.entries()) {
    for (const [j, y] of ys.entries()) {
      const z = beside[i]![j]!;
      if (Object.is(y, z) || y === z || Math.abs(y - z) <= 2 * program.rounding(inputs)[i]![j]!) {
        continue;
      }
      return `${program.placeOf(i, j)}: beside its derivative the value is ${z}, without it ${y}`;
    }
  }
  return undefined;
}

// ---------------------------------------------------------------- one direction

function checkDirection(program: CheckedProgram, point: Point, dx: Values, seed: number): Verdict {
  const base = backwardAt(program, point, seed);
  const { d, terms, values } = program.tangent(point.inputs, dx);
  const changed = base.changed ?? valueChanged(program, point.inputs, base.values, values);
  if (changed !== undefined) return { k: 'wrong', error: Infinity, bound: 0, message: changed };
  // Where terms cancel (through many layers) their sum would let anything pass: the derivative itself
  // says how much, but for its own rounding.
  const most = 1e-3 * d.reduce((m, x) => x.reduce((n, v) => Math.max(n, Math.abs(v)), m), 0);
  const tolerance = terms.map((x) => x.map((t) => Math.min(1e-7 * t, most + 1e-12 * t)));
  const diff = program.differences(point.inputs, dx, tolerance);
  // Nothing is called wrong by one step alone: a function may turn faster than that, and meet two
  // steps with the same wrong slope.
  let smaller: readonly Differences[] | undefined;
  const steady = (i: number, j: number): boolean => {
    smaller ??= [1e-5, 1e-7].map((h) => program.differences(point.inputs, dx, tolerance, h));
    return smaller.every((small) => {
      const own = diff.error[i]![j]! + small.error[i]![j]!;
      const noise = diff.rounding[i]![j]! + small.rounding[i]![j]!;
      const apart = Math.abs(diff.d[i]![j]! - small.d[i]![j]!);
      return !small.kink && apart <= 10 * own + tolerance[i]![j]! + noise;
    });
  };
  // On both sides the derivative is what the differences say: the function turns at this very point
  // (x / max(|x|, 1e-12) at 0), within less than any step.
  let sides: readonly Values[] | undefined;
  const turns = (i: number, j: number, bound: number): boolean => {
    sides ??= [1e-6, -1e-6].map((h) => {
      const there = point.inputs.map((x, k) => {
        const real = program.reals.indexOf(k);
        return real < 0 ? x : x.map((v, n) => v + h * dx[real]![n]!);
      });
      return program.tangent(there, dx).d;
    });
    const want = diff.d[i]![j]!;
    // Far nearer than the derivative at the point is: else both sides are as wrong as it.
    const near = Math.min(
      1e-3 * Math.abs(want) + Math.min(bound, 1e-3 * Math.abs(d[i]![j]!)),
      Math.abs(d[i]![j]! - want) / 4,
    );
    return sides.every((t) => Math.abs(t[i]![j]! - want) <= near);
  };
  // Where |terms| have grown beyond all numbers (through many layers) no bound is left to judge by.
  if (diff.kink || !finite(d) || !finite(terms)) return { k: 'kink' };
  let worst: Error = { error: 0, bound: 1 };
  let cells = 0;
  let estimated = 0;
  for (const [i, t] of d.entries()) {
    for (const [j, got] of t.entries()) {
      const want = diff.d[i]![j]!;
      const own = diff.error[i]![j]!;
      const rounding = diff.rounding[i]![j]!;
      const derived = tolerance[i]![j]! + rounding;
      const bound = Math.max(derived, 4 * own);
      const error = Math.abs(want - got);
      const at = program.place(i, j);
      cells++;
      if (4 * own > derived) estimated++;
      // However little: only what the rounding of a difference can make passes for zero.
      if (got === 0 && Math.abs(want) > rounding + 10 * own) {
        if (!steady(i, j)) return { k: 'kink' };
        const message = `${at}: the derivative is zero, but the value varies by ${want}`;
        return { k: 'wrong', error, bound: rounding + 10 * own, message };
      }
      if (error > bound) {
        if (!steady(i, j) || turns(i, j, bound)) return { k: 'kink' };
        const limit = `bound ${bound.toExponential(1)}`;
        const message = `${at}: derivative ${got}, by differences ${want} (${limit})`;
        return { k: 'wrong', error, bound, message };
      }
      if (error / bound > worst.error / worst.bound) worst = { error, bound };
    }
  }
  for (const { ct, back } of base.weighted) {
    const forward = dot(d, ct);
    const reverse = dot(dx, back);
    const bound = 1e-12 * dot(terms, ct, Math.abs) + 1e-300;
    const error = Math.abs(forward - reverse);
    if (!(error <= bound)) {
      const limit = `bound ${bound.toExponential(1)}`;
      const message = `reverse mode gives ${reverse}, forward mode ${forward} (${limit})`;
      return { k: 'wrong', error, bound, message };
    }
    if (error / bound > worst.error / worst.bound) worst = { error, bound };
  }
  return { k: 'ok', ...worst, cells, estimated, varies: d.some((t) => t.some((v) => v !== 0)) };
}

const finite = (xs: Values): boolean => xs.every((x) => x.every(Number.isFinite));

function dot(a: Values, b: Values, of = (v: number) => v): number {
  let sum = 0;
  for (const [i, x] of a.entries()) {
    for (const [j, v] of x.entries()) sum += of(v * b[i]![j]!);
  }
  return sum;
}

// ---------------------------------------------------------------- directions

export function direction(
  program: CheckedProgram,
  point: Point,
  along: Along,
  next: () => number,
): Values {
  const moves = (k: number) =>
    along === 'all' || (typeof along === 'number' ? k === along : along.has(k));
  return program.reals.map((i, k) =>
    moves(k) ? randomLike(point.inputs[i]!, next) : new Float64Array(point.inputs[i]!.length),
  );
}

export const randomLike = (x: Float64Array, next: () => number): Float64Array =>
  x.map(() => 2 * next() - 1);

/** Directions need only a seed (mulberry32). */
export function numbers(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
