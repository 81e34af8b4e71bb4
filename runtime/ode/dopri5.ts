/**
 * Step control for the adaptive method of models/dopri5.tn: the host decides how long a step is and
 * whether it counts; states, slopes and error ratios come from programs. The rules are those of
 * torchdiffeq (after Hairer, Norsett & Wanner 1993, II.4), so that the same steps are taken.
 *
 * Invariant: a step is accepted only with an error ratio of at most 1; the state at the end comes
 * from the dense output of the step that passes it.
 */
import type { Instance } from '../api/instance.ts';
import type { Tree } from '../api/tensor.ts';
import { TenonError } from '../errors.ts';

/** The four programs, prepared, with everything written but what is listed. */
export type Dopri5Programs = {
  /** z, t, rtol, atol -> { slope, state, change } */
  readonly start: Instance;
  /** z, k, t, h, rtol, atol -> scalar */
  readonly probe: Instance;
  /** z, k, t, h, rtol, atol -> { state, slope, middle, ratio } */
  readonly step: Instance;
  /** z, next, middle, k, last, h, at -> state */
  readonly between: Instance;
};

export type Dopri5Options = {
  readonly rtol: number;
  readonly atol: number;
  readonly from?: number;
  readonly to?: number;
  readonly maxSteps?: number;
  readonly signal?: AbortSignal;
};

export type Dopri5Result = {
  readonly state: Tree;
  readonly accepted: number;
  readonly rejected: number;
  /** Evaluations of the velocity. */
  readonly evaluations: number;
};

const safety = 0.9;
const largestFactor = 10;
const smallestFactor = 0.2;
const order = 5;

/** @throws TenonError (`diverged`) when no step is short enough or there are too many. */
export async function dopri5(
  programs: Dopri5Programs,
  initial: Tree,
  options: Dopri5Options,
): Promise<Dopri5Result> {
  const { rtol, atol, from = 0, to = 1, maxSteps = 10_000, signal } = options;
  const call = async (instance: Instance, inputs: Record<string, Tree>): Promise<Fields> => {
    const given = Object.fromEntries(Object.entries(inputs).map(([n, v]) => [n, exact(v)]));
    const { out } = await instance.call(given, signal === undefined ? {} : { signal });
    return out as unknown as Fields;
  };
  const tolerances = { rtol, atol };
  let t = from;
  let z = initial;
  const begun = await call(programs.start, { z, t, ...tolerances });
  let k = begun['slope']!;
  const trial = firstTrial(Number(begun['state']), Number(begun['change']));
  const bend = Number(await call(programs.probe, { z, k, t, h: trial, ...tolerances }));
  let h = firstStep(trial, Number(begun['change']), bend);
  let [accepted, rejected] = [0, 0];
  for (;;) {
    if (!(t + h > t) || accepted + rejected >= maxSteps) {
      throw new TenonError(
        'diverged',
        `the solver cannot go on from t = ${t} with a step of ${h}`,
        {
          hint: 'Allow a larger error, or look for values that are not finite.',
        },
      );
    }
    const tried = await call(programs.step, { z, k, t, h, ...tolerances });
    const ratio = Number(tried['ratio']);
    const next = nextStep(h, ratio);
    if (!(ratio <= 1)) {
      rejected++;
      h = next;
      continue;
    }
    accepted++;
    const [state, slope] = [tried['state']!, tried['slope']!];
    if (t + h >= to) {
      const at = (to - t) / h;
      const middle = tried['middle']!;
      const last = { z, next: state, middle, k, last: slope, h, at };
      const out = await call(programs.between, last);
      const evaluations = 2 + 6 * (accepted + rejected);
      return { state: out as unknown as Tree, accepted, rejected, evaluations };
    }
    t += h;
    z = state;
    k = slope;
    h = next;
  }
}

type Fields = { readonly [label: string]: Tree };

/** A plain number would be rounded to float32 on its way, also where the device computes in f64. */
const exact = (v: Tree): Tree =>
  typeof v === 'number' ? { shape: [], data: Float64Array.of(v) } : v;

function firstTrial(state: number, change: number): number {
  return state < 1e-5 || change < 1e-5 ? 1e-6 : (0.01 * state) / change;
}

function firstStep(trial: number, change: number, bend: number): number {
  const still = change <= 1e-15 && bend <= 1e-15;
  const h = still ? Math.max(1e-6, trial * 1e-3) : (0.01 / Math.max(change, bend)) ** (1 / order);
  return Math.min(100 * trial, h);
}

/** How much longer or shorter the error lets the next step be. NaN makes it shorter. */
function nextStep(h: number, ratio: number): number {
  if (ratio === 0) return h * largestFactor;
  if (Number.isNaN(ratio)) return h * smallestFactor;
  const least = ratio < 1 ? 1 : smallestFactor;
  return h * Math.min(largestFactor, Math.max(safety / ratio ** (1 / order), least));
}
