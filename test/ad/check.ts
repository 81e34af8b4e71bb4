/**
 * Gradient checks on core programs: forward mode against central differences in f64, reverse mode
 * against forward mode, and the derivative programs against the rules of the IR.
 *
 * Invariant: tolerances are derived, not tuned. A difference is judged against the Richardson
 * estimate of its own error, and a dot product against the sum of the absolute values of its terms.
 */
export { numbers } from '../../runtime/gradcheck/check-point.ts';

import { walkStmts } from '../../compiler/core/build.ts';
import { eachVal, type freeVars } from '../../compiler/core/expr.ts';
import { interpret, prepareCore } from '../../compiler/core/interpret.ts';
import { printCore } from '../../compiler/core/print.ts';
import { verify } from '../../compiler/core/verify.ts';
import type { Core, Var } from '../../compiler/core.ts';
import {
  cotangentProgram,
  type Derived,
  isReal,
  tangentProgram,
  termSizes,
} from '../../compiler/gradcheck/derived.ts';
import { frozen } from '../../compiler/gradcheck/frozen.ts';

export { isReal };
export const jvpCore = tangentProgram;
export const vjpCore = cotangentProgram;

export type Values = readonly Float64Array[];

export class GradientError extends Error {
  override readonly name = 'GradientError';
}

function fail(what: string, core: Core, derived?: Core): never {
  const more = derived === undefined ? '' : `\n--- derivative\n${printCore(derived)}`;
  throw new GradientError(`${what}\n--- program\n${printCore(core)}${more}`);
}

export function assertClean(core: Core, from: Core): void {
  const bad = verify(core);
  if (bad.length > 0) {
    const b = bad[0]!;
    fail(`${b.rule}: ${b.found}\n${b.statement}`, from, core);
  }
}

/** A segment sum stands only for a read at a data-dependent place. */
export function assertGathers(core: Core, from: Core): void {
  let dynamic = false;
  walkStmts(from.body, (s) => {
    if (s.k === 'segsum') dynamic = true;
    if (s.k === 'nest' && hasVal(s.body)) dynamic = true;
  });
  if (dynamic) return;
  walkStmts(core.body, (s) => {
    if (s.k === 'segsum') fail('a segment sum without a data-dependent read', from, core);
  });
}

function hasVal(e: Parameters<typeof freeVars>[0]): boolean {
  switch (e.k) {
    case 'read': {
      let found = false;
      for (const ix of e.ix) eachVal(ix, () => (found = true));
      for (const g of e.guard) eachVal(g.e, () => (found = true));
      return found;
    }
    case 'prim':
      return e.args.some(hasVal);
    default:
      return false;
  }
}

const absSum = (xs: Iterable<number>): number => {
  let s = 0;
  for (const x of xs) s += Math.abs(x);
  return s;
};

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): { value: number; scale: number } {
  let value = 0;
  let scale = 0;
  for (let i = 0; i < a.length; i++) {
    value += a[i]! * b[i]!;
    scale += Math.abs(a[i]! * b[i]!);
  }
  return { value, scale };
}

function finish<T>(run: Generator<void, T>): T {
  for (;;) {
    const r = run.next();
    if (r.done) return r.value;
  }
}

export type Direction = { readonly dx: Values; readonly ct: Values };

export type Differences = {
  readonly d: Values;
  readonly error: Values;
  readonly kink: boolean;
};

/** Directional derivative of the f32 outputs by central differences, with an error estimate. */
export function differences(core: Core, inputs: Values, dx: Values): Differences {
  const program = prepareCore(frozen(core));
  const base = inputs.filter((_, i) => isReal(core.inputs[i]!));
  const at = (h: number): Values => {
    const moved = base.map((x, i) => x.map((v, j) => v + h * dx[i]![j]!));
    const ys = finish(program.run([...inputs, ...moved]));
    return ys.filter((_, i) => isReal(core.outputs[i]!));
  };
  const h = 1e-3;
  const y0 = at(0);
  const [f1, f2, f4] = [around(at, y0, h), around(at, y0, h / 2), around(at, y0, h / 4)];
  const r1 = zip(f1.d, f2.d, (a, b) => (4 * b - a) / 3);
  const r2 = zip(f2.d, f4.d, (a, b) => (4 * b - a) / 3);
  const d = zip(r1, r2, (a, b) => (16 * b - a) / 15);
  const error = zip(d, r2, (a, b) => Math.abs(a - b));
  // The two one-sided slopes meet as h falls, unless there is a kink between them.
  const kink = f1.bend.some((b, i) =>
    b.some((v, j) => !(f4.bend[i]![j]! <= 0.5 * v + 1e-6 * (1 + Math.abs(d[i]![j]!)))),
  );
  return { d, error, kink };
}

/** Central differences, and how far the one-sided ones are apart. */
function around(at: (h: number) => Values, y0: Values, h: number): { d: Values; bend: Values } {
  const [p, m] = [at(h), at(-h)];
  return {
    d: zip(p, m, (a, b) => (a - b) / (2 * h)),
    bend: p.map((y, i) => y.map((v, j) => Math.abs(v - 2 * y0[i]![j]! + m[i]![j]!) / h)),
  };
}

function zip(a: Values, b: Values, f: (x: number, y: number) => number): Values {
  return a.map((x, i) => x.map((v, j) => f(v, b[i]![j]!)));
}

export type Verdict = 'ok' | 'kink';

/**
 * Checks both modes at one point. 'kink' where the differences do not settle (a step function, a
 * tie, a non-finite value): the caller takes another point.
 */
export function checkPoint(core: Core, inputs: Values, dir: Direction): Verdict {
  const f = jvpCore(core);
  const r = vjpCore(core);
  assertClean(f.core, core);
  assertClean(r.core, core);
  assertGathers(r.core, core);
  const nOut = core.outputs.length;
  const reals = core.outputs.map(isReal);
  const index = reals.flatMap((real, i) => (real ? [i] : []));
  const primal = interpret(core, inputs);
  const forward = interpret(f.core, [...inputs, ...dir.dx]);
  const backward = interpret(r.core, [...inputs, ...dir.ct]);
  primal.forEach((y, i) => {
    for (const z of [forward[i]!, backward[i]!]) {
      if (!y.every((v, j) => close(v, z[j]!, 1e-12 * (1 + Math.abs(v))))) {
        fail(`the value of output ${i} changed`, core, z === forward[i]! ? f.core : r.core);
      }
    }
  });
  const tangents = spread(
    forward.slice(nOut),
    f.zero,
    primal.filter((_, i) => reals[i]),
  );
  const cotangents = spread(
    backward.slice(nOut),
    r.zero,
    core.inputs.flatMap((x, i) => (isReal(x) ? [inputs[i]!] : [])),
  );

  // <J dx, w> = <dx, J' w>
  let [lhs, rhs, scale] = [0, 0, 0];
  const terms = spread(sizes(f, inputs, dir), f.zero, tangents);
  tangents.forEach((t, i) => {
    lhs += dot(t, dir.ct[i]!).value;
    scale += dot(terms[i]!, dir.ct[i]!).scale;
  });
  cotangents.forEach((c, i) => {
    rhs += dot(c, dir.dx[i]!).value;
  });
  if (!Number.isFinite(lhs) || !Number.isFinite(rhs)) return 'kink';
  if (Math.abs(lhs - rhs) > 1e-12 * scale + 1e-300) {
    fail(`<Jv, w> = ${lhs} but <v, J'w> = ${rhs}`, core, r.core);
  }

  const { d, error, kink } = differences(core, inputs, dir.dx);
  if (kink) return 'kink';
  for (let i = 0; i < d.length; i++) {
    const size = 1e-7 * (absSum(terms[i]!) + 1e-3);
    for (let j = 0; j < d[i]!.length; j++) {
      const [want, got, off] = [d[i]![j]!, tangents[i]![j]!, error[i]![j]!];
      // Zero detector: a derivative that is exactly 0 where the value moves fails, however little.
      const noise = 1e-11 * (1 + Math.abs(primal[index[i]!]![j]!));
      if (got === 0 && Number.isFinite(want) && Math.abs(want) > 10 * off + noise) {
        fail(
          `output ${i} cell ${j}: the tangent is exactly 0, by differences ${want}`,
          core,
          f.core,
        );
      }
      if (!Number.isFinite(want) || off > 1e-2 * (Math.abs(want) + 1)) return 'kink';
      if (Math.abs(want - got) > size + 10 * off) {
        fail(
          `output ${i} cell ${j}: tangent ${got}, by differences ${want} (+- ${off})`,
          core,
          f.core,
        );
      }
    }
  }
  return 'ok';
}

/** Sums of |terms| of the tangents. */
function sizes(f: Derived, inputs: Values, dir: Direction): Values {
  const abs = termSizes(f, dir.dx.length);
  const dx = dir.dx.map((x) => x.map(Math.abs));
  return interpret(abs, [...inputs, ...dx]).slice(f.values);
}

function close(a: number, b: number, eps: number): boolean {
  return Object.is(a, b) || a === b || Math.abs(a - b) <= eps;
}

function spread(got: Values, zero: readonly boolean[], like: Values): Values {
  let k = 0;
  return zero.map((z, i) => (z ? new Float64Array(like[i]!.length) : got[k++]!));
}

/** A random direction for the f32 inputs and a random weight for the f32 outputs. */
export function direction(core: Core, next: () => number): Direction {
  return {
    dx: randomLike(core.inputs.filter(isReal), next),
    ct: randomLike(core.outputs.filter(isReal), next),
  };
}

/** Further inputs of a derived program. */
export function extended(core: Core, inputs: Values, next: () => number): Values {
  return [...inputs, ...randomLike(core.inputs.slice(inputs.length), next)];
}

export function sizeOfVar(x: Var): number {
  return x.shape.reduce((n, d) => n * d, 1);
}

export function randomLike(vars: readonly Var[], next: () => number): Values {
  return vars.map((x) => Float64Array.from({ length: sizeOfVar(x) }, () => 4 * next() - 2));
}
