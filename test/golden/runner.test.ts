/** The golden runner itself, which must be able to fail. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { front } from '../../runtime/cli/front.ts';
import { load } from '../../runtime/index.ts';
import type { HostTensor, SafetensorsReader } from '../../runtime/io/safetensors.ts';
import { SafetensorsFile, writeSafetensorsFile } from '../../runtime/io/safetensors-file.ts';
import { here, rowsOf } from './rows.ts';

describe('the runner', () => {
  let folder = '';
  const files = ['redi-forward.json', 'redi-forward.safetensors', 'redi-weights.safetensors'];
  const copy = (): void => {
    folder = mkdtempSync(join(tmpdir(), 'tenon-golden-'));
    for (const f of files) cpSync(join(here, f), join(folder, f));
  };
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** The case with one tensor changed. */
  const change = (tensor: string, f: (data: Float32Array) => void): void => {
    const path = join(folder, 'redi-forward.safetensors');
    const all = readAll(SafetensorsFile.open(path));
    f(all.get(tensor)!.data as Float32Array);
    writeSafetensorsFile(path, all);
  };

  it('misses a value that is off by more than the tolerance, and only there', async () => {
    copy();
    const sidecar = JSON.parse(readFileSync(join(folder, 'redi-forward.json'), 'utf8'));
    const allowed = 10 * sidecar.f32_max_abs_err['out.c'][0];
    change('out.c', (d) => {
      d[7]! += 3 * allowed;
    });
    const rows = await rowsOf(folder, 'reference');
    expect(rows.filter((r) => r.status === 'MISS').map((r) => r.tensor)).toEqual(['out.c']);
  });

  it('takes NaN for a miss', async () => {
    copy();
    change('in.t', (d) => {
      d[0] = Number.NaN;
    });
    const rows = await rowsOf(folder, 'reference');
    const missed = rows.filter((r) => r.status === 'MISS').map((r) => r.tensor);
    expect(missed.sort()).toEqual(['out.block0', 'out.c', 'out.t_freq', 'out.v']);
  });

  it('counts an unknown case and an unknown tensor as unchecked, and fails', async () => {
    copy();
    const sidecar = JSON.parse(readFileSync(join(folder, 'redi-forward.json'), 'utf8'));
    sidecar.tensors['out.novel'] = [1];
    writeFileSync(join(folder, 'redi-forward.json'), JSON.stringify(sidecar));
    writeFileSync(
      join(folder, 'other.json'),
      JSON.stringify({ case: 'other', tensors: { 'in.a': [1], 'out.a': [1], 'grad.a': [1] } }),
    );
    const lines: string[] = [];
    const code = await front(['golden', folder, '--device', 'reference'], {
      out: (t) => void lines.push(t),
      err: (t) => void lines.push(t),
      signal: new AbortController().signal,
      terminal: false,
    });
    expect(code).toBe(1);
    expect(lines.at(-1)).toBe('8 checked, 0 missed, 3 unchecked\n');
    expect(lines).toContain('other out.a - - unchecked\n');
    expect(lines.join('')).toMatch(/^redi-forward out\.t_freq \d\S* \d\S* ok$/m);
  });

  it('misses what a program that cannot run should have given', async () => {
    copy();
    const sidecar = JSON.parse(readFileSync(join(folder, 'redi-forward.json'), 'utf8'));
    // The width 48 has no 5 heads.
    sidecar.config.heads = 5;
    writeFileSync(join(folder, 'redi-forward.json'), JSON.stringify(sidecar));
    const rows = await rowsOf(folder, 'reference');
    expect(rows).toHaveLength(8);
    expect(rows.every((r) => r.status === 'MISS' && /48/.test(r.note ?? ''))).toBe(true);
  });
});

function readAll(file: SafetensorsReader): Map<string, HostTensor> {
  return new Map([...file.tensors.keys()].map((n) => [n, file.read(n) as HostTensor]));
}

it('the fixed positions of models/sit.tn are those of the checkpoint', async () => {
  using weights = SafetensorsFile.open(join(here, 'redi-weights.safetensors'));
  const want = weights.read('pos_embed').data;
  await using f = (await load(join(here, '../../models/sit.tn'))).function('positions', {
    device: 'reference',
    sizes: { H: 4, W: 4, Q: 12 },
  });
  const got = (await f.call({})).tensors.get('out')!.data;
  expect(got).toHaveLength(want.length);
  for (let i = 0; i < want.length; i++) expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(1e-6);
});
