/**
 * A function at concrete sizes for tools that look inside (explain, cost): compiled as a call would
 * compile it, with every parameter given, and no device.
 */
import type { Type } from '../../dsl/typed.ts';
import { TenonError } from '../errors.ts';
import { leavesOf } from './leaves.ts';
import type { Program } from './program.ts';
import { type Specialised, specialise } from './specialise.ts';

export type InspectOptions = {
  /** Every size that has no default. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** The differentiated program: by these parameters, or by every one that can be. */
  readonly grad?: readonly string[] | true;
  /** Parameters whose storage the results of the same name take over. */
  readonly donate?: readonly string[];
};

/** @throws TenonError (`usage`), ProgramError. `what` asks for the sizes in an error. */
export function inspect(
  program: Program,
  name: string,
  what: string,
  options: InspectOptions,
): Specialised {
  const fn = program.find(name);
  for (const p of fn.params) leavesOf(p.type, `parameter ${p.name} of ${fn.name}`);
  const grad =
    options.grad === true
      ? fn.params.filter((p) => hasFloats(p.type)).map((p) => p.name)
      : (options.grad ?? []);
  for (const asked of [...grad, ...(options.donate ?? [])]) {
    if (fn.params.some((p) => p.name === asked.split('.')[0])) continue;
    throw new TenonError('usage', `${fn.name} has no parameter ${asked}`, {
      hint: `Its parameters are ${fn.params.map((p) => p.name).join(', ') || 'none'}.`,
    });
  }
  const missing = missingSizes(program, name, options.sizes ?? {});
  if (missing.length > 0) {
    throw new TenonError('usage', `${what} needs the sizes ${missing.join(', ')}`, {
      hint: `Give them, for example ${missing.map((s) => `${s}=4`).join(',')}.`,
    });
  }
  return specialise(
    program.typed,
    program.sources,
    fn,
    new Map(Object.entries(options.sizes ?? {})),
    {
      grad,
      present: new Set(fn.params.map((p) => p.name)),
      donate: new Map((options.donate ?? []).map((d) => [d, d])),
    },
  );
}

/** @throws TenonError (`usage`) for a size that the function does not have. */
export function refuseUnknownSizes(
  program: Program,
  name: string,
  sizes: Readonly<Record<string, number>> = {},
): void {
  const known = program.find(name).sizes.map((s) => s.name);
  const unknown = Object.keys(sizes).find((s) => !known.includes(s));
  if (unknown === undefined) return;
  throw new TenonError('usage', `${name} has no size ${unknown}`, {
    hint: `Its sizes are ${known.join(', ') || 'none'}.`,
  });
}

/** Sizes of a function that have no default and are not given. */
export function missingSizes(
  program: Program,
  name: string,
  sizes: Readonly<Record<string, number>>,
): string[] {
  return program
    .find(name)
    .sizes.filter((s) => s.init === undefined && sizes[s.name] === undefined)
    .map((s) => s.name);
}

function hasFloats(t: Type): boolean {
  switch (t.k) {
    case 'scalar':
      return t.s === 'f32';
    case 'tensor':
      return hasFloats(t.elem);
    case 'record':
      return t.fields.some((f) => !f.fixed && hasFloats(f.type));
    case 'idx':
    case 'fn':
    case 'var':
      return false;
    default:
      return t satisfies never;
  }
}
