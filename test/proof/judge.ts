/**
 * The judge of one program: what the checker says against what is true, and for what it accepts, what
 * the devices give against what the program means.
 *
 * Invariant: a program that is accepted has no fault only if every size that was tried is in range, and
 * every device gave the exact values or a refusal that the reference documents.
 */
import { CompileError } from '../../compiler/elaborate/errors.ts';
import type { Device } from '../../runtime/devices/device.ts';
import { isTenonError, Program, ProgramError, type TenonFunction } from '../../runtime/index.ts';
import type { Checks } from './checks.ts';
import { difference, gradParams, slopeDifference } from './compare.ts';
import { hostTree } from './inputs.ts';
import type { Random } from './program.ts';
import { type Together, together } from './together.ts';
import { rootOf } from './tree.ts';
import { type Run, runAt, truthOf } from './truth.ts';
import { largeSizes, shown, smallSizes } from './tuples.ts';
import { type Check, verdictOf } from './verdict.ts';

export type FaultKind =
  | 'checker error'
  | 'reads outside'
  | 'refused when run'
  | 'internal error'
  | 'wrong value'
  | 'wrong gradient';

export type Fault = {
  readonly k: 'fault';
  readonly kind: FaultKind;
  /** Of one cause, as far as its message tells. */
  readonly group: string;
  readonly detail: string;
};
export type Outcome =
  | Fault
  | {
      readonly k: 'accepted';
      readonly runs: number;
      /** Codes of refusals at some sizes. */
      readonly refusedAt: readonly string[];
      readonly checks: Checks;
    }
  | {
      readonly k: 'refused';
      readonly truth: 'rightly' | 'fine' | 'vacuous';
      readonly codes: readonly string[];
    };

export type Judge = {
  readonly check: Check;
  /** None when another checkout's verdicts are asked for. */
  readonly devices: readonly Device[];
};

export type Depth = {
  /** Whether gradients are taken as well. */
  readonly gradients?: boolean;
  /** Whether what is refused is only said to be. */
  readonly faultsOnly?: boolean;
};

/** Sizes at which the interpreter tries what is accepted, and what is refused. */
const triedAccepted = 40;
const triedRefused = 400;

export async function judged(j: Judge, p: Random, depth: Depth = {}): Promise<Outcome> {
  const verdict = verdictOf(j.check, p.text);
  if (verdict.k === 'broken') {
    return fault('checker error', verdict.error.split('\n')[0]!, verdict.error);
  }
  const accepted = verdict.k === 'accepted';
  if (!accepted && depth.faultsOnly === true) {
    return { k: 'refused', truth: 'vacuous', codes: verdict.codes };
  }
  const truth = truthOf(p.program, p.seed, accepted ? triedAccepted : triedRefused);
  if (!accepted) {
    const names = { fine: 'fine', vacuous: 'vacuous', outside: 'rightly' } as const;
    return { k: 'refused', truth: names[truth.k], codes: verdict.codes };
  }
  if (truth.k === 'outside') {
    const { fn, sizes, why } = truth.at;
    return fault('reads outside', why.reason, `${fn} at ${shown(sizes)}: ${why.message}`);
  }
  const { program, diagnostics, sources } = verdict.checked;
  if (j.devices.length === 0) return { k: 'accepted', runs: 0, refusedAt: [], checks: {} };
  return runAll(j, depth, p, new Program(program!, sources, diagnostics));
}

const fault = (kind: FaultKind, cause: string, detail: string): Fault => ({
  ...{ k: 'fault', kind, group: `${kind}: ${cause}`, detail },
});

// ---------------------------------------------------------------- on the devices

/** Five sets of sizes: three small ones, which begin with zeros, and two larger. */
function chosen(p: Random): readonly Run[] {
  const root = rootOf(p.program);
  const some = (from: Iterable<ReadonlyMap<string, bigint>>, most: number): Run[] => {
    const runs: Run[] = [];
    for (const sizes of from) {
      if (runs.length >= most) break;
      const ran = runAt(p.program, root, sizes, p.seed + 17 * runs.length);
      if (ran.k === 'fine') runs.push(ran.run);
    }
    return runs;
  };
  const large = some(largeSizes(root, p.seed, 6), 2);
  return [...some(smallSizes(root, p.seed, 12), 5 - large.length), ...large];
}

async function runAll(j: Judge, depth: Depth, p: Random, program: Program): Promise<Outcome> {
  const root = rootOf(p.program);
  const by = depth.gradients === true ? gradParams(root) : [];
  const all = together(j.devices);
  const refusedAt: string[] = [];
  let runs = 0;
  const f = program.function(root.name, { device: all.device, grad: by });
  try {
    for (const run of chosen(p)) {
      const found = await runOne(p, f, all, run, by);
      if (found === undefined) runs++;
      else if (typeof found === 'string') refusedAt.push(found);
      else return found;
    }
  } finally {
    await f.dispose();
  }
  return { k: 'accepted', runs, refusedAt, checks: all.checks };
}

/** A fault, or the code of a refusal. */
async function runOne(
  p: Random,
  f: TenonFunction,
  all: Together,
  run: Run,
  by: readonly string[],
): Promise<Fault | string | undefined> {
  const root = rootOf(p.program);
  const inputs = Object.fromEntries(
    root.params.flatMap((x, i) => {
      const v = run.inputs[i];
      return v === undefined ? [] : [[x.name, hostTree(v, x.type, run.sizes)]];
    }),
  );
  const sizes = Object.fromEntries([...run.sizes].map(([name, n]) => [name, Number(n)]));
  const where = `at ${shown(run.sizes)}`;
  all.last.clear();
  let refused: string | undefined;
  try {
    await f.call(inputs, { sizes });
  } catch (e) {
    const own = [...all.last.values()].some((given) => given.k === 'threw');
    if (!own) return refusal(e, where);
  }
  for (const [device, given] of all.last) {
    if (given.k === 'threw') {
      const found = refusal(given.error, `on ${device} ${where}`);
      if (typeof found !== 'string') return found;
      refused = found;
      continue;
    }
    const wrong = difference(root, run, given.outputs);
    if (wrong !== undefined) return fault('wrong value', device, `${device} ${where}: ${wrong}`);
    if (by.length === 0) continue;
    const slope = slopeDifference(root, run, given.outputs, by);
    if (slope !== undefined) return fault('wrong gradient', device, `${device} ${where}: ${slope}`);
  }
  return refused;
}

/** What callers had to show before, so that it may not come up now. */
const shownBefore = ['E0803', 'E0804'];

function refusal(e: unknown, where: string): Fault | string {
  const code = codeOf(e);
  const text = e instanceof Error ? e.message : String(e);
  if (code !== undefined && shownBefore.includes(code)) {
    return fault('refused when run', code, `${where}: ${text}`);
  }
  if (code !== undefined) return code;
  const cause = text
    .split('\n')[0]!
    .replace(/-?\d[\d.e+]*/g, '#')
    .slice(0, 80);
  const stack = e instanceof Error ? (e.stack ?? text) : text;
  return fault('internal error', cause, `${where}: ${stack.split('\n').slice(0, 6).join('\n')}`);
}

/** Of a refusal that the reference documents. */
function codeOf(e: unknown): string | undefined {
  if (e instanceof ProgramError) return e.diagnostics[0]?.code;
  if (e instanceof CompileError) return e.code;
  if (isTenonError(e) && e.code === 'input' && /2\^31|2147483647/.test(e.message)) return 'input';
  return undefined;
}
