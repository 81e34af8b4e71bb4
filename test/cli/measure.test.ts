/**
 * `tenon cost` and `tenon profile`: sums are exact, counts are those of the mathematics, lines are
 * the user's, and what cannot be told is said.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { front } from '../../runtime/cli/front.ts';
import type { CostReport } from '../../runtime/index.ts';
import type { Profile } from '../../runtime/profile/profile.ts';

let folder = '';
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenon-measure-'));
  writeFileSync(
    at('a.tn'),
    `fn product[M, K, N](a: f32[M, K], b: f32[K, N]): f32[M, N] = for i, j. sum k. a[i, k] * b[k, j]

fn two[N](x: f32[N, N]): f32[N, N] =
  let y = product(x, x)
  for i, j. exp(y[i, j])

fn loss[N](x: f32[N, N]): f32 =
  let y = product(x, x)
  sum i, j. y[i, j]^2

fn step[N](x: f32[N], k: idx[N], rate: f32): { x: f32[N], at: f32 } =
  { x: for i. x[i] * rate, at: x[k] }
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function tenon(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const texts = { out: '', err: '' };
  const code = await front(argv, {
    out: (t) => {
      texts.out += t;
    },
    err: (t) => {
      texts.err += t;
    },
    signal: new AbortController().signal,
    terminal: false,
  });
  return { code, ...texts };
}

const costOf = async (...argv: string[]): Promise<CostReport> =>
  JSON.parse((await tenon('cost', at('a.tn'), ...argv, '--json')).out);

describe('tenon cost', () => {
  it('counts a product as textbooks do: 2 M K N operations, every cell moved once', async () => {
    const r = await costOf('product', '--size', 'M=16,K=24,N=32');
    expect(r.flops).toBe(2 * 16 * 24 * 32);
    expect(r.read).toBe(4 * (16 * 24 + 24 * 32));
    expect(r.written).toBe(4 * 16 * 32);
    expect(r.memory).toMatchObject({ inputs: r.read, outputs: r.written, arena: 0, peak: 0 });
    expect(r.kernels).toMatchObject([{ form: 'contraction', runs: 1 }]);
  });

  it('refuses a size that the function does not have, as explain does', async () => {
    const given = ['--size', 'N=4,Q=2'];
    for (const args of [['cost'], ['explain', '--stage', 'core']] as const) {
      const [command, ...more] = args;
      const { code, err } = await tenon(command, at('a.tn'), 'two', ...more, ...given);
      expect([code, err]).toEqual([2, 'error: two has no size Q\nhint: Its sizes are N.\n']);
    }
  });

  it('puts each cost at its line', async () => {
    const r = await costOf('two', '--size', 'N=32');
    const by = Object.fromEntries(r.lines.map((l) => [l.at?.line, l.flops]));
    expect(by).toEqual({ 1: 2 * 32 ** 3, 5: 32 ** 2 });
    expect(r.lines[0]!.at!.text).toMatch(/^fn product/);
  });

  it('tells what backward saves, and the cost of the differentiated program', async () => {
    const plain = await costOf('loss', '--size', 'N=32');
    const grad = await costOf('loss', '--size', 'N=32', '--grad', 'x');
    expect(plain.memory.saved).toBeUndefined();
    expect(grad.memory.saved).toBe(4 * 32 * 32);
    expect(grad.flops).toBeGreaterThan(2.9 * plain.flops);
    expect(grad.flops).toBeLessThan(3.5 * plain.flops);
  });

  it('sees that donated state needs no storage of its own', async () => {
    const size = ['--size', 'N=1000'];
    const [own, donated] = [
      await costOf('step', ...size),
      await costOf('step', ...size, '--donate', 'x'),
    ];
    expect(own.memory.outputs - donated.memory.outputs).toBe(4000);
  });

  it('prints a table by line and one by kernel', async () => {
    const { code, out } = await tenon('cost', at('a.tn'), 'two', '--size', 'N=32', '--kernels');
    expect(code).toBe(0);
    expect(out).toMatch(/^operations +read +written +kernels +line\n65\.5 kFLOP/);
    expect(out).toMatch(/a\.tn:5 {2}for i, j\. exp\(y\[i, j\]\)\n/);
    expect(out).toMatch(/group +1 +66\.6 kFLOP/);
    expect(out).toMatch(/arena +\S+ k?B \(live at once:/);
  });

  it('lists every function, and says which sizes are missing', async () => {
    const { code, out } = await tenon('cost', at('a.tn'), '--size', 'N=8');
    expect(code).toBe(0);
    expect(out).toMatch(/product .*needs --size M=\.\.\.,K=\.\.\./);
    expect(out).toMatch(/two +\d+ +1\.09 kFLOP/);
    const missing = await tenon('cost', at('a.tn'), 'two');
    expect(missing).toMatchObject({ code: 2, out: '' });
    expect(missing.err).toMatch(/cost needs the sizes N\nhint: .*N=4/);
    const unknown = await tenon('cost', at('a.tn'), 'two', '--size', 'N=8', '--grad', 'q');
    expect(unknown.code).toBe(2);
    expect(unknown.err).toMatch(/two has no parameter q\nhint: Its parameters are x/);
  });
});

describe('tenon profile', () => {
  const small = ['--size', 'N=64', '--runs', '3'];

  it('measures every kernel, longest first, and draws a picture', async () => {
    const plot = at('picture.png');
    const args = ['profile', at('a.tn'), 'loss', '--grad', 'x', ...small, '--plot', plot];
    const { code, out, err } = await tenon(...args, '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const p: Profile = JSON.parse(out);
    const { kernels } = await costOf('loss', '--size', 'N=64', '--grad', 'x');
    expect(p.kernels.map((k) => k.id).sort()).toEqual(kernels.map((k) => k.id).sort());
    expect(p.kernels.map((k) => k.ms)).toEqual(p.kernels.map((k) => k.ms).sort((a, b) => b - a));
    expect(p.kernels.reduce((n, k) => n + k.part, 0)).toBeCloseTo(1);
    for (const k of p.kernels) {
      expect(k.gflops * k.ms * 1e6).toBeCloseTo(k.flops, 0);
      expect(k.share).toBeGreaterThan(0);
    }
    expect(p.ceiling.gflops).toBeGreaterThan(0);
    expect(existsSync(plot)).toBe(true);
    expect(existsSync(at('picture.svg'))).toBe(true);
  });

  it('fills in what is not given, and takes what is', async () => {
    const given = await tenon('profile', at('a.tn'), 'step', ...small, '--arg', 'rate=0.5');
    expect({ code: given.code, err: given.err }).toEqual({ code: 0, err: '' });
    expect(given.out).toMatch(/a run on one thread \(median of 3\)/);
    const wrong = await tenon('profile', at('a.tn'), 'step', ...small, '--arg', 'k=64');
    expect(wrong.code).toBe(1);
    expect(wrong.err).toMatch(/\bk\b/);
  });

  it('says of other devices that they show no kernels', async () => {
    const args = ['profile', at('a.tn'), 'two', ...small, '--device', 'reference'];
    const { code, out } = await tenon(...args);
    expect(code).toBe(0);
    expect(out).toMatch(/two on reference: .* a run, .*not timed apart/);
    const refused = await tenon(...args, '--plot', at('x.png'));
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/no picture of reference.*\nhint: .*wasm/);
    expect((await tenon('profile', at('a.tn'), 'two', '--runs', '0')).code).toBe(2);
  });
});
