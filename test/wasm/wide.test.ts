/**
 * V8's revectorizer changes no bit: modules compiled with its flag and without give the same bytes,
 * for both kinds of tiles, over random programs, contractions of odd sizes and a training step. The
 * optimising compiler, which alone has it, compiles everything here from the first call.
 *
 * This file sets flags of its process, which is its own (vitest's forks).
 */
import v8 from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../compiler/core/build.ts';
import { prim } from '../../compiler/core/expr.ts';
import type { Core } from '../../compiler/core.ts';
import type { Plan } from '../../compiler/plan.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { noUseOfWide } from '../../runtime/cli/wide.ts';
import { wideFlag } from '../../runtime/devices/wasm.ts';
import { arbitraryCore } from '../core/arbitrary-core.ts';
import { at, Hand } from '../core/hand.ts';
import { inShares } from './shares.ts';
import { trainStep } from './train-step.ts';

v8.setFlagsFromString('--no-liftoff');

let tag = 0;
async function bytes(plan: Plan, inputs: readonly ArrayLike<number>[], on: boolean, wide: boolean) {
  v8.setFlagsFromString(on ? wideFlag : wideFlag.replace('--', '--no-'));
  tag = (tag + 1) % 128;
  return inShares(plan, inputs, 1, false, { wide, tag });
}

async function changesNothing(core: Core, inputs: readonly ArrayLike<number>[]): Promise<void> {
  const plan = schedule(core);
  const plain = await bytes(plan, inputs, false, false);
  for (const wide of [false, true]) {
    const got = await bytes(plan, inputs, true, wide);
    // An index, because a picture of the difference of two long arrays takes minutes to draw.
    expect(got.findIndex((b, i) => b !== plain[i])).toBe(-1);
    expect(got).toHaveLength(plain.length);
  }
}

describe.skipIf(noUseOfWide() !== undefined)('256-bit vectors give the same bits', () => {
  it('for random programs', () =>
    fc.assert(
      fc.asyncProperty(arbitraryCore({ extents: [1, 3, 8, 17, 32] }), (c) =>
        changesNothing(c.core, c.inputs),
      ),
      { numRuns: 30, endOnFailure: true },
    ));

  it('for contractions of odd sizes, in every orientation', async () => {
    for (const [m, n, k] of [
      [13, 17, 40],
      [61, 100, 33],
      [48, 64, 401],
    ] as const) {
      for (const [left, right] of [
        ['ir', 'rj'],
        ['ir', 'jr'],
        ['ri', 'rj'],
      ] as const) {
        const h = new Hand();
        const axes = new Map(
          (
            [
              ['i', m],
              ['j', n],
              ['r', k],
            ] as const
          ).map(([a, e]) => [a, h.supply.axis(e, a)]),
        );
        const operand = (name: string, order: string) => {
          const own = [...order].map((a) => axes.get(a as 'i')!);
          const of = h.input(
            name,
            own.map((a) => a.extent),
          );
          return at(of, ...own);
        };
        const body = prim('mul', operand('x', left), operand('y', right));
        const [i, j, r] = [...axes.values()] as [never, never, never];
        const core = h.core(h.reduce('c', [i, j], 'sum', [r], body));
        await changesNothing(core, wavy(core));
      }
    }
  });

  it('for a training step', async () => {
    const { step, inputs } = await trainStep();
    await changesNothing(step.core, inputs);
  });
});

const wavy = (core: Core): Float64Array[] =>
  core.inputs.map((v, i) =>
    Float64Array.from({ length: sizeOf(v.shape) }, (_, k) => Math.fround(Math.sin(k * 7 + i))),
  );
