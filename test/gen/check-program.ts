/**
 * Everything that must hold for a random program: its values are those of the definition, every IR is
 * verified after every pass, the passes keep the values, forward mode agrees with differences, reverse
 * mode with forward mode, derivatives are derivatives again, and no derivative is zero where the value
 * varies.
 */
import { sizeOf } from '../../compiler/core/build.ts';
import { prepareCore } from '../../compiler/core/interpret.ts';
import { work } from '../../compiler/core/work.ts';
import type { Core } from '../../compiler/core.ts';
import { isReal } from '../../compiler/gradcheck/derived.ts';
import { passes } from '../../compiler/optimise.ts';
import { live } from '../../compiler/passes/live.ts';
import { checkPoint, numbers } from '../../runtime/gradcheck/check-point.ts';
import type { Point } from '../../runtime/gradcheck/generate.ts';
import { type CheckedProgram, prepareProgram } from '../../runtime/gradcheck/point.ts';
import { agree } from '../oracle/agree.ts';
import type { RandomProgram } from './program.ts';
import { assertClean, elaborated, inputsOf, ProgramFault } from './run.ts';

export type Outcome = {
  /** Whether some derivative of the loss is not zero. */
  readonly varies: boolean;
  /** Points drawn again for kinks or values that are not finite. */
  readonly resampled: number;
};

export type Depth = {
  readonly derivatives?: boolean;
  readonly second?: boolean;
};

const attempts = 4;

export function checkProgram(p: RandomProgram, depth: Depth = {}): Outcome {
  const e = elaborated(p);
  const inputs = inputsOf(e, p.seed);
  const values = run(e.core, inputs);
  const program = depth.derivatives === true ? prepareProgram(e.core) : undefined;
  agree(p, inputs, values, program);
  let core: Core = e.core;
  for (const pass of passes) {
    core = pass.run(core);
    assertClean(core, `after ${pass.name}\n${p.text}`);
  }
  sameValues(values, run(core, inputs), p);
  if (program === undefined) return { varies: true, resampled: 0 };

  const { forward, reverse } = program.derivatives();
  for (const core of [forward, reverse]) {
    assertClean(core, `derivative\n${p.text}`);
    const tidy = passes.reduce((c, pass) => pass.run(c), core);
    assertClean(tidy, `derivative, optimised\n${p.text}`);
  }
  affordable(e.core, reverse, p);
  const first = atSomePoint(program, p, (seed) => inputsOf(e, seed));
  if (depth.second === true) {
    const cts = e.core.outputs.filter(isReal);
    atSomePoint(prepareProgram(reverse), p, (seed) => {
      const next = numbers(seed + 1);
      const seeds = cts.map((y) =>
        Float64Array.from({ length: y.shape.reduce((n, d) => n * d, 1) }, () => next() - 0.5),
      );
      return [...inputsOf(e, seed), ...seeds];
    });
  }
  return first;
}

/** Reverse mode costs at most 5 times the value; any program has to write the cells of a gradient. */
function affordable(core: Core, reverse: Core, p: RandomProgram): void {
  const cells = core.inputs.filter(isReal).reduce((n, x) => n + sizeOf(x.shape), 0);
  const [of, by] = [work(live(core)) + cells, work(reverse)];
  if (by <= 5 * of) return;
  throw new ProgramFault(`the gradient costs ${by}, the value and its cells ${of}\n${p.text}`);
}

/** Checks along all f32 inputs at once, at one point without kinks. */
function atSomePoint(
  program: CheckedProgram,
  p: RandomProgram,
  inputs: (seed: number) => readonly Float64Array[],
): Outcome {
  let resampled = 0;
  for (let n = 0; n < attempts; n++) {
    const point: Point = { sizes: new Map(), leaves: [], inputs: inputs(p.seed + 7919 * n) };
    const v = checkPoint(program, point, 'all', p.seed + n);
    if (v.k === 'ok') return { varies: v.varies, resampled };
    if (v.k === 'wrong') throw new ProgramFault(`${v.message}\n${p.text}`);
    resampled++;
  }
  return { varies: true, resampled };
}

function run(core: Core, inputs: readonly Float64Array[]): readonly Float64Array[] {
  const steps = prepareCore(core).run(inputs);
  for (;;) {
    const s = steps.next();
    if (s.done) return s.value;
  }
}

/** Up to the order of sums. */
function sameValues(
  a: readonly Float64Array[],
  b: readonly Float64Array[],
  p: RandomProgram,
): void {
  a.forEach((x, i) => {
    x.forEach((v, j) => {
      const w = b[i]![j]!;
      if (Object.is(v, w) || Math.abs(v - w) <= 1e-9 * (1 + Math.abs(v))) return;
      throw new ProgramFault(`output ${i}, element ${j}: ${v}, optimised ${w}\n${p.text}`);
    });
  });
}
