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
    expect(lines).toContain('other out.a - - unchecked  unknown case\n');
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

  it('counts a tensor of the file that the sidecar does not name as unchecked', async () => {
    copy();
    const path = join(folder, 'redi-forward.safetensors');
    const all = readAll(SafetensorsFile.open(path));
    all.set('grad.novel', { dtype: 'F32', shape: [1], data: Float32Array.of(1) });
    writeSafetensorsFile(path, all);
    const rows = await rowsOf(folder, 'reference');
    expect(rows.filter((r) => r.status !== 'ok').map((r) => `${r.tensor} ${r.status}`)).toEqual([
      'grad.novel unchecked',
    ]);
  });

  it('misses a tensor that the file does not hold, or holds in another shape', async () => {
    copy();
    const path = join(folder, 'redi-forward.safetensors');
    const all = readAll(SafetensorsFile.open(path));
    all.delete('out.c');
    const v = all.get('out.t_freq')!;
    all.set('out.t_freq', { ...v, shape: [v.shape[1]!, v.shape[0]!] });
    writeSafetensorsFile(path, all);
    const rows = await rowsOf(folder, 'reference');
    expect(Object.fromEntries(rows.flatMap((r) => (r.note ? [[r.tensor, r.note]] : [])))).toEqual({
      'out.c': 'redi-forward.safetensors does not hold it',
      'out.t_freq': 'the sidecar says [3, 256], the file [256, 3]',
    });
  });

  it('goes on after a case whose files cannot be read', async () => {
    copy();
    const broken = { ...sidecar('redi-forward'), case: 'redi-forward' };
    writeFileSync(join(folder, 'a-broken.json'), JSON.stringify(broken));
    const rows = await rowsOf(folder, 'reference');
    expect(rows.map((r) => r.status)).toEqual([...Array(8).fill('MISS'), ...Array(8).fill('ok')]);
    expect(rows[0]!.note).toMatch(/a-broken\.safetensors/);
  });

  it.each([
    ['{', /redi-forward\.json is not JSON/],
    ['[]', /golden case: it is no object/],
    [{ case: 7 }, /`case` is no name/],
    [{ case: 'redi-forward', tensors: undefined }, /it has no `tensors`/],
    [{ tensors: { 'in.x': [3, -1] } }, /`tensors` of in\.x is no shape/],
    [{ tensors: [] }, /`tensors` is no object/],
    [{ f32_max_abs_err: { 'out.v': 1 } }, /`f32_max_abs_err` of out\.v is no list of errors/],
    [{ weights_file: 3 }, /`weights_file` is no file name/],
    [{ config: 'small' }, /`config` is no object/],
  ])('refuses the sidecar %j', async (change, message) => {
    copy();
    const text =
      typeof change === 'string'
        ? change
        : JSON.stringify({ ...sidecar('redi-forward'), ...change });
    writeFileSync(join(folder, 'redi-forward.json'), text);
    await expect(rowsOf(folder, 'reference')).rejects.toThrow(message);
  });

  it('leaves other JSON of the folder alone', async () => {
    copy();
    writeFileSync(join(folder, 'package.json'), '{"name": "golden"}');
    expect(await rowsOf(folder, 'reference')).toHaveLength(8);
  });
});

describe('numbers of a sidecar', () => {
  let folder = '';
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** The case with another sidecar: the tensors that are missed then, and why. */
  const missed = async (
    name: string,
    weights: string,
    f: (json: Sidecar) => void,
  ): Promise<Record<string, string>> => {
    folder = mkdtempSync(join(tmpdir(), 'tenon-golden-'));
    for (const file of [`${name}.safetensors`, weights])
      cpSync(join(here, file), join(folder, file));
    const json = sidecar(name);
    f(json);
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(json));
    const rows = await rowsOf(folder, 'wasm', name);
    const off = rows.filter((r) => r.status !== 'ok');
    return Object.fromEntries(off.map((r) => [r.tensor, r.note ?? r.status]));
  };

  it('every optimiser number counts, and one that is not said is missed', async () => {
    const of = (from: string, to: string) =>
      missed('adamw-ema', 'adamw-weights.safetensors', (json) => {
        expect(json.description).toContain(from);
        json.description = json.description.replace(from, to);
      });
    const decay = Object.keys(await of('weight_decay .01', 'weight_decay .05'));
    expect(decay).toContain('out.step1.param.final_layer.linear.weight');
    const average = Object.keys(await of('EMA 0.9', 'EMA 0.95'));
    expect(average.length).toBeGreaterThan(0);
    expect(average.filter((t) => !t.includes('.ema.'))).toEqual([]);
    for (const [from, to] of [
      ['lr 1e-3', 'lr 2e-3'],
      ['.9/.999', '.8/.999'],
      ['.9/.999', '.9/.99'],
      ['eps 1e-8', 'eps 1e-3'],
    ] as const) {
      const off = Object.keys(await of(from, to));
      expect(off.some((t) => t.startsWith('out.step2.param.'))).toBe(true);
    }
    expect(new Set(Object.values(await of('lr 1e-3', 'a rate')))).toEqual(
      new Set(['adamw-ema has no lr in its description']),
    );
  });

  it('a run of the SDE has arguments of its own, and one that is not known is unchecked', async () => {
    const args = (json: Sidecar, name: string) =>
      json.scalars[`args.${name}`] as Sidecar['scalars'];
    const off = await missed('redi-sample-sde', 'redi-weights.safetensors', (json) => {
      args(json, 'default_plain')['last_step_size'] = 0.08;
      args(json, 'default_cfg')['num_steps'] = 5;
      args(json, 'decreasing_plain')['diffusion_norm'] = 0.5;
      args(json, 'heun_plain')['sampling_method'] = 'Milstein';
      json.scalars['args.novel'] = args(json, 'default_rg');
      json.tensors['out.novel'] = json.tensors['out.default_rg']!;
    });
    expect(off).toEqual({
      'out.default_plain': 'MISS',
      'out.default_plain_traj': 'MISS',
      'out.default_cfg': 'MISS',
      'out.decreasing_plain': 'MISS',
      'out.heun_plain': 'sampling_method "Milstein" is not known',
      'out.novel': 'novel does not end in a guidance that is known',
    });
  });

  it.each([
    ['redi-forward', 'redi-weights', { heads: 0 }, /config heads is 0, not a whole number from 1/],
    ['redi-forward', 'redi-weights', { heads: '4' }, /has no config heads/],
    ['vae', 'vae-weights', { layers: 1.5 }, /config layers is 1.5/],
    ['vae', 'vae-weights', { chans: [24, -1] }, /config chans, item 1, is -1/],
    // The weights alone would not say that the config is of another network.
    ['vae', 'vae-weights', { chans: [32, 48] }, /G\*N0/],
  ] as const)('%s with %s and the config %j is missed', async (name, weights, change, why) => {
    const off = await missed(name, `${weights}.safetensors`, (json) => {
      Object.assign(json.config, change);
    });
    const expected = Object.keys(sidecar(name).tensors).filter((t) => t.startsWith('out.'));
    expect(Object.keys(off)).toEqual(expected);
    for (const note of Object.values(off)) expect(note).toMatch(why);
  });

  it('another number of steps than models/ddpm.tn has is unchecked', async () => {
    const off = await missed('dit-ddpm', 'redi-weights.safetensors', (json) => {
      json.scalars['T'] = 500;
    });
    expect(new Set(Object.values(off))).toEqual(
      new Set(['models/ddpm.tn has 1000 steps, not 500']),
    );
  });

  it('the weight of z counts', async () => {
    const off = await missed('redi-loss-grad', 'redi-weights.safetensors', (json) => {
      json.scalars['nodrop.lam'] = 0.5;
    });
    expect(Object.keys(off)).toContain('out.nodrop.loss');
    expect(Object.keys(off).filter((t) => t.includes('.drop.'))).toEqual([]);
  });
});

type Sidecar = {
  description: string;
  config: Record<string, unknown>;
  scalars: Record<string, unknown>;
  tensors: Record<string, readonly number[]>;
};

const sidecar = (name: string): Sidecar =>
  JSON.parse(readFileSync(join(here, `${name}.json`), 'utf8'));

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
