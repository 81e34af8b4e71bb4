/**
 * What the plan of one block of SiT-S/2 (batch 4, 256 tokens, width 384, 6 heads) must not lose: how
 * few kernels it is, forward and with its gradient, and how many bytes they move.
 *
 * By hand it is 7 kernels and 57 MB forward, 12 more and 116 MB backward; without any fusion 47
 * kernels and 361 MB.
 */
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cost } from '../../runtime/api/cost.ts';
import { load } from '../../runtime/index.ts';

const program = await load(join(resolve(import.meta.dirname, '../..'), 'bench/programs/block.tn'));
const sizes = { B: 4, T: 256, A: 6, E: 64 };

describe('a block of SiT-S/2', () => {
  it('is 7 kernels forward, attention one of them', () => {
    const report = cost(program, 'forward', { sizes });
    expect(report.kernels.length).toBe(7);
    expect(Math.round((report.read + report.written) / 1e6)).toBe(47);
  });

  it('is 23 kernels with its gradient', () => {
    const report = cost(program, 'energy', { sizes, grad: true });
    expect(report.kernels.length).toBe(23);
    expect(Math.round((report.read + report.written) / 1e6)).toBe(210);
  });
});
