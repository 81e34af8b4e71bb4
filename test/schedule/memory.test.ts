/**
 * The arena is at most a tenth larger than the temporaries that are live at once, as an unrolled run
 * counts them: for the functions of models/, with their gradients, and for the SiT-S/2 training step.
 */
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../compiler/plan.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { inspect } from '../../runtime/api/inspect.ts';
import { allowedSizes } from '../../runtime/gradcheck/sizes.ts';
import { load } from '../../runtime/index.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { maxLiveBytes } from './live-bytes.ts';

const root = resolve(import.meta.dirname, '../..');

/** Buffers begin at multiples of 64 words: at toy sizes that is most of an arena. */
const rounding = (plan: Plan): number => 256 * plan.bufs.filter((b) => b.kind === 'temp').length;

function ratio(plan: Plan): { arena: number; live: number; excess: number } {
  const [arena, live] = [4 * plan.arenaWords, maxLiveBytes(plan)];
  return { arena, live, excess: (arena - rounding(plan)) / Math.max(live, 1) };
}

describe('the arena', () => {
  it('holds what is live, and little more, for random programs', () =>
    fc.assert(
      fc.property(arbitraryCore({ extents: [1, 2, 5, 17] }), ({ core }) => {
        const { arena, live, excess } = ratio(schedule(core));
        expect(arena).toBeGreaterThanOrEqual(live);
        expect(excess).toBeLessThanOrEqual(1.1);
      }),
      { numRuns: 200 },
    ));

  const files = ['attention', 'conv', 'ddpm', 'optim', 'redi', 'repa', 'sit', 'transformer', 'vae'];
  it.each(files)('of models/%s.tn is within a tenth of what is live', async (file) => {
    const program = await load(join(root, `models/${file}.tn`));
    const wide: string[] = [];
    for (const fn of program.functions) {
      if (fn.params.some((p) => p.type.k === 'fn') || fn.typeParams.length > 0) continue;
      const sizes = allowedSizes(fn, { maxElements: 20_000 }).at(-1)!;
      for (const grad of [[], true] as const) {
        let plan: Plan;
        try {
          const options = { sizes: Object.fromEntries(sizes), grad };
          plan = inspect(program, fn.name, 'memory', options).compiled.plan({ resident: true });
        } catch {
          // No function of data alone, or no scalar to differentiate: other tests' business.
          continue;
        }
        const { arena, live, excess } = ratio(plan);
        if (excess > 1.1)
          wide.push(`${fn.name}${grad ? ' with gradient' : ''}: ${arena} for ${live}`);
      }
    }
    expect(wide).toEqual([]);
  });

  it('of the SiT-S/2 training step is within a tenth of what is live', async () => {
    const program = await load(join(root, 'bench/programs/step.tn'));
    const { compiled } = inspect(program, 'step', 'memory', {
      sizes: { B: 4, L: 12, K: 1000, C: 4, R: 8, H: 16, W: 16, P: 2, A: 6, E: 64 },
      donate: ['state'],
    });
    const plan = compiled.plan({ resident: true });
    const live = maxLiveBytes(plan);
    expect(4 * plan.arenaWords).toBeGreaterThanOrEqual(live);
    expect(4 * plan.arenaWords).toBeLessThanOrEqual(1.1 * live);
  });
});
