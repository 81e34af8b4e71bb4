/**
 * Tensors of a program as a checkpoint on disk: safetensors under state-dict names, f32 as it is or
 * rounded to half precision.
 */
import type { Tensor } from '../api/tensor.ts';
import type { HostTensor } from '../io/safetensors.ts';
import { writeSafetensorsFile } from '../io/safetensors-file.ts';
import type { WritableDtype } from '../io/tensor-data.ts';

export type SaveOptions = {
  /** How f32 leaves are stored; the others as they are. */
  readonly dtype?: 'F32' | 'F16' | 'BF16';
  readonly metadata?: Readonly<Record<string, string>>;
};

/** As written to a file: the reference's f64 stays f64 unless another dtype is asked for. */
export function fileTensor(
  { dtype, shape, data }: Tensor,
  float: SaveOptions['dtype'] = undefined,
): HostTensor {
  const names: Record<Tensor['dtype'], WritableDtype> = {
    f32: float ?? (data instanceof Float64Array ? 'F64' : 'F32'),
    i32: 'I32',
    u32: 'U32',
    bool: 'BOOL',
  };
  return { dtype: names[dtype], shape, data };
}

/**
 * Replaces the file as a whole or not at all.
 * @throws TenonError (`io`; `input` for a number that the dtype cannot hold).
 */
export function writeCheckpoint(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  { dtype, metadata = {} }: SaveOptions = {},
): void {
  const stored = new Map([...tensors].map(([name, t]) => [name, fileTensor(t, dtype)]));
  writeSafetensorsFile(path, stored, metadata);
}
