/**
 * Stages of a compilation that no command shows, for docs/internals.md: the program as elaborated,
 * its tangents, values and tangents taken apart, values and cotangents, and the optimised core.
 */
import { vjp } from '../../compiler/ad/index.ts';
import { forward, type Tangents } from '../../compiler/ad/jvp.ts';
import { unzip } from '../../compiler/ad/unzip.ts';
import { supplyAfter } from '../../compiler/core/build.ts';
import { printCore, printStmts } from '../../compiler/core/print.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import { optimise } from '../../compiler/optimise.ts';
import { check, type Sources } from '../../dsl/index.ts';

export type Wanted = {
  readonly stage: string;
  readonly file: string;
  readonly fn: string;
  readonly sizes: ReadonlyMap<string, number>;
  /** The input to differentiate by. */
  readonly by: string;
};

export function stage(sources: Sources, w: Wanted): string {
  const { program } = check(sources, w.file);
  if (program === undefined) throw new Error(`${w.file} does not check`);
  const id = `${w.file}#${w.fn}`;
  const { core } = elaborate(program, id, w.sizes);
  if (w.stage === 'elaborated') return printCore(core);
  if (w.stage === 'optimised') {
    return printCore(optimise(elaborate(program, id, w.sizes, { grad: [w.by] }).core));
  }
  const by = core.inputs.find((v) => v.name === w.by)!;
  const supply = supplyAfter(core);
  if (w.stage === 'adjoint') {
    const ct = supply.like(core.outputs[0]!, 'out_bar');
    const { primal, adjoint } = vjp(core.body, [by], [{ y: core.outputs[0]!, ct }], supply);
    return printStmts([...primal, ...adjoint]);
  }
  const d = supply.like(by, `d${by.name}`);
  const tangents: Tangents = new Map([[by, d]]);
  const both = forward(core.body, tangents, core.outputs, supply, true);
  if (w.stage === 'tangents') return printStmts(both);
  if (w.stage === 'linear') {
    const { primal, linear } = unzip(both, new Set([d]), supply);
    return printStmts([...primal, ...linear]);
  }
  throw new Error(`there is no stage ${w.stage}`);
}
