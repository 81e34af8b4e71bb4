/**
 * A function made ready for gradient checks at one set of sizes: its value, tangents, cotangents and
 * central differences, all in f64 on the interpreter.
 *
 * Invariant: differences hold fixed what has no derivative by definition (stop, step functions,
 * conditions), as the derivative does; where they do not settle the point is a kink and is drawn
 * again.
 */
import { usesOf } from '../../compiler/core/build.ts';
import { type Prepared, prepareCore } from '../../compiler/core/interpret.ts';
import type { Core, Var } from '../../compiler/core.ts';
import type { LeafSpec } from '../../compiler/elaborate/interface.ts';
import {
  cotangentProgram,
  isReal,
  tangentProgram,
  termSizes,
} from '../../compiler/gradcheck/derived.ts';
import { frozen } from '../../compiler/gradcheck/frozen.ts';
import { rounding } from '../../compiler/gradcheck/rounding.ts';
import { live } from '../../compiler/passes/live.ts';

import { indexText, leafName } from './show.ts';

export type Values = readonly Float64Array[];

const steps = [1e-3, 1e-4, 1e-5] as const;

export type CheckedProgram = {
  readonly core: Core;
  readonly reals: readonly number[];
  readonly outputs: readonly number[];
  /** `out.loss[0, 2]`: an element of an f32 output, as a user would write it. */
  place(output: number, element: number): string;
  /** The same of any output. */
  placeOf(output: number, element: number): string;
  /** The programs of forward and of reverse mode. */
  derivatives(): { readonly forward: Core; readonly reverse: Core };
  value(inputs: Values): Values;
  /** Tangents of the f32 outputs in direction dx (one array per f32 input), and their |terms|. */
  tangent(inputs: Values, dx: Values): Derivative & { readonly terms: Values };
  /** Cotangents of the f32 inputs for cotangents of the f32 outputs. */
  cotangent(inputs: Values, ct: Values): Derivative;
  /** How far each element of each output may be from the exact value for rounding in f64. */
  rounding(inputs: Values): Values;
  /**
   * `tolerance`: the errors that are small enough, beside rounding; where they are not met, a smaller
   * step is tried.
   */
  differences(inputs: Values, dx: Values, tolerance: Values, from?: number): Differences;
  /** For each f32 input, whether some output depends on it. */
  used(): readonly boolean[];
};

/** A derivative, and all outputs of the program that computes it: the function's own values. */
export type Derivative = { readonly d: Values; readonly values: Values };

/**
 * Richardson-extrapolated central differences, each with an estimate of its own error and a bound on
 * what the rounding of the values makes of it.
 */
export type Differences = {
  readonly d: Values;
  readonly error: Values;
  readonly rounding: Values;
  readonly kink: boolean;
};

function complete(p: Prepared, inputs: Values): Values {
  const steps = p.run(inputs);
  for (;;) {
    const s = steps.next();
    if (s.done) return s.value;
  }
}

const count = (x: Var): number => x.shape.reduce((n, d) => n * d, 1);

/** Zeros where a derivative has no output. */
function spread(got: Values, zero: readonly boolean[], vars: readonly Var[]): Values {
  let k = 0;
  return zero.map((z, i) => (z ? new Float64Array(count(vars[i]!)) : got[k++]!));
}

/** `result`: the leaves of the outputs, where they have names. */
export function prepareProgram(core: Core, result: readonly LeafSpec[] = []): CheckedProgram {
  const realInputs = core.inputs.filter(isReal);
  const realOutputs = core.outputs.filter(isReal);
  const t = tangentProgram(core);
  const value = lazy(() => prepareCore(core));
  const tangent = lazy(() => prepareCore(t.core));
  const sizes = lazy(() => prepareCore(termSizes(t, realInputs.length)));
  const adjoint = lazy(() => cotangentProgram(core));
  const reverse = lazy(() => prepareCore(adjoint().core));
  const moved = lazy(() => prepareCore(frozen(core)));
  const errors = lazy(() => prepareCore(rounding(core, true).core));
  const bases = new WeakMap<Values, Base>();
  const baseAt = (inputs: Values): Base => {
    const base = bases.get(inputs) ?? valuesOf(core, complete(errors(), inputs));
    bases.set(inputs, base);
    return base;
  };
  const reals = core.inputs.flatMap((x, i) => (isReal(x) ? [i] : []));
  const outputs = core.outputs.flatMap((x, i) => (isReal(x) ? [i] : []));
  const placeOf = (output: number, element: number): string => {
    const leaf = result[output];
    const name = leaf === undefined ? `output ${output}` : leafName('out', leaf);
    return name + indexText(element, core.outputs[output]!.shape);
  };
  return {
    core,
    reals,
    outputs,
    place: (output, element) => placeOf(outputs[output]!, element),
    placeOf,
    used: () => {
      const read = new Set([...core.outputs, ...live(core).body.flatMap((s) => [...usesOf(s)])]);
      return realInputs.map((x) => read.has(x));
    },
    derivatives: () => ({ forward: t.core, reverse: adjoint().core }),
    value: (inputs) => complete(value(), inputs),
    tangent: (inputs, dx) => {
      const got = complete(tangent(), [...inputs, ...dx]);
      const [values, d] = [got.slice(0, t.values), got.slice(t.values)];
      const abs = dx.map((x) => x.map(Math.abs));
      const terms = complete(sizes(), [...inputs, ...abs]).slice(t.values);
      const at = (got: Values) => spread(got, t.zero, realOutputs);
      return { d: at(d), values, terms: at(terms) };
    },
    cotangent: (inputs, ct) => {
      const { values, zero } = adjoint();
      const got = complete(reverse(), [...inputs, ...ct]);
      return { d: spread(got.slice(values), zero, realInputs), values: got.slice(0, values) };
    },
    rounding: (inputs) => {
      const { off } = baseAt(inputs);
      return core.outputs.map((y, i) =>
        isReal(y) ? off[outputs.indexOf(i)]! : new Float64Array(count(y)),
      );
    },
    differences: (inputs, dx, tolerance, from: number = steps[0]) => {
      const start = reals.map((i) => inputs[i]!);
      const at = (h: number): Values => {
        const there = start.map((x, i) => x.map((v, j) => v + h * dx[i]![j]!));
        const ys = complete(moved(), [...inputs, ...there]);
        return outputs.map((i) => ys[i]!);
      };
      return differences(at, baseAt(inputs), tolerance, from);
    },
  };
}

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** f32 outputs at a point, and how far each may be from the exact value for rounding in f64. */
type Base = { readonly ys: Values; readonly off: Values };

/** From what `rounding` gives, which counts in units of float32. */
function valuesOf(core: Core, got: Values): Base {
  const ys = got.filter((_, i) => core.outputs[i]?.t === 'f32');
  return { ys, off: got.slice(core.outputs.length).map((e) => e.map((v) => v * 2 ** -29)) };
}

/**
 * What rounding makes of a difference of step h: the analysis, or where that has grown beyond all
 * measure (through many layers) what is seen of it.
 */
function noise({ ys, off }: Base, h: number, seen: () => Values): Values {
  return ys.map((y, i) => {
    const most = 1e-9 * (1 + maxAbs(y)) * Math.max(1, 1e-5 / h);
    // (64 f(h/4) - 20 f(h/2) + f(h)) / 45 of differences over h/4, h/2 and h.
    return off[i]!.map((v, j) => {
      if (v * 7 <= most * h) return (v * 7) / h;
      const visible = Math.min(v || Infinity, seen()[i]![j]! || 0);
      return Math.max(most, (visible * 7) / h);
    });
  });
}

/**
 * The noise of the values: over steps this small their fourth differences hold nothing else (the
 * table of Hamming 1962, Moré & Wild 2011), and are sqrt(70) times as large.
 */
function seenNoise(at: (h: number) => Values): Values {
  const rows = Array.from({ length: 8 }, (_, n) => at((n - 3.5) * 1e-10));
  return rows[0]!.map((x, i) =>
    x.map((_, j) => {
      let column = rows.map((ys) => ys[i]![j]!);
      for (let k = 0; k < 4; k++) column = column.slice(1).map((v, n) => v - column[n]!);
      return (several * column.reduce((m, v) => Math.max(m, Math.abs(v)), 0)) / Math.sqrt(70);
    }),
  );
}

/** Standard deviations that no rounding is likely to be off by. */
const several = 8;

const maxAbs = (xs: Float64Array): number => xs.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

/**
 * Where a function bends within the step, a smaller one is better, cell by cell. Two steps that
 * contradict each other have both been fooled, by a function that turns within them.
 */
function differences(
  at: (h: number) => Values,
  base: Base,
  tolerance: Values,
  from: number,
): Differences {
  const seen = lazy(() => seenNoise(at));
  let best = richardson(at, base, from, seen);
  const allowed = (i: number, j: number) => tolerance[i]![j]! + best.rounding[i]![j]!;
  for (const h of steps.filter((step) => step < from)) {
    const settled = best.error.every((e, i) => e.every((v, j) => 4 * v <= allowed(i, j)));
    if (settled && !best.kink) return best;
    const finer = richardson(at, base, h, seen);
    best = best.kink ? finer : better(best, finer, tolerance);
  }
  // An estimate that is not small beside the slope says that none of the steps was.
  const unsettled = best.error.some((e, i) =>
    e.some((v, j) => 4 * v > 1e-3 * Math.abs(best.d[i]![j]!) + allowed(i, j)),
  );
  return { ...best, kink: best.kink || unsettled };
}

function better(a: Differences, b: Differences, tolerance: Values): Differences {
  const off = (x: Differences, i: number, j: number) => x.error[i]![j]! + x.rounding[i]![j]!;
  const finer = (i: number, j: number) => off(b, i, j) < off(a, i, j);
  const pick = (x: Values, y: Values) =>
    x.map((u, i) => u.map((v, j) => (finer(i, j) ? y[i]![j]! : v)));
  const apart = a.d.some((x, i) =>
    x.some((v, j) => {
      const noise = tolerance[i]![j]! + a.rounding[i]![j]! + b.rounding[i]![j]!;
      return Math.abs(v - b.d[i]![j]!) > 10 * (a.error[i]![j]! + b.error[i]![j]!) + noise;
    }),
  );
  return {
    d: pick(a.d, b.d),
    error: pick(a.error, b.error),
    rounding: pick(a.rounding, b.rounding),
    kink: b.kink || apart,
  };
}

/**
 * Two levels of extrapolation over halved steps (Richardson 1911); the last change is the error. A
 * kink is where the one-sided slopes do not meet as the step falls.
 */
function richardson(
  at: (h: number) => Values,
  base: Base,
  h: number,
  seen: () => Values,
): Differences {
  const [f1, f2, f4] = [h, h / 2, h / 4].map((step) => around(at, base.ys, step)) as [
    Sides,
    Sides,
    Sides,
  ];
  const r1 = zip(f1.d, f2.d, (a, b) => (4 * b - a) / 3);
  const r2 = zip(f2.d, f4.d, (a, b) => (4 * b - a) / 3);
  const d = zip(r1, r2, (a, b) => (16 * b - a) / 15);
  const error = zip(d, r2, (a, b) => Math.abs(a - b));
  const rounding = noise(base, h, seen);
  const kink = f1.bend.some((b, i) =>
    b.some((v, j) => {
      const slope = d[i]![j]!;
      if (!Number.isFinite(slope)) return true;
      const flat = 1e-6 * Math.abs(slope) + 4 * rounding[i]![j]!;
      return !(f4.bend[i]![j]! <= 0.5 * v + flat);
    }),
  );
  return { d, error, rounding, kink };
}

/** Central differences, and how far the one-sided ones are apart. */
type Sides = { readonly d: Values; readonly bend: Values };

function around(at: (h: number) => Values, y0: Values, h: number): Sides {
  const [p, m] = [at(h), at(-h)];
  return {
    d: zip(p, m, (a, b) => (a - b) / (2 * h)),
    bend: p.map((y, i) => y.map((v, j) => Math.abs(v + m[i]![j]! - 2 * y0[i]![j]!) / h)),
  };
}

function zip(a: Values, b: Values, f: (x: number, y: number) => number): Values {
  return a.map((x, i) => x.map((v, j) => f(v, b[i]![j]!)));
}
