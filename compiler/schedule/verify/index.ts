/**
 * A verifier for plans: that a plan, at any stage of scheduling, does what its core program says. The
 * demands are data (rules.ts). The plan and the core are run over numbers in which sums and products
 * are exact and everything else is opaque (field.ts), so that a value tells what it was computed from;
 * an order is right when every read and every output holds the value that the core defines, and that
 * kernels, cells and points may run side by side is asked of every access.
 *
 * Invariant: nothing is taken from scheduling but the plan. A plan without a breach is right for these
 * sizes, for every order in which a target may run what is said to be independent, up to the chance of
 * field.ts and to branches that no run takes.
 */
import type { Core, Stmt } from '../../core.ts';
import type { BufId, Step } from '../../plan.ts';
import type { Parts } from '../views.ts';
import { type CoreValues, constants, coreValues, Unanswered } from './core-values.ts';
import { ofNumber, sample } from './field.ts';
import { Machine } from './machine.ts';
import { askAll, type Breach, planRules, resultRules, type Staged, type Subject } from './rules.ts';

export type { Breach, Staged } from './rules.ts';

export type Verdict =
  | { readonly k: 'holds'; readonly work: number }
  | { readonly k: 'breaches'; readonly breaches: readonly Breach[] }
  /** It was not run: it takes more steps than are allowed, or it leaves what its types promise. */
  | { readonly k: 'not run'; readonly why: string };

type NotRun = { readonly why: string };

export type VerifyOptions = {
  /** The most points of nests that are run; default 20 million. */
  readonly most?: number;
  /** Hears why a plan was not run; one that nobody hears of passes. */
  readonly notRun?: (why: string) => void;
};

const defaultMost = 20_000_000;

/** The core program of a plan as it was before any decision of scheduling, ready to hold plans against. */
export class Verifier {
  readonly #core: Core;
  readonly #donate: Subject['donate'];
  readonly #most: number;
  #values: CoreValues | NotRun | undefined;

  constructor(core: Core, donate: Subject['donate'], options: VerifyOptions = {}) {
    this.#core = core;
    this.#donate = donate;
    this.#most = options.most ?? defaultMost;
  }

  /** `parts` are buffers that stand for a piece of another one. */
  plan(plan: Staged, parts: Parts = new Map()): Verdict {
    const core = this.#core;
    const stands = askAll(planRules, { core, plan, donate: this.#donate });
    if (stands.length > 0) return { k: 'breaches', breaches: stands };
    const work = pointsOf(plan.steps);
    if (work > this.#most) return { k: 'not run', why: `it has ${work} points` };
    const want = this.#wanted();
    if ('why' in want) return { k: 'not run', why: want.why };
    try {
      const breaches = this.#run(plan, parts, want);
      return breaches.length > 0 ? { k: 'breaches', breaches } : { k: 'holds', work };
    } catch (e) {
      if (!(e instanceof Unanswered)) throw e;
      return { k: 'breaches', breaches: [{ rule: 'in range', what: e.message }] };
    }
  }

  /** A core program that is to mean the same. */
  core(other: Core): Verdict {
    const want = this.#wanted();
    if ('why' in want) return { k: 'not run', why: want.why };
    const got = coreValues(other, inputsOf(other), ofNumber);
    const breaches = this.#core.outputs.flatMap((v, o) =>
      askAll(resultRules, {
        name: v.name,
        want: want.outputs[o]!,
        got: got.outputs[o]!,
        holds: () => true,
        from: () => 'in the core',
      }),
    );
    return breaches.length > 0 ? { k: 'breaches', breaches } : { k: 'holds', work: 0 };
  }

  #wanted(): CoreValues | NotRun {
    this.#values ??= this.#evaluated();
    return this.#values;
  }

  #evaluated(): CoreValues | NotRun {
    const points = pointsOfCore(this.#core.body);
    if (points > this.#most) return { why: `it has ${points} points` };
    try {
      return coreValues(this.#core, inputsOf(this.#core), ofNumber);
    } catch (e) {
      if (!(e instanceof Unanswered)) throw e;
      return { why: 'the core leaves its ranges' };
    }
  }

  #run(plan: Staged, parts: Parts, want: CoreValues): readonly Breach[] {
    const given = new Set(this.#donate.map(([, input]) => plan.inputs[input]!));
    const kept = new Set<BufId>(
      plan.bufs
        .filter((b) => b.kind === 'const' || (b.kind === 'input' && !given.has(b.id)))
        .map((b) => b.id),
    );
    let first: string | undefined;
    const machine = new Machine(plan, parts, kept, {
      stored: (b, i, v, k) => {
        if (b.t === 'f32' && !want.defined.has(v))
          first ??= `the first store of a value that the core does not define is of kernel ${k.id} \`${k.name}\` at word ${i} of \`${b.name}\`#${b.id}`;
      },
    });
    inputsOf(this.#core).forEach((data, i) => {
      machine.words.fill(plan.bufs[plan.inputs[i]!]!, data);
    });
    for (const b of plan.bufs) if (b.data) machine.words.fill(b, constants(b.t, b.data, ofNumber));
    machine.run();
    if (machine.breaches.length > 0) return machine.breaches;
    const from = (b: BufId) => (i: number) => {
      const k = machine.kernels[machine.words.kernelOf(b, i)];
      const last = k ? `stored by kernel ${k.id} \`${k.name}\`` : 'given by the host';
      return first === undefined ? last : `${last}; ${first}`;
    };
    return this.#core.outputs.flatMap((v, o) => {
      const b = plan.outputs[o]!;
      const wanted = want.outputs[o]!;
      return askAll(resultRules, {
        name: v.name,
        want: wanted,
        got: wanted.map((_, i) => machine.words.value(b, i)),
        holds: (i) => machine.words.holds(b, i),
        from: from(b),
      });
    });
  }
}

const inputsOf = (core: Core): Float64Array[] =>
  core.inputs.map((v, i) =>
    sample(
      v.t,
      v.shape.reduce((a, b) => a * b, 1),
      v.bound,
      i,
    ),
  );

const times = (l: readonly { readonly extent: number }[]): number =>
  l.reduce((n, a) => n * a.extent, 1);

/** Points of all statements, over all steps of the folds around them. */
const pointsOfCore = (body: readonly Stmt[]): number =>
  body.reduce((sum, s) => sum + pointsOfStmt(s), 0);

function pointsOfStmt(s: Stmt): number {
  switch (s.k) {
    case 'nest':
      return times(s.axes) * times(s.red);
    case 'segsum':
      return times(s.axes);
    case 'fold':
      return s.trip * pointsOfCore(s.body);
    case 'custom':
      return pointsOfCore(s.body);
  }
}

/** Points of all nests, over all runs of their kernels. */
export function pointsOf(steps: readonly Step[]): number {
  return steps.reduce((sum, s) => {
    if (s.k === 'loop') return sum + s.axis.extent * pointsOf(s.steps);
    return sum + s.nests.reduce((n, x) => n + times(s.grid) * times(x.axes) * times(x.red), 0);
  }, 0);
}

/** A plan that does not do what its core says: a fault of the compiler. */
export class PlanFault extends Error {
  override readonly name = 'PlanFault';
  /** The rewrite after which it was seen. */
  readonly stage: string;
  readonly breaches: readonly Breach[];

  constructor(stage: string, breaches: readonly Breach[]) {
    super(`plan after ${stage}: ${breaches.map((b) => `${b.rule}: ${b.what}`).join('; ')}`);
    this.stage = stage;
    this.breaches = breaches;
  }
}

/** @throws PlanFault for a breach. */
export function demand(stage: string, v: Verdict, { notRun }: VerifyOptions = {}): void {
  if (v.k === 'breaches') throw new PlanFault(stage, v.breaches);
  if (v.k === 'not run') notRun?.(v.why);
}
