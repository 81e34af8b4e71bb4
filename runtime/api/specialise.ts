/**
 * One function at concrete sizes, down to what a device runs: elaborate, optimise, and on demand a
 * plan. Parameters that are not given take their defaults here, as a `let` around the body, so that
 * a default costs nothing and sizes in it are literals.
 */

import type { Core } from '../../compiler/core.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import type { Elaborated, LeafSpec, ParamSpec } from '../../compiler/elaborate/interface.ts';
import { optimise } from '../../compiler/optimise.ts';
import type { Plan } from '../../compiler/plan.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { placeOf } from '../../dsl/render.ts';
import type { Sources } from '../../dsl/source.ts';
import type { TExpr, TFn, TProgram } from '../../dsl/typed.ts';
import type { Compiled, Donation } from '../devices/device.ts';
import { TenonError } from '../errors.ts';
import { stackedName } from './leaves.ts';
import { asProgramErrors } from './program-error.ts';

export type Specialised = Elaborated & { readonly compiled: Compiled };

export type SpecialiseOptions = {
  readonly grad: readonly string[];
  /** Parameters that the host gives; the others have defaults. */
  readonly present: ReadonlySet<string>;
  /** Parameter path -> result path whose leaves take over its storage. */
  readonly donate: ReadonlyMap<string, string>;
  /** Whether plans are held against the program after every rewrite. */
  readonly verify?: boolean | undefined;
};

/** @throws ProgramError when the function cannot be had at these sizes. */
export function specialise(
  typed: TProgram,
  sources: Sources,
  fn: TFn,
  sizes: ReadonlyMap<string, number>,
  options: SpecialiseOptions,
): Specialised {
  const own = withDefaults(fn, options.present);
  const program = { ...typed, fns: new Map(typed.fns).set(own.id, own) };
  const elaborated = asProgramErrors(sources, fn, () =>
    elaborate(program, own.id, sizes, { grad: options.grad }),
  );
  const core = asProgramErrors(sources, fn, () => optimise(elaborated.core));
  const donate = donation(elaborated, options.donate);
  const { core: source } = elaborated;
  const planned = planner(core, donate, options.verify ?? false);
  const compiled: Compiled = {
    ...{ core, source, donate },
    plan: (wanted) => asProgramErrors(sources, fn, () => planned(wanted)),
    locate: ({ file, start }) => ({ file, line: placeOf(sources.get(file) ?? '', start).line }),
  };
  return { ...elaborated, core, compiled };
}

function withDefaults(fn: TFn, present: ReadonlySet<string>): TFn {
  const absent = fn.params.filter((p) => !present.has(p.name));
  if (absent.length === 0) return fn;
  const body = absent.reduceRight<TExpr>(
    (inner, p) => ({
      k: 'let',
      pattern: { k: 'name', id: p.id, name: p.name },
      value: p.init!,
      body: inner,
      type: inner.type,
      span: inner.span,
    }),
    fn.body,
  );
  return {
    ...fn,
    id: `${fn.id}(${[...present].join(', ')})`,
    params: fn.params.filter((p) => present.has(p.name)),
    body,
  };
}

/** A plan for each kind of target, made when it is first asked for. */
function planner(core: Core, donate: Donation, verify: boolean): Compiled['plan'] {
  const made = new Map<boolean, Plan>();
  return ({ resident = false } = {}) => {
    const known = made.get(resident);
    if (known) return known;
    const plan = schedule(core, donate, { resident, verify: verify && { notRun: tooMuch } });
    made.set(resident, plan);
    return plan;
  };
}

function tooMuch(why: string): never {
  throw new TenonError('usage', `the plan cannot be verified: ${why}`, {
    hint: 'Give smaller sizes: a plan is run over exact numbers, a step at a time.',
  });
}

// ---------------------------------------------------------------- donation

const under = (name: string, path: string): boolean =>
  path === '' || name === path || name.startsWith(`${path}.`);

function donation(e: Elaborated, wanted: ReadonlyMap<string, string>): Donation {
  const inputs = numbered(e.params);
  const outputs = e.result.map((spec, slot) => ({ name: stackedName('', spec.path), spec, slot }));
  return [...wanted].flatMap(([from, to]) => {
    const own = inputs.filter((i) => under(i.name, from));
    const results = outputs.filter((o) => under(o.name, to));
    const matches = own.map((i) => {
      const rest = i.name.slice(from.length);
      return { i, o: results.find((o) => o.name === `${to}${rest}`.replace(/^\./, '')) };
    });
    const bad = matches.find((m) => m.o === undefined || !sameStorage(m.i.spec, m.o.spec));
    if (bad !== undefined || own.length === 0) {
      const what = bad?.i.name ?? from;
      throw new TenonError('usage', `${what} cannot be donated: the result has no leaf like it`, {
        hint: `Donate a parameter whose leaves the result has again under ${to === '' ? 'its top' : to}.`,
      });
    }
    return matches.map((m) => [m.o!.slot, m.i.slot] as const);
  });
}

const sameStorage = (a: LeafSpec, b: LeafSpec): boolean =>
  (a.scalar === 'f32') === (b.scalar === 'f32') && a.shape.join() === b.shape.join();

/** Leaves in slot order, with their full names. */
export function numbered(
  params: readonly ParamSpec[],
): { name: string; param: string; spec: LeafSpec; slot: number }[] {
  let slot = 0;
  return params.flatMap((p) =>
    p.leaves.map((spec) => ({
      name: stackedName(p.name, spec.path),
      param: p.name,
      spec,
      slot: slot++,
    })),
  );
}
