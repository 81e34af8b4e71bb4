/** What the library saves is what it opens, in full or in half precision. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { compile, openCheckpoint, saveCheckpoint } from '../../runtime/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenon-save-'));
const path = join(folder, 'saved.safetensors');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = compile({
  'a.tn': `type Layer[D] = { weight: f32[D], bias: f32, steps: i32 }

fn made[L, D](x: f32): { blocks: Layer[D][L] } =
  { blocks: for l: L. { weight: for d. x + f32(l) + f32(d) / 8, bias: x, steps: i32(l) } }
`,
});

it.each([
  ['f32 as it is', {}, 'F32', 0.1],
  ['F16', { dtype: 'F16' }, 'F16', 0.0999755859375],
  ['BF16', { dtype: 'BF16' }, 'BF16', 0.10009765625],
] as const)('%s, under state-dict names', async (_, options, dtype, tenth) => {
  await using f = program.function('made', { device: 'wasm', sizes: { L: 2, D: 3 } });
  const made = await f.prepare({ inputs: { x: 0.1 } });
  await made.run();
  await saveCheckpoint(path, await made.stateDict('out'), { ...options, metadata: { by: 'test' } });
  using file = await openCheckpoint(path);
  expect([...file.tensors].map(([n, t]) => `${n} ${t.dtype} [${t.shape}]`).sort()).toEqual([
    `blocks.0.bias ${dtype} []`,
    'blocks.0.steps I32 []',
    `blocks.0.weight ${dtype} [3]`,
    `blocks.1.bias ${dtype} []`,
    'blocks.1.steps I32 []',
    `blocks.1.weight ${dtype} [3]`,
  ]);
  expect(file.read('blocks.0.bias').data[0]).toBe(Math.fround(tenth));
  expect([...file.read('blocks.1.steps').data]).toEqual([1]);
});

it('a number that half precision would make infinite is refused, and the file stays', async () => {
  await using f = program.function('made', { device: 'wasm', sizes: { L: 1, D: 1 } });
  const { tensors } = await f.call({ x: 65520 });
  await saveCheckpoint(path, tensors);
  await expect(saveCheckpoint(path, tensors, { dtype: 'F16' })).rejects.toThrow(
    'tensor "out.blocks.0.weight" cannot be written: element 0 is 65520, which F16 cannot hold',
  );
  using file = await openCheckpoint(path);
  expect(file.read('out.blocks.0.weight').data[0]).toBe(65520);
  await saveCheckpoint(path, tensors, { dtype: 'BF16' });
});
