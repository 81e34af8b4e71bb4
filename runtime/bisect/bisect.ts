/**
 * Where a device first differs from the reference. The program runs on the device twice: as it is,
 * and with every intermediate value stored; then each statement is computed again in f64 from what
 * the device stored of its inputs. The first whose result is further off than rounding explains
 * (compiler/gradcheck/rounding.ts) is where to look, whatever came of it later.
 *
 * Invariant: a statement is judged by the device's own inputs to it, so that errors do not add up and
 * nothing is blamed for what came before it. A difference that storing the values makes vanish lies in
 * how kernels were joined, and one between programs before and after a pass in the pass.
 */
import { sizeOf } from '../../compiler/core/build.ts';
import { prepareCore } from '../../compiler/core/interpret.ts';
import type { Core, Fold } from '../../compiler/core.ts';
import { rounding } from '../../compiler/gradcheck/rounding.ts';
import { type Pass, passes } from '../../compiler/optimise.ts';
import type { Kernel, Plan, Step } from '../../compiler/plan.ts';
import { type ScheduleOptions, schedule } from '../../compiler/schedule/schedule.ts';
import { PlanFault } from '../../compiler/schedule/verify/index.ts';
import type { Span } from '../../dsl/source.ts';
import type { Compiled, Device, HostArray } from '../devices/device.ts';
import { TenonError } from '../errors.ts';
import { type Cell, compareCells } from './cells.ts';
import { expose } from './expose.ts';
import { type Local, localsOf } from './local.ts';
import { type Operand, operandsAt } from './operands.ts';

export type OutputRow = {
  readonly output: number;
  readonly elements: number;
  /** The cell that is furthest beyond its bound, or nearest to it. */
  readonly worst: Cell;
  readonly ok: boolean;
};

export type Divergence = {
  readonly name: string;
  readonly span: Span | undefined;
  /** The kernel that stores it, where every value is stored. */
  readonly kernel: { readonly id: number; readonly name: string } | undefined;
  /** Steps of the folds around it, outermost first, then the element. */
  readonly steps: readonly number[];
  readonly element: readonly number[];
  readonly got: number;
  readonly want: number;
  readonly bound: number;
  /** How many cells of it are off, of how many. */
  readonly off: number;
  readonly cells: number;
  readonly operands: readonly Operand[];
};

export type Bisection = {
  readonly outputs: readonly OutputRow[];
  /** Statements that were compared. */
  readonly statements: number;
  readonly first: Divergence | undefined;
  /** The pass of the compiler that changes the outputs, where no statement differs. */
  readonly pass: string | undefined;
  /** The rewrite of the schedule that does, where no pass is at fault. */
  readonly rewrite: string | undefined;
  /** The last kernel of each output, of the program as it is. */
  readonly kernels: readonly Divergence['kernel'][];
  readonly ok: boolean;
};

type Arrays = readonly Float64Array[];

/** Values that are looked at are held in f64 here. */
const mostWords = 2 ** 25;

/** @throws TenonError (`usage`) when there are too many values, `aborted`, `device`. */
export async function bisect(
  device: Device,
  { core, source = core }: Pick<Compiled, 'core' | 'source'>,
  inputs: readonly HostArray[],
  signal?: AbortSignal,
): Promise<Bisection> {
  const exact = inputs.map((x) => Float64Array.from(x));
  const exposed = expose(core);
  const words = exposed.core.outputs.reduce((n, y) => n + sizeOf(y.shape), 0);
  if (words > mostWords) {
    throw new TenonError('usage', `there are ${words} intermediate values, too many to look at`, {
      hint: 'Give smaller sizes.',
    });
  }
  const whole = await runOn(device, core, inputs, signal);
  const outputs = judgeOutputs(source, exact, whole.values);
  const kernels = core.outputs.map((_, i) => storing(whole.plan(), i));

  const apart = await runOn(device, exposed.core, inputs, signal);
  const env = new Map([
    ...core.inputs.map((x, i) => [x, exact[i]!] as const),
    // As a device stores them.
    ...core.consts.map((c) => [c.v, c.v.t === 'f32' ? c.data.map(Math.fround) : c.data] as const),
    ...exposed.core.outputs.map((y, i) => [y, apart.values[i]!] as const),
  ]);
  const locals = localsOf(core, exposed);
  const found = {
    ...{ outputs, statements: locals.length, kernels },
    ...{ pass: undefined, rewrite: undefined, first: undefined },
  };
  for (const local of locals) {
    if (signal?.aborted) throw new TenonError('aborted', 'the search was aborted');
    const y = local.core.outputs[0]!;
    const given = local.core.inputs.map((x) => env.get(x)!);
    const off = firstOff(local, given, env.get(y)!);
    if (off === undefined) continue;
    const kernel = storing(apart.plan(), exposed.core.outputs.indexOf(y));
    return { ...found, first: { ...off, name: y.name, span: local.span, kernel }, ok: false };
  }
  const ok = outputs.every((o) => o.ok);
  if (ok) return { ...found, ok };
  const pass = guiltyPass(source, exact, passes);
  return { ...found, pass, rewrite: pass === undefined ? whole.guiltyRewrite() : undefined, ok };
}

/** The first pass after which the outputs are further off than rounding explains. */
export function guiltyPass(source: Core, inputs: Arrays, all: readonly Pass[]): string | undefined {
  const { values, bounds } = reference(source, inputs);
  let core = source;
  for (const pass of all) {
    core = pass.run(core);
    const now = reference(core, inputs).values;
    if (now.some((x, i) => compareCells(x, values[i]!, bounds[i]!).off.length > 0))
      return pass.name;
  }
  return undefined;
}

type OnDevice = {
  readonly values: Arrays;
  readonly plan: () => Plan;
  readonly guiltyRewrite: () => string | undefined;
};

/** The first rewrite of the schedule after which the plan is not what the core says. */
function guiltyRewrite(core: Core, options: ScheduleOptions): string | undefined {
  try {
    schedule(core, [], { ...options, verify: true });
    return undefined;
  } catch (e) {
    if (e instanceof PlanFault) return e.stage;
    throw e;
  }
}

async function runOn(
  device: Device,
  core: Core,
  inputs: readonly HostArray[],
  signal: AbortSignal | undefined,
): Promise<OnDevice> {
  let made: Plan | undefined;
  let asked: ScheduleOptions = {};
  const plan = (options = asked): Plan => {
    asked = options;
    made ??= schedule(core, [], options);
    return made;
  };
  const exec = await device.prepare({ core, plan, donate: [] });
  try {
    for (const [i, x] of inputs.entries()) exec.write(i, x);
    await exec.run(signal);
    const read = await Promise.all(core.outputs.map((_, i) => exec.read(i)));
    const values = read.map((x) => Float64Array.from(x));
    return { values, plan, guiltyRewrite: () => guiltyRewrite(core, asked) };
  } finally {
    exec.dispose();
  }
}

// ---------------------------------------------------------------- judging

/** Values of the outputs, then a bound for each f32 one. */
function reference(core: Core, inputs: Arrays): { values: Arrays; bounds: Arrays } {
  const steps = prepareCore(rounding(core).core).run(inputs);
  for (;;) {
    const s = steps.next();
    if (!s.done) continue;
    const values = s.value.slice(0, core.outputs.length);
    let k = core.outputs.length;
    const bounds = core.outputs.map((y, i) =>
      y.t === 'f32' ? s.value[k++]! : new Float64Array(values[i]!.length),
    );
    return { values, bounds };
  }
}

function judgeOutputs(core: Core, inputs: Arrays, got: Arrays): readonly OutputRow[] {
  const { values, bounds } = reference(core, inputs);
  return core.outputs.map((_, output) => {
    const all = compareCells(got[output]!, values[output]!, bounds[output]!);
    return { output, elements: all.cells, worst: all.worst, ok: all.off.length === 0 };
  });
}

function firstOff(
  { core, path }: Local,
  inputs: Arrays,
  got: Float64Array,
): Omit<Divergence, 'name' | 'span' | 'kernel'> | undefined {
  const { values, bounds } = reference(core, inputs);
  const { off, cells } = compareCells(got, values[0]!, bounds[0]!);
  if (off.length === 0) return undefined;
  const y = core.outputs[0]!;
  const placed = off.map((cell) => ({ cell, at: unflatten(cell.index, y.shape) }));
  const { cell, at } = placed.reduce((a, b) => (before(b.at, a.at, path) ? b : a));
  return {
    steps: at.slice(0, path.length),
    element: at.slice(path.length),
    got: cell.got,
    want: cell.want,
    bound: cell.bound,
    off: off.length,
    cells,
    operands: operandsAt(core, at, inputs),
  };
}

/** In the order in which the folds take their steps, then by element. */
function before(a: readonly number[], b: readonly number[], path: readonly Fold[]): boolean {
  for (const [i, x] of a.entries()) {
    const y = b[i]!;
    if (x !== y) return path[i]?.rev ? x > y : x < y;
  }
  return false;
}

export function unflatten(n: number, shape: readonly number[]): readonly number[] {
  const out: number[] = [];
  let rest = n;
  for (const d of shape.toReversed()) {
    out.unshift(rest % d);
    rest = Math.floor(rest / d);
  }
  return out;
}

/** The last kernel that writes an output. */
function storing(plan: Plan, output: number): Divergence['kernel'] {
  const buf = plan.outputs[output];
  let found: Kernel | undefined;
  const walk = (steps: readonly Step[]): void => {
    for (const s of steps) {
      if (s.k === 'loop') walk(s.steps);
      else if (s.nests.some((n) => n.store.buf === buf)) found = s;
    }
  };
  walk(plan.steps);
  return found === undefined ? undefined : { id: found.id, name: found.name };
}
