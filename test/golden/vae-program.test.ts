/**
 * Autoencoders of any number of levels: the text that is written for one is the file in models/ for
 * the architectures that have a file, and other architectures run as well.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readProgram } from '../../runtime/api/load.ts';
import { vaeProgram, vaeShape } from '../../runtime/golden/vae-program.ts';
import { compile, formatText, type Program, type Tensor, type Value } from '../../runtime/index.ts';

const models = join(import.meta.dirname, '../../models');

describe('the files are the text', () => {
  it.each([
    ['sd-vae.tn', [128, 256, 512, 512], 2],
    ['small-vae.tn', [24, 48], 1],
  ] as const)('%s', (name, channels, layers) => {
    const formatted = formatText(name, vaeProgram(vaeShape(channels, layers)));
    expect(formatted).toEqual({ text: readFileSync(join(models, name), 'utf8') });
  });
});

describe('other architectures', () => {
  it.each([
    { channels: [4], layers: 1 },
    { channels: [4, 4], layers: 2 },
    { channels: [4, 8, 4], layers: 1 },
    { channels: [2, 4, 8, 8], layers: 2 },
  ])('$channels with $layers blocks: a picture becomes a latent and back', async (v) => {
    const path = join(models, 'case.tn');
    const { sources } = await readProgram(path, vaeProgram(vaeShape(v.channels, v.layers)));
    const program = compile(sources, path);
    const widths = [...new Set(v.channels)].map((c, i) => [`N${i}`, c / 2]);
    const sizes = { ...Object.fromEntries(widths), G: 2, C: 3, B: 2, H: 2, W: 1 };
    const { mean } = (await onWaves(program, 'posteriors', sizes)) as { mean: Tensor };
    expect(mean.shape).toEqual([2, 3, 2, 1]);
    const pictures = (await onWaves(program, 'pictures', sizes, { latent: mean })) as Tensor;
    const factor = 2 ** (v.channels.length - 1);
    expect(pictures.shape).toEqual([2, 3, 2 * factor, factor]);
    expect(pictures.data.every(Number.isFinite)).toBe(true);
  });
});

/** Every leaf that is not given is a wave. */
async function onWaves(
  program: Program,
  name: string,
  sizes: Record<string, number>,
  given: Record<string, Tensor> = {},
): Promise<Value> {
  await using f = program.function(name, { device: 'wasm', sizes });
  const prepared = await f.prepare();
  const leaves = prepared.params.flatMap((p) =>
    p.leaves.map((leaf): [string, Tensor] => {
      const data = new Float32Array(leaf.shape.reduce((a, b) => a * b, 1));
      const wave = data.map((_, i) => Math.sin(7 * i + data.length));
      return [[p.name, ...leaf.path].join('.'), { dtype: 'f32', shape: leaf.shape, data: wave }];
    }),
  );
  return (await prepared.call({ ...Object.fromEntries(leaves), ...given })).out;
}
