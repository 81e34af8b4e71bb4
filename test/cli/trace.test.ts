/** `tenon run --trace-nan`: the first value that is not finite, with its place and operands. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { front } from '../../runtime/cli/front.ts';

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

const file = join(mkdtempSync(join(tmpdir(), 'tenon-trace-')), 'nan.tn');
writeFileSync(
  file,
  `fn f[N](x: f32): f32 = fold h = x for _: N.
    let a = 2 * h - 3
    sqrt(a) + 1

fn g[N](x: f32[N]): f32 = sum i. exp(100 * x[i])
`,
);

describe('--trace-nan', () => {
  it('names the step and the operation inside a fold', async () => {
    // 1.9 -> 1.894 -> 1.888 ...: the root's argument falls below zero.
    const { err } = await tenon('run', file, 'f', '--arg', 'x=1.6', '--size', 'N=9', '--trace-nan');
    expect(err).toMatch(/nan\.tn:3:5: error\[E0903\]: .*NaN, is made here, step 1\.\n/);
  });
  it('gives the operands, and sees what float32 cannot hold', async () => {
    const { err } = await tenon('run', file, 'f', '--arg', 'x=1', '--size', 'N=2', '--trace-nan');
    expect(err).toMatch(/step 0/);
    expect(err).toMatch(/h = 1\n/);
  });
  it('says nothing where all is finite', async () => {
    const { code, err } = await tenon(
      'run',
      file,
      'f',
      '--arg',
      'x=2',
      '--size',
      'N=2',
      '--trace-nan',
    );
    expect(code).toBe(0);
    expect(err).toBe('');
  });

  it('is what was looked for, so finding it fails; scripts get its place and operands', async () => {
    const { code, out, err } = await tenon(
      ...['run', file, 'f', '--arg', 'x=1', '--size', 'N=2', '--trace-nan', '--json'],
    );
    expect([code, err]).toEqual([1, '']);
    const { notFinite } = JSON.parse(out);
    expect(notFinite).toMatchObject({ value: 'NaN', steps: [0], place: { line: 3, column: 5 } });
    expect(notFinite.operands).toContainEqual({ name: 'h', index: [], value: '1' });
    const fine = ['run', file, 'f', '--arg', 'x=3', '--size', 'N=2', '--trace-nan'];
    expect((await tenon(...fine)).code).toBe(0);
  });

  it('names an input that is not finite, whatever comes of it', async () => {
    const args = ['run', file, 'f', '--arg', 'x=nan', '--size', 'N=2', '--trace-nan'];
    const { code, err } = await tenon(...args);
    expect([code, err]).toEqual([1, 'The input `x` is not finite: NaN.\n']);
  });

  it('takes arrays of records from files, which come in pieces', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tenon-trace-'));
    const layers = join(folder, 'layers.tn');
    const text = `type Layer = { w: f32[2] }

fn init[L](x: f32): Layer[L] = for l. { w: [f32(l) + x, f32(l)] }

fn f[L](p: Layer[L]): f32 = sum l. sqrt(p[l].w[0] - 2)
`;
    writeFileSync(layers, text);
    const weights = join(folder, 'w.safetensors');
    await tenon('run', layers, 'init', '--size', 'L=3', '--arg', 'x=1', '--out', weights);
    const { err } = await tenon('run', layers, 'f', '--in', `p=${weights}#out`, '--trace-nan');
    expect(err).toMatch(/layers\.tn:5:29: error\[E0903\]: .*NaN, is made here, term \[0\]\./);
  });
});
