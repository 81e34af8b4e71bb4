/** Checkpoints for users of the library; the file system is touched only when one is opened or saved. */
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { SaveOptions } from '../checkpoint/save.ts';
import type { Tensor } from './tensor.ts';

/**
 * A checkpoint on disk, safetensors or PyTorch's: `f.call({ p: checkpoint.select() })`. The caller
 * disposes of it once what was selected has been written.
 * @throws TenonError (`io`, `format`).
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const { Checkpoint } = await import('../checkpoint/checkpoint.ts');
  return Checkpoint.open(path);
}

/**
 * Tensors under state-dict names, as `instance.stateDict` and `result.tensors` are, in a safetensors
 * file; one that is there is replaced as a whole or not at all.
 * @throws TenonError (`io`; `input` for a number that the dtype cannot hold).
 */
export async function saveCheckpoint(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  options: SaveOptions = {},
): Promise<void> {
  const { writeCheckpoint } = await import('../checkpoint/save.ts');
  writeCheckpoint(path, tensors, options);
}
