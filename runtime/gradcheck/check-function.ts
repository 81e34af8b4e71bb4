/**
 * Gradient verification of one function: for each f32 leaf of its parameters, forward mode against
 * central differences in f64, reverse mode against forward mode in several directions, and a
 * detector of derivatives that are zero where the function varies.
 *
 * Invariant: tolerances are derived, not tuned: a difference may be off by 1e-7 of the sum of |terms|
 * of the derivative, or by its own Richardson estimate where that is larger (counted: more than 1 %
 * of such points fails); a dot product by 1e-12 of the sum of |terms|. A leaf counts only with 20
 * accepted points, and with at most 5 % of the points drawn again for kinks or non-finite values.
 */
import fc from 'fast-check';
import { asDiagnostic, CompileError } from '../../compiler/elaborate/errors.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import type { SizeEnv } from '../../compiler/elaborate/sizes.ts';
import type { Diagnostic, Span } from '../../dsl/source.ts';
import type { SizeFact, TFn, TProgram } from '../../dsl/typed.ts';
import { type Along, checkPoint, direction, firstElement, numbers } from './check-point.ts';
import { type Domain, domains, type Point, pointAt } from './generate.ts';
import { instantiate } from './instantiate.ts';
import { firstDisagreement } from './locate.ts';
import { type CheckedProgram, prepareProgram } from './point.ts';
import { allowedSizes, coveringSizes, noSizes } from './sizes.ts';
import { verifiedThrough } from './uses.ts';

export type GradcheckOptions = {
  /** Accepted points per leaf. */
  readonly runs: number;
  readonly seed: number;
  readonly sizes?: Readonly<Record<string, number>>;
  readonly where?: readonly SizeFact[];
  readonly signal?: AbortSignal;
};

type Settings = GradcheckOptions & {
  /** The sizes that points are drawn at, and the smallest, for counter-examples. */
  readonly choices: readonly SizeEnv[];
  readonly smallest: readonly SizeEnv[];
};

export type LeafReport = {
  readonly leaf: string;
  readonly accepted: number;
  /** Points drawn again for a kink or a value that is not finite. */
  readonly resampled: number;
  /** The largest error relative to its bound, with both. */
  readonly worst: { readonly error: number; readonly bound: number };
  /** Cells judged by the Richardson estimate, of all cells. */
  readonly estimated: number;
  readonly cells: number;
  /** No output depends on it: it was checked together with the others of its kind. */
  readonly unused: boolean;
  readonly problem?: string;
};

export type Failure = {
  readonly leaf: string;
  /** What is wrong at this input: by the element alone, where there is one. */
  readonly message: string;
  /** The shrunk input. */
  readonly point: Point;
  readonly dx: Float64Array;
  /** The first element of the leaf that is wrong alone. */
  readonly element?: number;
  /** The source of the first intermediate value whose derivative disagrees. */
  readonly span?: Span;
};

export type FunctionReport = {
  readonly name: string;
  readonly id: string;
  /** Why it was not checked. */
  readonly skipped?: string;
  /** Sizes of it that were searched for in vain: whoever gives them has it checked. */
  readonly unsized?: readonly string[];
  readonly domain?: Domain;
  readonly leaves: readonly LeafReport[];
  readonly failure?: Failure;
  /** It cannot be compiled at the sizes that were drawn. */
  readonly fault?: Diagnostic;
  readonly ok: boolean;
};

const minimumPoints = 20;

export function gradcheckFunction(
  program: TProgram,
  fn: TFn,
  options: GradcheckOptions,
): FunctionReport {
  try {
    return verify(program, fn, options);
  } catch (e) {
    if (!(e instanceof CompileError)) throw e;
    const fault = asDiagnostic(e, fn.span);
    return { name: fn.name, id: fn.id, leaves: [], fault, ok: false };
  }
}

function verify(program: TProgram, fn: TFn, options: GradcheckOptions): FunctionReport {
  const base = { name: fn.name, id: fn.id, leaves: [] };
  const instance = instantiate(fn);
  if (instance === undefined) {
    const by = verifiedThrough(program, fn);
    const how = by === undefined ? 'and nothing here that can be checked uses it' : `see ${by}`;
    return { ...base, ok: true, skipped: `it takes or gives functions, ${how}` };
  }
  const all = allowedSizes(instance, options);
  if (all.length === 0) {
    const unsized = instance.sizes.map((s) => s.name).filter((n) => !(n in (options.sizes ?? {})));
    return { ...base, ok: true, skipped: noSizes(instance), unsized };
  }
  const cache = programsBySizes(program, instance);
  const settings = { ...options, choices: coveringSizes(all), smallest: all.slice(0, 4) };
  const { inputs, output } = realLeaves(instance, cache, settings);
  if (inputs.length === 0) return { ...base, ok: true, skipped: 'it has no f32 parameter' };
  if (!output) return { ...base, ok: true, skipped: 'it gives no f32' };

  let first: FunctionReport | undefined;
  for (const domain of domains) {
    const report = checkOn(instance, cache, domain, inputs, settings, base);
    // A derivative that is wrong is wrong; points that cannot be used may be better elsewhere.
    if (report.ok || report.failure !== undefined) return report;
    first ??= report;
  }
  return first!;
}

function checkOn(
  fn: TFn,
  programs: Programs,
  domain: Domain,
  inputs: readonly LeafAt[],
  options: Settings,
  base: Pick<FunctionReport, 'name' | 'id'>,
): FunctionReport {
  const wanted = Math.max(options.runs, minimumPoints);
  const drawn = sample(fn, domain, options, 2 * wanted);
  const check = (directions: Along) => checkLeaf(programs, drawn, wanted, directions, options);
  // What no output depends on is moved all at once; only if something then varies, one by one.
  const unused = inputs.filter((l) => l.unused);
  const all = unused.length > 0 ? check(new Set(unused.map((l) => l.position))) : undefined;
  const together = all?.report.problem === undefined ? all : undefined;
  const leaves: LeafReport[] = [];
  for (const leaf of inputs) {
    const found = (leaf.unused ? together : undefined) ?? check(leaf.position);
    leaves.push({ ...found.report, leaf: leaf.name, unused: leaf.unused });
    if (found.failing !== undefined) {
      const failure = shrink(fn, programs, domain, leaf, found.failing, options);
      return { ...base, domain, leaves, failure, ok: false };
    }
    if (found.report.problem !== undefined) break;
  }
  return { ...base, domain, leaves, ok: leaves.every((l) => l.problem === undefined) };
}

type Programs = (point: Point) => CheckedProgram;

function programsBySizes(program: TProgram, fn: TFn): Programs {
  const whole: TProgram = { ...program, fns: new Map(program.fns).set(fn.id, fn) };
  const made = new Map<string, CheckedProgram>();
  return ({ sizes }) => {
    const id = [...sizes].join(';');
    const known = made.get(id);
    if (known !== undefined) return known;
    const { core, result } = elaborate(whole, fn.id, sizes);
    const p = prepareProgram(core, result);
    made.set(id, p);
    return p;
  };
}

/** The choices of sizes take turns, so that each is met as often as the others. */
function sample(fn: TFn, domain: Domain, options: Settings, wanted: number): readonly Point[] {
  const { choices, seed } = options;
  const each = choices.map((sizes, k) => {
    const numRuns = Math.ceil(wanted / choices.length);
    return fc.sample(pointAt(fn, sizes, domain), { numRuns, seed: seed + k });
  });
  return Array.from({ length: wanted }, (_, n) => {
    return each[n % choices.length]![Math.floor(n / choices.length)]!;
  });
}

type LeafAt = { readonly position: number; readonly name: string; readonly unused: boolean };

/** The f32 leaves that can be differentiated by; positions among the f32 inputs, as directions are given. */
function realLeaves(fn: TFn, programs: Programs, options: Settings) {
  const some = options.choices.map((sizes) => {
    const arbitrary = pointAt(fn, sizes, domains[0]!);
    return fc.sample(arbitrary, { numRuns: 1, seed: options.seed })[0]!;
  });
  const used = some.map((p) => programs(p).used());
  const [leaves, program] = [some[0]!.leaves, programs(some[0]!)];
  return {
    inputs: [...program.reals.entries()]
      .filter(([, i]) => !leaves[i]!.spec.fixed)
      .map(([position, i]): LeafAt => {
        const unused = used.every((u) => !u[position]);
        return { position, name: leaves[i]!.name, unused };
      }),
    output: program.outputs.length > 0,
  };
}

// ---------------------------------------------------------------- one leaf

function checkLeaf(
  programs: Programs,
  drawn: readonly Point[],
  wanted: number,
  along: Along,
  options: Settings,
): { report: Omit<LeafReport, 'leaf' | 'unused'>; failing?: Point } {
  let accepted = 0;
  let resampled = 0;
  let estimated = 0;
  let cells = 0;
  let worst = { error: 0, bound: 1 };
  const report = (problem?: string) => ({
    accepted,
    resampled,
    worst,
    estimated,
    cells,
    ...(problem === undefined ? {} : { problem }),
  });
  for (const [n, point] of drawn.entries()) {
    if (accepted === wanted) break;
    options.signal?.throwIfAborted();
    const v = checkPoint(programs(point), point, along, options.seed + n);
    if (v.k === 'kink') {
      resampled++;
      continue;
    }
    if (v.k === 'wrong') {
      worst = { error: v.error, bound: v.bound };
      return { report: report(v.message), failing: point };
    }
    accepted++;
    cells += v.cells;
    estimated += v.estimated;
    if (v.error / v.bound > worst.error / worst.bound) worst = { error: v.error, bound: v.bound };
  }
  return { report: report(unusable({ accepted, resampled, estimated, cells })) };
}

const why = 'for kinks or values that are not finite';

/** Why the points do not count, though none of them shows a wrong derivative. */
function unusable(
  n: Pick<LeafReport, 'accepted' | 'resampled' | 'estimated' | 'cells'>,
): string | undefined {
  const all = n.accepted + n.resampled;
  if (n.accepted < minimumPoints) {
    return `only ${n.accepted} of ${all} points accepted, the others drawn again ${why}`;
  }
  if (n.resampled > 0.05 * all) return `${n.resampled} of ${all} points drawn again ${why}`;
  if (n.estimated > 0.01 * n.cells) {
    return `${n.estimated} of ${n.cells} derivatives judged by the estimated error of the difference`;
  }
  return undefined;
}

// ---------------------------------------------------------------- counter-examples

function shrink(
  fn: TFn,
  programs: Programs,
  domain: Domain,
  leaf: LeafAt,
  failing: Point,
  options: Settings,
): Failure {
  const { seed } = options;
  const { position } = leaf;
  const point = smallest(fn, programs, domain, position, options) ?? failing;
  const program = programs(point);
  const verdict = checkPoint(program, point, position, seed);
  const dx = direction(program, point, position, numbers(seed));
  const span = firstDisagreement(program.core, point.inputs, dx);
  const single = firstElement(program, point, position, seed);
  const message = verdict.k === 'wrong' ? verdict.message : 'it fails in another direction';
  return {
    leaf: leaf.name,
    message,
    point,
    dx: dx[position]!,
    ...single,
    ...(span === undefined ? {} : { span }),
  };
}

/** The smallest sizes at which it fails, then small numbers. */
function smallest(
  fn: TFn,
  programs: Programs,
  domain: Domain,
  position: number,
  options: Settings,
): Point | undefined {
  const { seed } = options;
  const tried = new Set([...options.smallest, ...options.choices]);
  for (const sizes of tried) {
    const right = (point: Point) =>
      checkPoint(programs(point), point, position, seed).k !== 'wrong';
    const outcome = fc.check(fc.property(pointAt(fn, sizes, domain), right), {
      numRuns: minimumPoints,
      seed,
    });
    const found = outcome.counterexample?.[0];
    if (found !== undefined) return found;
  }
  return undefined;
}
