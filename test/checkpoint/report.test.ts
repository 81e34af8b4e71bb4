/**
 * Checkpoints against parameters: everything that does not fit, at once and by name; the public XL/2
 * checkpoint's names and shapes fit models/sizes.tn; a `.pt` runs from the command line.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { front } from '../../runtime/cli/front.ts';
import { compareCheckpoint, compile, leavesAt, load, requireMatch } from '../../runtime/index.ts';
import { archive, dict, floats, tensor, zip } from './archive.ts';

const text = `
type Layer[D] = { weight: f32[D, D], bias: f32[D] }
type Net[D, L] = { fixed pos: f32[D], blocks: Layer[D][L] }

fn total[D, L](p: Net[D, L], scale: f32 = 1): f32 =
  scale * (sum l, i. p.blocks[l].bias[i] + p.pos[i] * (sum j. p.blocks[l].weight[i, j]))
`;

const shaped = (entries: Record<string, number[]>) =>
  new Map(Object.entries(entries).map(([n, shape]) => [n, { shape }]));

describe('a report', () => {
  const leaves = leavesAt(compile({ 'net.tn': text }).find('total'), 'p', { D: 2, L: 2 });

  it('is empty when everything fits', () => {
    const report = compareCheckpoint(
      shaped({
        pos: [2],
        'blocks.0.weight': [2, 2],
        'blocks.0.bias': [2],
        'blocks.1.weight': [2, 2],
        'blocks.1.bias': [2],
      }),
      leaves,
    );
    expect(report).toEqual({ matched: 5, missing: [], extra: [], misshapen: [] });
    expect(() => requireMatch(report, 'f.pt')).not.toThrow();
  });

  it('names what is missing, extra and misshapen, all at once', () => {
    const report = compareCheckpoint(
      shaped({ 'blocks.0.weight': [2, 3], 'blocks.0.bias': [2], 'blocks.1.bias': [2], head: [1] }),
      leaves,
    );
    expect(report).toEqual({
      matched: 2,
      missing: ['pos', 'blocks.1.weight'],
      extra: ['head'],
      misshapen: [{ name: 'blocks.0.weight', found: [2, 3], expected: [2, 2] }],
    });
    expect(() => requireMatch(report, 'f.pt')).toThrow(
      'f.pt does not fit the parameters: 2 missing (pos, blocks.1.weight); 1 extra (head); ' +
        '1 of another shape (blocks.0.weight is [2, 3] and not [2, 2])',
    );
  });
});

/** The state dict of the public SiT-XL/2 ReDi model: 4 + 8 channels, 1000 classes. */
function publicNames(): Map<string, { shape: number[] }> {
  const D = 1152;
  const linear = (name: string, o: number, i: number): [string, number[]][] => [
    [`${name}.weight`, [o, i]],
    [`${name}.bias`, [o]],
  ];
  const block = (n: number): [string, number[]][] => [
    ...linear(`blocks.${n}.attn.qkv`, 3 * D, D),
    ...linear(`blocks.${n}.attn.proj`, D, D),
    ...linear(`blocks.${n}.mlp.fc1`, 4 * D, D),
    ...linear(`blocks.${n}.mlp.fc2`, D, 4 * D),
    ...linear(`blocks.${n}.adaLN_modulation.1`, 6 * D, D),
  ];
  return shaped(
    Object.fromEntries([
      ['pos_embed', [1, 256, D]],
      ['x_embedder.proj.weight', [D, 12, 2, 2]],
      ['x_embedder.proj.bias', [D]],
      ...linear('t_embedder.mlp.0', D, 256),
      ...linear('t_embedder.mlp.2', D, D),
      ['y_embedder.embedding_table.weight', [1001, D]],
      ...Array.from({ length: 28 }, (_, n) => block(n)).flat(),
      ...linear('final_layer.linear', 2 * 2 * 12, D),
      ...linear('final_layer.adaLN_modulation.1', 2 * D, D),
    ]),
  );
}

it('the public XL/2 checkpoint fits: 675 million parameters under their names', async () => {
  const program = await load(join(import.meta.dirname, '../../models/sizes.tn'));
  const sizes = { K: 1000, C: 4, R: 8, H: 16, W: 16 };
  const tensors = publicNames();
  const report = compareCheckpoint(tensors, leavesAt(program.find('xl2'), 'p', sizes));
  expect(report).toEqual({ matched: 292, missing: [], extra: [], misshapen: [] });
  const count = [...tensors.values()].reduce((n, t) => n + t.shape.reduce((a, b) => a * b, 1), 0);
  expect(Math.round(count / 1e6)).toBe(675);
});

describe('tenon run', () => {
  it('takes a parameter from a .pt file, and names what does not fit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tenon-pt-'));
    try {
      const storages = { 0: floats(1, 2, 3, 4), 1: floats(10, 20) };
      const weight = tensor({ key: '0', elements: 4 }, [2, 2], [2, 1]);
      const bias = tensor({ key: '1', elements: 2 }, [2], [1]);
      const write = (name: string, entries: Record<string, Uint8Array>): string => {
        writeFileSync(join(folder, name), zip(archive(dict(entries), storages)));
        return join(folder, name);
      };
      const program = join(folder, 'net.tn');
      writeFileSync(program, text);
      const good = write('good.pt', {
        pos: bias,
        'blocks.0.weight': weight,
        'blocks.0.bias': bias,
      });
      const bad = write('bad.pt', { pos: bias, 'blocks.0.weight': weight, head: bias });
      const lines: string[] = [];
      const run = (file: string): Promise<number> =>
        front(['run', program, 'total', '--in', `p=${file}`, '--device', 'reference', '--json'], {
          out: (t) => void lines.push(t),
          err: (t) => void lines.push(t),
          signal: new AbortController().signal,
          terminal: false,
        });
      expect(await run(good)).toBe(0);
      // 10 + 20, and 10 * (1 + 2) + 20 * (3 + 4).
      expect(lines.join('')).toContain('200');
      expect(await run(bad)).toBe(1);
      expect(lines.join('')).toContain('p.head');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
