/** A program's results against its definition. */
import { check } from '../../dsl/index.ts';
import type { TFn, TProgram } from '../../dsl/typed.ts';
import type { RandomProgram } from '../gen/program.ts';
import { ProgramFault } from '../gen/run.ts';
import { define, Undefined } from './define.ts';
import type { Sizes } from './value.ts';

/** Undefined where the program differentiates, else the first difference or none. */
export function difference(
  program: TProgram,
  fn: TFn,
  sizes: Sizes,
  inputs: readonly Float64Array[],
  got: readonly Float64Array[],
): { readonly text: string | undefined } | undefined {
  let want: readonly (readonly number[])[];
  try {
    want = define(program, fn, sizes, inputs);
  } catch (e) {
    if (e instanceof Undefined) return undefined;
    throw e;
  }
  for (const [i, leaf] of want.entries()) {
    if (leaf.length !== got[i]!.length)
      return { text: `result ${i} has ${got[i]!.length} elements, by definition ${leaf.length}` };
    for (const [j, v] of leaf.entries()) {
      const g = got[i]![j]!;
      if (Object.is(g, v) || Math.abs(g - v) <= 1e-9 * (1 + Math.abs(v))) continue;
      if (Number.isNaN(g) && Number.isNaN(v)) continue;
      return { text: `result ${i}, element ${j} is ${g}, by definition ${v}` };
    }
  }
  return { text: undefined };
}

/** Whether the program has a definition. @throws ProgramFault where the results are others. */
export function agree(
  p: RandomProgram,
  inputs: readonly Float64Array[],
  got: readonly Float64Array[],
): boolean {
  const { program } = check(new Map([['r.tn', p.text]]), 'r.tn');
  const fn = program!.fns.get('r.tn#f')!;
  const d = difference(program!, fn, new Map(Object.entries(p.sizes)), inputs, got);
  if (d?.text !== undefined) throw new ProgramFault(`${d.text}\n${p.text}`);
  return d !== undefined;
}
