/** Initial weights have the distribution that DiT gives them: bounds, deviations, zeros. */
import { beforeAll, describe, expect, it } from 'vitest';
import { load, type Tensor } from '../../runtime/index.ts';
import { modelFile } from './gradients.ts';

const D = 64;
const sizes = { L: 2, K: 199, C: 3, H: 2, W: 2, Q: D / 4, P: 2 };
let all: ReadonlyMap<string, Tensor>;
beforeAll(async () => {
  const program = await load(modelFile('init'));
  await using f = program.function('initSiT', { device: 'wasm', sizes });
  all = (await f.call({ k: 5 })).tensors;
});

const of = (name: string): number[] => [...all.get(`out.${name}`)!.data];
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

describe('Xavier-uniform', () => {
  it.each([
    ['blocks.1.attn.qkv.weight', D, 3 * D],
    ['blocks.1.attn.proj.weight', D, D],
    ['blocks.1.mlp.fc1.weight', D, 4 * D],
    ['blocks.1.mlp.fc2.weight', 4 * D, D],
    // As the linear map over a flattened patch.
    ['x_embedder.proj.weight', 3 * 2 * 2, D],
  ] as const)('%s', (name, inputs, outputs) => {
    const bound = Math.sqrt(6 / (inputs + outputs));
    const w = of(name);
    const largest = Math.max(...w.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(bound * (1 + 1e-6));
    expect(largest).toBeGreaterThan(0.98 * bound);
    expect(Math.abs(mean(w))).toBeLessThan(0.1 * bound);
    expect(mean(w.map((v) => v * v)) / (bound ** 2 / 3)).toBeCloseTo(1, 1);
  });
});

it.each([
  'y_embedder.embedding_table.weight',
  't_embedder.mlp.0.weight',
  't_embedder.mlp.2.weight',
])('%s is normal with deviation 0.02, the null class too', (name) => {
  const w = of(name);
  expect(Math.sqrt(mean(w.map((v) => v * v)))).toBeCloseTo(0.02, 3);
  expect(Math.max(...w.map(Math.abs))).toBeGreaterThan(0.055);
  expect(w.slice(-D).some((v) => v !== 0)).toBe(true);
});

it('biases, every adaLN map and the last layer are zero, and no two blocks are alike', () => {
  const zero = [...all.keys()].filter((n) => /\.bias$|adaLN_modulation|final_layer/.test(n));
  expect(zero.length).toBeGreaterThan(10);
  for (const name of zero) expect(all.get(name)!.data.every((v) => v === 0)).toBe(true);
  expect(of('blocks.0.attn.proj.weight')).not.toEqual(of('blocks.1.attn.proj.weight'));
});
