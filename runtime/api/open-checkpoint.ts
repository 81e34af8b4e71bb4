/** Checkpoints for users of the library; the file system is touched only when one is opened. */
import type { Checkpoint } from '../checkpoint/checkpoint.ts';

/**
 * A checkpoint on disk, safetensors or PyTorch's: `f.call({ p: checkpoint.select() })`. The caller
 * disposes of it once what was selected has been written.
 * @throws TenonError (`io`, `format`).
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const { Checkpoint } = await import('../checkpoint/checkpoint.ts');
  return Checkpoint.open(path);
}
