/**
 * `tenon run --verify`: what is scheduled is held against the program before it runs. That a wrong schedule
 * is seen, the seeded faults of test/mutants/plans.ts show; here it is asked, by whom and when.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { front } from '../../runtime/cli/front.ts';
import { load } from '../../runtime/index.ts';

async function tenon(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await front(args, {
    out: (s) => (out += s),
    err: (s) => (err += s),
    signal: new AbortController().signal,
    terminal: false,
  });
  return { code, out, err };
}

const file = join(mkdtempSync(join(tmpdir(), 'tenon-verify-')), 'rows.tn');
writeFileSync(
  file,
  `fn f[N](t: f32): f32 =
  let x = for i: N. sin(t * f32(i))
  sum i: N, j: N. x[i] * x[j] * f32(i - j)
`,
);
const run = (N: number, ...more: string[]) =>
  tenon('run', file, 'f', '--arg', 't=0.3', '--size', `N=${N}`, ...more);

describe('--verify', () => {
  it('gives what is given without', async () => {
    const [asked, plain] = [await run(30, '--verify'), await run(30)];
    expect(asked).toEqual(plain);
    expect(asked.code).toBe(0);
  });
  it('says so where there is too much to verify, and runs nothing', async () => {
    const { code, out, err } = await run(60_000, '--verify');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(
      /^error: the plan cannot be verified: it has \d+ points\nhint: Give smaller/,
    );
  });
  it('is refused where nothing is scheduled', async () => {
    for (const other of [['--device', 'reference'], ['--trace-nan']]) {
      const { code, err } = await run(3, '--verify', ...other);
      expect(code).toBe(2);
      expect(err).toMatch(/here nothing is\n/);
    }
  });
  it('is an option of functions too', async () => {
    const program = await load(file);
    await using f = program.function('f', { verify: true, sizes: { N: 60_000 } });
    await expect(f.call({ t: 0.3 })).rejects.toMatchObject({ code: 'usage' });
  });
});
