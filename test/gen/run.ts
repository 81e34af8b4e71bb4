/** Random programs taken through checking and elaboration, and inputs for them from a seed. */
import { verify } from '../../compiler/core/verify.ts';
import { elaborate } from '../../compiler/elaborate/index.ts';
import type { Elaborated } from '../../compiler/elaborate/interface.ts';
import { check } from '../../dsl/index.ts';
import { renderDiagnostics } from '../../dsl/render.ts';
import { numbers } from '../../runtime/gradcheck/check-point.ts';
import type { RandomProgram } from './program.ts';

export class ProgramFault extends Error {
  override readonly name = 'ProgramFault';
}

export function elaborated(p: RandomProgram): Elaborated {
  const sources = new Map([['r.tn', p.text]]);
  const { program, diagnostics } = check(sources, 'r.tn');
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (program === undefined || errors.length > 0) {
    throw new ProgramFault(`refused:\n${renderDiagnostics(errors, sources)}\n${p.text}`);
  }
  const e = elaborate(program, 'r.tn#f', new Map(Object.entries(p.sizes)));
  assertClean(e.core, p.text);
  return e;
}

export function assertClean(core: Elaborated['core'], text: string): void {
  const bad = verify(core);
  if (bad.length > 0) throw new ProgramFault(`${JSON.stringify(bad[0])}\n${text}`);
}

export function inputsOf(e: Elaborated, seed: number): Float64Array[] {
  const next = numbers(seed);
  return e.params.flatMap((p) =>
    p.leaves.map((leaf) => {
      const n = leaf.shape.reduce((m, d) => m * d, 1);
      return Float64Array.from({ length: n }, () => {
        if (leaf.scalar === 'idx') return Math.floor(next() * (leaf.bound ?? 1));
        if (leaf.scalar === 'key') return Math.floor(next() * 2 ** 32);
        return Math.round((next() * 4 - 2) * 1000) / 1000;
      });
    }),
  );
}
