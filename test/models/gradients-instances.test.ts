/**
 * Derivatives of losses, samplers, guidance and conversions, through concrete instances; and that no
 * function of models/ that takes or gives functions is left without one.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { load } from '../../runtime/index.ts';
import { instances, modelFile, reached, takesFunctions, verifies } from './gradients.ts';

describe('instances', async () => {
  await verifies(instances);
});

describe('every function of functions has an instance', async () => {
  const program = await load(instances);
  const called = reached(
    program.typed,
    program.functions.filter((f) => !takesFunctions(f)),
  );
  const files = readdirSync(modelFile('').replace(/\.tn$/, '')).filter((f) => f.endsWith('.tn'));
  const all = await Promise.all(files.map((f) => load(modelFile(f.slice(0, -3)))));
  const takers = all.flatMap((p) => p.functions.filter(takesFunctions).map((f) => f.id));
  const short = (id: string): string => id.replace(/^.*models\//, '');
  it.each([...new Set(takers)].map((id) => [short(id), id] as const))('%s', (_, id) => {
    expect([...called].map(short)).toContain(short(id));
  });
});
