/** The proof lane in short: random programs, of which those that are accepted keep the promise. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check } from '../../dsl/index.ts';
import { openDevice } from '../../runtime/index.ts';
import { readState, writeState } from '../gen/state.ts';
import { count, noCounts } from './counts.ts';
import { constructs } from './coverage.ts';
import { judged } from './judge.ts';
import { programAt } from './program.ts';
import { report } from './report.ts';

describe('random programs at the border of what is proved', () => {
  it('use every construct', () => {
    const used = new Map<string, number>();
    const programs = 400;
    for (let n = 0; n < programs; n++) {
      for (const row of programAt(11, n).used) used.set(row, (used.get(row) ?? 0) + 1);
    }
    const rare = constructs.filter((c) => (used.get(c) ?? 0) < 0.01 * programs);
    expect(rare).toEqual([]);
    expect([...used.keys()].filter((row) => !constructs.includes(row))).toEqual([]);
  });

  it('are in range at all sizes and give the exact values, where they are accepted', async () => {
    const devices = [await openDevice('reference'), await openDevice('wasm')];
    const counts = noCounts();
    const faults: string[] = [];
    for (let n = 0; counts.accepted < 120; n++) {
      const p = programAt(21, n);
      const o = await judged({ check, devices }, p, { gradients: n % 2 === 0, faultsOnly: true });
      count(counts, n, p, o);
      if (o.k === 'fault') faults.push(`program ${n}: ${o.group}\n${o.detail}\n${p.text}`);
    }
    for (const d of devices) d.dispose();
    expect(faults).toEqual([]);
    expect(counts.runs).toBeGreaterThanOrEqual(400);
    expect(counts.accepted / counts.programs).toBeGreaterThan(0.3);
  });
});

describe('the state of a run', () => {
  it('is written and read again, for the same settings', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tenon-proof-'));
    const path = join(folder, 'state.json');
    try {
      expect(readState(path, 'a')).toBe(undefined);
      const counts = noCounts();
      count(counts, 0, programAt(1, 0), { k: 'refused', truth: 'fine', codes: ['E0601'] });
      writeState(path, { settings: 'a', next: 1, counts });
      expect(readState(path, 'a')).toEqual({ settings: 'a', next: 1, counts });
      expect(() => readState(path, 'b')).toThrow(/other settings/);
      expect(report(counts)).toContain('refused but fine');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
