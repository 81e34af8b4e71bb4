/** No case depends on the sizes of the ones that are here. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CaseFolder, writeNetworkCases } from './other-sizes.ts';
import { rowsOf } from './rows.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenon-sizes-'));
  const cases = new CaseFolder(folder);
  writeNetworkCases(cases, {
    depth: 3,
    heads: 2,
    hidden: 12,
    input: 4,
    patch: 4,
    classes: 3,
    batch: 2,
    latents: 3,
    rank: 2,
    steps: 3,
  });
  const [n, d, rank] = [20, 5, 2];
  cases.write(
    'pca',
    { n, d, rank },
    {},
    {
      'in.X': [n, d],
      'out.mean': [d],
      'out.std': [d],
      'out.pca_mean': [d],
      'out.components': [d, d],
      'out.components_sign_sklearn12': [d],
      'out.explained_variance': [d],
      'out.explained_variance_ratio': [d],
      'out.z': [n, rank],
      'out.grid': [1, rank, 3, 4],
      'out.resized': [1, rank, 7, 5],
      'in.raw_image': [2, 3, 9, 8],
      'out.raw_image_5': [2, 3, 5, 6],
      'in.moments': [1, 6, 2, 3],
      'noise.posterior': [1, 3, 2, 3],
      'out.latent': [1, 3, 2, 3],
    },
    { 'in.raw_image': 256 },
  );
  const norm = (name: string, c: number) => ({ [`${name}.weight`]: [c], [`${name}.bias`]: [c] });
  const map = (name: string, o: number, i: number) => ({
    [`${name}.weight`]: [o, i],
    [`${name}.bias`]: [o],
  });
  const block = (k: number, D: number) => ({
    ...norm(`blocks.${k}.norm1`, D),
    ...map(`blocks.${k}.attn.qkv`, 3 * D, D),
    ...map(`blocks.${k}.attn.proj`, D, D),
    [`blocks.${k}.ls1.gamma`]: [D],
    ...norm(`blocks.${k}.norm2`, D),
    ...map(`blocks.${k}.mlp.fc1`, 4 * D, D),
    ...map(`blocks.${k}.mlp.fc2`, D, 4 * D),
    [`blocks.${k}.ls2.gamma`]: [D],
  });
  cases.write(
    'dino',
    { heads: 3, depth: 1, d: 6 },
    {},
    {
      'in.image': [1, 3, 21, 14],
      'in.pos_embed_large': [1, 26, 6],
      'out.x_norm_clstoken': [1, 6],
      'out.x_norm_patchtokens': [1, 6, 6],
      'out.large.x_norm_patchtokens': [1, 6, 6],
      'out.large.pos': [1, 7, 6],
    },
    {},
    {
      weights: {
        cls_token: [1, 1, 6],
        pos_embed: [1, 7, 6],
        register_tokens: [1, 2, 6],
        mask_token: [1, 6],
        'patch_embed.proj.weight': [6, 3, 7, 7],
        'patch_embed.proj.bias': [6],
        ...block(0, 6),
        ...norm('norm', 6),
      },
    },
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  'redi-forward',
  'redi-loss-grad',
  'repa',
  'adamw-ema',
  'separate-tokens',
  'redi-sample-ode',
  'redi-sample-sde',
  'dit-ddpm',
  'pca',
  'dino',
])('%s at other sizes: every tensor has its shape, and the devices agree', async (name) => {
  const [exact, device] = [
    await rowsOf(folder, 'reference', name),
    await rowsOf(folder, 'wasm', name),
  ];
  expect(exact.filter((r) => r.status === 'unchecked' || r.error === undefined)).toEqual([]);
  for (const [i, row] of device.entries()) {
    expect(row.tensor).toBe(exact[i]!.tensor);
    const size = exact[i]!.error!;
    expect(Number.isFinite(size)).toBe(true);
    // The largest magnitude of a result, for the expected one is zero.
    expect(Math.abs(row.error! - size)).toBeLessThanOrEqual(1e-2 * size + 1e-4);
  }
});
