/**
 * The judge of one program of the compiled lane: what it means, by the interpreter before any pass, against
 * the definitional interpreter, against itself with gradients, after the passes, and on every device; and
 * its gradients against dual numbers.
 *
 * Invariant: a device is at fault where it is off at two points: at one alone it may be a comparison of
 * numbers that rounding decides. The whole numbers of the points are the same ones.
 */
import { verify } from '../../compiler/core/verify.ts';
import { work } from '../../compiler/core/work.ts';
import type { Core } from '../../compiler/core.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import type { Elaborated } from '../../compiler/elaborate/interface.ts';
import { optimise } from '../../compiler/optimise.ts';
import type { Plan } from '../../compiler/plan.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { check } from '../../dsl/index.ts';
import { renderDiagnostics } from '../../dsl/render.ts';
import type { TProgram } from '../../dsl/typed.ts';
import type { Compiled, Device, Donation } from '../../runtime/devices/device.ts';
import { checkPoint } from '../../runtime/gradcheck/check-point.ts';
import { hostArray } from '../../runtime/gradcheck/device.ts';
import type { Point } from '../../runtime/gradcheck/generate.ts';
import { prepareProgram } from '../../runtime/gradcheck/point.ts';
import { type Bounded, difference, inDouble, meaningOf, type Values } from './bounds.ts';
import { definitionDiffers, gradientDiffers } from './definition.ts';
import type { Named } from './devices.ts';
import { inputsAt } from './inputs.ts';
import type { Random } from './program.ts';

export type FaultKind =
  | 'refused'
  | 'internal error'
  | 'ill-formed'
  | 'not the definition'
  | 'changed by a gradient'
  | 'wrong gradient'
  | 'not the differences'
  | 'changed by a pass'
  | 'wrong on a device';

export type Fault = {
  readonly k: 'fault';
  readonly kind: FaultKind;
  /** Of one cause, as far as its message tells. */
  readonly group: string;
  readonly detail: string;
};

export type Outcome =
  | Fault
  /** `runs` on devices; none where the program is too much work. */
  | { readonly k: 'fine'; readonly runs: number; readonly defined: boolean };

const params = ['w', 'x', 'y', 'm', 't'];

/** Operations that the interpreter, and the definitional one, can afford. */
const affordable = { run: 3e6, define: 2e5 };

/** Points of nests whose plans are held against the program after every rewrite. */
const verified = 2e5;

const fault = (kind: FaultKind, cause: string, detail: string): Fault => ({
  ...{ k: 'fault', kind, group: `${kind}: ${cause}`, detail },
});

export type Judge = {
  readonly devices: readonly Named[];
  /** Whether derivatives are compared with differences: nothing has a rule that is not its derivative. */
  readonly differences: boolean;
};

export async function judged(j: Judge, p: Random): Promise<Outcome> {
  try {
    return await judge(j, p);
  } catch (e) {
    return thrown(e, '');
  }
}

function thrown(e: unknown, where: string): Fault {
  const text = e instanceof Error ? (e.stack ?? e.message) : String(e);
  const cause = text
    .split('\n')[0]!
    .replace(/-?\d[\d.e+]*/g, '#')
    .slice(0, 80);
  return fault(
    'internal error',
    `${where}${cause}`,
    `${where}${text.split('\n').slice(0, 8).join('\n')}`,
  );
}

async function judge({ devices, differences }: Judge, p: Random): Promise<Outcome> {
  const sources = new Map([['r.tn', p.text]]);
  const { program, diagnostics } = check(sources, 'r.tn');
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (program === undefined || errors.length > 0) {
    return fault('refused', errors[0]?.code ?? '', renderDiagnostics(errors.slice(0, 2), sources));
  }
  const sizes = new Map(Object.entries(p.sizes));
  const plain = elaborate(program, 'r.tn#f', sizes);
  const graded = elaborate(program, 'r.tn#f', sizes, { grad: params });
  for (const e of [plain, graded]) {
    const bad = verify(e.core)[0];
    if (bad !== undefined) return fault('ill-formed', 'core', JSON.stringify(bad));
  }
  const cost = work(graded.core);
  if (cost > affordable.run) return { k: 'fine', runs: 0, defined: false };
  const inputs = inputsAt(plain, p.seed, p.seed);
  const meaning = meaningOf(plain.core);
  const want = meaning(inputs);
  const gradMeaning = meaningOf(graded.core);
  const withGrad = gradMeaning(inputs);

  const changed = changedByGradient(plain, want, withGrad);
  if (changed !== undefined) return changed;
  const defined = cost <= affordable.define;
  if (defined) {
    const wrong = againstDefinition(program, plain, graded, p, inputs, want, withGrad);
    if (wrong !== undefined) return wrong;
  }
  if (differences) {
    const wrong = againstDifferences(plain, p);
    if (wrong !== undefined) return wrong;
  }
  const optimised = optimise(graded.core);
  const passed = changedByPasses(p, graded, optimised, gradMeaning);
  if (passed !== undefined) return passed;

  let runs = 0;
  // Either is half of the programs' to try: both are compiled in the same way.
  const form = p.graded
    ? formOf(p, graded, optimised, gradMeaning)
    : formOf(p, plain, optimise(plain.core), meaning);
  for (const { name, device } of devices) {
    const bad = await onDevice(name, device, form, p);
    if (bad !== undefined) return bad;
    runs++;
  }
  return { k: 'fine', runs, defined };
}

const outputName =
  (e: Elaborated) =>
  (output: number): string => {
    const at = e.result.length;
    if (output < at) return `out.${e.result[output]!.path.join('.')}`;
    return `gradient ${e.grads.flatMap((g) => g.leaves.map(() => g.name))[output - at]}`;
  };

/** The same primal results; a derivative may order a product in another way. */
function changedByGradient(e: Elaborated, want: Bounded, got: Bounded): Fault | undefined {
  const off = difference(want, [...got.values], outputName(e), inDouble);
  return off && fault('changed by a gradient', '', off.text);
}

function againstDefinition(
  program: TProgram,
  plain: Elaborated,
  graded: Elaborated,
  p: Random,
  inputs: Values,
  want: Bounded,
  withGrad: Bounded,
): Fault | undefined {
  const sizes = new Map(Object.entries(p.sizes));
  const off = definitionDiffers(program, sizes, inputs, want, outputName(plain));
  if (off !== undefined) return fault('not the definition', '', off);
  const slope = gradientDiffers(program, sizes, plain, graded, inputs, withGrad, p.seed);
  return slope === undefined ? undefined : fault('wrong gradient', '', slope);
}

/** Both modes along a direction of all inputs, at the first of four points that is no kink. */
function againstDifferences(e: Elaborated, p: Random): Fault | undefined {
  const program = prepareProgram(e.core);
  for (let n = 0; n < tries; n++) {
    const at: Point = { sizes: new Map(), leaves: [], inputs: point(p, e, n) };
    const v = checkPoint(program, at, 'all', p.seed + n);
    if (v.k === 'wrong') return fault('not the differences', '', v.message);
    if (v.k === 'ok') return undefined;
  }
  return undefined;
}

/** Points that are tried until two show a fault. */
const tries = 4;

const point = (p: Random, e: Elaborated, n: number): Float64Array[] =>
  inputsAt(e, p.seed + 7919 * n, p.seed);

function changedByPasses(
  p: Random,
  e: Elaborated,
  tidy: Core,
  meaning: (x: Values) => Bounded,
): Fault | undefined {
  const bad = verify(tidy)[0];
  if (bad !== undefined) return fault('ill-formed', 'optimised core', JSON.stringify(bad));
  const after = meaningOf(tidy);
  let seen = 0;
  for (let n = 0; n < tries; n++) {
    const inputs = point(p, e, n);
    const off = difference(meaning(inputs), after(inputs).values, outputName(e), inDouble);
    if (off === undefined && seen === 0) return undefined;
    if (off !== undefined && ++seen === 2) return fault('changed by a pass', '', off.text);
  }
  return undefined;
}

type Form = {
  readonly e: Elaborated;
  readonly meaning: (x: Values) => Bounded;
  readonly compiled: Compiled;
};

/** What devices run: they share the plans, which are held against the program after every rewrite. */
function formOf(p: Random, e: Elaborated, core: Core, meaning: Form['meaning']): Form {
  const donate = donation(p, e);
  const plans = new Map<boolean, Plan>();
  const plan: Compiled['plan'] = ({ resident = false } = {}) => {
    const made =
      plans.get(resident) ?? schedule(core, donate, { resident, verify: { most: verified } });
    plans.set(resident, made);
    return made;
  };
  return { e, meaning, compiled: { core, donate, plan } };
}

/** Output and input slots of what is donated. */
function donation(p: Random, e: Elaborated): Donation {
  const inputs = e.params.flatMap((x) => x.leaves.map(() => x.name));
  return p.donate.map(([result, param]) => [
    e.result.findIndex((r) => r.path.join('.') === result),
    inputs.indexOf(param),
  ]);
}

async function onDevice(
  name: string,
  device: Device,
  f: Form,
  p: Random,
): Promise<Fault | undefined> {
  const { core, donate } = f.compiled;
  const graded = core.outputs.length > f.e.result.length;
  const where = `${name}${graded ? ', with gradients' : ''}`;
  const types = core.inputs.map((x) => x.t);
  try {
    const exec = await device.prepare(f.compiled);
    try {
      let seen = 0;
      for (let n = 0; n < tries; n++) {
        const inputs = point(p, f.e, n);
        inputs.forEach((x, i) => {
          exec.write(i, hostArray(types[i]!, x));
        });
        let off: string | undefined;
        // Called again: what was donated is what the call before gave.
        for (const call of ['', ', called again']) {
          await exec.run();
          const got = await Promise.all(core.outputs.map((_, i) => exec.read(i)));
          off ??= difference(f.meaning(inputs), got, outputName(f.e))?.text.concat(call);
          for (const [out, into] of donate) inputs[into] = Float64Array.from(got[out]!);
          if (donate.length === 0 && n > 0) break;
        }
        if (off === undefined && seen === 0) return undefined;
        if (off !== undefined && ++seen === 2)
          return fault('wrong on a device', where, `${where}: ${off}`);
      }
      return undefined;
    } finally {
      exec.dispose();
    }
  } catch (e) {
    return thrown(e, `${where}: `);
  }
}
