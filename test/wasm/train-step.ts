/** A whole training step of a small ReDi, with inputs: one plan that has everything at once. */
import { sizeOf } from '../../compiler/core/build.ts';
import { load } from '../../runtime/api/load.ts';
import { specialise } from '../../runtime/api/specialise.ts';
import type { Compiled } from '../../runtime/devices/device.ts';

const small = { B: 3, N: 5, L: 2, K: 3, C: 3, R: 2, H: 2, W: 4, P: 2, A: 2, E: 8 };

export async function trainStep(
  sizes: Readonly<Record<string, number>> = small,
): Promise<{ readonly step: Compiled; readonly inputs: readonly Float64Array[] }> {
  const program = await load(new URL('../../examples/emoji/joint.tn', import.meta.url).pathname);
  const fn = program.find('trainStep');
  const step = specialise(program.typed, program.sources, fn, new Map(Object.entries(sizes)), {
    grad: [],
    present: new Set(fn.params.map((p) => p.name)),
    donate: new Map([['state', 'state']]),
  }).compiled;
  // Second moments are positive; everything else is small and of both signs.
  const inputs = step.core.inputs.map((v, i) =>
    Float64Array.from({ length: sizeOf(v.shape) }, (_, k) => {
      if (v.t !== 'f32') return (k + i) % 3;
      const noise = ((k * 7919 + i * 104729) % 2003) / 2003 - 0.5;
      return Math.fround(noise + (v.name.includes('moments') ? 0.6 : 0));
    }),
  );
  return { step, inputs };
}
