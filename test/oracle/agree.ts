/** A program's results, and their tangents, against its definition. */

import { check } from '../../dsl/index.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import { numbers } from '../../runtime/gradcheck/check-point.ts';
import type { CheckedProgram } from '../../runtime/gradcheck/point.ts';
import type { RandomProgram } from '../gen/program.ts';
import { ProgramFault } from '../gen/run.ts';
import { define, defineTangent } from './define.ts';
import type { Sizes } from './value.ts';

type Leaves = readonly ArrayLike<number>[];

/** The first difference, in words; undefined where there is none. */
function difference(what: string, want: Leaves, got: Leaves, scale?: Leaves): string | undefined {
  for (const [i, leaf] of want.entries()) {
    if (leaf.length !== got[i]!.length)
      return `${what} ${i} has ${got[i]!.length} elements, by definition ${leaf.length}`;
    for (let j = 0; j < leaf.length; j++) {
      const [g, v] = [got[i]![j]!, leaf[j]!];
      const size = scale === undefined ? Math.abs(v) : scale[i]![j]!;
      if (Object.is(g, v) || Math.abs(g - v) <= 1e-9 * (1 + size)) continue;
      if (Number.isNaN(g) && Number.isNaN(v)) continue;
      return `${what} ${i}, element ${j} is ${g}, by definition ${v}`;
    }
  }
  return undefined;
}

/** How the values of `core` differ from those that the program defines. */
export function valuesDiffer(
  program: TProgram,
  fn: TFn,
  sizes: Sizes,
  inputs: readonly Float64Array[],
  got: Leaves,
): string | undefined {
  return difference('result', define(program, fn, sizes, inputs), got);
}

/** How forward mode differs from dual numbers, along a direction of all f32 inputs. */
export function tangentsDiffer(
  program: TProgram,
  fn: TFn,
  sizes: Sizes,
  inputs: readonly Float64Array[],
  p: CheckedProgram,
): string | undefined {
  const next = numbers(inputs.length);
  const dx = p.reals.map((i) => inputs[i]!.map(() => 2 * next() - 1));
  const all = inputs.map((x, i) => dx[p.reals.indexOf(i)] ?? new Float64Array(x.length));
  const { d, terms } = p.tangent(inputs, dx);
  const want = defineTangent(program, fn, sizes, inputs, all);
  return difference(
    'tangent',
    p.outputs.map((i) => want[i]!),
    d,
    terms,
  );
}

/** @throws ProgramFault where values or, with `derivatives`, tangents are not those by definition. */
export function agree(
  p: RandomProgram,
  inputs: readonly Float64Array[],
  got: Leaves,
  derivatives?: CheckedProgram,
): void {
  const { program } = check(new Map([['r.tn', p.text]]), 'r.tn');
  const fn = program!.fns.get('r.tn#f')!;
  const sizes = new Map(Object.entries(p.sizes));
  const fault =
    valuesDiffer(program!, fn, sizes, inputs, got) ??
    (derivatives && tangentsDiffer(program!, fn, sizes, inputs, derivatives));
  if (fault !== undefined) throw new ProgramFault(`${fault}\n${p.text}`);
}
