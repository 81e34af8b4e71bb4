/** The named sizes: as many parameters as published, one plan however deep; every variant checks. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { front } from '../../runtime/cli/front.ts';
import { explain, leavesAt, load } from '../../runtime/index.ts';
import { modelFile } from './gradients.ts';

const sizes = (patch: number) => ({ K: 1000, C: 4, R: 8, H: 32 / patch, W: 32 / patch });

it.each([
  ['s', 33],
  ['b', 130],
  ['l', 458],
  ['xl', 675],
] as const)(
  '%s/2 has %i million parameters, and patches of 4 and 8 about as many',
  async (name, n) => {
    const program = await load(modelFile('sizes'));
    for (const patch of [2, 4, 8]) {
      const leaves = leavesAt(program.find(`${name}${patch}`), 'p', sizes(patch));
      const trained = leaves.filter((l) => !l.fixed);
      const count = trained.reduce((m, l) => m + l.shape.reduce((a, b) => a * b, 1), 0);
      if (patch === 2) expect(Math.floor(count / 1e6 + 0.5)).toBe(n);
      expect(Math.abs(count / 1e6 - n)).toBeLessThan(2);
      const init = program.find(`init${name.toUpperCase()}${patch}`);
      expect(init.sizes.map((s) => s.name)).toEqual(['K', 'C', 'R', 'H', 'W']);
    }
  },
);

it('XL/2 is planned as S/2 is: a fold is compiled once', async () => {
  const program = await load(modelFile('sizes'));
  const [small, large] = await Promise.all(
    ['s2', 'xl2'].map((name) => explain(program, name, 'plan', { sizes: sizes(2) })),
  );
  const steps = (text: string): string[] => text.replaceAll(/\d+/g, '#').split('\n');
  expect(steps(large!)).toHaveLength(steps(small!).length);
});

const variants = join(import.meta.dirname, '../../examples/variants');

it.each(readdirSync(variants))('examples/variants/%s: its derivative holds', async (name) => {
  const lines: string[] = [];
  const code = await front(['test', join(variants, name)], {
    out: (t) => void lines.push(t),
    err: (t) => void lines.push(t),
    signal: new AbortController().signal,
    terminal: false,
  });
  expect(lines.join('')).toMatch(/1 passed, 0 failed/);
  expect(code).toBe(0);
});
