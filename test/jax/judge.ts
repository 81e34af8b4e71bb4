/**
 * One program against what JAX makes of it: values and gradients of the interpreter in f64 after the
 * passes, and of devices in f32.
 *
 * Invariant: every tolerance is the bound of running error analysis for the program at that point
 * (test/compiled/bounds.ts). A fault shows at two points: at one alone it may be a comparison of numbers that
 * rounding decides. The whole numbers of the points are the same ones.
 */
import { interpret } from '../../compiler/core/interpret.ts';
import { work } from '../../compiler/core/work.ts';
import type { Core } from '../../compiler/core.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import type { Elaborated } from '../../compiler/elaborate/interface.ts';
import { optimise } from '../../compiler/optimise.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { check } from '../../dsl/index.ts';
import { renderDiagnostics } from '../../dsl/render.ts';
import type { Device } from '../../runtime/devices/device.ts';
import { hostArray } from '../../runtime/gradcheck/device.ts';
import { type Bounded, difference, inDouble, meaningOf } from '../compiled/bounds.ts';
import type { Named } from '../compiled/devices.ts';
import { inputsAt } from '../compiled/inputs.ts';
import type { Answer, Input, Oracle } from './oracle.ts';
import { type Random, realParameters } from './program.ts';

export type FaultKind = 'refused' | 'internal error' | 'fault of the other side' | 'WRONG' | 'off';

export type Fault = {
  readonly k: 'fault';
  readonly kind: FaultKind;
  /** Of one cause, as far as its message tells. */
  readonly group: string;
  readonly detail: string;
};

export type Outcome =
  | Fault
  | { readonly k: 'too much work' }
  | {
      readonly k: 'fine';
      /** Numbers that were compared, and those of which nothing is known. */
      readonly numbers: number;
      readonly unknown: number;
      /** Parameters, and those by which the gradient is not zero. */
      readonly leaves: number;
      readonly notZero: number;
      /** Everything agreed at the first point already. */
      readonly atOnce: boolean;
    };

const fault = (kind: FaultKind, cause: string, detail: string): Fault => ({
  ...{ k: 'fault', kind, group: `${kind}: ${cause}`, detail },
});

/** Operations that the interpreter and JAX can afford. */
const affordable = 1e6;
const points = 2;

/** A program that was compiled, with the other side's answer on its way. */
export type Asked =
  | { readonly k: 'done'; readonly outcome: Outcome }
  | {
      readonly k: 'asked';
      readonly e: Elaborated;
      readonly inputs: readonly (readonly Float64Array[])[];
      readonly answer: Promise<Answer>;
    };

export function ask(oracle: Oracle, p: Random): Asked {
  const done = (outcome: Outcome): Asked => ({ k: 'done', outcome });
  try {
    const sources = new Map([['r.tn', p.tenon]]);
    const { program, diagnostics } = check(sources, 'r.tn');
    const errors = diagnostics.filter((d) => d.severity === 'error');
    if (program === undefined || errors.length > 0) {
      const text = renderDiagnostics(errors.slice(0, 2), sources);
      return done(fault('refused', errors[0]?.code ?? '', text));
    }
    const sizes = new Map(Object.entries(p.sizes));
    const e = elaborate(program, 'r.tn#f', sizes, { grad: realParameters });
    if (work(e.core) > affordable) return done({ k: 'too much work' });
    const inputs = Array.from({ length: points }, (_, n) => inputsAt(e, p.seed + 7919 * n, p.seed));
    const given = inputs.map((x) =>
      x.map((data, i): Input => ({ data, shape: e.core.inputs[i]!.shape })),
    );
    return { k: 'asked', e, inputs, answer: oracle.ask(p, given) };
  } catch (e) {
    return done(thrown(e, ''));
  }
}

function thrown(e: unknown, where: string): Fault {
  const text = e instanceof Error ? (e.stack ?? e.message) : String(e);
  const cause = text
    .split('\n')[0]!
    .replace(/-?\d[\d.e+]*/g, '#')
    .slice(0, 80);
  const detail = `${where}${text.split('\n').slice(0, 8).join('\n')}`;
  return fault('internal error', `${where}${cause}`, detail);
}

export async function judged(devices: readonly Named[], a: Asked): Promise<Outcome> {
  if (a.k === 'done') return a.outcome;
  const answer = await a.answer;
  if (answer.k === 'failed') {
    return fault('fault of the other side', answer.error.slice(0, 60), answer.error);
  }
  try {
    return await against(devices, a.e, a.inputs, answer.points);
  } catch (e) {
    return thrown(e, '');
  }
}

const outputName =
  (e: Elaborated) =>
  (output: number): string => {
    const at = e.result.length;
    if (output < at) return `out.${e.result[output]!.path.join('.')}`;
    return `gradient ${e.grads.flatMap((g) => g.leaves.map(() => g.name))[output - at]}`;
  };

async function against(
  devices: readonly Named[],
  e: Elaborated,
  inputs: readonly (readonly Float64Array[])[],
  theirs: readonly (readonly Float64Array[])[],
): Promise<Outcome> {
  const shapes = e.core.outputs.map((y) => y.shape.reduce((n, d) => n * d, 1));
  const other = theirs.map((x) => x.map((v) => v.length).join());
  if (other.some((x) => x !== shapes.join())) {
    return fault('fault of the other side', 'shapes', `${other[0]}, and ${shapes.join()} here`);
  }
  const meaning = meaningOf(e.core);
  const want = inputs.map((x, n): Bounded => ({ values: theirs[n]!, bounds: meaning(x).bounds }));
  const core = optimise(e.core);
  const off = inputs.map((x, n) =>
    difference(want[n]!, interpret(core, x), outputName(e), inDouble),
  );
  if (off.every((d) => d !== undefined)) return fault('WRONG', 'after the passes', off[0]!.text);
  let atOnce = off[0] === undefined;
  for (const { name, device } of devices) {
    const found = await onDevice(device, core, inputs, want, outputName(e));
    if (found.length === points) return fault('off', name, `${name}: ${found[0]!}`);
    if (found.length > 0) atOnce = false;
  }
  return { k: 'fine', ...countsOf(e, want[0]!), atOnce };
}

/** What is off at the points before one where nothing is. */
async function onDevice(
  device: Device,
  core: Core,
  inputs: readonly (readonly Float64Array[])[],
  want: readonly Bounded[],
  name: (output: number) => string,
): Promise<readonly string[]> {
  const exec = await device.prepare({
    ...{ core, donate: [] },
    plan: (options) => schedule(core, [], options),
  });
  try {
    const found: string[] = [];
    for (const [n, x] of inputs.entries()) {
      for (const [i, v] of x.entries()) exec.write(i, hostArray(core.inputs[i]!.t, v));
      await exec.run();
      const got = await Promise.all(core.outputs.map((_, i) => exec.read(i)));
      const off = difference(want[n]!, got, name, 1 + inDouble);
      if (off === undefined) return found;
      found.push(off.text);
    }
    return found;
  } finally {
    exec.dispose();
  }
}

function countsOf(e: Elaborated, { values, bounds }: Bounded) {
  const gradients = values.slice(e.result.length);
  const known = (v: number, k: number, bound: Float64Array): boolean =>
    Number.isFinite(v) && Number.isFinite(bound[k]);
  const numbers = values.reduce((n, x) => n + x.length, 0);
  const unknown = values.reduce(
    (n, x, i) => n + x.filter((v, k) => !known(v, k, bounds[i]!)).length,
    0,
  );
  const notZero = gradients.filter((g) => g.some((v) => v !== 0)).length;
  return { numbers, unknown, leaves: gradients.length, notZero };
}
