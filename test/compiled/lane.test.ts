/** The compiled lane in short: random programs mean the same with gradients, after passes and on wasm. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readState, writeState } from '../gen/state.ts';
import { classes, count, noCounts, report } from './counts.ts';
import { openNamed } from './devices.ts';
import { judged } from './judge.ts';
import { type Draw, programAt } from './program.ts';

async function faults(draw: Draw, seed: number, programs: number): Promise<string[]> {
  const devices = await openNamed(draw === 'all' ? ['wasm2'] : []);
  const found: string[] = [];
  for (let n = 0; n < programs; n++) {
    const p = programAt(seed, n, draw);
    const o = await judged({ devices, differences: draw === 'nests' }, p);
    if (o.k === 'fault') found.push(`program ${n}: ${o.group}\n${o.detail}\n${p.text}`);
  }
  for (const { device } of devices) device.dispose();
  return found;
}

describe('random programs of what compilers take for granted', () => {
  it('use every class', () => {
    for (const draw of ['all', 'nests'] as const) {
      const used = new Map<string, number>();
      const programs = 400;
      for (let n = 0; n < programs; n++) {
        for (const name of programAt(11, n, draw).used) used.set(name, (used.get(name) ?? 0) + 1);
      }
      const rare = classes[draw].filter((c) => (used.get(c) ?? 0) < 0.01 * programs);
      expect(rare).toEqual([]);
    }
  });

  it('are compiled as written', async () => {
    expect(await faults('all', 31, 16)).toEqual([]);
  });

  it('have the derivatives of nested derivatives', async () => {
    expect(await faults('nests', 31, 4)).toEqual([]);
  });
});

describe('the state of a run', () => {
  it('is written and read again, for the same settings', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tenon-compiled-'));
    const path = join(folder, 'state.json');
    try {
      expect(readState(path, 'a')).toBe(undefined);
      const counts = noCounts();
      count(counts, 0, programAt(1, 0), { k: 'fine', runs: 2, defined: true });
      writeState(path, { settings: 'a', next: 1, counts });
      expect(readState(path, 'a')).toEqual({ settings: 'a', next: 1, counts });
      expect(() => readState(path, 'b')).toThrow(/other settings/);
      expect(report(counts, 'all')).toContain('runs compared with the interpreter');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
