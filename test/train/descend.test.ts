/** The loop around a training step, with a step that is no program. */
import { describe, expect, it } from 'vitest';
import type { Instance } from '../../runtime/api/instance.ts';
import { type Descent, descend } from '../../runtime/train/descend.ts';
import { keyOf } from '../../runtime/train/keys.ts';

const rates = [0.05, 0.1, 0.08, 0.04, 0.01];

/** Records what it is given; step n has the loss that `loss` says. */
function fake(loss: (n: number) => number) {
  const written: { k: string; lr: number }[] = [];
  const step = {
    write: ({ k, lr }: { k: Uint32Array; lr: number }) => void written.push({ k: k.join(), lr }),
    run: async () => {},
    read: async () => loss(written.length),
  };
  return { written, step: step as unknown as Instance };
}

const base = (step: Instance, more: Partial<Descent> = {}): Descent => ({
  step,
  from: 0,
  seed: 3,
  stream: 'step',
  rates,
  after: async () => {},
  ...more,
});

describe('descend', () => {
  it('gives every step the key and the rate of its number, wherever it starts', async () => {
    const all = fake(() => 1);
    expect(await descend(base(all.step))).toBe(5);
    expect(all.written.map((w) => w.k)).toEqual(
      [0, 1, 2, 3, 4].map((n) => keyOf(3, 'step', n).join()),
    );
    expect(all.written.map((w) => w.lr)).toEqual(rates);
    const late = fake(() => 1);
    await descend(base(late.step, { from: 2 }));
    expect(late.written).toEqual(all.written.slice(2));
  });

  it('stops at a loss that is not finite and names the step', async () => {
    const seen: number[] = [];
    const { step } = fake((n) => (n === 3 ? Number.NaN : 1));
    const run = descend(base(step, { after: async (n) => void seen.push(n) }));
    await expect(run).rejects.toMatchObject({
      code: 'diverged',
      message: 'the loss of step 3 is NaN',
    });
    expect(seen).toEqual([1, 2]);
  });

  it('ends between steps when the signal fires, also from a timer, and says how far it came', async () => {
    const controller = new AbortController();
    const { step, written } = fake(() => 1);
    const after = async (n: number) => {
      if (n === 2) setImmediate(() => controller.abort());
    };
    const done = await descend(base(step, { signal: controller.signal, after }));
    expect(done).toBeGreaterThanOrEqual(2);
    expect(done).toBeLessThanOrEqual(3);
    expect(written).toHaveLength(done);
  });
});
